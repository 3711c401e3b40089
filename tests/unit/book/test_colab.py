"""A stand-in for Colab: whatever is shown there names the manager that draws it."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from anywidget import _util
from IPython.core.interactiveshell import InteractiveShell

from gpt4lab.book import case_file, exercise, guess, reveal, verdict
from gpt4lab.book import shell as taught
from gpt4lab.chapters.c03_flop.flop import token

URL = "https://manager.invalid/"
VIEW = "application/vnd.jupyter.widget-view+json"
SHOWN: dict[str, Any] = {
    "panel": token.widget,
    "chart alone": lambda: token.widget().chart,
    "exercise": lambda: exercise("t-colab", "?", answer=3),
    "guess": lambda: guess("t-colab", "?", answer=3, lo=1, hi=9),
    "answer": lambda: (guess("t-colab", "?", answer=3, lo=1, hi=9), reveal("t-colab"))[1],
    "verdict": lambda: verdict("03"),
    "case file": case_file,
}


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> InteractiveShell:
    """A kernel's shell in which Colab's module is loaded."""
    shell, output = InteractiveShell(), ModuleType("google.colab.output")
    output._widgets = SimpleNamespace(_installed_url=URL)
    output.enable_custom_widget_manager = lambda: None
    monkeypatch.setitem(sys.modules, output.__name__, output)
    _util.enable_custom_widget_manager_once.cache_clear()
    monkeypatch.setattr(taught, "get_ipython", lambda: shell)
    taught.register()
    return shell


@pytest.mark.parametrize("name", SHOWN)
def test_each_names_its_manager_in_colab(name: str, shell: InteractiveShell) -> None:
    data, metadata = shell.display_formatter.format(SHOWN[name]())
    assert VIEW in data
    assert metadata[VIEW] == {"colab": {"custom_widget_manager": {"url": URL}}}


def test_elsewhere_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = InteractiveShell()
    monkeypatch.setattr(taught, "get_ipython", lambda: shell)
    taught.register()
    data, metadata = shell.display_formatter.format(token.widget())
    assert VIEW in data
    assert metadata == {}
