"""Chapter 06: the ramp, the two critical batches, the drawing, published batches, and what noise foretells."""

from __future__ import annotations

from math import sqrt

import pytest

from gpt4lab import catalog
from gpt4lab.chapters.c06_batch import drawing, live, ramp
from gpt4lab.checks.batches import LAWS, published, scatter
from gpt4lab.formulas.noise import fit_trade_off, foretold_steps
from gpt4lab.quantities import value
from gpt4lab.scenario import change, load_scenario
from gpt4lab.toys.batch.findings import counted, foretold_checks, noise_checks, noise_scale, toy_point

LEAK = load_scenario("leak")


# --- the ramp


def test_the_steps_of_a_ramp_are_those_of_its_steps_one_by_one() -> None:
    small = change(LEAK, {"training.first_batch": 1e6, "training.batch_tokens": 5e6, "training.ramp_tokens": 2e9})
    seen, steps = 0.0, 0
    while seen < 2e9:
        seen, steps = seen + ramp.batch_at(small, seen), steps + 1
    steps += round((small.training.tokens - seen) / 5e6)
    assert value("batch.ramp_steps", small) == pytest.approx(steps, rel=1e-3)


def test_without_a_ramp_nothing_is_saved_and_nothing_waits() -> None:
    flat = change(LEAK, {"training.first_batch": LEAK.training.batch_tokens})
    assert ramp.saved_and_waited(flat) == (0, 0)
    assert value("batch.ramp_steps", flat) == pytest.approx(value("batch.steps", flat))
    saved, waited = ramp.saved_and_waited(LEAK)
    assert 0 < waited < saved < value("batch.ramp_days", LEAK)


def test_a_ramp_that_is_longer_than_the_run_ends_with_it() -> None:
    long = change(LEAK, {"training.ramp_tokens": 1e15})
    assert value("batch.ramp_steps", long) == pytest.approx(LEAK.training.tokens / value("batch.ramp_mean", LEAK))


def test_a_published_ramp_jumps_or_grows_as_it_is_told() -> None:
    jumps, grows = catalog.ramps["llama-3.1"], catalog.ramps["deepseek-v3"]
    assert [jumps.at(seen) for seen in (0, 252e6, 1e12, 2.87e12, 1e13)] == [4e6, 8e6, 8e6, 16e6, 16e6]
    assert grows.at(469e9 / 2) == pytest.approx((12_582_912 + 62_914_560) / 2)
    for one in catalog.ramps.values():
        assert list(one.rows) == sorted(one.rows)
        assert one.rows[0][0] == 0


def test_the_largest_batch_of_a_ramp_is_that_of_the_model() -> None:
    same = {"gpt-3": "gpt-3-175b", "palm": "palm-540b", "llama-3.1": "llama-3.1-405b"}
    for slug, one in catalog.ramps.items():
        if model := catalog.models.get(same.get(slug, slug)):
            assert one.rows[-1][1] == pytest.approx(model.need("batch_tokens"), rel=0.05)


# --- noise and pipeline


@pytest.mark.parametrize("law", ["kaplan", "deepseek", "step"])
def test_the_cheapest_batch_is_the_bottom_of_its_valley(law: str) -> None:
    best = value(f"batch.cheapest_{law}", LEAK)
    bottom, *sides = (
        value(f"batch.dearer_{law}", LEAK, {"training.batch_tokens": best * by}) for by in (1, 0.99, 1.01, 0.5, 2)
    )
    assert bottom < min(sides)
    assert sides[2] == pytest.approx(sides[3]), "half and twice cost alike"


def test_waiting_is_that_of_the_pipeline_with_whole_micro_batches() -> None:
    whole = {"training.batch_tokens": 40 * value("cluster.replicas", LEAK) * LEAK.model.context}
    waiting = value("pipeline.bubble", LEAK, whole)
    assert value("batch.extra_time", LEAK, whole) == pytest.approx(1 / (1 - waiting))


# --- the drawing


def test_the_arrows_average_to_the_gradient_and_their_noise_is_to_scale() -> None:
    assert sum(x for x, _ in drawing.DIRECTIONS) == pytest.approx(0)
    assert sum(y for _, y in drawing.DIRECTIONS) == pytest.approx(0)
    assert sum(x * x + y * y for x, y in drawing.DIRECTIONS) == pytest.approx(drawing.ARROWS)
    first, *_, last = drawing.scenes(LEAK)
    assert first.rows[0]["noise"] / last.rows[0]["noise"] == pytest.approx(16)
    assert last.rows[0]["noise"] == pytest.approx(sqrt(value("batch.critical_kaplan", LEAK) / 60e6))
    assert any("expert" in scene.caption for scene in drawing.scenes(LEAK))
    dense = change(LEAK, {"model.top_k": 1, "model.experts": 1})
    assert not any("expert" in scene.caption for scene in drawing.scenes(dense))


# --- published batches


def test_no_law_meets_the_published_batches_within_a_factor_of_two() -> None:
    assert len(published()) == 16
    for law in LAWS:
        _, by = scatter(law)
        assert 2 < by < 4.5
    mine = next(run for run in published() if run["run"] == "DeepSeek-V3")
    assert mine["DeepSeek"] == pytest.approx(value("batch.deepseek", LEAK, {"training.flop": mine["flop"]}))


# --- noise and steps


def watched(noise: float, seed: int = 0, steps: int = 20) -> dict[str, object]:
    return {"kind": "noise", "seed": seed, "batch": 64, "steps": steps, "signal": 2.0, "noise": 2 * noise}


def test_the_noise_scale_is_the_ratio_of_the_means() -> None:
    rows = [{"signal": 1.0, "noise": 10.0}, {"signal": 3.0, "noise": 10.0}]
    assert noise_scale(rows) == 5


def test_what_is_foretold_is_found_where_the_law_holds() -> None:
    results = [watched(16, seed) for seed in range(3)]
    for batch in (8, 16, 32, 128):
        steps = foretold_steps(batch, 16, 20, 64)
        results += [{"kind": "steps", "seed": seed, "batch": batch, "steps": steps} for seed in range(3)]
    checks = foretold_checks(results)
    assert [check.ratio for check in checks] == pytest.approx([1] * 5)
    assert set(counted(results)) == {8, 16, 32, 64, 128}
    assert foretold_checks(results[:2]) == ()
    rows = live.lines(results[:3])
    assert {row["line"] for row in rows if row["batch"] == 64 and row["steps"] == pytest.approx(20)} == {
        live.FORETOLD, live.EACH, live.NONE,
    }  # fmt: skip
    fit = fit_trade_off([row["batch"] for row in rows[:22]], [row["steps"] for row in rows[:22]])
    assert fit.B_crit == pytest.approx(16)


def test_recorded_noise_meets_the_critical_batch_with_adamw_and_misses_it_with_muon_and_sgd() -> None:
    by = {name: [c.ratio for c in noise_checks() if c.name.startswith(name)] for name in ("AdamW", "Muon", "SGD")}
    assert all(len(ratios) == 4 for ratios in by.values())
    assert all(0.5 < ratio < 2 for ratio in by["AdamW"])
    assert all(2.5 < ratio < 5 for ratio in by["Muon"])
    assert all(ratio < 0.5 for ratio in by["SGD"])
    assert toy_point()["flop"] < 1e10
