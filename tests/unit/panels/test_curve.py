"""Every curve of the book: the reader stands on a line, and the post's mark is the post's."""

from __future__ import annotations

import attrs
import pytest

from gpt4lab.charts import Axis
from gpt4lab.panels.curve import Curve, lines_chart
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.scenario import change, load_scenario
from tests.unit.panels.declared import declared

CURVES = declared(Curve)
LEAK = load_scenario("leak")


@pytest.fixture(params=CURVES.values(), ids=CURVES)
def curve(request: pytest.FixtureRequest) -> Curve:
    return request.param


def test_the_reader_stands_on_a_line(curve: Curve) -> None:
    """In every preset, at the value that the headline says; or at the edge of the plot, and said to be beyond it.

    Where nothing can be there is no line.
    """
    for preset in curve.presets:
        scenario = curve.scenario_of(preset)
        view, at = curve.view(scenario), value(curve.along, scenario)
        [you] = view.rows["you"]
        here = [row[curve.y.field] for row in attrs.evolve(curve, at=[at]).rows(scenario)]
        assert pytest.approx(view.value) in here if here else view.value == 0, preset
        assert "beyond" in you.get("label", "") or (you[curve.x.field], you[curve.y.field]) == (at, view.value), preset


def test_the_headline_is_the_quantity(curve: Curve) -> None:
    for preset in curve.presets:
        scenario = curve.scenario_of(preset)
        assert curve.view(scenario).value == value(curve.of, scenario)


def test_the_posts_mark_is_the_posts(curve: Curve) -> None:
    """It stands still whatever the reader moves; where it is one, it stands where the post's own assumptions do."""
    marks = [curve.view(curve.scenario_of(preset)).rows.get("post", []) for preset in curve.presets]
    assert all(there == marks[0] for there in marks)
    stated = curve.post(LEAK) if curve.post else value(curve.of, LEAK)
    if len(marks[0]) == 1:
        mark, whole = marks[0][0], {curve.x.field: value(curve.along, LEAK), curve.y.field: stated}
        there = whole.keys() & mark.keys()  # a level has one of them
        assert there
        assert {field: mark[field] for field in there} == {field: whole[field] for field in there}


def test_each_line_is_there_from_end_to_end(curve: Curve) -> None:
    rows = curve.rows(LEAK)
    assert len(rows) == len(curve.variants(LEAK)) * len(curve.at)
    assert {row[curve.x.field] for row in rows} == set(curve.at)


def test_a_share_of_more_than_all_there_is_is_not_drawn() -> None:
    rerun = CURVES["c09_money.rerun.rerun"]
    needed = {row["days"]: row["mfu"] for row in rerun.rows(change(LEAK, {"rerun.gpus": 2000}))}
    assert needed[20] is None
    assert 0 < needed[180] <= 1


def test_a_line_may_be_another_quantity_and_a_sentence_may_branch() -> None:
    token, pays = CURVES["c03_flop.flop.token"], CURVES["c14_drafts.pays.pays"]
    weights = [row["flop"] for row in token.rows(LEAK) if row["part"].startswith("weights")]
    assert set(weights) == {value("flop.per_token", LEAK)}
    said = {preset: pays.view(pays.scenario_of(preset)).sentence for preset in ("A good draft", "A hopeless one")}
    assert "No draft length pays" in said["A hopeless one"]
    assert "{" not in "".join(said.values())


def test_a_chart_draws_what_a_view_has_rows_for() -> None:
    chart = lines_chart(Axis("x", "X"), Axis("y", "Y"))
    assert set(chart(View(rows={"data": []})).datasets) == {"data"}
    assert set(chart(View(rows={"data": [], "you": [], "ticks": []})).datasets) == {"data", "you", "ticks"}
