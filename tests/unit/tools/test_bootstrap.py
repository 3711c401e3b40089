"""book.py: set up once, again after a stop, and one clear sentence for whatever is missing."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

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
def machine(bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("attrs==1.0")
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / "stamp.json")
    monkeypatch.setattr(bootstrap, "CONSTRAINTS", constraints)
    monkeypatch.setattr(bootstrap, "make_venv", machine.make_venv)
    monkeypatch.setattr(bootstrap, "pip", machine.pip)
    return machine


def test_second_start_does_nothing(bootstrap: ModuleType, machine: Machine) -> None:
    bootstrap.prepare({"lab", "live"}, [])
    assert machine.log == ["venv", "torch", ".[lab,live]"]
    bootstrap.prepare({"lab", "live"}, [])
    assert len(machine.log) == 3


def test_more_extras_are_added_to_what_is_there(bootstrap: ModuleType, machine: Machine) -> None:
    bootstrap.prepare({"lab", "live"}, [])
    bootstrap.prepare({"lab", "live", "test"}, [])
    assert machine.log.count("venv") == 1
    assert machine.log[-1] == ".[lab,live,test]"
    bootstrap.prepare({"lab", "live"}, [])
    assert machine.log[-1] == ".[lab,live,test]"


def test_a_stopped_setup_is_done_again(bootstrap: ModuleType, machine: Machine) -> None:
    machine.stop = True
    with pytest.raises(KeyboardInterrupt):
        bootstrap.prepare({"lab"}, [])
    machine.stop = False
    bootstrap.prepare({"lab"}, [])
    assert machine.log == ["venv", "venv", ".[lab]"]


def test_a_stopped_addition_is_done_again(bootstrap: ModuleType, machine: Machine) -> None:
    bootstrap.prepare({"lab"}, [])
    machine.stop = True
    with pytest.raises(KeyboardInterrupt):
        bootstrap.prepare({"lab", "test"}, [])
    assert bootstrap.read_stamp() == {}


def test_changed_inputs_make_a_new_environment(bootstrap: ModuleType, machine: Machine) -> None:
    bootstrap.prepare({"lab"}, [])
    bootstrap.CONSTRAINTS.write_text("attrs==2.0")
    bootstrap.prepare({"lab"}, [])
    assert machine.log.count("venv") == 2


def test_options_stay_in_force(bootstrap: ModuleType, machine: Machine) -> None:
    bootstrap.prepare({"lab"}, ["--fresh"])
    bootstrap.prepare({"lab"}, [])
    assert machine.log.count("venv") == 1
    bootstrap.prepare({"lab"}, ["--gpu"])
    assert machine.log.count("venv") == 2


def test_without_torch_the_book_opens_and_only_setup_looks_again(
    bootstrap: ModuleType, machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.torch = False
    bootstrap.prepare({"lab", "live", "test"}, [])
    assert machine.log[-1] == ".[lab,test]"
    assert bootstrap.NO_TORCH in capsys.readouterr().out
    before = list(machine.log)
    bootstrap.prepare({"lab", "live"}, [])
    assert machine.log == before
    machine.torch = True
    bootstrap.setup([], [])
    assert machine.log[-1] == ".[lab,live,test]"
    assert machine.log.count("venv") == 1


def test_a_failing_pip_ends_with_a_sentence(
    bootstrap: ModuleType, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "pip", lambda *_, **__: False)
    with pytest.raises(SystemExit, match="pip could not install"):
        bootstrap.prepare({"lab"}, [])
    assert bootstrap.read_stamp() == {}


@pytest.fixture
def benchmarks(bootstrap: ModuleType, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The benchmarks that were run, each with the peers it saw."""
    seen: list[str] = []
    listed = tmp_path / "peers.txt"
    listed.write_text("peer==1.0")
    monkeypatch.setattr(bootstrap, "PEERS_LIST", listed)
    monkeypatch.setattr(bootstrap, "PEERS", tmp_path / "peers")
    monkeypatch.setattr(bootstrap, "prepare", lambda *_: (tmp_path / "peers").mkdir(exist_ok=True))
    monkeypatch.setattr(
        bootstrap, "run", lambda name: seen.append(f"{name} {bootstrap.ENV['PYTHONPATH']}".strip()) or 0
    )
    return seen


def test_only_the_benchmarks_beside_peers_see_them(
    bootstrap: ModuleType, machine: Machine, benchmarks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap.shutil, "rmtree", lambda *_, **__: None)
    assert bootstrap.bench([], ["sweep_peer", "sweep"]) == 0
    assert benchmarks == [f"benchmarks.sweep_peer {bootstrap.PEERS}", "benchmarks.sweep"]
    assert len(machine.log) == 1
    bootstrap.bench([], ["sweep_peer"])
    assert len(machine.log) == 1
    bootstrap.PEERS_LIST.write_text("peer==2.0")
    bootstrap.bench([], ["sweep_peer"])
    assert len(machine.log) == 2


