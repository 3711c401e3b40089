#!/usr/bin/env python3
"""gpt4lab: one command opens the book, one runs its tests. Each prepares everything it needs first.

    python3 book.py lab       open the book in JupyterLab
    python3 book.py test      run every test, or a part: static, unit, notebooks, browser
    python3 book.py check     what needs no run: linter, formatter, types, floors, sizes
    python3 book.py bench     run the benchmarks, or those that are named, and show them beside the README's
    python3 book.py setup     prepare for all of the above, and stop there

    --gpu      the ordinary torch build, for an NVIDIA GPU (several GB on Linux)
    --fresh    the newest packages instead of the tested ones

Both options stay in force until the folder .venv is deleted. Other arguments go to the tool itself:
`python3 book.py lab --no-browser`, `python3 book.py test unit -k scenario`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "gpt4lab.json"  # written last: a set-up that was stopped has none and is done again
CONSTRAINTS = ROOT / "constraints.txt"  # the tested version of every package
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
OPTIONS = ("--gpu", "--fresh")
READING = {"lab", "live"}  # extras of pyproject.toml
EVERYTHING = READING | {"test"}
PARTS = {  # of the test suite, as words for pytest
    "static": ["tests/static"],
    "unit": ["tests/unit"],
    "notebooks": ["tests/notebooks", "--nbmake", "notebooks"],
    "browser": ["tests/browser"],
}

NO_TORCH = (
    "torch could not be had: no build for this machine and Python, or its index did not answer. "
    "The book opens without the live toys; `python3 book.py setup` looks again."
)

# Settings of the caller's Python and pip that would put packages elsewhere, or compile them at every start.
FOREIGN = {"PYTHONHOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PIP_USER", "PIP_TARGET", "PIP_PREFIX"}
ENV = {name: value for name, value in os.environ.items() if name not in FOREIGN}


# --- the environment ------------------------------------------------------------------------------


def prepare(extras: set[str], options: list[str], may_lack: tuple[str, ...] = ("live",)) -> None:
    """Make `.venv` once per hash of its inputs, with these extras of pyproject.toml.

    A finished set-up may lack some of them and is left alone: without torch the book still opens.
    """
    check_python()
    before = read_stamp()
    options = sorted(options or before.get("options", []))
    key = fingerprint(options)
    present = set(before["extras"]) if before.get("key") == key else None
    if present is not None and extras - present <= set(may_lack):
        return
    STAMP.unlink(missing_ok=True)
    if present is None:
        make_venv()
    installed = install(extras | (present or set()), options)
    STAMP.write_text(json.dumps({"key": key, "options": options, "extras": sorted(installed)}))


def check_python() -> None:
    """Stop with one sentence where this Python cannot carry the book."""
    version = "{}.{}".format(*sys.version_info)
    if sys.version_info < (3, 11):
        sys.exit(f"gpt4lab needs Python 3.11, 3.12 or 3.13, and this is {version}: start book.py with a newer one.")
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        sys.exit(f"This Python comes without venv and pip: on Debian and Ubuntu, `apt install python{version}-venv`.")


def read_stamp() -> dict[str, Any]:
    """What the last finished set-up wrote, or nothing."""
    try:
        return json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}


def fingerprint(options: list[str]) -> str:
    """The hash of everything that decides what `.venv` holds."""
    metadata = pyproject()
    inputs = [metadata["project"], metadata["build-system"], CONSTRAINTS.read_text(), options]
    machine = [sys.version, sys.base_prefix, str(ROOT)]
    return hashlib.sha256(json.dumps([inputs, machine]).encode()).hexdigest()


def pyproject() -> dict[str, Any]:
    """Read pyproject.toml, where every dependency is declared."""
    import tomllib  # here: an older Python lacks it, and must still reach check_python's sentence

    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def make_venv() -> None:
    """Create an empty `.venv`, from the Python below the one that runs us if that is itself a venv's."""
    say("Preparing .venv (once; about a minute, more on a slow network)")
    shutil.rmtree(VENV, ignore_errors=True)
    python = getattr(sys, "_base_executable", sys.executable)
    if subprocess.call([python, "-m", "venv", str(VENV)], env=ENV) != 0:
        sys.exit(f"{python} could not create a virtual environment in {VENV}: the lines above say why.")


