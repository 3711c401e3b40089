"""The environment `.venv`: made once, again after a stop or a change, by one set-up at a time."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tools import process

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "gpt4lab.json"  # written last: a set-up that was stopped has none and is done again
OWN = ROOT / ".gpt4lab"  # what this machine keeps beside the book
CONSTRAINTS = ROOT / "constraints.txt"  # the tested version of every package
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
OPTIONS = ("--gpu", "--fresh")
READING = {"lab", "live"}  # extras of pyproject.toml
EVERYTHING = READING | {"test", "site"}

NO_TORCH = (
    "torch could not be had: the book opens without the live toys, and `python3 book.py setup` looks again. pip says:"
)

# Settings of the caller's Python and pip that would put packages elsewhere, or compile them at every start.
FOREIGN = {"PYTHONHOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PIP_USER", "PIP_TARGET", "PIP_PREFIX"}


def prepare(extras: set[str], options: list[str], may_lack: tuple[str, ...] = ("live",)) -> None:
    """Make `.venv` once per hash of its inputs, with these extras of pyproject.toml.

    A finished set-up may lack some of them and is left alone: without torch the book still opens.
    """
    if is_ready(extras, options, may_lack):
        return
    try:
        with alone():
            if not is_ready(extras, options, may_lack):  # whoever was first may have done it
                build(extras, options)
    except OSError as error:
        sys.exit(f"The set-up in {VENV} could not go on: {error}. The same command tries again.")


def is_ready(extras: set[str], options: list[str], may_lack: tuple[str, ...]) -> bool:
    """Whether a finished set-up has these extras, or lacks only what it may lack."""
    present = installed_extras(in_force(options))
    return present is not None and extras - present <= set(may_lack)


def build(extras: set[str], options: list[str]) -> None:
    """Make what is not there, and add these extras to what is."""
    check_venv()
    options = in_force(options)
    present = installed_extras(options)
    STAMP.unlink(missing_ok=True)
    if present is None:
        make_venv()
    had = install(extras | (present or set()), options)
    STAMP.write_text(json.dumps({"key": fingerprint(options), "options": options, "extras": sorted(had)}))


def in_force(options: list[str]) -> list[str]:
    """These options, and those of the set-up that is there."""
    return sorted({*options, *read_stamp().get("options", [])})


def installed_extras(options: list[str]) -> set[str] | None:
    """What a finished set-up with these options has; None where there is none, or its Python is gone."""
    stamp = read_stamp()
    return set(stamp["extras"]) if stamp.get("key") == fingerprint(options) and PYTHON.exists() else None


def read_stamp() -> dict[str, Any]:
    """What the last finished set-up wrote, or nothing."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
        lists = [stamp["options"], stamp["extras"]]
        whole = all(isinstance(word, str) for words in lists for word in words) and isinstance(stamp["key"], str)
    except (OSError, ValueError, TypeError, KeyError):
        return {}
    return stamp if whole and set(stamp["options"]) <= set(OPTIONS) else {}


def fingerprint(options: list[str]) -> str:
    """The hash of everything that decides what `.venv` holds."""
    metadata = pyproject()
    inputs = [metadata["project"], metadata["build-system"], CONSTRAINTS.read_text(encoding="utf-8"), options]
    machine = [sys.version, sys.base_prefix, str(ROOT)]
    return hashlib.sha256(json.dumps([inputs, machine]).encode()).hexdigest()


def pyproject() -> dict[str, Any]:
    """Read pyproject.toml, where every dependency is declared."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


# --- what a set-up does -----------------------------------------------------------------------------------


@contextmanager
def alone() -> Iterator[None]:
    """Be the only set-up; whoever comes second waits.

    pip inherits the lock: where its set-up was killed, the next one waits until that pip has ended too.
    """
    OWN.mkdir(exist_ok=True)
    with open(OWN / "setup.lock", "w", encoding="utf-8") as lock:
        if not take(lock):
            say("Another set-up is at work here: waiting until it is done.")
        while not take(lock):
            time.sleep(0.2)
        os.set_inheritable(lock.fileno(), True)
        yield


def take(lock: IO[str]) -> bool:
    """Take a lock if nobody has it. Where the file system has no locks there is nothing to wait for."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)  # pyright: ignore
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        pass
    return True


