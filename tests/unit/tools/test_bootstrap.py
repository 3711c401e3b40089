"""book.py: set up once, again after a stop, and one clear sentence for whatever is missing."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

import pytest

import book

if TYPE_CHECKING:
    from pathlib import Path

PINNED = "torch==1.2.3"


class Machine:
    """A machine whose pip and venv only write down what they were asked."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.torch = True
        self.stop = False

    def make_venv(self) -> None:
        self.log.append("venv")

    def pip(self, *arguments: str, quiet: bool = False) -> bool:
        if self.stop:
            raise KeyboardInterrupt
        about_torch = "--no-deps" in arguments
        self.log.append("torch" if about_torch else arguments[1])
        return self.torch or not about_torch


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("attrs==1.0")
    monkeypatch.setattr(book, "STAMP", tmp_path / "stamp.json")
    monkeypatch.setattr(book, "CONSTRAINTS", constraints)
    monkeypatch.setattr(book, "make_venv", machine.make_venv)
    monkeypatch.setattr(book, "pip", machine.pip)
    return machine


def test_second_start_does_nothing(machine: Machine) -> None:
    book.prepare({"lab", "live"}, [])
    assert machine.log == ["venv", "torch", ".[lab,live]"]
    book.prepare({"lab", "live"}, [])
    assert len(machine.log) == 3


def test_more_extras_are_added_to_what_is_there(machine: Machine) -> None:
    book.prepare({"lab", "live"}, [])
    book.prepare({"lab", "live", "test"}, [])
    assert machine.log.count("venv") == 1
    assert machine.log[-1] == ".[lab,live,test]"
    book.prepare({"lab", "live"}, [])
    assert machine.log[-1] == ".[lab,live,test]"


def test_a_stopped_setup_is_done_again(machine: Machine) -> None:
    machine.stop = True
    with pytest.raises(KeyboardInterrupt):
        book.prepare({"lab"}, [])
    machine.stop = False
    book.prepare({"lab"}, [])
    assert machine.log == ["venv", "venv", ".[lab]"]


def test_a_stopped_addition_is_done_again(machine: Machine) -> None:
    book.prepare({"lab"}, [])
    machine.stop = True
    with pytest.raises(KeyboardInterrupt):
        book.prepare({"lab", "test"}, [])
    assert book.read_stamp() == {}


def test_changed_inputs_make_a_new_environment(machine: Machine) -> None:
    book.prepare({"lab"}, [])
    book.CONSTRAINTS.write_text("attrs==2.0")
    book.prepare({"lab"}, [])
    assert machine.log.count("venv") == 2


def test_options_stay_in_force(machine: Machine) -> None:
    book.prepare({"lab"}, ["--fresh"])
    book.prepare({"lab"}, [])
    assert machine.log.count("venv") == 1
    book.prepare({"lab"}, ["--gpu"])
    assert machine.log.count("venv") == 2


def test_without_torch_the_book_opens_and_only_setup_looks_again(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.torch = False
    book.prepare({"lab", "live", "test"}, [])
    assert machine.log[-1] == ".[lab,test]"
    assert book.NO_TORCH in capsys.readouterr().out
    before = list(machine.log)
    book.prepare({"lab", "live"}, [])
    assert machine.log == before
    machine.torch = True
    book.setup([], [])
    assert machine.log[-1] == ".[lab,live,test]"
    assert machine.log.count("venv") == 1


def test_a_failing_pip_ends_with_a_sentence(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "pip", lambda *_, **__: False)
    with pytest.raises(SystemExit, match="pip could not install"):
        book.prepare({"lab"}, [])
    assert book.read_stamp() == {}


def test_linux_never_takes_the_cuda_build_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert {source[0] for source in book.torch_sources(PINNED, gpu=False)} == {PINNED + "+cpu"}
    assert book.torch_sources(PINNED, gpu=True) == [[PINNED]]


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_elsewhere_the_plain_name_is_the_cpu_build(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert [PINNED] in book.torch_sources(PINNED, gpu=False)


def test_an_index_that_does_not_answer_costs_seconds() -> None:
    [*_, last] = book.torch_sources(PINNED, gpu=False)
    assert last[-4:] == ["--timeout", "10", "--retries", "0"]


def test_an_old_python_is_told_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "version_info", (3, 10, 4, "final", 0))
        with pytest.raises(SystemExit) as stopped:
            book.check_python()
    assert "needs Python 3.11" in str(stopped.value)
    assert "this is 3.10" in str(stopped.value)


def test_debian_without_venv_is_told_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(SystemExit, match=r"apt install python3\.\d+-venv"):
            book.check_python()


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What would be run: nothing is prepared."""
    given: list[tuple[str, ...]] = []
    monkeypatch.setattr(book, "prepare", lambda *_: None)
    monkeypatch.setattr(book, "run", lambda *command: given.append(command) or 0)
    return given


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (["unit", "-k", "x"], ["tests/unit", "-k", "x"]),
        (["tests/unit/tools/test_bootstrap.py"], ["tests/unit/tools/test_bootstrap.py"]),
        (["-x"], ["tests/static", "tests/unit", "tests/notebooks", "--nbmake", "notebooks", "tests/browser", "-x"]),
        (["unit", "browser", "-k", "x"], ["tests/unit", "tests/browser", "-k", "x"]),
    ],
)
def test_parts_of_the_tests(commands: list[tuple[str, ...]], asked: list[str], given: list[str]) -> None:
    assert book.test([], asked) == 0
    assert list(commands[-1][-len(given) :]) == given
    assert commands[-1][0] == "pytest"


@pytest.mark.parametrize(
    ("asked", "looked"),
    [([], True), (["browser"], True), (["tests/browser/test_journeys.py"], True), (["unit"], False)],
)
def test_a_browser_is_looked_for_where_one_is_needed(
    commands: list[tuple[str, ...]], asked: list[str], looked: bool
) -> None:
    assert book.test([], asked) == 0
    assert (commands[0] == ("tools.browser",)) is looked
    assert [command[0] for command in commands].count("pytest") == 1


@pytest.mark.parametrize("code", [0, 1, 2, 5])
def test_the_exit_status_is_that_of_the_tests(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    monkeypatch.setattr(book, "prepare", lambda *_: None)
    monkeypatch.setattr(book, "run", lambda module, *_: code if module == "pytest" else 0)
    assert book.test([], []) == code
