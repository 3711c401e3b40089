"""book.py: set up once, again after a stop, one set-up at a time, and one clear sentence for whatever is missing."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import book
from tools import commands, environment

PINNED = "torch==1.2.3"


class Machine:
    """A machine whose pip and venv only write down what they were asked."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.torch = True
        self.stop = False

    def make_venv(self) -> None:
        self.log.append("venv")
        environment.PYTHON.touch()

    def pip(self, *arguments: str, quiet: bool = False) -> str:
        if self.stop:
            raise KeyboardInterrupt
        about_torch = "--no-deps" in arguments
        self.log.append("torch" if about_torch else arguments[1])
        return "" if self.torch or not about_torch else "ERROR: no room"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    (tmp_path / ".venv").mkdir()
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("attrs==1.0")
    monkeypatch.setattr(environment, "OWN", tmp_path / "own")
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(environment, "PYTHON", tmp_path / ".venv" / "python")
    monkeypatch.setattr(environment, "STAMP", tmp_path / ".venv" / "stamp.json")
    monkeypatch.setattr(environment, "CONSTRAINTS", constraints)
    monkeypatch.setattr(environment, "make_venv", machine.make_venv)
    monkeypatch.setattr(environment, "pip", machine.pip)
    return machine


def test_second_start_does_nothing(machine: Machine) -> None:
    environment.prepare({"lab", "live"}, [])
    assert machine.log == ["venv", "torch", ".[lab,live]"]
    environment.prepare({"lab", "live"}, [])
    assert len(machine.log) == 3


def test_more_extras_are_added_to_what_is_there(machine: Machine) -> None:
    environment.prepare({"lab", "live"}, [])
    environment.prepare({"lab", "live", "test"}, [])
    assert machine.log.count("venv") == 1
    assert machine.log[-1] == ".[lab,live,test]"
    environment.prepare({"lab", "live"}, [])
    assert machine.log[-1] == ".[lab,live,test]"


def test_a_stopped_setup_is_done_again(machine: Machine) -> None:
    machine.stop = True
    with pytest.raises(KeyboardInterrupt):
        environment.prepare({"lab"}, [])
    machine.stop = False
    environment.prepare({"lab"}, [])
    assert machine.log == ["venv", "venv", ".[lab]"]


def test_a_stopped_addition_is_done_again(machine: Machine) -> None:
    environment.prepare({"lab"}, [])
    machine.stop = True
    with pytest.raises(KeyboardInterrupt):
        environment.prepare({"lab", "test"}, [])
    assert environment.read_stamp() == {}


def test_changed_inputs_make_a_new_environment(machine: Machine) -> None:
    environment.prepare({"lab"}, [])
    environment.CONSTRAINTS.write_text("attrs==2.0")
    environment.prepare({"lab"}, [])
    assert machine.log.count("venv") == 2


def test_options_stay_in_force_and_add_up(machine: Machine) -> None:
    environment.prepare({"lab"}, ["--fresh"])
    environment.prepare({"lab"}, [])
    assert machine.log.count("venv") == 1
    environment.prepare({"lab"}, ["--gpu"])
    assert machine.log.count("venv") == 2
    assert environment.read_stamp()["options"] == ["--fresh", "--gpu"]
    environment.prepare({"lab"}, ["--fresh"])
    assert machine.log.count("venv") == 2


