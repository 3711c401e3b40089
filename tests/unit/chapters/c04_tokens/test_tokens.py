"""Chapter 04: the glass is to scale, the sources are what their numbers say, and the live pair trains."""

from __future__ import annotations

import itertools

import pytest

from gpt4lab.chapters.c04_tokens import fill, glass, live, sources, worth
from gpt4lab.charts.drawing import Box, Words
from gpt4lab.panels.reading import Attempt
from gpt4lab.quantities import value
from gpt4lab.scenario import load_scenario
from gpt4lab.toys.core.corpus import DOMAINS
from tests.unit.chapters.assume import LEAK, assume

SEEN = {
    "As meant": 13e12,
    "As copied": 20e12,
    "The web alone": 10e12,
    "Court record only": 10e12 + 2 * 1e5 * 1.38e5,
    "All shadow libraries": 10e12 + 2 * (4e6 * 1.38e5 + 80e6 * 7.8e3) + 4 * 0.9e12,
}


@pytest.mark.parametrize("preset", glass.budget.presets)
def test_each_preset_pours_in_what_its_rows_say(preset: str) -> None:
    there = glass.budget.scenario_of(preset)
    view = glass.budget.view(there)
    assert view.value == pytest.approx(SEEN[preset])
    assert sum(tokens for _, tokens in glass.poured(there)) == pytest.approx(view.value)
    assert value("data.hole", there) == pytest.approx(13e12 - view.value)


@pytest.mark.parametrize("preset", glass.budget.presets)
def test_layers_are_to_scale_and_lie_on_each_other(preset: str) -> None:
    there = glass.budget.scenario_of(preset)
    keys = {row.key: tokens for row, tokens in glass.poured(there)}
    boxes = [shape for shape in glass.glass(there)[-1].shapes if isinstance(shape, Box) and shape.key in keys]
    assert [box.key for box in boxes] == list(keys)
    heights = [box.h / keys[box.key] for box in boxes]
    assert heights == pytest.approx([heights[0]] * len(boxes))
    below = float(glass.FLOOR)
    for box in boxes:
        assert box.y + box.h == pytest.approx(below)
        below = box.y


def test_the_edge_is_where_its_grip_says() -> None:
    scene = glass.glass(LEAK)[-1]
    box = next(shape for shape in scene.shapes if isinstance(shape, Box) and shape.key == "code")
    assert scene.grip is not None
    (y0, none), (y1, much) = scene.grip.bottom, scene.grip.top
    assert none == 0
    assert box.y == pytest.approx(y0 + (y1 - y0) * LEAK.data.code_tokens / much)


def test_a_source_more_is_a_step_more() -> None:
    more = assume(LEAK, data__books_used=1, data__papers_used=0.5, data__speech_used=1, data__textbooks_used=1)
    assert len(glass.glass(more)) == len(glass.ROWS)
    names = [shape for shape in glass.glass(more)[-1].shapes if isinstance(shape, Words)]
    heights = sorted(words.y for words in names if words.anchor == "start")
    assert all(lower - upper > 12 for upper, lower in itertools.pairwise(heights)), "no name lies on another"


def test_the_hole_is_as_wide_as_its_rounding() -> None:
    assert sources.hole_range(LEAK) == (1.5e12, 4.5e12)
    assert sources.hole_range(assume(LEAK, data__text_epochs=1)) == pytest.approx((7e12, 9e12))


def test_every_source_has_its_range_and_says_who_counted() -> None:
    found = sources.sources(LEAK)
    assert [one.tokens for one in found] == sorted((one.tokens for one in found), reverse=True)
    assert all(one.low <= one.tokens <= one.high and one.counted for one in found)
    assert {one.who for one in found} == {"post", "published", "you"}


def test_of_all_that_is_named_only_code_is_more_than_the_hole() -> None:
    enough = [one.name for one in sources.sources(LEAK) if one.high >= value("data.unexplained", LEAK)]
    assert enough == ["All of GitHub"]
    assert "All of GitHub" in fill.filled.view(LEAK).sentence
    none = fill.filled.view(assume(LEAK, data__web_tokens=1e12))
    assert "No source" in none.sentence


def test_gpt_3_read_its_good_texts_more_than_once_and_the_web_less() -> None:
    readings = {row["part"]: float(row["readings"]) for row in sources.gpt3_readings()}
    assert readings["CommonCrawl, filtered"] < 0.5
    assert readings["Wikipedia"] > 2


@pytest.mark.parametrize("width", ["16", "32", "64"])
def test_toys_of_each_width_stand_beside_the_law(width: str) -> None:
    view = worth.worth.view(assume(LEAK, repeats__width=width))
    named = {str(row["by"]) for row in view.rows["data"]}
    assert named == {worth.LAW, *worth.TEXTS.values()}
    assert f"width {width}" in view.sentence


def test_the_pair_trains_and_says_what_its_readings_were_worth() -> None:
    pytest.importorskip("torch")
    told = assume(load_scenario("leak"), repeats__steps=64, repeats__width="16", repeats__text=DOMAINS[1])
    run = live.begin(told).wait()
    view = live.watch(told, Attempt(run, told), None)
    assert {row["text"] for row in view.rows["data"]} == {live.FRESH, live.AGAIN}
    assert "bits" in str(view.value)
    assert "worth" in view.sentence
