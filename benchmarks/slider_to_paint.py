"""From a slider's input event to the repainted chart, in a real JupyterLab in Chromium, for the closed-form panels.

    python -m benchmarks.slider_to_paint            # all panels below
    python -m benchmarks.slider_to_paint c03_flop.flop.token

Each move goes all the way: page, kernel, scenario, quantities, view, rows, page, SVG. The clock starts at the input
event and stops after the frame that follows the first change of the drawing. Bars of the book: median 40 ms, 95th
percentile 80 ms, no element replaced.

The floor is a slider of the book and a line of text, with nothing to compute and nothing to draw: what JupyterLab, its
server, the kernel and the browser take of every move on this machine. The bars count it in.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles

from benchmarks._shared import save
from tests.browser import harness
from tools import browser

PANELS = (
    "c03_flop.flop.token",
    "c09_money.run.run",
    "c09_money.equation.equation",
    "c09_money.rerun.rerun",
    "c09_money.bubble.bubble",
    "c02_experts.touched.touched",
    "c14_drafts.pays.pays",
)
FLOOR = """
from ipywidgets import HTML, VBox
from gpt4lab.panels.controls import NumberControl
slider, text = NumberControl("Floor", "1", 0, 100, 50), HTML("50")
slider.observe(lambda change: setattr(text, "value", f"{change['new']:.1f}"), "value")
text.add_class("g4l-floor")
floor = VBox([slider, text])
floor.add_class("g4l-panel")
floor
"""
MOVES, WARM_UP = 60, 5
BARS = {"median_ms": 40, "p95_ms": 80, "replaced": 0}

# One move: (slider, step) -> [ms, elements taken off the drawing], or null where the drawing did not change.
DRAWN = ".g4l-plot svg, .g4l-floor"
MOVE = """async step => {
  const panel = document.querySelector('.g4l-panel');
  const drawing = panel.querySelector('DRAWN');
  const slider = panel.querySelector('input[type=range]:enabled');
  const changes = [];
  const seen = new MutationObserver((list) => changes.push(...list));
  const all = { subtree: true, childList: true, attributes: true, characterData: true };
  seen.observe(drawing, all);
  const start = performance.now();
  slider.value = Number(slider.value) + step;
  slider.dispatchEvent(new Event('input', { bubbles: true }));
  const frame = () => new Promise(requestAnimationFrame);
  while (!changes.length && performance.now() - start < 2000) await new Promise((go) => setTimeout(go, 0));
  await frame();
  await new Promise((go) => setTimeout(go, 0)); // after the frame was handed over
  const took = performance.now() - start;
  await new Promise((go) => setTimeout(go, 60)); // let the kernel become idle before the next move
  seen.disconnect();
  const gone = changes.flatMap((change) => [...change.removedNodes]).filter((node) => node.nodeType === 1).length;
  return took < 2000 ? [took, gone] : null;
}""".replace("DRAWN", DRAWN)


def main(names: list[str]) -> int:
    """Measure, print, write; the exit status says whether the bars hold."""
    executable = browser.find() or sys.exit(browser.MISSING)
    with (
        tempfile.TemporaryDirectory() as folder,
        harness.jupyterlab(Path(folder)) as url,
        harness.chromium(executable) as chromium,
    ):
        cells = {"floor": FLOOR, **{name: cell_of(name) for name in names}}
        found = {name: measure(harness.Lab(chromium, url), Path(folder), cells[name]) for name in cells}
    print(f"{'panel':30}{'median ms':>11}{'p95 ms':>9}{'replaced':>10}{'moves':>7}")
    for name, row in found.items():
        print(f"{name:30}{row['median_ms']:11.1f}{row['p95_ms']:9.1f}{row['replaced']:10}{row['moves']:7}")
    print(f"{'bar':30}{BARS['median_ms']:11}{BARS['p95_ms']:9}{BARS['replaced']:10}")
    floor = found.pop("floor")
    rows = [{"panel": name, **row} for name, row in found.items()]
    holds = all(row[name] <= bar for row in rows for name, bar in BARS.items())
    return save("slider_to_paint", {"bars": BARS, "holds": holds, "floor": floor, "rows": rows}, "altair", "ipywidgets")


def cell_of(name: str) -> str:
    """The cell that shows a panel."""
    module, _, panel = name.rpartition(".")
    return f"from gpt4lab.chapters.{module} import {panel}\n{panel}.widget()"


def measure(lab: harness.Lab, folder: Path, cell: str) -> dict[str, float]:
    """Move the first slider of what the cell shows to and fro."""
    harness.write_notebook(folder / "moved.ipynb", [cell])
    lab.open("moved.ipynb")
    lab.run_all()
    lab.page.wait_for_selector(DRAWN)
    steps = [7 if move % 12 < 6 else -7 for move in range(WARM_UP + MOVES)]
    moves = [lab.page.evaluate(MOVE, step) for step in steps][WARM_UP:]
    lab.no_trouble()
    lab.close()
    return summary([move for move in moves if move])


def summary(moves: list[list[float]]) -> dict[str, float]:
    """Median and 95th percentile of the times, and how many elements were replaced in all."""
    times = [took for took, _ in moves]
    return {
        "median_ms": round(median(times), 1),
        "p95_ms": round(quantiles(times, n=20)[-1], 1),
        "replaced": sum(int(gone) for _, gone in moves),
        "moves": len(moves),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(PANELS)))
