"""The commands of book.py: each prepares what it needs, then hands over to a tool of `.venv`."""

from __future__ import annotations

import os
import sys

from tools import process
from tools.environment import ENV, EVERYTHING, OPTIONS, PYTHON, READING, ROOT, prepare, say

PARTS = {  # of the test suite, as words for pytest
    "static": ["tests/static"],
    "unit": ["tests/unit"],
    "notebooks": ["tests/notebooks", "--nbmake", "notebooks"],
    "browser": ["tests/browser"],
}
#: Options of pytest that take the next word, which may be that of a part: `-k browser`.
TAKE_A_WORD = {"-k", "-m", "-p", "-o", "-c", "-W", "--deselect", "--ignore", "--ignore-glob", "--rootdir", "--basetemp"}
HELP = {"-h", "--help"}


def lab(options: list[str], rest: list[str]) -> int:
    """Open the book in JupyterLab; jupyter/ holds its settings and names the first page."""
    prepare(READING, options)
    places = [str(ROOT / "jupyter"), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    ENV["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, places))
    return run("jupyterlab", *rest)


def test(options: list[str], rest: list[str]) -> int:
    """Run the tests: linter, types, layers and notebooks are tests too. tests/order.py says what runs side by side."""
    prepare(EVERYTHING, options)
    named, rest = parts_and_rest(rest)
    if any(name.startswith(("browser", "tests/browser")) for name in named or PARTS):
        run("tools.browser")
    ENV.setdefault("OMP_NUM_THREADS", "1")  # the workers share the cores: torch must not take all in each
    workers = ["--numprocesses", str(min(4, os.cpu_count() or 1))]
    return run("pytest", *workers, *(word for name in named or PARTS for word in PARTS.get(name, [name])), *rest)


def parts_and_rest(words: list[str]) -> tuple[list[str], list[str]]:
    """The parts and files of the tests that are named, and what is for pytest."""
    before = ["", *words]
    is_part = [
        (word in PARTS or word.startswith("tests")) and last not in TAKE_A_WORD
        for last, word in zip(before, words, strict=False)
    ]
    named = [word for word, part in zip(words, is_part, strict=True) if part]
    return named, [word for word, part in zip(words, is_part, strict=True) if not part]


def check(options: list[str], rest: list[str]) -> int:
    """Run the linter, the type checker and the layer contracts."""
    return test(options, ["static", *rest])


def bench(options: list[str], rest: list[str]) -> int:
    """Run the benchmarks, or those that are named."""
    prepare(EVERYTHING, options)
    return run("tools.bench", *rest)


def site(options: list[str], rest: list[str]) -> int:
    """Build the web edition."""
    prepare(READING | {"site"}, options)
    run("tools.browser")
    return run("web.build", *rest)


def setup(options: list[str], rest: list[str]) -> int:
    """Prepare for everything and stop; torch is looked for again where it was missing."""
    if rest:
        sys.exit(f"book.py setup takes {' and '.join(OPTIONS)}, and nothing else: {' '.join(rest)}")
    prepare(EVERYTHING, options, may_lack=())
    say("Ready. Open the book: python3 book.py lab")
    return 0


COMMANDS = {"lab": lab, "test": test, "check": check, "bench": bench, "site": site, "setup": setup}


def run(module: str, *arguments: str) -> int:
    """Run a module of `.venv` to its end."""
    return process.run([str(PYTHON), "-m", module, *arguments], ROOT, ENV)


def main(arguments: list[str], usage: str | None) -> int:
    """Run the command that is named first; its exit status."""
    name, *rest = arguments or ["help"]
    if name == "help" or HELP & {name, *rest}:
        say(usage or "")
        return int(sys.stdout is None)  # pyright: ignore[reportUnnecessaryComparison] - it could not be written
    if name not in COMMANDS:
        sys.exit(f"There is no command {name!r}.\n\n{usage}")
    process.end_with_us()
    options = [argument for argument in rest if argument in OPTIONS]
    try:
        return COMMANDS[name](options, [argument for argument in rest if argument not in OPTIONS])
    except KeyboardInterrupt:  # in a set-up, which has no stamp now: the next command does it again
        print("\nStopped. The same command begins again.", file=sys.stderr)
        return 128 + 2
