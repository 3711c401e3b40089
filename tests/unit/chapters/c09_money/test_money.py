"""Chapter 09: what its panels say about the run, its price, its failures and its pipeline must be true."""

from __future__ import annotations

import math
import sys

import pytest

from gpt4lab import catalog
from gpt4lab.book import chapters
from gpt4lab.chapters.c09_money import (
    bubble,
    drawing,
    equation,
    failure_rate,
    failures,
    layout,
    prices,
    rerun,
    whole_runs,
)
from gpt4lab.chapters.c09_money import run as money
from gpt4lab.charts.marks import pinned
from gpt4lab.checks.logs import LOGS, as_in, years_in
from gpt4lab.checks.runs import LEFT_OUT, NO_RUN, PUBLISHED, days_checks, hours_checks
from gpt4lab.checks.step import megatron_validation
from gpt4lab.checks.tables import step_errors, tables
from gpt4lab.quantities import value, values
from gpt4lab.scenario import change, get, load_scenario
from gpt4lab.simulate.one_run import KEPT, LOST, RESTART
from tests.conftest import ROOT
from tests.unit.chapters.assume import LEAK, assume

# The price, and what it would need


@pytest.mark.parametrize("gpus", [1_000, 25_000, 100_000])
def test_the_number_of_gpus_does_not_move_the_price(gpus: int):
    assert value("training.cost", assume(cluster__gpus=gpus)) == pytest.approx(value("training.cost", LEAK))


@pytest.mark.parametrize(
    ("name", "path", "result"),
    [
        ("budget.days", "cluster.days", "cluster.rental"),
        ("budget.gpus", "cluster.gpus", "cluster.rental"),
        ("budget.price", "cluster.usd_per_gpu_hour", "cluster.rental"),
        ("budget.mfu", "training.mfu", "training.cost"),
    ],
)
def test_what_the_stated_price_needs_gives_the_stated_price(name: str, path: str, result: str):
    found = value(name, LEAK)
    assert value(result, LEAK, {path: found}) == pytest.approx(LEAK.cluster.stated_usd)


def test_every_way_to_the_stated_price_leaves_what_the_post_states():
    assert value("budget.days", LEAK) > 100
    assert value("budget.gpus", assume(cluster__days=100)) > 26_000
    assert value("budget.mfu", LEAK) < equation.STATED_MFU[0]
    assert value("budget.price", assume(cluster__days=100)) > 1.04


def test_the_reader_stands_on_the_line_and_the_post_beside_it():
    rows = money.run_view(LEAK).rows
    slope = rows["data"][1]["rent"] / rows["data"][1]["days"]
    for place in (*rows["you"], *rows["ticks"]):
        assert place["rent"] == pytest.approx(slope * place["days"])
    assert rows["post"][0]["rent"] > 1.04 * slope * rows["post"][0]["to"]


def test_what_lies_outside_the_plot_is_held_at_its_edge_and_says_so():
    held = pinned({"days": 900.0, "rent": 20.0}, money.DAYS, money.RENT)
    assert held["days"] == 160
    assert "beyond" in held["label"]
    assert "label" not in pinned({"days": 90.0, "rent": 20.0}, money.DAYS, money.RENT)


# Four numbers, one equation


@pytest.mark.parametrize("follows", equation.UNKNOWNS)
def test_the_fourth_number_follows(follows: str):
    """Whatever follows, put back into the scenario it satisfies C = n F t MFU."""
    start = assume(
        toy__follows=follows, training__tokens=9e12, cluster__gpus=17_000, cluster__days=120, training__mfu=0.41
    )
    settled = change(start, equation.equation_view(start).follow)
    assert value("training.implied_mfu", settled) == pytest.approx(settled.training.mfu, rel=1e-4)


def test_its_slider_moves_by_itself_and_is_switched_off():
    live = equation.equation.widget()
    live.set({"cluster.days": 50})
    assert live.controls["training.mfu"].disabled
    found = value("training.implied_mfu", assume(cluster__days=50))
    assert live.controls["training.mfu"].value == pytest.approx(found, rel=1e-4), "as many digits as a control keeps"
    live.set({"equation.follows": "GPUs"})
    assert not live.controls["training.mfu"].disabled
    assert live.controls["cluster.gpus"].disabled
    assert live.scenario.cluster.gpus == live.controls["cluster.gpus"].value


