"""The last page of one's own model: what this book says of it, with sources, as Markdown or as a page of its own."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator, Sequence

import attrs

from gpt4lab import __version__
from gpt4lab.book.case.file import POLICY, STYLE
from gpt4lab.book.page import escape, table
from gpt4lab.claims import audit, tally
from gpt4lab.quantities import find, value
from gpt4lab.scenario import FIELDS, NotKnown, Scenario, ScenarioError, differences, get, load_scenario, share
from gpt4lab.scenario.origin import origin
from gpt4lab.units import show
from gpt4lab.verdict.joint import told as told_bars
from gpt4lab.verdict.joint import tornado

#: What is said of every model, chapter by chapter.
SAID = {
    "Size": ("model.total_params", "model.active_params", "flop.per_token"),
    "Training": ("training.flop", "training.days", "training.cost", "training.implied_mfu", "batch.steps"),
    "Tokens": ("chinchilla.ratio", "memory.states"),
    "Answering": ("kv.bytes_per_token", "kv.sequences", "decode.latency_floor", "answer.latency", "answer.usd_per_1k"),
}
MOVED = "training.cost"
MARKUP = re.compile(r"[*_`\[\]|\\]")
WIDE, HIGH = 420, 22  # px, of a bar and its row
Cells = list[tuple[str, ...]]


@attrs.frozen
class Report:
    """Tables with their captions, of a scenario; `ratios`: each number over the post's, for the picture."""

    title: str
    lead: str
    tables: tuple[tuple[str, tuple[str, ...], Cells], ...]
    ratios: tuple[tuple[str, float], ...]

    def markdown(self) -> str:
        """As Markdown, with tables."""
        parts = [f"# {_plain(self.title)}", self.lead]
        for caption, head, rows in self.tables:
            lines = [f"| {' | '.join(_plain(cell) for cell in row)} |" for row in (head, ["---"] * len(head), *rows)]
            parts += [f"## {_plain(caption)}", "\n".join(lines)]
        return "\n\n".join(parts) + "\n"

    def html(self) -> str:
        """As one page that needs nothing beside it."""
        body = "".join(table(caption, head, rows) for caption, head, rows in self.tables)
        return (
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(self.title)}</title>'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
            f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body><main>'
            f"<h1>{escape(self.title)}</h1><p>{escape(self.lead)}</p>{self._picture()}{body}</main></body></html>\n"
        )

    def _picture(self) -> str:
        """Each number over the post's, on a log axis from a hundredth to a hundred times."""
        words = "; ".join(f"{name} {ratio:.3g} times the post’s" for name, ratio in self.ratios)
        bars = "".join(_bar(row, *item) for row, item in enumerate(self.ratios))
        size = f'width="100%" viewBox="0 0 {WIDE + 260} {HIGH * len(self.ratios) + 8}"'
        return f'<svg role="img" aria-label="{escape(words)}" {size} fill="currentColor" font-size="13">{bars}</svg>'


def _bar(row: int, name: str, ratio: float) -> str:
    middle, y = 250 + WIDE / 2, row * HIGH
    wide = max(-1.0, min(1.0, math.log10(ratio) / 2)) * WIDE / 2
    return (
        f'<text x="0" y="{y + 15}">{escape(name)}</text>'
        f'<rect x="{middle + min(0, wide):.1f}" y="{y + 4}" width="{max(1.5, abs(wide)):.1f}" height="14" '
        f'opacity="0.6"/>'
        f'<text x="{middle + (6 if wide <= 0 else -6)}" y="{y + 15}" text-anchor="{"start" if wide <= 0 else "end"}">'
        f"{ratio:.3g}×</text>"
    )


def _plain(cell: str) -> str:
    """As Markdown takes it: what a reader typed is no markup, and begins no line."""
    return MARKUP.sub(r"\\\g<0>", escape(" ".join(cell.split()), quote=False))


def report(scenario: Scenario, on: dt.date | None = None) -> Report:
    """What the book says of a scenario. Its line is given, so that whoever reads the page can see and move the same."""
    leak = load_scenario("leak")
    found = [
        (group, name, _value(name, scenario), _value(name, leak)) for group, names in SAID.items() for name in names
    ]
    numbers = [
        (group, find(name).meaning.rstrip("."), _shown(name, here), _shown(name, post))
        for group, name, here, post in found
    ]
    ratios = [
        (find(name).meaning.partition(":")[0].rstrip(".")[:34], here / post)
        for _, name, here, post in found
        if here and post and here > 0 and post > 0
    ]
    changed = differences(leak, scenario)
    inputs = [
        (FIELDS[path].label, _shown(path, get(scenario, path), scenario), origin(scenario, path)) for path in changed
    ]
    results = audit(scenario)
    lead = (
        f"Made on {on or dt.date.today()} by gpt4lab {__version__}. Beside each number stands the post’s. Under these "
        f"assumptions, of the claims about GPT-4, {tally(results)}. To move them, paste this line behind “Share” in "
        f"any panel of the book, or give it to --scenario: {share(scenario)}"
    )
    tables = (
        ("What comes out", ("Chapter", "What", "Here", "The post"), numbers),
        (
            "What is assumed otherwise than in the post",
            ("Assumption", "Here", "Says"),
            inputs or [("nothing", "–", "–")],
        ),
        ("What moves the cost of the run", ("Assumption", "Published range", "Cost", "By"), _bars(scenario)),
    )
    name = scenario.title or scenario.name
    whose = f"your model, begun as “{name}”" if changed and scenario.name == leak.name else name
    return Report(f"What this book says of {whose}", lead, tables, tuple(ratios))


def _value(name: str, scenario: Scenario) -> float | None:
    try:
        return float(value(name, scenario))
    except ScenarioError:  # not known, or not possible
        return None


def _shown(name: str, number: object, scenario: Scenario | None = None) -> str:
    if number is None or (scenario and name in scenario.unknown):
        return "not known"
    unit = FIELDS[name].unit if name in FIELDS else find(name).unit
    return show(number, unit)


def _bars(scenario: Scenario) -> Cells:
    try:
        bars: Sequence[dict[str, str]] = told_bars(tornado(MOVED, scenario)[0], MOVED)
    except NotKnown as missing:
        return [(str(missing), "–", "–", "–")]
    return [tuple(bar.values()) for bar in bars] or [("nothing published", "–", "–", "–")]


def lines(made: Report) -> Iterator[str]:
    """The Markdown, line by line."""
    return iter(made.markdown().splitlines())