def test_without_peers_the_other_benchmarks_run(
    bootstrap: ModuleType, benchmarks: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "pip", lambda *_, **__: False)
    assert bootstrap.bench([], ["sweep_peer", "sweep"]) == 0
    assert benchmarks == ["benchmarks.sweep"]
    assert bootstrap.NO_PEERS in capsys.readouterr().out


def test_linux_never_takes_the_cuda_build_unasked(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert {source[0] for source in bootstrap.torch_sources(PINNED, gpu=False)} == {PINNED + "+cpu"}
    assert bootstrap.torch_sources(PINNED, gpu=True) == [[PINNED]]


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_elsewhere_the_plain_name_is_the_cpu_build(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert [PINNED] in bootstrap.torch_sources(PINNED, gpu=False)


def test_an_index_that_does_not_answer_costs_seconds(bootstrap: ModuleType) -> None:
    [*_, last] = bootstrap.torch_sources(PINNED, gpu=False)
    assert last[-4:] == ["--timeout", "10", "--retries", "0"]


def test_an_old_python_is_told_what_is_needed(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "version_info", (3, 10, 4, "final", 0))
        with pytest.raises(SystemExit) as stopped:
            bootstrap.check_python()
    assert "needs Python 3.11" in str(stopped.value)
    assert "this is 3.10" in str(stopped.value)


def test_debian_without_venv_is_told_the_package(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(SystemExit, match=r"apt install python3\.\d+-venv"):
            bootstrap.check_python()


def test_the_browser_on_the_path_is_found(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("GPT4LAB_BROWSER", raising=False)
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: str(tmp_path) if name == "google-chrome" else None)
    assert bootstrap.find_browser(sys.executable) == str(tmp_path)


@pytest.mark.parametrize(("ci", "expected"), [("true", ["apt-get", "apt-get"]), ("", [])])
def test_a_browser_is_installed_on_a_ci_machine_only(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ci: str, expected: list
) -> None:
    calls: list[str] = []
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(bootstrap, "find_browser", lambda python: None)
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: name)
    monkeypatch.setattr(bootstrap.subprocess, "call", lambda command, env: calls.append(command[0]) or 0)
    bootstrap.look_for_browser()
    assert calls == expected
    assert (bootstrap.NO_BROWSER in capsys.readouterr().out) is (ci == "")


@pytest.fixture
def commands(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What would be run: nothing is prepared, no browser is looked for."""
    given: list[tuple[str, ...]] = []
    monkeypatch.setattr(bootstrap, "prepare", lambda *_: None)
    monkeypatch.setattr(bootstrap, "look_for_browser", lambda: None)
    monkeypatch.setattr(bootstrap, "run", lambda *command: given.append(command) or 0)
    return given


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (["unit", "-k", "x"], ["tests/unit", "-k", "x"]),
        (["tests/unit/tools/test_bootstrap.py"], ["tests/unit/tools/test_bootstrap.py"]),
        (["-x"], ["tests/static", "tests/unit", "tests/notebooks", "--nbmake"]),
    ],
)
def test_parts_of_the_tests(
    bootstrap: ModuleType, commands: list[tuple[str, ...]], asked: list[str], given: list[str]
) -> None:
    assert bootstrap.test([], asked) == 0
    assert list(commands[0][5 : 5 + len(given)]) == given
    assert not any("tests/browser" in command for command in commands[:1])


@pytest.mark.parametrize(
    ("asked", "browser"),
    [
        (["-x"], [("pytest", "tests/browser", "-x")]),
        (["browser"], [("pytest", "tests/browser")]),
        (["unit", "browser", "-k", "x"], [("pytest", "tests/browser", "-k", "x")]),
        (["unit"], []),
    ],
)
def test_the_browser_is_tested_last_and_alone(
    bootstrap: ModuleType, commands: list[tuple[str, ...]], asked: list[str], browser: list[tuple[str, ...]]
) -> None:
    assert bootstrap.test([], asked) == 0
    assert [command for command in commands if "tests/browser" in command] == browser
    assert commands[len(commands) - len(browser) :] == browser


@pytest.mark.parametrize(("codes", "result"), [((0, 0), 0), ((1, 0), 1), ((0, 1), 1), ((5, 0), 0), ((5, 5), 5)])
def test_a_failure_in_either_session_is_a_failure(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, codes: tuple[int, int], result: int
) -> None:
    left = list(codes)
    monkeypatch.setattr(bootstrap, "prepare", lambda *_: None)
    monkeypatch.setattr(bootstrap, "look_for_browser", lambda: None)
    monkeypatch.setattr(bootstrap, "run", lambda *_: left.pop(0))
    assert bootstrap.test([], []) == result