def test_more_than_the_peak_is_called_impossible():
    assert "impossible" in equation.equation_view(assume(cluster__gpus=2_000)).sentence


def test_the_stated_range_of_mfu_is_the_image_of_the_stated_days():
    low, high = (value("training.implied_mfu", assume(cluster__days=days)) for days in (100, 90))
    assert (round(low, 2), round(high, 2)) == equation.STATED_MFU


def test_the_leak_is_not_among_its_own_witnesses():
    assert not any("GPT-4" in row["label"] for row in equation.published())


# The second run


@pytest.mark.parametrize("days", [30, 55, 120])
def test_the_saving_is_hardware_times_utilisation(days: float):
    names = ("rerun.times_cheaper", "rerun.price_performance", "rerun.mfu_ratio")
    saving, hardware, utilisation = values(names, assume(rerun__days=days)).values()
    assert saving == pytest.approx(hardware * utilisation)


def test_the_posts_second_run_needs_more_than_anybody_published():
    levels = [row["mfu"] for row in rerun.published(LEAK)["published"] if "days" not in row]
    assert value("rerun.implied_mfu", LEAK) > max(levels)
    assert value("rerun.implied_mfu", load_scenario("gtc-2024")) < 0.36


# Failures


def month() -> drawing.Month:
    found = drawing.month_of(LEAK)
    assert found is not None
    return found


def test_the_month_that_is_drawn_covers_each_hour_once():
    run = month().pieces
    assert [piece.end for piece in run[:-1]] == pytest.approx([piece.start for piece in run[1:]])
    assert (run[0].start, run[-1].end) == (0, failures.MONTH_H)
    for day in (None, 3):
        wide = sum(w for kind in (KEPT, LOST, RESTART) for _, _, w, _ in drawing._rows_of(month(), kind, day))
        assert 0.97 < wide / drawing.WIDTH / (drawing.DAYS if day is None else 1) <= 1  # a checkpoint is left white


def test_every_failure_and_every_checkpoint_of_the_month_has_its_line():
    scene = {shape.key: shape for shape in drawing.month_view(LEAK).scenes[4].shapes}
    assert len(scene["failures"].each) == len(month().failures)
    assert len(scene["checkpoints"].each) == len(month().saved)


def test_the_simulated_months_surround_the_formula():
    shares = failures.shares_of_months(LEAK)
    assert len(shares) == failures.MONTHS
    assert min(shares) < value("goodput.share", LEAK) < max(shares)
    expected = value("goodput.failures_per_day", LEAK) * drawing.DAYS
    assert len(month().failures) == pytest.approx(expected, rel=0.2)


def test_without_numpy_the_month_is_drawn_and_the_others_are_said_to_be_missing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "numpy", None)
    monkeypatch.delitem(sys.modules, "gpt4lab.simulate.failures", raising=False)
    scenes = drawing.month_view(LEAK).scenes
    assert len(scenes) == 6
    assert "numpy" in scenes[-1].caption


def test_another_seed_is_another_month():
    one, other = (drawing.month_of(assume(toy__seed=seed)) for seed in (0, 1))
    assert one != other


@pytest.mark.parametrize(
    "changes",
    [
        {"reliability__gpu_mtbf_years": 1e3, "cluster__gpus": 1000},
        {"reliability__gpu_mtbf_years": 0.05, "cluster__gpus": 10**7},
    ],
)
def test_a_month_without_failures_or_with_too_many_is_said_to_have_no_drawing(changes: dict[str, float]):
    view = drawing.month_view(assume(**changes))
    assert not view.scenes
    assert "nothing to draw" in view.sentence


@pytest.mark.parametrize("needed", [0.3, 0.65, 0.95])
def test_the_crossing_leaves_the_share_that_was_asked_for(needed: float):
    at = failure_rate.rate_leaving(needed, LEAK)
    assert value("goodput.best_share", LEAK, {"goodput.failures_per_day": at}) == pytest.approx(needed, rel=1e-6)