def test_without_torch_the_book_opens_and_only_setup_looks_again(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.torch = False
    environment.prepare({"lab", "live", "test"}, [])
    assert machine.log[-1] == ".[lab,test]"
    said = capsys.readouterr().out
    assert environment.NO_TORCH in said
    assert "\n    ERROR: no room" in said
    before = list(machine.log)
    environment.prepare({"lab", "live"}, [])
    assert machine.log == before
    machine.torch = True
    commands.setup([], [])
    assert machine.log[-1] == f".[{','.join(sorted(environment.EVERYTHING))}]"
    assert machine.log.count("venv") == 1


def test_a_failing_pip_ends_with_a_sentence(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "pip", lambda *_, **__: "ERROR: no")
    with pytest.raises(SystemExit, match="pip could not install"):
        environment.prepare({"lab"}, [])
    assert environment.read_stamp() == {}


def test_a_python_that_is_gone_is_replaced(machine: Machine) -> None:
    environment.prepare({"lab"}, [])
    environment.PYTHON.unlink()
    environment.prepare({"lab"}, [])
    assert machine.log.count("venv") == 2


@pytest.mark.parametrize(
    "stamp",
    [
        *("", "{", "[]", "null", "5", '"key"', "{}", '{"key": "KEY"}', '{"key": "KEY", "options": []}'),
        *('{"key": "KEY", "options": null, "extras": ["lab"]}', '{"key": "KEY", "options": [], "extras": 5}'),
        *('{"key": 5, "options": [], "extras": ["lab"]}', '{"key": "KEY", "options": [[]], "extras": ["lab"]}'),
        *('{"key": "KEY", "options": ["--other"], "extras": ["lab"]}', "\udcff"),
    ],
)
def test_a_stamp_that_says_nothing_is_none(machine: Machine, stamp: str) -> None:
    environment.PYTHON.touch()
    text = stamp.replace("KEY", environment.fingerprint([]))
    environment.STAMP.write_bytes(text.encode("utf-8", "surrogateescape"))
    environment.prepare({"lab"}, [])
    assert machine.log == ["venv", ".[lab]"]
    assert environment.read_stamp()["extras"] == ["lab"]


def test_a_full_disk_is_told_as_one(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(environment, "install", full)
    with pytest.raises(SystemExit, match="No space left on device"):
        environment.prepare({"lab"}, [])


# --- what stands in the place of the environment ------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of `.venv`; venv itself only notes where it was asked to make one."""
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(
        environment.process, "work", lambda command, *_: (Path(command[-1]).mkdir(parents=True), (0, ""))[1]
    )
    return tmp_path / ".venv"


def test_a_file_is_not_deleted(place: Path) -> None:
    place.write_text("somebody's own")
    with pytest.raises(SystemExit, match="is a file"):
        environment.check_venv()
    assert place.read_text() == "somebody's own"


def test_a_link_to_something_else_is_not_emptied(place: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "documents"
    elsewhere.mkdir()
    (elsewhere / "letter").touch()
    place.symlink_to(elsewhere)
    with pytest.raises(SystemExit, match="remove the link"):
        environment.check_venv()
    assert (elsewhere / "letter").exists()


@pytest.mark.parametrize("before", ["nothing", "empty", "an environment"])
def test_a_link_leads_to_where_the_environment_is_made(place: Path, tmp_path: Path, before: str) -> None:
    disk = tmp_path / "larger disk"
    if before != "nothing":
        disk.mkdir()
    if before == "an environment":
        (disk / "pyvenv.cfg").touch()
    place.symlink_to(disk)
    environment.check_venv()
    environment.make_venv()
    assert place.is_symlink()
    assert list(disk.iterdir()) == []


# --- two at once ----------------------------------------------------------------------------------------------

HOLDER = """
import subprocess, sys
from pathlib import Path
from tools import environment, process
environment.OWN = Path(sys.argv[1])
with environment.alone():
    print("held", flush=True)
    process.work([sys.executable, "-c", sys.argv[2]], environment.ROOT, dict(environment.ENV))
"""


def holder(own: Path, task: str) -> subprocess.Popen[str]:
    """A set-up that has the lock and runs a task."""
    command = [sys.executable, "-c", HOLDER, str(own), task]
    found = subprocess.Popen(command, cwd=environment.ROOT, stdout=subprocess.PIPE, text=True, env=environment.ENV)
    assert found.stdout is not None
    assert found.stdout.readline() == "held\n"
    return found


def is_free(own: Path) -> bool:
    with open(own / "setup.lock", "w") as lock:
        return environment.take(lock)


def test_the_second_setup_waits_for_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(environment, "OWN", tmp_path)
    first = holder(tmp_path, "import sys, time; time.sleep(0.5)")
    with environment.alone():
        assert first.wait() == 0, "only then"
        assert not is_free(tmp_path)
    assert "Another set-up" in capsys.readouterr().out
    assert is_free(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="a child does not inherit a lock there")
def test_what_a_killed_setup_leaves_behind_keeps_others_out(tmp_path: Path) -> None:
    go = tmp_path / "go"
    os.mkfifo(go)
    first = holder(tmp_path, f"print('at work', flush=True); open({str(go)!r}).read()")
    assert first.stdout is not None
    assert first.stdout.readline() == "at work\n"
    first.kill()
    first.wait()
    assert not is_free(tmp_path), "its pip still writes"
    with open(go, "w"):
        pass
    first.stdout.read()  # ends with the last that holds it
    assert is_free(tmp_path)


def test_without_locks_nobody_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.name != "nt":
        import fcntl

        def none(*_: Any) -> None:
            raise OSError(37, "No locks available")

        monkeypatch.setattr(fcntl, "flock", none)
    with open(tmp_path / "lock", "w") as lock:
        assert environment.take(lock)


# --- pip --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "words", "expected"),
    [
        (0, "WARNING: old pip", ""),
        (
            1,
            "ERROR: a\nERROR: [Errno 28] No space left on device\nnotice\n",
            "ERROR: [Errno 28] No space left on device",
        ),
        (2, "Traceback\nMemoryError\n", "MemoryError"),
        (-9, "", "nothing, and ended with status -9"),
    ],
)
def test_the_reason_is_pips_own(status: int, words: str, expected: str) -> None:
    assert environment.reason(status, words) == expected


def test_a_quiet_pip_keeps_what_it_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "pip.py"
    fake.write_text("import sys\nprint('ERROR: [Errno 28] No space left on device', file=sys.stderr)\nsys.exit(1)")
    monkeypatch.setattr(environment, "PYTHON", sys.executable)
    monkeypatch.setattr(environment, "ROOT", tmp_path)  # `python -m pip` finds the one beside it
    assert environment.pip("torch", quiet=True) == "ERROR: [Errno 28] No space left on device"


def test_linux_never_takes_the_cuda_build_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert {source[0] for source in environment.torch_sources(PINNED, gpu=False)} == {PINNED + "+cpu"}
    assert environment.torch_sources(PINNED, gpu=True) == [[PINNED]]


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_elsewhere_the_plain_name_is_the_cpu_build(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert [PINNED] in environment.torch_sources(PINNED, gpu=False)


def test_an_index_that_does_not_answer_costs_seconds() -> None:
    [*_, last] = environment.torch_sources(PINNED, gpu=False)
    assert last[-4:] == ["--timeout", "10", "--retries", "0"]


# --- which Python, which home -----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [(2, 7), (3, 6), (3, 10), (3, 14), (4, 0)])
def test_another_python_is_told_what_is_needed(monkeypatch: pytest.MonkeyPatch, version: tuple[int, int]) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "version_info", (*version, 4, "final", 0))
        with pytest.raises(SystemExit) as stopped:
            book.main(["lab"])
    assert "needs Python 3.11, 3.12 or 3.13" in str(stopped.value)
    assert "this is {}.{}:".format(*version) in str(stopped.value)


@pytest.mark.parametrize("minor", [11, 12, 13])
def test_the_pythons_of_the_book_pass(monkeypatch: pytest.MonkeyPatch, minor: int) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "version_info", (3, minor, 0, "final", 0))
        book.check_python()


def test_even_python_2_can_read_book_py(root: Path) -> None:
    """It must get as far as the sentence: nothing in the file is younger than Python 2.7."""
    source = (root / "book.py").read_text("utf-8")
    assert source.isascii(), "without a line that names the encoding"
    tree = ast.parse(source, feature_version=(3, 4))
    young = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal, ast.YieldFrom, ast.AsyncFunctionDef)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert not [node for node in ast.walk(tree) if isinstance(node, young)]
    assert not [f for f in functions if f.returns or f.args.kwonlyargs or any(a.annotation for a in f.args.args)]
    first = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert [alias.name for node in first for alias in node.names] == ["os", "sys"]


