"""The web edition in Chromium, chapter 09 as a stranger meets it: what it takes to read it, and to move the price.

    python -m benchmarks.web

A site of chapters 00 and 09 is built and served by a plain server of files. Bytes are those of a server that
compresses text and WebAssembly, as pages hosts do. The first move begins at a page whose Python has not started.
"""

from __future__ import annotations

import gzip
import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks._shared import row, save, show
from benchmarks.slider_to_paint import MOVE, MOVES, WARM_UP
from tests.browser import harness
from tools import browser
from web import build, draw

CHAPTER = "09_sixty_three_million.html"
STANDS = "() => performance.getEntriesByName('widgets').length && !document.querySelector('.g4l-coming')"
WATCH = """
globalThis.shifted = 0;
const add = (list) => list.getEntries().filter((one) => !one.hadRecentInput).forEach((one) => (shifted += one.value));
new PerformanceObserver(add).observe({ type: 'layout-shift', buffered: true });
"""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"
COMPRESSED = (".html", ".js", ".mjs", ".css", ".json", ".svg", ".wasm")
FIRST = MOVE.replace("2000", "120000")


class Wire:
    """What a page fetches, in megabytes as they are sent."""

    def __init__(self, context: Any) -> None:
        self.megabytes = 0.0
        context.on("response", self._count)

    def _count(self, answer: Any) -> None:
        sent = answer.status == 200 and answer.url.startswith("http")  # what a page makes itself has an address, too
        body = answer.body() if sent else b""
        path = answer.url.partition("?")[0]
        self.megabytes += len(gzip.compress(body, 6) if path.endswith(COMPRESSED) else body) / 1e6


def main() -> int:
    """Measure, print, write; the exit status says whether the bars hold."""
    executable = browser.find() or sys.exit(browser.MISSING)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "site"
        build.python("-m", "web.build", "--chapters", "00", "09", "--out", str(folder))
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
        with draw.served(folder) as address, harness.chromium(executable) as chromium:
            rows = [*measured(chromium, f"{address}/{CHAPTER}"), row("web: a site of two chapters", size, "MB", 40)]
    show(rows)
    return save("web", {"rows": rows}, "ipywidgets", "sphinx")


def measured(chromium: Any, url: str) -> list[dict[str, Any]]:
    """One stranger's visit."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    wire, page = Wire(context), context.new_page()
    page.add_init_script(WATCH)
    page.goto(url)
    page.wait_for_function(STANDS)
    read = wire.megabytes
    first = page.evaluate(FIRST, 7)[0] / 1000
    page.wait_for_function("() => globalThis.g4lReady")
    steps = [7 if move % 12 < 6 else -7 for move in range(WARM_UP + MOVES)]
    times = [found[0] for step in steps if (found := page.evaluate(MOVE, step))][WARM_UP:]
    return [
        row("web: first contentful paint, with its charts", page.evaluate(PAINTED), "s", 1),
        row("web: bytes before Python", read, "MB", 2.5),
        row("web: bytes in all", wire.megabytes, "MB", 12),
        row("web: first touch to moved chart", first, "s", 5),
        row("web: slider to repainted chart, median", median(times), "ms", 30),
        row("web: slider to repainted chart, 95th percentile", quantiles(times, n=20)[-1], "ms", 60),
        row("web: cumulative layout shift", page.evaluate("shifted"), "1", 0.1),
    ]


if __name__ == "__main__":
    sys.exit(main())