def test_failures_alone_would_need_rare_machines_or_slow_restarts():
    """The chapter's answer: at Llama 3's rate each failure would have to cost more than it can have cost there."""
    assert value("goodput.minutes_needed", LEAK) > 2 * 0.1 * 54 * 1440 / 466


@pytest.mark.parametrize("log", LOGS)
def test_of_the_logs_only_one_explains_the_pace_alone(log: str):
    there = change(LEAK, as_in(log))
    left = value("training.full_mfu", there) * value("goodput.best_share", there)
    assert (left < LEAK.training.mfu) == log.startswith("OPT")


def test_what_is_assumed_of_failures_and_of_the_best_run_is_the_catalogs():
    assert years_in("Llama 3, H100, 2024") == LEAK.reliability.gpu_mtbf_years
    assert catalog.utilisations["megascale-175b"].mfu == LEAK.training.best_mfu
    assert round(bubble.own_bubble("megascale-175b"), 3) == LEAK.training.best_bubble


# The pipeline


def test_the_post_lies_between_what_its_bubble_leaves_of_two_published_runs():
    older = change(LEAK, bubble.MEGATRON)
    assert value("training.mfu_after_bubble", older) < LEAK.training.mfu < value("training.mfu_after_bubble", LEAK)


def test_no_pipeline_no_wait():
    assert value("pipeline.bubble", bubble.bubble.scenario_of("No pipeline, as with ZeRO-3")) == 0


def test_fewer_stages_do_not_shorten_the_wait():
    idle = [value("pipeline.bubble", assume(cluster__pipeline=stages)) for stages in (6, 8, 10, 12, 15)]
    assert max(idle) / min(idle) < 1.1


def test_the_bars_hold_the_whole_peak():
    rows = bubble.ladder_view(LEAK).rows["data"]
    for lane in bubble.LANES:
        assert sum(row["share"] for row in rows if row["explanation"] == lane) == pytest.approx(1)
    both = next(row for row in rows if row["explanation"] == "both" and row["part"] == bubble.PARTS[0])
    assert both["share"] == pytest.approx(value("training.mfu_left", LEAK))


def test_the_bubble_and_the_pair_stand_on_both_sides_of_the_post():
    assert value("training.mfu_left", LEAK) < LEAK.training.mfu < value("training.mfu_after_bubble", LEAK)


# The step model


def test_the_model_holds_against_megatron():
    found = megatron_validation()
    assert len(found) == 6
    assert found.mean_error < 0.03
    assert found.largest < 0.07


def test_the_posts_layout_fits_only_the_larger_gpu_and_only_if_it_recomputes():
    assert layout.predict(LEAK).report.fits
    assert not layout.predict(assume(cluster__recompute="none")).report.fits
    assert not layout.predict(assume(cluster__recompute="selective", cluster__attention="fused")).report.fits
    assert not layout.predict(assume(cluster__accelerator="a100-sxm-40gb")).report.fits


def test_the_posts_layout_reaches_its_utilisation_only_with_recomputed_work_counted():
    found = layout.predict(LEAK)
    assert equation.STATED_MFU[0] < found.report.hfu < equation.STATED_MFU[1], "attention counted too"
    assert found.mfu < found.hfu < equation.STATED_MFU[0]


@pytest.mark.parametrize("context", [8192, 131_072])
def test_where_nothing_is_recomputed_mfu_and_hfu_are_one_number(context: int):
    there = change(layout.layout.scenario_of("Nothing recomputed"), {"model.context": context})
    found = layout.predict(there)
    assert found.hfu == found.mfu
    assert found.report.hfu == found.report.mfu
    assert "Nothing is computed twice" in layout.layout.view(there).sentence


def test_days_and_dollars_of_the_model_agree_with_its_mfu():
    found = layout.predict(LEAK)
    assert found.days == pytest.approx(value("training.days", LEAK, {"training.mfu": found.mfu}))
    assert found.usd == pytest.approx(value("training.cost", LEAK, {"training.mfu": found.mfu}))