def check_venv() -> None:
    """Stop with one sentence where no environment can be made, or something else stands in its place."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        version = "{}.{}".format(*sys.version_info)
        sys.exit(f"This Python comes without venv and pip: on Debian and Ubuntu, `apt install python{version}-venv`.")
    place = VENV.resolve()
    if place.exists() and not place.is_dir():
        sys.exit(f"{VENV} is a file, and a folder of this name is needed: move it away.")
    if VENV.is_symlink() and place.is_dir() and any(place.iterdir()) and not (place / "pyvenv.cfg").exists():
        sys.exit(f"{VENV} leads to {place}, which is no environment of Python: remove the link.")


def make_venv() -> None:
    """Create an empty `.venv`, from the Python below the one that runs us if that is itself a venv's.

    Where `.venv` is a link, to a larger disk for example, the environment is made where it leads to.
    """
    say("Preparing .venv (once; about a minute, more on a slow network)")
    place = VENV.resolve()
    if place.exists():
        shutil.rmtree(place)
    python = getattr(sys, "_base_executable", sys.executable)
    status, _ = process.work([python, "-m", "venv", str(place)], ROOT, ENV)
    if status != 0:
        sys.exit(f"{python} could not create a virtual environment in {place}: the lines above say why.")


def install(extras: set[str], options: list[str]) -> set[str]:
    """Install torch alone, then the book with the extras; return those that could be had."""
    if "live" in extras and (reasons := install_torch("--gpu" in options)):
        say("\n    ".join([NO_TORCH, *reasons]))
        extras = extras - {"live"}
    say("Installing the packages: " + ", ".join(sorted(extras)))
    tested = [] if "--fresh" in options else ["--constraint", str(CONSTRAINTS)]
    if pip("--editable", f".[{','.join(sorted(extras))}]", *tested):
        sys.exit("pip could not install the packages: the lines above say why. The same command tries again.")
    return extras


def install_torch(gpu: bool) -> list[str]:
    """Install the pinned torch without its dependencies, trying each source in turn; if none has it, pip's reasons."""
    pinned = next(line for line in pyproject()["project"]["optional-dependencies"]["live"] if "torch" in line)
    say(f"Installing {pinned}")
    reasons: list[str] = []
    for source in torch_sources(pinned, gpu):
        if not (reason := pip("--no-deps", *source, quiet=True)):
            return []
        reasons.append(reason)
    return reasons


def torch_sources(pinned: str, gpu: bool) -> list[list[str]]:
    """Where to ask for torch: pip's own configuration, then PyTorch's index of CPU builds.

    On Linux the plain name means a CUDA build of several GB; a CPU build carries the local version `+cpu`.
    """
    if gpu:
        return [[pinned]]
    cpu = pinned + "+cpu" if sys.platform == "linux" else pinned
    return [[cpu], [cpu, "--index-url", TORCH_CPU_INDEX, "--timeout", "10", "--retries", "0"]]


def pip(*arguments: str, quiet: bool = False) -> str:
    """Run `pip install` in `.venv`; "" or why it failed, in its own words if it was to be quiet.

    Bytecode is compiled on first use, which halves the wait.
    """
    command = [str(PYTHON), "-m", "pip", "install", "-qq", "--no-compile", "--disable-pip-version-check"]
    status, words = process.work([*command, *arguments], ROOT, ENV, quiet=quiet)
    return reason(status, words)


def reason(status: int, words: str) -> str:
    """The last error that pip told of; where it had no time to tell, how it ended."""
    if status == 0:
        return ""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines
    return errors[-1] if errors else f"nothing, and ended with status {status}"


def say(line: str) -> None:
    """Tell the reader what happens now, in characters that the output has; without a reader the work goes on."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        print(line.encode(encoding, "replace").decode(encoding), flush=True)
    except OSError:
        sys.stdout = None  # else Python would try to write it once more at its end, and complain


# --- in which environment the programs run ----------------------------------------------------------------


def own_home() -> dict[str, str]:
    """A home beside the book where the caller has none to write to, as in a container with a foreign user id."""
    if os.name == "nt":
        return {}
    try:
        home = Path.home()
    except RuntimeError:  # neither HOME nor an entry for this user
        home = Path()
    if os.environ.get("HOME") != "" and home.is_absolute() and home.is_dir() and os.access(home, os.W_OK | os.X_OK):
        return {}
    try:
        (OWN / "home").mkdir(parents=True, exist_ok=True)
        writable = os.access(OWN / "home", os.W_OK | os.X_OK)
    except OSError:
        writable = False
    return {"HOME": str(OWN / "home") if writable else tempfile.mkdtemp(prefix="gpt4lab-home-")}


ENV = {name: value for name, value in os.environ.items() if name not in FOREIGN} | own_home()
