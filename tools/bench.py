"""Run the benchmarks and show what they find here beside what was found for the README.

    python3 book.py bench                   all of them
    python3 book.py bench sweep decode      those that are named
    python3 book.py bench --record          and put what was found into benchmarks/results and the README

Each is a program, benchmarks/NAME.py, that writes what it finds into .gpt4lab/benchmarks and says by its exit status
whether its bars hold. One called NAME_peer sees the peers. What cannot be measured here, or fails, stops no other.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable

from gpt4lab import terminal
from gpt4lab.cli import columns
from tools import browser, peers, process, readme, results

ROOT = results.ROOT
HELD, MISSED, FAILED = "measured, no bar missed", "measured, a bar missed", "failed: the lines above say why"
EXIT = {MISSED: 1, FAILED: 2}


def main(arguments: list[str]) -> int:
    """The exit status: 0, or 1 where a bar is missed, or 2 where a benchmark failed."""
    names = [word for word in arguments if word != "--record"] or every()
    missing = lacks(names)
    found = {name: missing.get(name) or outcome(name) for name in names}
    measured = [name for name, word in found.items() if word in (HELD, MISSED)]
    if rows := list(beside(measured)):
        terminal.say("\n".join(["", *columns([("what", "here", "for the README", "bar"), *rows])]))
    terminal.say("\n".join(["", *columns([("benchmark", "outcome"), *found.items()])]))
    if "--record" in arguments:
        record(measured)
    return max(EXIT.get(word, 0) for word in found.values())


def every() -> list[str]:
    """The names of all benchmarks."""
    return sorted(path.stem for path in (ROOT / "benchmarks").glob("[a-z]*.py"))


def lacks(names: list[str]) -> dict[str, str]:
    """Those that cannot be run on this machine, each with a sentence that says what is missing."""
    beside = [name for name in names if name.endswith("_peer")]
    found = {} if not beside or peers.install() else dict.fromkeys(beside, f"not measured. {peers.MISSING}")
    if not browser.find():
        found |= dict.fromkeys({"slider_to_paint", "web"} & {*names}, f"not measured. {browser.MISSING}")
    return found


def outcome(name: str) -> str:
    """How one ended, in words."""
    file = results.HERE / f"{name}.json"
    file.unlink(missing_ok=True)
    seen = {"PYTHONPATH": str(peers.FOLDER) if name.endswith("_peer") else ""}
    code, _ = process.work([sys.executable, "-m", f"benchmarks.{name}"], ROOT, dict(os.environ) | seen)
    return FAILED if not file.exists() else MISSED if code else HELD


def beside(measured: list[str]) -> Iterable[tuple[str, ...]]:
    """What was measured here, with the README's of the same name."""
    shipped = {what: value for what, value, *_ in results.rows(results.SHIPPED)}
    for what, here, _, bar in results.rows(results.HERE, measured):
        yield what, here, shipped.get(what, results.NONE), bar


def record(measured: list[str]) -> None:
    """Ship what was measured now, and renew the README."""
    for name in measured:
        shutil.copy(results.HERE / f"{name}.json", results.SHIPPED)
    readme.main()


if __name__ == "__main__":
    process.end_with_us()
    sys.exit(terminal.run("bench", lambda: main(sys.argv[1:])))
