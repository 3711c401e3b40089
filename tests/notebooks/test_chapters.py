"""Each chapter: the same as its text source, runs, hides no error in a widget, and its exercises can be solved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest

from gpt4lab.book.chapter import Chapter, chapters

ROOT = Path(__file__).resolve().parents[2]
TEXTS = sorted((ROOT / "notebooks" / "text").glob("*.md"))
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def name(path: Path) -> str:
    return path.stem


def cells(notebook: Any) -> list[tuple[str, str, dict[str, Any]]]:
    return [(cell.cell_type, cell.source, dict(cell.metadata)) for cell in notebook.cells]


def test_every_chapter_has_a_text_and_every_text_a_chapter() -> None:
    assert [path.stem for path in TEXTS] == [path.stem for path in CHAPTERS]
    assert CHAPTERS


@pytest.mark.parametrize("text", TEXTS, ids=name)
def test_chapter_equals_its_text(text: Path) -> None:
    chapter = nbformat.read(ROOT / "notebooks" / f"{text.stem}.ipynb", as_version=4)
    assert cells(chapter) == cells(jupytext.read(text))


@pytest.mark.parametrize("chapter", chapters().values(), ids=lambda chapter: chapter.file)
def test_a_chapter_begins_with_its_title(chapter: Chapter) -> None:
    first = nbformat.read(ROOT / "notebooks" / f"{chapter.file}.ipynb", as_version=4).cells[0]
    assert first.source == f"# {chapter.number} · {chapter.title}"


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
