"""What the experts do, the scaling experiment and the fact table, at tiny sizes."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from gpt4lab.toys.core.corpus import Corpus  # noqa: E402
from gpt4lab.toys.core.recordings import gain, load_recorded, mean_curves, summary  # noqa: E402
from gpt4lab.toys.core.training import train  # noqa: E402
from gpt4lab.toys.core.transformer import ToyConfig, Transformer, build_model, count_parameters  # noqa: E402
from gpt4lab.toys.experts import scaling  # noqa: E402
from gpt4lab.toys.experts.facts import FactModel, Facts  # noqa: E402
from gpt4lab.toys.experts.looks import (  # noqa: E402
    coloured_text,
    dead_experts,
    expert_table,
    load_rows,
    mutual_information,
    specialisation,
    step_check,
    touched_rows,
)
from gpt4lab.toys.experts.scaling import Scaling, with_experts  # noqa: E402

CONFIG = ToyConfig(d_model=16, n_layers=2, n_heads=2, n_kv_heads=2, d_ff=16, n_experts=4, top_k=2)


@pytest.fixture(scope="module")
def model(corpus: Corpus) -> Transformer:
    return train(build_model(CONFIG), corpus.sampler(8, 64), steps=40).wait().result


def test_load_sums_to_one_in_each_layer(model: Transformer, corpus: Corpus) -> None:
    rows = load_rows(model, corpus, rows=8)
    assert len(rows) == 2 * 4
    for layer in range(2):
        assert sum(row["share"] for row in rows if row["layer"] == layer) == pytest.approx(1.0)
        assert sum(row["times_even"] for row in rows if row["layer"] == layer) == pytest.approx(4.0)


def test_a_router_with_one_favourite_leaves_dead_experts(model: Transformer, corpus: Corpus) -> None:
    skewed = build_model(CONFIG)
    skewed.load_state_dict(model.state_dict())
    with torch.no_grad():
        for layer in skewed.mixtures:
            layer.router.weight.zero_()  # every logit equal: always the same two experts
    assert dead_experts(load_rows(skewed, corpus, rows=8)) == 4
    assert dead_experts(load_rows(model, corpus, rows=8)) < 4


def test_coloured_text_gives_back_the_text(model: Transformer) -> None:
    rows = coloured_text(model, "import os", layer=1)
    assert "".join(row["text"] for row in rows) == "import os"
    assert all(0 <= row["expert"] < 4 for row in rows)
    assert all(1 / 4 <= row["probability"] <= 1 for row in rows), "the best of four has at least a quarter"


@pytest.mark.parametrize(("by", "groups"), [("domain", 2), ("character", 5)])
def test_expert_table_columns_sum_to_one(model: Transformer, corpus: Corpus, by: str, groups: int) -> None:
    rows = expert_table(model, corpus, by=by, rows=16)
    assert len(rows) == 2 * 4 * groups
    for group in {row[by] for row in rows}:
        assert sum(row["share"] for row in rows if row[by] == group and row["layer"] == 0) == pytest.approx(1.0)


def test_mutual_information_of_known_tables() -> None:
    assert mutual_information(torch.tensor([[5, 0], [0, 5]])) == pytest.approx(1.0)
    assert mutual_information(torch.tensor([[2, 4], [3, 6]])) == pytest.approx(0.0, abs=1e-12)
    skew = 0.75 * math.log2(1.5) + 0.25 * math.log2(0.5)
    assert mutual_information(torch.tensor([[3, 1], [1, 3]])) == pytest.approx(skew)


def test_specialisation_is_within_its_bounds(model: Transformer, corpus: Corpus) -> None:
    for row in specialisation(model, corpus, rows=16):
        assert 0 <= row["bits"] <= math.log2(4)


def test_touched_experts_measured_against_predicted(model: Transformer, corpus: Corpus) -> None:
    rows = touched_rows(model, corpus, sizes=(1, 4, 16), draws=400)
    for name in ("even", "skewed", "mixed", "one_text"):
        shares = [row[name] for row in rows]
        assert shares[0] == pytest.approx(2 / 4), "one token needs exactly k of E"
        assert shares == sorted(shares)
    for row in rows:
        assert row["mixed"] == pytest.approx(row["skewed"], abs=0.03), "drawn on its own, each token follows the load"
        assert row["skewed"] <= row["even"] + 1e-6, "an uneven router touches fewer"


def test_a_step_is_timed_against_the_dense_twin(corpus: Corpus) -> None:
    check = step_check(CONFIG, corpus, repeats=4, rows=2)
    assert check.unit == "s"
    assert check.predicted > 0
    assert check.found > 0


def test_scaling_cases_have_equal_active_width() -> None:
    active = [count_parameters(build_model(with_experts(CONFIG, e))) for e in (1, 4, 8)]
    routers = [0, 2 * 4 * 16, 2 * 8 * 16]
    assert len({count.active - router for count, router in zip(active, routers, strict=True)}) == 1
    assert active[0].total < active[1].total < active[2].total


def test_scaling_run_keeps_what_is_finished(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "BASE", CONFIG)
    run = Scaling(corpus, experts=(1, 4), seeds=2, steps=3, batch=2, context=16).start(name="").wait()
    assert [(row["experts"], row["seed"]) for row in run.result] == [(1, 0), (4, 0), (1, 1), (4, 1)]
    assert len(run.history) == 4 * 3
    assert run.result[0]["curve"][-1]["tokens"] == 3 * 2 * 16


def test_summary_and_gain() -> None:
    rows = [{"experts": e, "seed": s, "bpb": 3.0 - e / 10 + s / 100} for e in (1, 4) for s in (0, 1, 2)]
    assert summary(rows)[0] == pytest.approx({"experts": 1, "seeds": 3, "bpb": 2.91, "low": 2.90, "high": 2.92})
    assert gain(rows, more=4, fewer=1)["differences"] == pytest.approx([0.3, 0.3, 0.3])


def test_mean_curves_average_over_seeds() -> None:
    curve = [{"tokens": 10, "cpu_s": 1.0, "bpb": 3.0}]
    rows = [{"experts": 4, "seed": s, "curve": [{**curve[0], "bpb": 3.0 + s}]} for s in (0, 1)]
    assert mean_curves(rows) == [{"experts": 4, "tokens": 10, "cpu_s": 1.0, "bpb": 3.5}]


def test_recorded_run_says_how_it_was_made() -> None:
    recorded = load_recorded("experts")
    for key in ("script", "date", "torch", "machine", "settings"):
        assert recorded[key]
    found = {(row["experts"], row["seed"]) for row in recorded["results"]}
    assert found == {(e, s) for e in (1, 4, 16, 64) for s in range(3)}
    assert all(row["tokens"] == recorded["results"][0]["tokens"] for row in recorded["results"])


def test_more_experts_hold_more_facts_at_equal_active_width() -> None:
    run = Facts(experts=(1, 32), steps=120).start(name="").wait()
    one, many = run.result
    assert one["nats"] == pytest.approx(math.log(64), abs=0.2)
    assert many["nats"] < one["nats"] - 0.1
    assert many["active"] - one["active"] == 32 * 32, "the router alone"


def test_fact_model_counts() -> None:
    assert sum(p.numel() for p in FactModel(1).parameters()) == 256 * 32 + 2 * 32 * 32 + 32 * 64
