"""Chapter 15: what its drawings, its paper and its table of signs say must be true."""

from __future__ import annotations

import re

import pytest

from gpt4lab.catalog import measurements
from gpt4lab.chapters.c15_eyes import added, draw, gate, pictures, price
from gpt4lab.charts.drawing import Box
from gpt4lab.checks.check import Checks
from gpt4lab.quantities import value
from gpt4lab.scenario import ScenarioError, change
from gpt4lab.scenario.live import INKS, SWITCHES
from gpt4lab.toys.vision import findings
from tests.unit.chapters.assume import LEAK, assume

BLANK = [0] * 64


def paper(ink: list[int]) -> str:
    return "".join(INKS[dark] for dark in ink)


# The paper


def test_a_press_goes_from_paper_to_ink_to_half_and_back() -> None:
    scenario = LEAK
    for dark in (16, 8, 0):
        scenario = change(scenario, draw.pressing(scenario, "pixel-20"))
        assert gate.pixels(scenario.eyes.picture)[20] == dark
    assert gate.pixels(scenario.eyes.picture) == BLANK


def test_a_stroke_inks_what_it_crosses_however_often_it_is_told() -> None:
    keys = "pixel-3 pixel-11 pixel-19"
    once = change(LEAK, draw.pressing(LEAK, keys))
    assert [at for at, dark in enumerate(gate.pixels(once.eyes.picture)) if dark == 16] == [3, 11, 19]
    assert change(once, draw.pressing(once, keys)) == once


def test_delete_takes_ink_away() -> None:
    inked = change(LEAK, draw.pressing(LEAK, "pixel-5 pixel-6"))
    assert gate.pixels(change(inked, draw.pressing(inked, "pixel-5 -")).eyes.picture)[5] == 0


def test_a_picture_is_eight_rows_of_eight() -> None:
    row = "...gg..."
    assert assume(eyes__picture=row * 8).eyes.picture == " ".join([row] * 8)
    assert assume(eyes__picture=f"{row}\n" * 8).eyes.picture == " ".join([row] * 8)
    assert assume(eyes__picture="." * 64) == LEAK
    for wrong in (row, row * 9, "h" * 64, 7):
        with pytest.raises(ScenarioError, match="in rows of eight"):
            assume(eyes__picture=wrong)


def test_every_pixel_of_the_paper_is_a_button_with_a_name() -> None:
    scene = draw.draw.view(assume(eyes__picture=draw.SEVEN)).scenes[0]
    cells = [shape for shape in scene.shapes if isinstance(shape, Box) and shape.key.startswith("pixel-")]
    assert len(cells) == len({cell.tip for cell in cells}) == 64
    assert all({"press", "paint"} <= set(cell.look.split()) for cell in cells)


def test_the_words_share_out_the_forty_captions() -> None:
    shares = {
        f"a {w} {digit} leaning {s}": 1 / 40
        for w in ("thick", "thin")
        for digit in draw.NAMES
        for s in ("left", "right")
    }
    words = draw.words_of(shares)
    assert sum(words[digit] for digit in draw.NAMES) == pytest.approx(1)
    assert words["thick"] + words["thin"] == words["left"] + words["right"] == pytest.approx(1)


def test_it_sees_what_it_was_shown_in_the_recorded_run() -> None:
    """The shipped eyes say of a digit drawn in grey what people wrote; of blank paper they say something too."""
    pytest.importorskip("torch")
    for picture, caption in gate.IMAGES:
        shares = draw.words_of(draw.seen(picture) or {})
        assert max(draw.NAMES, key=shares.__getitem__) == caption.split()[2]
    assert draw.seen("")


# The recorded runs


def test_before_the_first_step_the_gates_are_shut_and_after_it_they_open() -> None:
    for switch in SWITCHES:
        first, *_, last = findings.along(switch)
        opened = [abs(one["attention"]) for one in last["gates"]]
        if switch == SWITCHES[1]:
            assert opened == [1] * 4
        else:
            assert all(one["attention"] == one["feed_forward"] == 0 for one in first["gates"])
            assert max(opened) > 0.02
    inserted = [len(findings.along(switch)[0]["gates"]) for switch in SWITCHES]
    assert inserted == [4, 4, 4, 4, 4, 2, 1]


def test_frozen_a_model_reads_plain_text_as_before_and_thawed_it_does_not() -> None:
    for switch in SWITCHES:
        texts = {row["text"] for row in findings.along(switch)}
        assert (len(texts) == 1) == (switch not in SWITCHES[2:5])


def starts(switch: str, seed: int) -> float:
    return findings.along(switch, seed)[0]["bits"]


def test_every_switch_was_run_as_often_on_the_same_models() -> None:
    for switch in SWITCHES:
        assert [row["seed"] for row in findings.last(switch)] == [0, 1, 2]
        starts = [row["bits"] for row in findings.recorded() if row["switch"] == switch and row["step"] == 0]
        same = starts == [
            row["bits"] for row in findings.recorded() if row["switch"] == SWITCHES[0] and row["step"] == 0
        ]
        assert same == (switch not in (SWITCHES[1], SWITCHES[4]))


def test_flamingo_s_own_changes_are_its_table_s() -> None:
    found = [round(findings.published_change(switch), 1) for switch in findings.CHANGED]
    assert found == [-4.2, -8.0, -8.0, -12.9, -2.5, -1.9]
    assert measurements["flamingo-ablation-whole"].measured["overall_score"] == 70.7


NO = "no clear sign"


@pytest.mark.parametrize(
    ("found", "sign"), [([1, 2, 3], "up"), ([-3, -2, -1], "down"), ([-1, 5, 6], NO), ([0.1, 9, 1], NO)]
)
def test_a_sign_needs_all_seeds_and_more_than_a_deviation(found: list[float], sign: str) -> None:
    assert findings.sign(found) == sign


def test_a_drawing_shows_each_gate_at_its_tanh() -> None:
    row = findings.along(SWITCHES[0])[-1]
    scene = gate.scene(row)
    doors = [shape for shape in scene.shapes if isinstance(shape, Box) and shape.key.startswith("gap-attention")]
    assert [door.w / gate.DOOR for door in doors] == pytest.approx([abs(one["attention"]) for one in row["gates"]])


# The rest


def test_no_formula_closes_the_paper_s_table() -> None:
    """Of each formula one row is off by more than a tenth: so neither was chosen because it fits."""
    rows = added.rows()
    assert isinstance(rows, Checks)
    assert len(rows) == 7
    assert sum(abs(check.ratio - 1) > 0.1 for check in rows) == 3


def test_the_lanes_add_up_to_what_is_named() -> None:
    lanes = {lane["source"]: lane["tokens"] for lane in pictures.lanes(LEAK)}
    assert lanes["All of these"] == pytest.approx(sum(value(name, LEAK) for name in list(pictures.NAMED.values())[:4]))


def test_prepended_tokens_need_less_cache_with_a_single_head_and_more_with_all() -> None:
    whole = assume(model__kv_heads=LEAK.model.heads)
    assert value("vision.tile_cache", LEAK) < value("vision.image_cache", LEAK) < value("vision.tile_cache", whole)
    assert [re.sub(r"[^a-z]", "", row["way"]) for row in price.beside()] == ["tokensbeforethetext", "crossattention"]
