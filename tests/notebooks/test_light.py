"""Each chapter where neither torch nor numpy exists, as in a browser's Python: it runs, and says what it lacks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
NOTEBOOKS = HERE.parents[1] / "notebooks"
CHAPTERS = [NOTEBOOKS / f"{text.stem}.ipynb" for text in sorted((NOTEBOOKS / "text").glob("*.md"))]
LACKS = re.compile(r"\bneeds? (torch|numpy|scipy), which is not installed here")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process without the heavy libraries found, by chapter."""
    environment = {**os.environ, "GPT4LAB_STATE": str(tmp_path_factory.mktemp("state"))}
    command = [sys.executable, str(HERE / "light.py"), *map(str, CHAPTERS)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_runs_and_says_in_one_sentence_what_it_lacks(found: dict[str, Any], chapter: Path) -> None:
    ran = found[chapter.stem]
    assert ran["raised"] == []
    assert ran["loaded"] == []
    assert [alert for alert in ran["alerts"] if not LACKS.search(alert)] == []
    live = sum("".join(cell["source"]).startswith("%%live") for cell in code_cells(chapter))
    assert [bool(LACKS.search(said)) for said in ran["said"]].count(True) == live


def code_cells(chapter: Path) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(chapter.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
