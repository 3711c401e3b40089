"""The recipes of CONTRIBUTING.md, followed in a copy of the book."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gpt4lab.book import fill

BLOCK = re.compile(r"^(`{3,4})(?:\w+) (\S+/\S+?)(?: ([^\n]+))?\n(.*?)^\1$", re.MULTILINE | re.DOTALL)

#: What must be true of the copy after all recipes.
PROOF = """
import gpt4lab
from gpt4lab.book import chapters
from gpt4lab.claims import judge, ledger
from gpt4lab.chapters.c00_start.skeleton import skeleton
from gpt4lab.chapters.c03_flop.flop import token
leak = gpt4lab.load_scenario("leak")
assert abs(gpt4lab.value("training.weeks", leak) * 7 - gpt4lab.value("training.days", leak)) < 1e-9
assert "t / 7" in gpt4lab.explain("training.weeks", leak).text()
assert judge(ledger()["X01"], leak).verdict == "consistent"
assert "X01" in skeleton().data
assert leak.reliability.spare_gpus == 64
assert gpt4lab.value("cluster.spare_share", leak) == 64 / 25_000
live = token.widget()
live.controls["reliability.spare_gpus"].value = 100
assert live.scenario.reliability.spare_gpus == 100 and live.error == ""

from gpt4lab.chapters.c99_weeks.checked import weeks_checks
from gpt4lab.chapters.c99_weeks.weeks import weeks
panel = weeks.widget()
before = panel._headline.value
panel.controls["cluster.gpus"].value = 50_000
assert panel.error == "" and panel._headline.value != before and "weeks" in panel._sentence.value
assert "X01" in panel._verdicts.value
assert abs(weeks_checks()[0].ratio - 1) < 0.1
assert chapters()["99"].file == "99_weeks"
"""

#: ... and where there is torch.
LIVE_PROOF = """
from gpt4lab.toys.core.corpus import load_corpus
from gpt4lab.toys.__main__ import studies
short, long = studies()["weeks"](load_corpus(20_000)).start().wait().result
assert (short["steps"], long["steps"]) == (2, 4)
assert long["bpb"] < short["bpb"]
"""


@pytest.fixture(scope="module")
def copy(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book with every recipe followed."""
    there = tmp_path_factory.mktemp("book")
    for folder in ("gpt4lab", "notebooks", "tools"):
        shutil.copytree(root / folder, there / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for _, file, place, text in BLOCK.findall((root / "CONTRIBUTING.md").read_text("utf-8")):
        follow(there / file, place, text)
    return there


def follow(file: Path, place: str, text: str) -> None:
    """Put a block at the end of a file, or behind the line that contains `place` (and a docstring below it)."""
    lines = file.read_text("utf-8").splitlines(keepends=True) if file.exists() else []
    at = len(lines)
    if place:
        at = next(number for number, line in enumerate(lines) if place in line) + 1
        at += lines[at].lstrip().startswith('"""')
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join([*lines[:at], "" if place else "\n\n", text, *lines[at:]]).lstrip(), "utf-8")


def run(copy: Path, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_there_is_a_recipe_for_each(root: Path) -> None:
    files = [file for _, file, _, _ in BLOCK.findall((root / "CONTRIBUTING.md").read_text("utf-8"))]
    assert [Path(file).name for file in files] == [
        *("training.py", "ledger.toml", "skeleton.py", "records.py", "cluster.py", "flop.py", "weeks.py"),
        *("__init__.py", "study.py", "checked.py"),
        *("exercises.toml", "chapter.toml", "__init__.py", "99_weeks.md"),
    ]


def test_number_claim_slider_panel_check_and_chapter_work(copy: Path) -> None:
    run(copy, "-c", PROOF)


@pytest.mark.live
def test_the_study_trains(copy: Path) -> None:
    run(copy, "-c", LIVE_PROOF)


def test_chapter_is_made_from_its_text(copy: Path) -> None:
    run(copy, "-m", "tools.notebooks", "99")
    page = (copy / "notebooks" / "99_weeks.ipynb").read_text("utf-8")
    assert f">{fill('{training.days}')}</span>." in page
    assert "&#126;cluster.gpus" in page
