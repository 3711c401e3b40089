"""Chapter 11: what its panels and its text say of the cost of a token must be true."""

from __future__ import annotations

import pytest

from gpt4lab.chapters.c11_cost import batch, bill, dollar, newer, reading, roofline
from gpt4lab.checks.decode import deepseek, deepseek_day, inferencex
from gpt4lab.checks.serving.points import binding, day_checks, points
from gpt4lab.models.decode.implied import implied
from gpt4lab.models.decode.newer import CHANGES, at_measured_rates, on_roofline
from gpt4lab.quantities import value
from gpt4lab.scenario import change
from tests.unit.chapters.assume import LEAK

# The drawing


@pytest.mark.parametrize("preset", dollar.dollar.presets)
def test_a_dollar_is_spent_to_the_last_cent(preset: str) -> None:
    scenario = dollar.dollar.scenario_of(preset)
    assert sum(dollar.parts(scenario).values()) == pytest.approx(value("answer.request_usd", scenario))
    for spent in dollar.dollars(scenario):
        assert sum(spent.shares.values()) == pytest.approx(1)
        assert min(spent.shares.values()) >= 0


def test_the_same_dollar_buys_more_words_where_a_question_costs_less() -> None:
    for spent in dollar.dollars(LEAK):
        words = (LEAK.serving.prompt_tokens + LEAK.serving.output_tokens) * LEAK.data.words_per_token
        assert (spent.read + spent.written) * spent.usd == pytest.approx(words)


# What must be true


def test_what_a_figure_implies_makes_it_so() -> None:
    found = implied(LEAK, LEAK.serving.usd_per_1k_tokens)
    for path, wanted in (("serving.idle_share", found.idle), ("serving.tokens_in_flight", round(found.batch))):
        there = change(LEAK, {path: wanted})
        assert value("answer.usd_per_1k_written", there) == pytest.approx(LEAK.serving.usd_per_1k_tokens, rel=1e-3)


def test_the_text_has_the_figures_that_the_table_has() -> None:
    older, sixteen, eight = (implied(scenario, figure) for scenario, figure in batch.figures().values())
    assert older.usd_per_1k == pytest.approx(0.0031, abs=5e-5)
    assert older.idle == pytest.approx(0.37, abs=0.005)
    assert older.context != older.context, "no context up to 8k fills the gap"
    assert older.prompts != older.prompts
    assert sixteen.usd_per_1k > older.usd_per_1k, "an H100 in 16 bits is dearer for each token"
    assert abs(eight.usd_per_1k / 0.0021 - 1) < 0.05


def test_at_the_speed_that_was_measured_a_token_costs_its_price() -> None:
    rows = {row["machines"]: row for row in batch.timed()}
    assert rows["A100, 16 bits"]["batch at 196 ms"] == "109"
    assert rows["A100, 16 bits"]["1,000 tokens at 196 ms"] == "$0.0639"
    assert rows["A100, 8 bits"]["1,000 tokens at 196 ms"] == "$0.00243"
    assert all(float(row["1,000 tokens at 94 ms"].strip("$")) > 0.02 for row in rows.values())


# From A100 to H100


def test_the_steps_on_the_roofline_are_those_of_the_ledger_s_roofline() -> None:
    scenario = change(LEAK, {"rerun.tokens_in_flight": 8192})
    gains = on_roofline(scenario)
    there = change(scenario, {"serving.accelerator": scenario.rerun.accelerator, "serving.tokens_in_flight": 8192})
    whole = value("decode.tokens_per_s", there) / value("decode.tokens_per_s", scenario)
    assert tuple(gains) == CHANGES
    product = 1.0
    for times in gains.values():
        product *= times
    assert product == pytest.approx(whole)


def test_hardware_is_worth_less_than_two_and_eight_bits_are_the_largest_step() -> None:
    gains = at_measured_rates(newer.newer.scenario_of("8 bits"))
    assert gains["bandwidth"] * gains["peak"] * gains["links"] == pytest.approx(1.67, abs=0.01)
    assert max(gains, key=lambda part: gains[part]) == "precision"
    left = {name: newer.newer.view(newer.newer.scenario_of(name)).value for name in newer.newer.presets}
    assert left["16 bits, the same batch"] > left["8 bits"] > 1.5
    assert left["8 bits, twice the batch"] == pytest.approx(1, abs=0.06)


