"""The other doors of an installed book: Notebook 7 opens a chapter, Voila shows it to a class without its code."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.harness import MOVE_ALL, PATIENCE_MS

if TYPE_CHECKING:
    from types import ModuleType

pytestmark = pytest.mark.timeout(900)  # a machine that does other things, too, starts servers slowly

#: The shortest to run that has panels, exercises of each kind and a live cell.
CHAPTER = "03_560_what.ipynb"
EXERCISES = 6
DRAWN = "count => document.querySelectorAll('.g4l-exercise-box').length >= count"
WRONG = '[data-mime-type$="stderr"], [data-mime-type$="error"]'


def test_notebook_7_opens_a_chapter(browser: Any, harness: ModuleType, root: Path, tmp_path: Path) -> None:
    shutil.copy(root / "notebooks" / CHAPTER, tmp_path)
    with harness.notebook(tmp_path) as url:
        tab = harness.Lab(browser, url)
        tab.page.set_default_timeout(3 * PATIENCE_MS)
        tab.page.goto(f"{url}/notebooks/{CHAPTER}")
        tab.page.wait_for_function(harness.KERNEL_IS_IDLE)
        tab.run_all()
        lives(tab)
        tab.context.close()


def test_voila_shows_a_chapter(browser: Any, harness: ModuleType, root: Path, tmp_path: Path) -> None:
    shutil.copy(root / "notebooks" / CHAPTER, tmp_path)
    with harness.voila(tmp_path) as url:
        tab = harness.Lab(browser, url)
        tab.page.set_default_timeout(3 * PATIENCE_MS)  # all of it runs before the page comes
        tab.page.goto(f"{url}/voila/render/{CHAPTER}")
        lives(tab)
        said = tab.page.locator(".g4l-exercise-box").all_inner_texts()
        assert sum("Code is written in a cell, and Voila shows none." in words for words in said) == 1
        tab.context.close()


def lives(tab: Any) -> None:
    """Every panel of an open chapter moves; nothing went wrong, and nothing was asked of another machine."""
    tab.page.wait_for_function(DRAWN, arg=EXERCISES)
    tab.charts()
    assert tab.page.evaluate(MOVE_ALL) == []
    assert tab.page.locator(WRONG).all_inner_texts() == []
    tab.no_trouble()
