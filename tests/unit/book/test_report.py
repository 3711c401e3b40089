"""The last page of one's own model: every number with its unit, nothing stands in for what is not known."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import attrs
import pytest

from gpt4lab.book.report import report
from gpt4lab.cli import main
from gpt4lab.scenario import change, load_scenario, names, share

DAY = dt.date(2026, 1, 2)


@pytest.mark.parametrize("name", names())
def test_every_named_scenario_has_one(name: str) -> None:
    scenario = load_scenario(name)
    made = report(scenario, DAY)
    text, page = made.markdown(), made.html()
    assert share(scenario) in text
    assert "2026-01-02" in text
    assert all(ratio > 0 for _, ratio in made.ratios)
    assert page.count("<table") == len(made.tables) == 3
    assert "<script" not in page
    assert "nan" not in text.lower().split()


def test_what_is_changed_is_yours() -> None:
    made = report(change(load_scenario("leak"), {"training.tokens": 26e12}), DAY)
    assert ("Training tokens", "26 trillion tokens", "yours") in made.tables[1][2]
    assert dict(made.ratios)["Compute of the run"] == pytest.approx(2)


HOSTILE = (
    "<script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    '" onload="x',
    "**b** [y](z) `c` | d",
    "e\n# f\n| g |",
)


@pytest.mark.parametrize("title", HOSTILE)
def test_what_a_reader_typed_is_no_markup(title: str) -> None:
    """Neither in the page nor in the Markdown, in the title or in a cell."""
    made = report(attrs.evolve(load_scenario("leak"), title=title), DAY)
    made = attrs.evolve(made, tables=((title, ("A",), [(title,)]),))
    page, text = made.html(), made.markdown()
    assert not any(tag in page for tag in ("<script", "<img", "</title><img", '" onload'))
    assert all(sign not in text.replace("\\", "␛") for sign in ("<", "[y]", "**", " `", " | d", "\n# f", "| g |"))


def test_the_command_writes_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, text = tmp_path / "a.html", tmp_path / "a.md"
    assert main(["report", "--scenario", "h100-rerun", "--html", str(page), "--markdown", str(text)]) == 0
    assert text.read_text("utf-8").startswith("# What this book says")
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert "## What comes out" in capsys.readouterr().out
