#!/usr/bin/env python3
"""gpt4lab: one command opens the book, one runs its tests. Each prepares everything it needs first.

    python3 book.py lab       open the book in JupyterLab
    python3 book.py test      run every test, or a part: static, unit, notebooks, browser
    python3 book.py check     linter, types and layers only
    python3 book.py bench     run the benchmarks, or those that are named
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
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "gpt4lab.json"  # written last: a set-up that was stopped has none and is done again
CONSTRAINTS = ROOT / "constraints.txt"  # the tested version of every package
PEERS = VENV / "peers"  # what the benchmarks run beside: seen by those alone, and over torch of `.venv`
PEERS_LIST = ROOT / "benchmarks" / "peers.txt"
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
OPTIONS = ("--gpu", "--fresh")
READING = {"lab", "live"}  # extras of pyproject.toml
EVERYTHING = READING | {"test"}
NOTHING_CHOSEN = 5  # pytest's word for: no test has such a name
PARTS = {  # of the test suite, as words for pytest
    "static": ["tests/static"],
    "unit": ["tests/unit"],
    "notebooks": ["tests/notebooks", "--nbmake", "--nbmake-timeout=120", "notebooks"],
    "browser": ["tests/browser"],
}

NO_TORCH = (
    "torch could not be had: no build for this machine and Python, or its index did not answer. "
    "The book opens without the live toys; `python3 book.py setup` looks again."
)
NO_BROWSER = (
    "No browser for the browser tests: install Chromium, Chrome or Edge, "
    "or run `python -m playwright install chromium` with the Python of .venv."
)
NO_PEERS = (
    "The peers of benchmarks/peers.txt could not be installed (the lines above say why): "
    "the benchmarks beside them are skipped, and their last results stay."
)

# Settings of the caller's Python and pip that would put packages elsewhere, or compile them at every start.
FOREIGN = {"PYTHONHOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PIP_USER", "PIP_TARGET", "PIP_PREFIX"}
ENV = {name: value for name, value in os.environ.items() if name not in FOREIGN}
ENV["DEBIAN_FRONTEND"] = "noninteractive"


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


def prepare_peers() -> bool:
    """Install what the benchmarks run beside, once per list and `.venv`; say whether it could be had."""
    listed, stamp = PEERS_LIST.read_text(encoding="utf-8"), PEERS / PEERS_LIST.name
    if stamp.exists() and stamp.read_text(encoding="utf-8") == listed:
        return True
    say("Installing the peers of the benchmarks, beside the book's packages")
    shutil.rmtree(PEERS, ignore_errors=True)
    if not pip("--target", str(PEERS), "--no-deps", "--requirement", str(PEERS_LIST)):
        say(NO_PEERS)
        return False
    stamp.write_text(listed, encoding="utf-8")
    return True


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
    """Run the tests: linter, types, layers and notebooks are tests too. The browser's come last, and alone."""
    prepare(EVERYTHING, options)
    named = [argument for argument in rest if argument in PARTS or argument.startswith("tests")]
    browsed, others = (
        [name for name in named or PARTS if name.startswith(("browser", "tests/browser")) is browser]
        for browser in (True, False)
    )
    rest = [argument for argument in rest if argument not in named]
    ENV.setdefault("OMP_NUM_THREADS", "1")  # the workers share the cores: torch must not take all in each
    workers = str(min(4, os.cpu_count() or 1))
    done = [pytest(["--numprocesses", workers, "--dist", "loadfile"], others, rest)] if others else []
    if browsed:
        look_for_browser()
        done.append(pytest([], browsed, rest))  # beside other work a page would not be as quick as a reader's
    failed = [code for code in done if code not in (0, NOTHING_CHOSEN)]
    return failed[0] if failed else min(done)


def pytest(how: list[str], parts: list[str], rest: list[str]) -> int:
    """Run some parts of the tests in one session."""
    return run("pytest", *how, *(word for name in parts for word in PARTS.get(name, [name])), *rest)


def check(options: list[str], rest: list[str]) -> int:
    """Run the linter, the type checker and the layer contracts."""
    return test(options, ["static", *rest])


def bench(options: list[str], rest: list[str]) -> int:
    """Run the benchmarks, or those that are named; one called `..._peer` sees the peers, and is skipped without."""
    prepare(EVERYTHING, options)
    named = rest or sorted(path.stem for path in (ROOT / "benchmarks").glob("[a-z]*.py"))
    beside = {name for name in named if name.endswith("_peer")}
    if beside and not prepare_peers():
        named, beside = [name for name in named if name not in beside], set()
    codes = []
    for name in named:
        ENV["PYTHONPATH"] = str(PEERS) if name in beside else ""
        codes.append(run(f"benchmarks.{name}"))
    return max(codes, default=0)


def setup(options: list[str], rest: list[str]) -> int:
    """Prepare for everything and stop; torch is looked for again where it was missing."""
    prepare(EVERYTHING, options, may_lack=())
    say("Ready. Open the book: python3 book.py lab")
    return 0


COMMANDS = {"lab": lab, "test": test, "check": check, "bench": bench, "setup": setup}


# --- the browser of the browser tests -------------------------------------------------------------

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge"]
USUAL_PLACES = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "%ProgramFiles%/Google/Chrome/Application/chrome.exe",
    "%LocalAppData%/Google/Chrome/Application/chrome.exe",
    "%ProgramFiles(x86)%/Microsoft/Edge/Application/msedge.exe",
]


def find_browser(python: str) -> str | None:
    """Return the first Chromium-family browser of this machine; `python` is asked for playwright's own."""
    return next((path for path in browsers(python) if path and Path(path).exists()), None)


def browsers(python: str) -> Iterator[str | None]:
    """Yield where a browser may be, cheapest place first."""
    yield os.environ.get("GPT4LAB_BROWSER")
    yield from map(shutil.which, NAMES)
    yield from map(os.path.expandvars, USUAL_PLACES)
    ask = "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"
    yield subprocess.run([python, "-c", ask], env=ENV, capture_output=True, text=True).stdout.strip()


def look_for_browser() -> None:
    """Say how to get a browser where there is none; a CI machine gets one, from its system or from playwright."""
    if find_browser(str(PYTHON)):
        return
    if os.environ.get("CI") != "true":
        say(NO_BROWSER)
        return
    say("Installing a browser for the browser tests")
    apt = [["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]]
    if not (shutil.which("apt-get") and all(subprocess.call(command, env=ENV) == 0 for command in apt)):
        subprocess.call([str(PYTHON), "-m", "playwright", "install", "chromium"], env=ENV)


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
