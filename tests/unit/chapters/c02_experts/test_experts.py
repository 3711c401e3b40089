"""Chapter 02: what its panels say of experts, laws and recorded runs, and what its readings see in a trained model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gpt4lab.book.tables import live_crosscheck
from gpt4lab.chapters.c02_experts import laws as routing_laws
from gpt4lab.chapters.c02_experts import more_experts, since
from gpt4lab.chapters.c02_experts import touched as experts
from gpt4lab.chapters.c02_experts.mixture import mixture, times_even
from gpt4lab.panels.training import LiveTraining
from gpt4lab.quantities import value
from gpt4lab.scenario import change, load_scenario
from gpt4lab.toys.core import recordings

LEAK = load_scenario("leak")
STEPS = 5


# --- closed form --------------------------------------------------------------------------------------


def test_post_wakes_two_thirds_with_8_tokens_and_nearly_all_with_32() -> None:
    view = experts.touched.view(load_scenario(experts.START))
    assert [round(row["touched"], 3) for row in view.rows["post"]] == [0.656, 0.986, 1.0]
    assert view.value == view.post
    assert view.change == "the post's model at 32 tokens in a step: 98.6%, the same here"


def test_more_experts_than_there_are_is_one_clear_error() -> None:
    live = experts.touched.widget()
    live.set({"model.experts": 1})
    assert live.error == "A token cannot meet 2 experts of 1: 1 or fewer."


def test_one_user_reads_no_more_than_a_dense_model() -> None:
    times = experts.token_ms(LEAK, 1)
    assert times[experts.MOE] == pytest.approx(times[experts.DENSE])


def test_reading_meets_computing_at_the_crossover() -> None:
    at = value("decode.crossover", LEAK)
    times = experts.token_ms(LEAK, at)
    assert times[experts.MOE] == pytest.approx(times[experts.ARITHMETIC], rel=1e-3)
    dense = experts.token_ms(LEAK, value("decode.crossover_dense", LEAK))
    assert dense[experts.DENSE] == pytest.approx(dense[experts.ARITHMETIC], rel=1e-3)


def test_laws_agree_where_they_were_fitted_and_part_at_the_posts_size() -> None:
    fitted = routing_laws.changes(routing_laws.laws.scenario_of("Where it was fitted"), 64)
    assert all(gain < -0.01 for gain in fitted.values()), fitted
    stretched = routing_laws.changes(LEAK, 64)
    assert min(stretched.values()) < -0.005 < 0.005 < max(stretched.values()), stretched


def test_laws_agree_with_the_quantities_of_the_ledger() -> None:
    gains = routing_laws.changes(LEAK, LEAK.model.other_experts)
    assert gains["Clark, S-BASE"] == pytest.approx(value("moe.s_base_gain", LEAK))
    assert gains["Clark, RL-R"] == pytest.approx(value("moe.rl_r_gain", LEAK))


def test_tokens_worth_brings_the_same_loss() -> None:
    factor = routing_laws.tokens_worth(LEAK)
    more = {"training.tokens": LEAK.training.tokens * factor}
    assert value("moe.ludziejewski_loss", LEAK, more) == pytest.approx(value("moe.ludziejewski_other_loss", LEAK))


def test_the_post_is_marked_among_the_published_models_but_not_counted() -> None:
    rows = since.since_view().rows["data"]
    assert [row["experts"] for row in rows if row["mark"] == "post"] == [16]
    assert not {since.LEAK, since.PROXY} & set(since.mixtures())
    assert len(since.rows()) == len(rows) - 1


# --- live ---------------------------------------------------------------------------------------------


@pytest.fixture
def lab() -> Iterator[LiveTraining]:
    panel = mixture.widget()
    panel.set({"mixture.steps": STEPS})
    yield panel
    panel.stop()


def readings(lab: LiveTraining) -> list[Any]:
    from gpt4lab.chapters.c02_experts import coloured_text as mixture_text
    from gpt4lab.chapters.c02_experts import readings as see

    return [see.router_map(lab), mixture_text.coloured_text(lab), see.domain_table(lab), see.touched_measured(lab)]


@pytest.mark.live
def test_the_cross_check_waits_for_the_end_of_the_run(lab: LiveTraining) -> None:
    from gpt4lab.chapters.c02_experts.readings import router_checks

    table = live_crosscheck(lab, router_checks, "Formula against the model")
    assert "<table" not in table._body.value
    lab.start().wait()
    assert not table.error
    *touched, step = table.view.text
    assert [check.unit for check in table.view.text] == ["fraction"] * 4 + ["s"]
    assert all(check.ratio < 1.02 for check in touched), "an uneven router wakes fewer"
    assert step.found > 0
    assert table._body.value.count("<tr>") == 6


@pytest.mark.live
def test_a_run_fills_every_reading(lab: LiveTraining) -> None:
    looks = readings(lab)
    lab.start().wait()
    for look in looks:
        assert not look.error
        assert look.view.rows["data"], look.view.sentence


@pytest.mark.live
def test_two_runs_are_two_lines_and_moved_sliders_are_said(lab: LiveTraining) -> None:
    lab.start().wait()
    lab.set({"mixture.experts": 4})
    assert lab._run_button.description.endswith("with these")
    lab.start().wait()
    names = {row["run"] for row in lab._view(lab.scenario).rows["data"] if "run" in row}
    assert names == {"this run", "the run before"}
    assert "2 for each byte" in lab._sentence.value


@pytest.mark.live
@pytest.mark.parametrize("preset", mixture.presets)
def test_every_reading_sees_every_preset(lab: LiveTraining, preset: str) -> None:
    looks = readings(lab)
    lab.load(change(mixture.scenario_of(preset), {"mixture.steps": STEPS}))
    lab.start().wait()
    assert not [look.error for look in looks if look.error]


@pytest.mark.live
def test_silly_settings_are_one_clear_error_and_start_nothing(lab: LiveTraining) -> None:
    lab.set({"mixture.experts": 1})
    assert lab.error == "A token cannot meet 2 experts of 1: 1 or fewer."
    assert lab.scenario.mixture.experts == LEAK.mixture.experts


@pytest.mark.live
def test_same_flop_whatever_the_number_of_experts_per_byte() -> None:
    from gpt4lab.chapters.c02_experts.mixture import toy_config

    widths = {k: toy_config(change(LEAK, {"mixture.top_k": k})).d_ff * k for k in (1, 2, 3, 4, 6, 8)}
    assert all(240 <= width <= 256 for width in widths.values()), widths


@pytest.mark.live
def test_each_stretch_of_the_text_can_be_lit(lab: LiveTraining) -> None:
    from gpt4lab.chapters.c02_experts import coloured_text as mixture_text

    look = mixture_text.coloured_text(lab)
    lab.start().wait()
    shown = "".join(row["text"] for row in look.view.rows["data"] if row["source"].startswith("prose"))
    assert len(shown) == mixture_text.PIECE
    assert sum(row["share"] for row in look.view.rows["habits"]) == pytest.approx(1)
    assert look._body.value.count('<span class="g4l-of-') == len(look.view.rows["data"])
    assert look._body.value.count(" checked>") == 1


def test_even_load_is_one_for_every_expert() -> None:
    assert times_even([[0.25] * 4, [0.5, 0.5]]) == [1.0] * 6


def test_recorded_run_has_three_seeds_and_says_how_it_was_made() -> None:
    run = more_experts.recorded()
    rows = more_experts.scaling_view(LEAK, None, None).rows["data"]
    assert [row["lane"] for row in rows] == ["dense", "4 experts", "16 experts", "64 experts"]
    assert all(row["seeds"] >= 3 and row["low"] < row["bpb"] < row["high"] for row in rows)
    assert run["date"] in more_experts.provenance()
    assert run["script"] in more_experts.provenance()


def test_what_the_chapter_says_of_the_recorded_run() -> None:
    results = more_experts.recorded()["results"]
    first, second, third = more_experts.recorded_steps()
    assert 0 < first["gain"] < third["gain"] < second["gain"]
    assert first["low"] < 0 < min(first["differences"]) < 0.001
    assert all(difference > 0 for difference in third["differences"])
    assert 0.35 < third["gain"] / second["gain"] < 0.65
    found = {row["experts"]: row for row in recordings.summary(results)}
    assert found[64]["high"] > found[16]["low"], "the bars overlap"
    said = more_experts.scaling_view(LEAK, None, None).sentence
    assert all(f"{step['gain']:.3f}" in said for step in (first, second, third))


def test_in_equal_time_the_order_changes() -> None:
    early, late = (more_experts.time_view(more_experts.equal_time.scenario_of(name)).value for name in ("Soon", "Late"))
    assert (early, late) == ("dense", "16 experts")


@pytest.mark.live
def test_smaller_scaling_run_stands_beside_the_recorded_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(more_experts, "LIVE", {"experts": (1, 16), "seeds": 1})
    panel = more_experts.scaling.widget()
    panel.set({"mixture.steps": 12})
    panel.start().wait()
    assert not panel.error
    marks = [row["mark"] for row in panel._view(panel.scenario).rows["data"]]
    assert marks.count("published") == 4
    assert marks.count("measured") == 2
    assert "Here 2 of 2 trainings are done" in panel._sentence.value


@pytest.mark.live
def test_fact_toy_fills_in_as_its_models_finish() -> None:
    panel = more_experts.facts.widget()
    panel.set({"mixture.steps": 50})
    panel.start().wait()
    assert not panel.error
    lanes = {row["experts"] for row in panel._view(panel.scenario).rows["data"]}
    assert lanes == {"dense", "4 experts", "16 experts", "64 experts"}
    assert "64 experts:" in panel._sentence.value


@pytest.mark.live
def test_an_error_stays_on_the_page_while_the_run_paints() -> None:
    lab = mixture.widget()
    lab.set({"mixture.steps": 40})
    lab.start()
    lab.controls["mixture.experts"].value = 1
    refused = lab.error
    assert "cannot meet" in refused
    lab.wait()
    assert lab.error == refused
    lab.controls["mixture.experts"].value = 8
    assert lab.error == ""