# Davinci


def test_three_times_davinci_holds_for_short_sequences_alone() -> None:
    times = {row["mean context"]: row["times"] for row in reading.costs()}
    assert times["256 tokens"] > 3 > times["512 tokens"]
    assert times["2,048 tokens"] < 1


# The roofline


def test_nothing_that_was_measured_lies_above_its_roof() -> None:
    assert len(points()) > 30
    for point in points():
        assert 0 < point.share < min(1, point.intensity)
        assert 1 / 15 < point.share / min(1, point.intensity) < 0.8
    under_half = [point for point in points() if point.share < min(1, point.intensity) / 2]
    assert len(under_half) > len(points()) / 2


def test_cents_are_above_every_roof_and_dollars_below() -> None:
    shares = {name: roofline.roofline.view(roofline.roofline.scenario_of(name)) for name in ("Cents", "Dollars")}
    assert shares["Cents"].value == pytest.approx(100 * shares["Dollars"].value)
    assert "times their peak" in shares["Cents"].sentence
    assert "41% of the roof" in shares["Dollars"].sentence
    newer_one = roofline.roofline.view(roofline.roofline.scenario_of("H100, dollars"))
    assert "above the roof" in newer_one.sentence


def test_weights_hold_the_clients_and_the_wire_holds_the_many_experts() -> None:
    terms = {point.name: binding(point.report) for point in points()}
    assert all("weights" in term for name, term in terms.items() if "clients" in name)
    assert all("wire" in term for name, term in terms.items() if "DeepSeek’s day" in name or "profile" in name)


def test_the_control_alone_explains_the_second_timing() -> None:
    assert 1000 * roofline.controlled() == pytest.approx(91.3, abs=0.1)


# Sold and cost


def test_a_mark_up_of_545_percent_is_a_margin_of_84_and_the_day_adds_up() -> None:
    checks = day_checks()
    assert checks.largest < 0.002
    assert pytest.approx(0.845, abs=0.0005) == 1 - 1 / (1 + 5.45)


def test_margin_and_mark_up_are_of_the_same_bill() -> None:
    margin, markup = value("answer.margin", LEAK), value("answer.markup", LEAK)
    assert markup == pytest.approx(margin / (1 - margin))
    assert value("serving.markup", LEAK) == pytest.approx(LEAK.serving.price_per_1k_tokens / 0.0049 - 1)


def test_few_readers_lose_money_at_later_prices_alone() -> None:
    margins = {name: bill.bill.view(bill.bill.scenario_of(name)).value for name in bill.bill.presets}
    assert margins["128 readers"] == pytest.approx(0.65, abs=0.01)
    assert margins["128 readers, GPT-4o’s prices"] < 0 < margins["GPT-4o’s prices"]


def test_the_bars_of_a_bill_add_up() -> None:
    rows = bill.bill.view(LEAK).rows["data"]
    sums = {words: sum(row["usd"] for row in rows if row["bill"] == words) for words in {row["bill"] for row in rows}}
    assert sums["sold for"] == pytest.approx(value("serving.request_price", LEAK))
    assert sums["cost, measured rates"] == pytest.approx(value("answer.request_usd", LEAK))


# Cross-check


def test_the_model_is_too_fast_for_a_loop_of_clients_by_a_third_at_most() -> None:
    for check in inferencex():
        slower = check.ratio if check.unit == "ms/token" else 1 / check.ratio
        assert 1.1 < slower < 1.35


def test_the_profile_is_met_and_the_day_leaves_a_tenth_to_a_half() -> None:
    assert abs(deepseek()[0].error) < 0.03
    shown, hidden = deepseek_day()
    assert 1 - shown.predicted / shown.found == pytest.approx(0.12, abs=0.01)
    assert 1 - hidden.predicted / hidden.found == pytest.approx(0.51, abs=0.01)
