"""Voila's settings, without Voila: its page asks nothing of another machine; readers behind one server are apart."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2  # comes with JupyterLab
import pytest

from gpt4lab.book import store
from gpt4lab.book.way import Opened


@pytest.fixture
def settings(root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the settings set, as Voila reads them."""
    for name in ("GPT4LAB_STATE", "JUPYTER_PATH"):
        monkeypatch.setenv(name, "x")
        monkeypatch.delenv(name)
    file, found = (
        root / "jupyter" / "voila.py",
        SimpleNamespace(VoilaConfiguration=SimpleNamespace(), MappingKernelManager=SimpleNamespace()),
    )
    exec(compile(file.read_text("utf-8"), str(file), "exec"), {"__file__": str(file), "get_config": lambda: found})
    return found.VoilaConfiguration


def test_its_page_lies_where_voila_looks_and_drops_the_links_to_other_machines(settings: Any) -> None:
    page = Path(os.environ["JUPYTER_PATH"]) / "voila" / "templates" / settings.template / "index.html.j2"
    base = jinja2.DictLoader(
        {
            "voila/templates/lab/index.html.j2": "{% block notebook_css %}<style>a</style>\n"
            '  <link rel="stylesheet" href="https://x.invalid/a.css" />\n<link href="/own.css">{% endblock %}',
            "ours": page.read_text("utf-8"),
        }
    )
    made = jinja2.Environment(loader=base).get_template("ours").render()
    assert made.split() == ["<style>a</style>", "<link", 'href="/own.css">']


def test_what_a_reader_does_there_is_kept_for_the_session_alone(settings: Any) -> None:
    assert not Opened().keep("09")
    assert Opened.recall("09")
    assert "this session only" in store.trouble()
    assert not Path(os.environ["GPT4LAB_STATE"]).exists()


def test_who_names_a_folder_keeps_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPT4LAB_STATE", "mine")
    monkeypatch.setenv("JUPYTER_PATH", "theirs")
    file, found = (
        root / "jupyter" / "voila.py",
        SimpleNamespace(VoilaConfiguration=SimpleNamespace(), MappingKernelManager=SimpleNamespace()),
    )
    exec(compile(file.read_text("utf-8"), str(file), "exec"), {"__file__": str(file), "get_config": lambda: found})
    assert os.environ["GPT4LAB_STATE"] == "mine"
    assert os.environ["JUPYTER_PATH"] == os.pathsep.join([str(root / "jupyter"), "theirs"])
