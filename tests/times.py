"""Where the time of a test run goes: by part, by test with all its cases, and by case, at the end of every run."""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath
from typing import Any

import pytest

from tests.order import CHAPTER

SLOWEST = 10


class Times:
    """A plugin that adds up what each test took, set-up and tear-down included."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take one phase of one test; with several workers this is called where they report to."""
        self.seconds[report.nodeid] += report.duration

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Write the table."""
        if not self.seconds:
            return
        terminalreporter.section("time by part, the slowest tests with all their cases, and the slowest cases")
        for line in (*by_part(self.seconds), "", *slowest(by_test(self.seconds)), "", *slowest(self.seconds)):
            terminalreporter.write_line(line)


def by_part(seconds: dict[str, float]) -> list[str]:
    """One line a part: seconds of all workers together, tests, name."""
    parts: defaultdict[str, list[float]] = defaultdict(list)
    for name, took in seconds.items():
        parts[part_of(name)].append(took)
        parts["together"].append(took)
    order = sorted(parts, key=lambda part: (part == "together", part))
    return [f"{sum(parts[part]):8.1f} s {len(parts[part]):6,} tests  {part}" for part in order]


def by_test(seconds: dict[str, float]) -> dict[str, float]:
    """What each test took with all its cases."""
    tests: defaultdict[str, float] = defaultdict(float)
    for name, took in seconds.items():
        tests[name.partition("[")[0]] += took
    return tests


def slowest(seconds: dict[str, float]) -> list[str]:
    """Those that took longest."""
    ordered = sorted(seconds.items(), key=lambda item: -item[1])
    return [f"{took:8.1f} s  {name}" for name, took in ordered[:SLOWEST]]


def part_of(name: str) -> str:
    """The part of the tests that this one belongs to: "static", "unit/toys", "notebooks/03_560_what" ..."""
    path = PurePosixPath(name.partition("::")[0].removeprefix("tests/"))
    if path.parts[0] == "notebooks":
        chapter = CHAPTER.search(name)
        return f"notebooks/{chapter[0] if chapter else path.stem}"
    if path.parts[0] == "browser":
        return f"browser/{path.stem}"
    return "/".join(path.parts[: 2 if len(path.parts) > 2 else 1])
