"""Chapter 05: what a story costs, the drawing, the explorer, and what the recorded toys held."""

from __future__ import annotations

from datetime import date

import pytest

from gpt4lab.chapters.c05_memory import beside, capacity, drawing, explorer, own
from gpt4lab.checks import memorised
from gpt4lab.scenario import load_scenario, parse
from gpt4lab.toys.capacity.findings import held, most
from gpt4lab.toys.memorisation import findings
from tests.unit.chapters.assume import assume

LEAK = load_scenario("leak")


# --- stories


def test_no_story_is_much_likelier_than_the_fit_and_a_secret_collection_alone_is_excluded() -> None:
    assert beside.evidence(LEAK) == pytest.approx(0, abs=1e-3)
    assert beside.evidence(assume(heart__elsewhere=0.17, heart__half=100_000)) > 200
    assert 3 < beside.evidence(assume(heart__elsewhere=0.03)) < 10
    assert beside.evidence(assume(heart__elsewhere=0.01)) < 3
    assert beside.beside_view(assume(heart__elsewhere=1)).sentence.endswith("excludes what was found.")


def test_toy_and_gpt4_rise_within_a_few_decades_and_in_other_places() -> None:
    assert findings.toy_curve()[1] / memorised.fitted()[1] == pytest.approx(1, abs=0.5)
    assert memorised.half_known() / beside.half_of_toy() > 100


# --- drawing and explorer


def test_every_problem_is_drawn_once_and_the_line_moves() -> None:
    for scene in drawing.answers_view(LEAK).scenes:
        marks = {shape.key: shape for shape in scene.shapes}
        crosses, squares = (marks[key].each for key in ("right", "wrong"))  # type: ignore[union-attr]
        assert len(crosses) / 2 + len(squares) == 837, "a cross has two strokes"
        assert sum(row["problems"] for row in scene.rows) == 837
    early, late = (drawing.answers_view(assume(heart__cutoff=year)).scenes[0].rows for year in (2010, 2020))
    assert early[1]["right"] == 10
    assert late[1]["problems"] < early[1]["problems"]


def test_the_explorer_says_what_was_to_be_expected() -> None:
    assert "4.3 of 76 would be right" in explorer.explorer_view(LEAK).sentence
    assert "one case in two hundred" in explorer.explorer_view(assume(heart__model="GPT-3.5 Turbo (0301)")).sentence


def test_a_cut_off_is_a_month() -> None:
    assert "September 2021" in str(drawing.answers_view(LEAK).scenes[0].shapes)
    there = assume(heart__cutoff=parse("heart.cutoff", "March 2010"))
    assert explorer.explorer_view(there).label == "Right before March 2010"
    early = memorised.before(there.heart.cutoff)
    assert max(problem.released for problem in early) < date(2010, 3, 1)
    assert min(problem.released for problem in memorised.after(there.heart.cutoff)) >= date(2010, 3, 1)


# --- a sentence of one's own


def test_what_is_asked_is_answered_or_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "continued", lambda found, start: found["sentence"] if start[:4] == "Open" else start)
    found = {"sentence": "Open, Sesame!"}
    at_rest, said = own.answers_view(found, ""), own.answers_view(found, "Close").sentence
    assert at_rest.sentence == "From “Open” on it knows your sentence: extracted."
    assert "<td>Open<strong>, Sesame!</strong></td><td>yes</td>" in str(at_rest.text)
    assert said == "To “Close” it says: “Close”"
    for bad, why in (("é", "'é' is none"), ("x" * 101, "101 characters are too many"), (" ", "nothing is written")):
        assert own.answers_view(found, bad).sentence.startswith(f"{own.TYPED}: {why}")


# --- capacity


def test_a_model_holds_what_it_is_offered_and_then_no_more() -> None:
    for row in held():
        assert row["seeds"] == 3
        assert row["held"] <= row["load"]
        if row["load"] == 1:
            assert row["held"] > 0.9
    assert all(1.5 < most(width) < 3.6 for width in (8, 16))
    assert capacity.capacity_view(LEAK).value == pytest.approx(0.418, abs=1e-3)