def install(extras: set[str], options: list[str]) -> set[str]:
    """Install torch alone, then the book with the extras; return those that could be had."""
    if "live" in extras and not install_torch("--gpu" in options):
        say(NO_TORCH)
        extras = extras - {"live"}
    say("Installing the packages: " + ", ".join(sorted(extras)))
    tested = [] if "--fresh" in options else ["--constraint", str(CONSTRAINTS)]
    if not pip("--editable", f".[{','.join(sorted(extras))}]", *tested):
        sys.exit("pip could not install the packages: the lines above say why. The same command tries again.")
    return extras


def install_torch(gpu: bool) -> bool:
    """Install the pinned torch without its dependencies, trying each source in turn."""
    pinned = next(line for line in pyproject()["project"]["optional-dependencies"]["live"] if "torch" in line)
    say(f"Installing {pinned}")
    return any(pip("--no-deps", *source, quiet=True) for source in torch_sources(pinned, gpu))


def torch_sources(pinned: str, gpu: bool) -> list[list[str]]:
    """Where to ask for torch: pip's own configuration, then PyTorch's index of CPU builds.

    On Linux the plain name means a CUDA build of several GB; a CPU build carries the local version `+cpu`.
    """
    if gpu:
        return [[pinned]]
    cpu = pinned + "+cpu" if sys.platform == "linux" else pinned
    return [[cpu], [cpu, "--index-url", TORCH_CPU_INDEX, "--timeout", "10", "--retries", "0"]]


def pip(*arguments: str, quiet: bool = False) -> bool:
    """Run `pip install` in `.venv`; bytecode is compiled on first use, which halves the wait."""
    command = [str(PYTHON), "-m", "pip", "install", "-qq", "--no-compile", "--disable-pip-version-check"]
    output = subprocess.DEVNULL if quiet else None
    return subprocess.call([*command, *arguments], cwd=ROOT, env=ENV, stderr=output) == 0


# --- the commands ---------------------------------------------------------------------------------


def lab(options: list[str], rest: list[str]) -> int:
    """Open the book in JupyterLab; jupyter/ holds its settings and names the first page."""
    prepare(READING, options)
    places = [str(ROOT / "jupyter"), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    ENV["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, places))
    return run("jupyterlab", *rest)


def test(options: list[str], rest: list[str]) -> int:
    """Run the tests: linter, types, layers and notebooks are tests too. tests/order.py says what runs side by side."""
    prepare(EVERYTHING, options)
    named = [argument for argument in rest if argument in PARTS or argument.startswith("tests")]
    rest = [argument for argument in rest if argument not in named]
    if any(name.startswith(("browser", "tests/browser")) for name in named or PARTS):
        run("tools.browser")
    ENV.setdefault("OMP_NUM_THREADS", "1")  # the workers share the cores: torch must not take all in each
    workers = ["--numprocesses", str(min(4, os.cpu_count() or 1))]
    return run("pytest", *workers, *(word for name in named or PARTS for word in PARTS.get(name, [name])), *rest)


def check(options: list[str], rest: list[str]) -> int:
    """Run the linter, the type checker and the layer contracts."""
    return test(options, ["static", *rest])


def bench(options: list[str], rest: list[str]) -> int:
    """Run the benchmarks, or those that are named."""
    prepare(EVERYTHING, options)
    return run("tools.bench", *rest)


def setup(options: list[str], rest: list[str]) -> int:
    """Prepare for everything and stop; torch is looked for again where it was missing."""
    prepare(EVERYTHING, options, may_lack=())
    say("Ready. Open the book: python3 book.py lab")
    return 0


COMMANDS = {"lab": lab, "test": test, "check": check, "bench": bench, "setup": setup}


# --- start ----------------------------------------------------------------------------------------


def run(module: str, *arguments: str) -> int:
    """Run a module of `.venv` to its end; Ctrl-C is the module's business, not ours."""
    process = subprocess.Popen([str(PYTHON), "-m", module, *arguments], cwd=ROOT, env=ENV)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def say(line: str) -> None:
    """Tell the reader what happens now."""
    print(line, flush=True)


def main(arguments: list[str]) -> NoReturn:
    """Run the command that is named first."""
    name, *rest = arguments or ["help"]
    if name not in COMMANDS:
        sys.exit(__doc__)
    options = [argument for argument in rest if argument in OPTIONS]
    sys.exit(COMMANDS[name](options, [argument for argument in rest if argument not in OPTIONS]))


if __name__ == "__main__":
    main(sys.argv[1:])
