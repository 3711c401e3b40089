"""Each chapter: what its text makes of it today, runs, hides no error in a widget, and its exercises can be solved."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from gpt4lab.book.chapter import Chapter, chapters
from tools.live_cells import name_of, recordings
from tools.notebooks import is_folded, made
from tools.stills import DRAWN

ROOT = Path(__file__).resolve().parents[2]
TEXTS = sorted((ROOT / "notebooks" / "text").glob("*.md"))
CHAPTERS = [ROOT / "notebooks" / f"{text.stem}.ipynb" for text in TEXTS]  # a reader's copies lie beside them
NOT_RECORDED = "{}: a live cell has changed; record it again: .venv/bin/python -m tools.live_cells"
STALE = "{}: a text, a number or a claim has changed; make it again: .venv/bin/python -m tools.notebooks"


def name(path: Path) -> str:
    return path.stem


def test_every_chapter_has_a_text() -> None:
    assert [path.stem for path in TEXTS] == [chapter.file for chapter in chapters().values()]


@pytest.mark.parametrize("text", TEXTS, ids=name)
def test_chapter_is_what_its_text_says_today(text: Path) -> None:
    shipped = nbformat.read(ROOT / "notebooks" / f"{text.stem}.ipynb", as_version=4)
    now = made(text, draw=False)
    for old, new in zip(shipped.cells, now.cells, strict=False):
        undrawn(old)
        assert (old.source, old.get("outputs")) == (new.source, new.get("outputs")), STALE.format(text.stem)
    assert shipped == now, STALE.format(text.stem)


@pytest.mark.parametrize("text", TEXTS, ids=name)
def test_a_live_cell_shows_what_it_once_showed(text: Path) -> None:
    cells = nbformat.read(ROOT / "notebooks" / f"{text.stem}.ipynb", as_version=4).cells
    live = [cell for cell in cells if cell.source.startswith("%%live")]
    assert set(recordings(text)) == {name_of(cell.source) for cell in live}, NOT_RECORDED.format(text.stem)
    assert all("Recorded on" in cell.outputs[0].data["text/html"] for cell in live)


def undrawn(cell: Any) -> None:
    """Take the pictures out of a cell: what they draw is compared by its numbers."""
    for output in cell.get("outputs", ()):
        output.data["text/html"] = DRAWN.sub("base64,", output.data["text/html"])


@pytest.mark.parametrize("chapter", chapters().values(), ids=lambda chapter: chapter.file)
def test_a_chapter_begins_with_its_title(chapter: Chapter) -> None:
    first = nbformat.read(ROOT / "notebooks" / f"{chapter.file}.ipynb", as_version=4).cells[0]
    assert first.source == f"# {chapter.number} · {chapter.title}"


@pytest.mark.parametrize("chapter", chapters().values(), ids=lambda chapter: chapter.file)
def test_a_chapter_is_read_in_the_minutes_that_it_names(chapter: Chapter) -> None:
    """220 words a minute, code that is seen among them, and a minute a panel; exercises apart."""
    cells = nbformat.read(ROOT / "notebooks" / f"{chapter.file}.ipynb", as_version=4).cells
    seen = " ".join(cell.source for cell in cells if not is_folded(cell))
    panels = sum(cell.source.count(".widget()") + cell.source.count("_figure()") for cell in cells)
    assert len(re.sub("<[^>]*>", " ", seen).split()) / 220 + panels <= chapter.minutes <= 35


def probe(notebook: Any) -> dict[str, Any]:
    return json.loads(notebook.cells[-1].outputs[-1].text)


@pytest.mark.live
@pytest.mark.parametrize("chapter", CHAPTERS, ids=name)
def test_no_widget_hides_an_error(ran: Any) -> None:
    state = ran.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    for model in (entry["state"] for entry in state.values()):
        assert '" role="alert">' not in str(model.get("value", "")), model["value"]
        assert not [out for out in model.get("outputs", ()) if out["output_type"] == "error"]
    assert not any(probe(ran)["panels"].values()), probe(ran)["panels"]


@pytest.mark.live
@pytest.mark.parametrize("chapter", CHAPTERS, ids=name)
def test_no_cell_complains(ran: Any) -> None:
    for cell in ran.cells:
        for output in cell.get("outputs", ()):
            assert output.output_type != "error"
            assert not (output.output_type == "stream" and output.name == "stderr"), output.text


@pytest.mark.live
@pytest.mark.parametrize("chapter", CHAPTERS, ids=name)
def test_every_exercise_is_open_at_its_start_and_closed_by_its_solution(ran: Any) -> None:
    for key, (start, solution, hints, because) in probe(ran)["exercises"].items():
        assert start != "right", f"{key} is solved before the reader begins"
        assert solution == "right", f"{key}: the solution does not pass"
        assert hints, f"{key} has no hint"
        assert because, f"{key} does not say why"


@pytest.mark.live
@pytest.mark.parametrize("chapter", CHAPTERS, ids=name)
def test_what_is_graded_without_a_page_is_what_the_page_asks(ran: Any) -> None:
    assert probe(ran)["otherwise"] == []


@pytest.mark.live
@pytest.mark.parametrize("chapter", CHAPTERS, ids=name)
def test_where_only_one_thing_may_be_moved_nothing_else_alone_reaches_the_goal(ran: Any) -> None:
    elsewhere = probe(ran)["elsewhere"]
    assert {key: found for key, found in elsewhere.items() if found} == {}
