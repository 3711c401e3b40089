"""Chapter 12: attention of a decode step, measured while the reader moves the sliders. Needs torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt4lab.charts import Axis, line
from gpt4lab.panels.panel import Panel, Slide
from gpt4lab.panels.view import View
from gpt4lab.scenario import Scenario
from gpt4lab.units import show

if TYPE_CHECKING:
    from gpt4lab.rows import Row

HEAD_COUNTS = (1, 2, 4, 8, 16)
KV_HEADS = Axis("kv_heads", "Key-value heads for 16 query heads", log=True, form="count", domain=(0.9, 20))
TIME = Axis("ms", "Milliseconds for one token, one layer", log=True, domain=(0.01, 100))
LEVEL = "if only bytes counted"
NAMES = {"folded": "each head read once", "enable_gqa": "read for each query head"}

QUIET = 3 * 8192  # rounds × tokens: a second at most

#: What was measured in this kernel: (context, key-value heads, way) -> row. Moving back costs nothing.
MEASURED: dict[tuple[int, int, str], Row] = {}


def decode_view(scenario: Scenario) -> View:
    """Time of attention by key-value heads; what was not yet measured at this context is measured now."""
    context, heads = scenario.cache.tokens, int(scenario.cache.heads)
    here, full = _measured(context, heads), _measured(context, HEAD_COUNTS[-1])
    fewer = full["folded"]["bytes"] / here["folded"]["bytes"]
    faster = full["folded"]["seconds"] / here["folded"]["seconds"]
    return View(
        label="Times faster than with 16 key-value heads",
        value=faster,
        unit="x",
        sentence=_said(here, fewer, faster),
        rows={
            "data": _lines(context, full["folded"]),
            "measured": [_point(row) for row in _known(context) if row["way"] == "folded" and row["kv_heads"] != heads],
            "you": [_point(here["folded"], "you")],
        },
        alt=(
            "Milliseconds against key-value heads: the line of equal bytes a second, and above it what was measured "
            "with each head read once and with each head read again."
        ),
    )


def _measured(context: int, heads: int) -> dict[str, Row]:
    """Both ways for this number of heads, raced against all 16 where it is new."""
    if (context, heads, "folded") not in MEASURED:
        from gpt4lab.toys.decoding.cache import attention_race

        raced = tuple(dict.fromkeys((heads, HEAD_COUNTS[-1])))
        for row in attention_race(raced, context, tuple(NAMES), max(1, min(3, QUIET // context)), 2):
            MEASURED[context, row["kv_heads"], row["way"]] = row
    return {way: MEASURED[context, heads, way] for way in NAMES}


def _known(context: int) -> list[Row]:
    return [row for (s, _, _), row in sorted(MEASURED.items()) if s == context]


def _said(here: dict[str, Row], fewer: float, faster: float) -> str:
    row, again = here["folded"], here["enable_gqa"]
    scatter = " Something else is using the machine: do not trust the times." if row["disturbed"] else ""
    return (
        f"The cache of this layer takes {show(float(row['bytes']), 'byte')}, as the formula says "
        f"({show(float(row['formula']), 'byte')}). {show(fewer, 'x')} fewer bytes make it {show(faster, 'x')} faster. "
        f"With PyTorch's own switch, enable_gqa, the same attention takes {show(again['seconds'], 's')} instead of "
        f"{show(row['seconds'], 's')}.{scatter}"
    )


def _lines(context: int, full: Row) -> list[dict[str, Any]]:
    most = HEAD_COUNTS[-1]
    by_bytes = [{"kv_heads": h, "ms": 1e3 * full["seconds"] * h / most, "line": LEVEL} for h in HEAD_COUNTS]
    found = [
        {**_point(row), "line": NAMES[row["way"]]} for way in NAMES for row in _known(context) if row["way"] == way
    ]
    return [*by_bytes, *[{k: row[k] for k in ("kv_heads", "ms", "line")} for row in found]]


def _point(row: Row, label: str = "") -> dict[str, Any]:
    return {"kv_heads": row["kv_heads"], "ms": 1e3 * row["seconds"], "label": label}


def decode_chart(view: View) -> Any:
    """The line of equal bandwidth, what was measured, and the reader's point."""
    rows, order = view.datasets, [LEVEL, *NAMES.values()]
    return line(rows["data"], KV_HEADS, TIME, series="line", order=order, you=rows["you"], measured=rows["measured"])


def decode_panel() -> Panel:
    """The panel; all head counts at its first context are measured before it opens."""
    panel = Panel(
        title="A decode step, measured here",
        legend=(
            "Time that one new token spends on attention in one layer, by the number of key-value heads that 16 query "
            "heads of 64 share. The first line is the time of 16 heads, scaled with the bytes. Squares and the dot are "
            "measured on this machine, on one thread; the last line reads a shared head again for each query head."
        ),
        controls=("cache.heads", Slide("cache.tokens", 512, 32_768)),
        presets={
            "8k, one head": "leak",
            "32k, one head": {"cache.tokens": 32_768},
            "32k, eight": {"cache.tokens": 32_768, "cache.heads": "8"},
            "500 tokens": {"cache.tokens": 512},
        },
        speed="debounced",
        view=decode_view,
        chart=decode_chart,
    )
    for heads in HEAD_COUNTS:
        _measured(panel.scenario_of(next(iter(panel.presets))).cache.tokens, heads)
    return panel
