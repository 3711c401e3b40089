"""Where the book runs: what is missing, how to get it, where memory is kept, in one sentence each."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest

from gpt4lab import place
from gpt4lab.book import store


@pytest.fixture(params=get_args(place.Where))
def somewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("GPT4LAB_PLACE", request.param)
    return request.param


@pytest.mark.parametrize("package", [*place.EXTRAS, "vl_convert"])
def test_one_sentence_says_what_is_missing_and_one_what_to_type(package: str, somewhere: str) -> None:
    missing, remedy = re.split(r"(?<=\w)\. ", place.needs(package, "This cell"), maxsplit=1)
    assert missing.startswith("This cell needs ")
    assert ("installed here" in missing) is (somewhere == "installed")
    assert remedy.endswith(".")
    assert "“" in remedy
    assert ("book.py" in remedy) <= (somewhere == "installed"), "a browser has no terminal"


def test_each_extra_that_is_named_brings_the_package(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extras = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    monkeypatch.setattr(place, "cloned", lambda: None)
    for package, extra in place.EXTRAS.items():
        assert f"gpt4lab[{extra}]" in place.how_to_get(package)
        assert any(line.startswith(place.CALLED.get(package, package)) for line in extras[extra]), package


def test_what_was_made_for_one_run_is_run_again_with_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "cloned", lambda: None)
    monkeypatch.setattr(sys, "prefix", str(Path("cache", "uv", "archive-v0", "x7")))
    assert place.IN_ONE_RUN in place.how_to_get("torch")
    assert "live" not in place.how_to_get("jupyterlab"), "torch is not fetched unasked"
    monkeypatch.setattr(sys, "prefix", str(Path("share", "pipx", "venvs", "gpt4lab")))
    assert all("“pipx run " in place.how_to_get(package) for package in place.EXTRAS)
    assert '--spec "gpt4lab[lab]" gpt4lab read' in place.how_to_get("jupyterlab")


def test_an_exercise_in_code_says_how_to_answer_it_here(somewhere: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOILA_KERNEL_ID", raising=False)
    assert ("cell below" in place.how_to_code()) is (somewhere == "installed"), "a browser cannot check it"
    monkeypatch.setenv("VOILA_KERNEL_ID", "1")
    assert "cell below" not in place.how_to_code(), "nor has Voila cells"


class Storage(dict[str, str]):
    """A page's memory; other tabs write into it as well."""

    __hash__ = object.__hash__
    full = False

    def put(self, name: str, text: str) -> None:
        if self.full:
            raise OSError("the storage is full")
        self[name] = text


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("GPT4LAB_PLACE", "page")
    storage = Storage()
    place.hand_over(storage)
    yield storage
    place.hand_over(None)


def test_a_page_keeps_the_way_in_its_own_storage(storage: Storage) -> None:
    assert store.keep("guess", "a", 1)
    storage["progress.json"] = storage["progress.json"].replace('"a": 1', '"a": 1, "another tab": 2')
    assert store.keep("guess", "b", 3)
    assert store.entries("guess") == {"a": 1, "another tab": 2, "b": 3}
    assert store.folder() is None
    assert store.trouble() == ""


def test_what_a_page_cannot_keep_or_read_is_not_lost(storage: Storage) -> None:
    store.keep("guess", "a", 1)
    storage.full = True
    assert not store.keep("guess", "b", 2)
    assert "the storage is full" in store.trouble()
    assert "GPT4LAB_STATE" not in store.trouble()
    storage.full, storage["progress.json"] = False, "{half"
    assert store.keep("guess", "c", 3)
    assert storage["progress.json.broken"] == "{half"
    assert store.entries("guess") == {"b": 2, "c": 3}
