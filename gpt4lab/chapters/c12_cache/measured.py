"""Chapter 12: attention of a decode step, measured while the reader moves the sliders. Needs torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gpt4lab.charts import Axis
from gpt4lab.charts.marks import pinned
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.measured import Measured
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.scenario import Scenario
from gpt4lab.units import show

if TYPE_CHECKING:
    from gpt4lab.rows import Row

    Race = dict[tuple[int, str], Row]  # (key-value heads, way) -> what was measured

HEAD_COUNTS = (1, 2, 4, 8, 16)
MOST = HEAD_COUNTS[-1]
KV_HEADS = Axis("kv_heads", "Key-value heads for 16 query heads", log=True, form="count", domain=(0.9, 20))
TIME = Axis("ms", "Milliseconds for one token, one layer", log=True, domain=(0.03, 30))
LEVEL = "if only bytes counted"
NAMES = {"folded": "each head read once", "enable_gqa": "read for each query head"}

QUIET = 3 * 8192  # rounds × tokens: a second at most


def race(scenario: Scenario) -> Race:
    """So many heads against all 16, each read once and read again for each query head."""
    from gpt4lab.toys.decoding.cache import attention_race

    context, raced = scenario.cache.tokens, tuple(dict.fromkeys((int(scenario.cache.heads), MOST)))
    rows = attention_race(raced, context, tuple(NAMES), max(1, min(3, QUIET // context)), 2)
    return {(row["kv_heads"], row["way"]): row for row in rows}


def race_view(scenario: Scenario, found: Race, earlier: Sequence[Race]) -> View:
    """Time of attention by key-value heads: this number, and those that were tried at this context before."""
    heads = int(scenario.cache.heads)
    here, full = found[heads, "folded"], found[MOST, "folded"]
    known = sorted({at: row for tried in (*earlier, found) for at, row in tried.items()}.items())
    equal_bytes = [{"kv_heads": h, "ms": 1e3 * full["seconds"] * h / MOST, "line": LEVEL} for h in HEAD_COUNTS]
    tried = [{**_place(row), "line": NAMES[way]} for way in NAMES for at, row in known if at[1] == way]
    squares = [{**_place(row), "label": ""} for at, row in known if at[1] == "folded" and at[0] != heads]
    return View(
        label="Times faster than with 16 key-value heads",
        value=full["seconds"] / here["seconds"],
        unit="x",
        sentence=_what_it_took(here, found[heads, "enable_gqa"], full),
        rows={"data": [*equal_bytes, *tried], "measured": squares, "you": [pinned(_place(here), KV_HEADS, TIME)]},
        alt="Milliseconds against key-value heads: the line of equal bytes a second, and above it what was measured "
        "with each head read once and with each head read again.",
    )


def _place(row: Row) -> dict[str, Any]:
    return {"kv_heads": row["kv_heads"], "ms": 1e3 * row["seconds"]}


def _what_it_took(row: Row, again: Row, full: Row) -> str:
    scatter = " Something else is using the machine: do not trust the times." if row["disturbed"] else ""
    return (
        f"The cache of this layer takes {show(float(row['bytes']), 'byte')}, as the formula says "
        f"({show(float(row['formula']), 'byte')}). {show(full['bytes'] / row['bytes'], 'x')} fewer bytes make it "
        f"{show(full['seconds'] / row['seconds'], 'x')} faster. With PyTorch's own switch, enable_gqa, the same "
        f"attention takes {show(again['seconds'], 's')} instead of {show(row['seconds'], 's')}.{scatter}"
    )


decode_step = Measured(
    title="A decode step, measured here",
    legend="Time that one new token spends on attention in one layer, by the number of key-value heads that 16 query "
    "heads of 64 share. The first line is the time of 16 heads, scaled with the bytes. Squares and the dot are "
    "measured on this machine, on one thread; the last line reads a shared head again for each query head.",
    controls=("cache.heads", Slide("cache.tokens", 512, 32_768)),
    presets={
        "8k, one head": "leak",
        "32k, one head": {"cache.tokens": 32_768},
        "32k, eight": {"cache.tokens": 32_768, "cache.heads": "8"},
        "500 tokens": {"cache.tokens": 512},
    },
    measure=race,
    shown=race_view,
    along="cache.heads",
    first=tuple(map(str, HEAD_COUNTS)),
    chart=lines_chart(KV_HEADS, TIME, series="line", order=[LEVEL, *NAMES.values()]),
)
