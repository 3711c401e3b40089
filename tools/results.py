"""What the benchmarks have written, as rows of a table: what, measured, the peer's, bar."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HERE = ROOT / ".gpt4lab" / "benchmarks"  # what was found on this machine
SHIPPED = ROOT / "benchmarks" / "results"  # ... for the README
NONE = "–"

Row = tuple[str, ...]
Result = dict[str, Any]


def rows(folder: Path, names: Container[str] | None = None) -> Iterator[Row]:
    """The rows of the named benchmarks, or of all, that have left a file, each with its peer's if that has one too."""
    for name, reader in READERS.items():
        if (names is None or name in names) and (found := read(folder, name)):
            yield from reader(found, read(folder, f"{name}_peer"))


def read(folder: Path, name: str) -> Result:
    """What a benchmark wrote last; nothing if it has not been run."""
    path = folder / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def by(peer: Result, words: str) -> str:
    """The peer's words with its name and version; a dash where there is no peer."""
    return f"{words} ({peer['peer']} {peer['versions'][peer['peer']]})" if words else NONE


def amount(row: Result) -> str:
    """Value and unit."""
    return f"{row['value']:,.3g} {row['unit']}" if row["value"] < 1e3 else f"{row['value']:,.0f} {row['unit']}"


def plain(result: Result, peer: Result) -> Iterator[Row]:
    """Rows of what, value, unit, bar; the peer's row of the same name beside it."""
    theirs = {row["what"]: amount(row) for row in peer.get("rows", ())}
    for row in result["rows"]:
        bar = f"{row['bar']:,.12g} {row['unit']}" if row.get("bar") else NONE
        yield row["what"], amount(row), by(peer, theirs.get(row["what"], "")), bar


def with_errors(result: Result, peer: Result) -> Iterator[Row]:
    """The same, and the tables of errors that are held to a bar."""
    yield from plain(result, peer)
    for row in result["errors"]:
        if "bar" in row:
            theirs = peer.get("errors", {}).get("default")
            bar = ", ".join(f"{row[key]:.1%}" for key in ("bar", "bar_largest") if key in row)
            what = f"error of {row['what']} ({row['rows']} rows): mean, largest"
            yield what, both(row), by(peer, both(theirs) if theirs else ""), bar


def both(row: Result) -> str:
    """Mean and largest error."""
    return f"{row['mean']:.1%}, {row['largest']:.1%}"


def mixture(result: Result, peer: Result) -> Iterator[Row]:
    """The expert layer against a dense layer of equal FLOP, a naive loop and the peer's two ways beside it."""
    theirs = {row["experts"]: row["ratio"] for row in peer.get("rows", ())}
    for row in result["rows"]:
        ours, naive = row["ratio"]["mixture"], row["ratio"]["naive loop"]
        what = f"MoE layer of {row['experts']} experts, forward and backward, in dense layers of equal FLOP"
        ways = {name: theirs[row["experts"]][name] for name in ("eager", "grouped_mm")} if theirs else {}
        yield what, f"{ours:.2f}× (loop over experts: {naive:.2f}×)", by(peer, times(ways)), f"{result['bar']}×"


def times(ways: dict[str, float], digits: int = 2) -> str:
    """Ratios by name."""
    return ", ".join(f"{name} {ratio:.{digits}f}×" for name, ratio in ways.items())


def slider(result: Result, peer: Result) -> Iterator[Row]:
    """From slider to paint, over the panels measured."""
    rows = result["rows"]
    worst = {key: max(row[key] for row in rows) for key in result["bars"]}
    what = f"slider to repainted chart in Chromium, slowest of {len(rows)} panels"
    alone = f"{milliseconds(result['floor'])} (a slider and a line of text, nothing drawn)"
    yield what, milliseconds(worst), alone, "{median_ms} ms, {p95_ms} ms".format(**result["bars"])


def milliseconds(row: Result) -> str:
    """Median and tail."""
    return "median {median_ms:.0f} ms, p95 {p95_ms:.0f} ms".format(**row)


def attention(result: Result, peer: Result) -> Iterator[Row]:
    """One key-value head against sixteen, caches warm as in a row of decode steps."""
    for row in result["rows"]:
        if row["way"] == "folded":
            same = [other for other in peer.get("rows", ()) if other["context"] == row["context"]]
            ways = {r["way"].removeprefix("library, "): r["times_faster"] for r in same if r["way"] != "folded"}
            what = f"decode attention at {row['context']:,} tokens, 1 key-value head against 16, one thread"
            roofline = result["roofline"][str(row["context"])]
            ours = f"{row['times_faster']:.1f}× faster (roofline of this processor: {roofline:.1f}×)"
            bar = f"{result['near']:.0%} of the roofline; half of sdpa's time, the masked one's at most"
            yield what, ours, by(peer, times(ways, 1)), bar


def speculation(result: Result, peer: Result) -> Iterator[Row]:
    """Speculative decoding of the shipped toy, its best n-gram setting; the library's is against its own plain way."""
    theirs = {name.removeprefix("library, "): ms for name, ms in peer.get("ms", {}).items() if "library" in name}
    ways = {way: theirs["plain"] / ms for way, ms in theirs.items() if way != "plain"}
    faster, pass_ = result["bars"]
    what = "speculative decoding of a toy, 6-gram draft, temperature 0.7"
    limit = "{value:.2f}× (this processor's limit: {limit:.2f}×)"
    yield what, f"{limit.format(**faster)} faster", by(peer, times(ways)), f"{faster['bar']}×"
    yield "a pass that checks four tokens, in plain passes", limit.format(**pass_), NONE, f"{pass_['bar']}×"


READERS = {
    "calculators": plain,
    "sweep": with_errors,
    "layout_search": plain,
    "decode": with_errors,
    "serving": plain,
    "slider_to_paint": slider,
    "web": plain,
    "moe_layer": mixture,
    "decode_attention": attention,
    "speculation": speculation,
}