def test_debian_without_venv_is_told_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(SystemExit, match=r"apt install python3\.\d+-venv"):
            environment.check_venv()


@pytest.mark.skipif(os.name == "nt", reason="HOME is not the home there")
@pytest.mark.parametrize("home", ["", "/nowhere", "/dev/null", "relative", None])
def test_whoever_has_no_home_gets_one_beside_the_book(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str | None
) -> None:
    def none() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(environment, "OWN", tmp_path / "own")
    if home is None:
        monkeypatch.delenv("HOME")
        monkeypatch.setattr(Path, "home", none)
    else:
        monkeypatch.setenv("HOME", home)
    assert environment.own_home() == {"HOME": str(tmp_path / "own" / "home")}
    assert (tmp_path / "own" / "home").is_dir()
    monkeypatch.setattr(environment, "OWN", tmp_path / "own" / "home" / "file")
    environment.OWN.touch()
    elsewhere = Path(environment.own_home()["HOME"])
    assert list(elsewhere.iterdir()) == []
    elsewhere.rmdir()


def test_a_home_that_works_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert environment.own_home() == {}


# --- the commands -----------------------------------------------------------------------------------------------


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What would be run: nothing is prepared."""
    given: list[tuple[str, ...]] = []
    monkeypatch.setattr(commands, "prepare", lambda *_, **__: given.append(("prepare",)))
    monkeypatch.setattr(commands, "run", lambda *command: given.append(command) or 0)
    monkeypatch.setattr(commands.process, "end_with_us", lambda: None)
    return given


@pytest.mark.parametrize(
    "asked", [[], ["help"], ["-h"], ["--help"], *([c, h] for c in commands.COMMANDS for h in ("-h", "--help"))]
)
def test_help_prints_help_and_does_nothing_else(
    given: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str], asked: list[str]
) -> None:
    assert commands.main(asked, book.__doc__) == 0
    assert "python3 book.py setup" in capsys.readouterr().out
    assert given == []


@pytest.mark.parametrize("asked", [["leb"], ["setup", "now"], ["setup", "--gpuu"]])
def test_what_is_not_understood_is_refused(given: list[tuple[str, ...]], asked: list[str]) -> None:
    with pytest.raises(SystemExit, match=asked[-1]):
        commands.main(asked, book.__doc__)
    assert given == []


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["unit", "-k", "x"], ["tests/unit", "-k", "x"]),
        (["unit", "-k", "browser"], ["tests/unit", "-k", "browser"]),
        (
            ["-k", "unit"],
            ["tests/static", "tests/unit", "tests/notebooks", "--nbmake", "notebooks", "tests/browser", "-k", "unit"],
        ),
        (["-m", "browser", "unit"], ["tests/unit", "-m", "browser"]),
        (["unit", "--deselect", "tests/unit/tools"], ["tests/unit", "--deselect", "tests/unit/tools"]),
        (["tests/unit/tools/test_bootstrap.py"], ["tests/unit/tools/test_bootstrap.py"]),
        (["-x"], ["tests/static", "tests/unit", "tests/notebooks", "--nbmake", "notebooks", "tests/browser", "-x"]),
        (["-x", "unit"], ["tests/unit", "-x"]),
        (["unit", "browser", "-k", "x"], ["tests/unit", "tests/browser", "-k", "x"]),
    ],
)
def test_parts_of_the_tests(given: list[tuple[str, ...]], asked: list[str], words: list[str]) -> None:
    assert commands.main(["test", *asked], "") == 0
    assert list(given[-1][-len(words) :]) == words
    assert given[-1][0] == "pytest"


@pytest.mark.parametrize(
    ("asked", "looked"),
    [
        ([], True),
        (["browser"], True),
        (["tests/browser/test_journeys.py"], True),
        (["unit"], False),
        (["unit", "-k", "browser"], False),
    ],
)
def test_a_browser_is_looked_for_where_one_is_needed(
    given: list[tuple[str, ...]], asked: list[str], looked: bool
) -> None:
    assert commands.test([], asked) == 0
    assert (("tools.browser",) in given) is looked
    assert [command[0] for command in given].count("pytest") == 1


@pytest.mark.parametrize("code", [0, 1, 2, 5])
def test_the_exit_status_is_that_of_the_tests(
    given: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(commands, "run", lambda module, *_: code if module == "pytest" else 0)
    assert commands.test([], []) == code


def test_a_reader_who_stops_a_setup_gets_a_sentence(
    given: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "prepare", stopped)
    assert commands.main(["setup"], "") == 130
    assert "begins again" in capsys.readouterr().err


def test_the_file_itself_prints_its_help(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", str(root / "book.py"), "bench", "--help"], capture_output=True, text=True, cwd="/"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.dumps(done.stdout).count("python3 book.py") > 5