def test_a_machine_without_a_published_network_is_refused_in_words():
    live = layout.layout.widget()
    before = live._headline.value
    live.controls["cluster.accelerator"].value = "tpu-v4"
    assert "network" in live.error
    assert live._headline.value == before


# Prices


def test_no_quote_for_an_a100_is_as_low_as_the_post():
    quotes = prices.quotes_for("a100-sxm-80gb")
    assert [quote.date for quote in quotes] == sorted(quote.date for quote in quotes)
    assert min(map(prices.lowest, quotes)) > LEAK.cluster.usd_per_gpu_hour


def test_quotes_stand_in_the_order_of_their_dates():
    lanes = [row["quote"] for row in prices.quotes_view(LEAK).rows["data"]]
    assert lanes[:-1] == sorted(lanes[:-1])
    assert lanes[-1] == "you"


def test_an_accelerator_without_quotes_says_so():
    assert "no quote" in prices.quotes_view(assume(cluster__accelerator="b200")).sentence


def test_the_estimates_of_cost_keep_their_ranges():
    for row in prices.costs_view(LEAK).rows["data"]:
        assert row.get("low", row["usd"]) <= row["usd"] <= row.get("high", row["usd"]), row


# Simulated, and published runs


def test_the_simulation_finds_what_the_formula_says_at_every_interval():
    checks = failures.interval_checks(LEAK, 0.1, 1)
    assert [check.what for check in checks] == ["a checkpoint every 0.1 h", "a checkpoint every 1 h"]
    assert checks.largest < 0.02


def test_days_follow_from_the_measured_rate():
    assert all(abs(check.error) < 0.03 for check in days_checks())


def test_the_hours_of_a_whole_run_are_more_than_the_running_utilisation_explains():
    ratios = [check.ratio for check in hours_checks()]
    assert all(1.1 < ratio < 1.6 for ratio in ratios)


def test_every_run_with_hours_is_among_whole_runs_or_says_why_not():
    assert {slug for slug, model in catalog.models.items() if model.accelerator_hours} == {*PUBLISHED, *LEFT_OUT}
    logged = [e for e in catalog.measurements.values() if e.topic == "gpu_hours" and e.slug not in NO_RUN]
    assert len(whole_runs.runs_view().rows["data"]) == len(PUBLISHED) + len(logged) + 1


def test_the_errors_of_the_step_model_are_those_of_all_its_tables():
    units = {table.title: {check.unit for check in table.checks} for table in tables()}
    steps = {title for title, found in units.items() if found & {"FLOP/s", "GPU*hour"} or found == {"s"}}
    fsdp = {title for title in units if title.startswith("FSDP")}
    assert {row["published"] for row in step_errors()} == steps | fsdp | {"PaLM 540B, utilisation"}


def test_the_chapter_is_read_in_thirty_five_minutes():
    """220 words a minute, code among them, and a minute a panel; exercises take what one gives them."""
    whole = (ROOT / "notebooks" / "text" / "09_sixty_three_million.md").read_text("utf-8")
    text, exercised = whole.split("## Exercises")
    assert exercised
    minutes = len(text.split()) / 220 + text.count(".widget()") + text.count("_figure()")
    assert minutes <= chapters()["09"].minutes <= 35


def test_the_post_lies_among_whole_runs():
    rows = whole_runs.runs_view().rows["data"]
    place = [row["mark"] for row in rows].index("post")
    assert 0 < place < len(rows) - 1
    assert all(0 < row["mfu"] < 0.6 for row in rows)


# The exercises' goals can only be reached as their prompts ask


def test_the_interval_of_the_exercise_is_found_by_the_interval_alone():
    share = [
        value("goodput.share", assume(reliability__checkpoint_interval_hours=hours))
        for hours in (0.1, 0.2, 0.25, 0.4, 0.5)
    ]
    assert [found >= 0.804 for found in share] == [False, True, True, False, False]
    assert value("goodput.best_share", assume(reliability__restart_minutes=5)) > 0.808


def test_every_preset_of_the_equation_is_settled():
    for preset in equation.equation.presets:
        scenario = equation.equation.scenario_of(preset)
        for path, found in equation.equation_view(scenario).follow.items():
            assert math.isclose(get(scenario, path), found, rel_tol=1e-9)
