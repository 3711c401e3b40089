"""Make the runs anew that live panels show in pale lines before the reader has run anything.

    .venv/bin/python -m tools.recordings            those of every panel that is empty before it runs
    .venv/bin/python -m tools.recordings c14        those of a chapter

They lie in `recorded.json` beside the panels of their chapter: title -> date, machine, rows.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import platform
import sys
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

from gpt4lab import chapters
from gpt4lab.panels.reading import Attempt
from gpt4lab.panels.training import Training
from gpt4lab.rows import Row
from gpt4lab.scenario import load_scenario

POINTS, DIGITS = 50, 3  # of a line, of a number
NOW = "this run"  # what a panel calls the run that it shows


def main(beginning: str = "") -> None:
    """Record, chapter by chapter."""
    for folder, panels in groupby(trainings(beginning), key=lambda panel: panel.begin.__module__.rpartition(".")[0]):
        made = {panel.title: made_now(panel) for panel in panels}
        path = Path(str(importlib.import_module(folder).__file__)).with_name("recorded.json")
        path.write_text(json.dumps(made) + "\n", encoding="utf-8")


def trainings(beginning: str) -> Iterator[Training]:
    """The panels that train, by chapter."""
    for module in pkgutil.walk_packages(chapters.__path__, "gpt4lab.chapters."):
        if module.name.removeprefix("gpt4lab.chapters.").startswith(beginning):
            here = importlib.import_module(module.name)
            found = (v for v in vars(here).values() if isinstance(v, Training) and v.begin.__module__ == module.name)
            yield from filter(is_empty_at_first, found)


def is_empty_at_first(panel: Training) -> bool:
    """Whether nothing is drawn before something has run."""
    return not panel.watch(load_scenario(panel.start), None, None).rows["data"]


def made_now(panel: Training) -> Row:
    """A run at the panel's start, to its end, and what is drawn of it."""
    scenario = load_scenario(panel.start)
    run = panel.begin(scenario)
    run.wait()
    rows = panel.watch(scenario, Attempt(run, scenario), None).rows["data"]
    machine = f"{platform.machine()}, torch {version('torch')}"
    return {"date": date.today().isoformat(), "machine": machine, "rows": thinned(rows)}


def thinned(rows: Any) -> list[Row]:
    """As many points a line as can be seen."""
    lines: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        lines.setdefault(tuple(v for v in row.values() if isinstance(v, str)), []).append(row)
    return [plain(row) for line in lines.values() for row in sparse(line)]


def sparse(line: list[Row]) -> list[Row]:
    """Some of its points, the last among them."""
    stride = max(1, len(line) // POINTS)
    return [row for i, row in enumerate(line) if i % stride == 0 or i == len(line) - 1]


def plain(row: Row) -> Row:
    """A row in few digits, of a run that is not the reader's."""
    known = {name: "recorded" if value == NOW else value for name, value in row.items()}
    return {name: float(f"{v:.{DIGITS}g}") if isinstance(v, float) else v for name, v in known.items()}


if __name__ == "__main__":
    main(*sys.argv[1:2])
