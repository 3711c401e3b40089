"""From a slider's input event to the repainted chart, in a real JupyterLab in Chromium, for the closed-form panels.

    python -m benchmarks.slider_to_paint            # all panels below
    python -m benchmarks.slider_to_paint flop.token

Each move goes all the way: page, kernel, scenario, quantities, view, rows, page, SVG. The clock starts at the input
event and stops after the frame that follows the first change of the drawing. Prints a table and writes
results/slider_to_paint.json. Bars of the book: median 40 ms, 95th percentile 80 ms, no element replaced.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles
from types import ModuleType
from typing import Any

from benchmarks._shared import save

ROOT = Path(__file__).resolve().parents[1]
PANELS = (
    "flop.token", "money.run", "equation.equation", "rerun.rerun", "bubble.bubble", "experts.touched",
    "speculation.pays",
)  # fmt: skip
MOVES, WARM_UP = 60, 5
BARS = {"median_ms": 40, "p95_ms": 80, "replaced": 0}

# One move: (slider, step) -> [ms, elements taken off the drawing], or null where the drawing did not change.
MOVE = """async step => {
  const panel = document.querySelector('.g4l-panel');
  const slider = panel.querySelector('input[type=range]:enabled');
  const changes = [];
  const seen = new MutationObserver((list) => changes.push(...list));
  const all = { subtree: true, childList: true, attributes: true, characterData: true };
  seen.observe(panel.querySelector('.g4l-plot svg'), all);
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
}"""


def main(names: list[str]) -> int:
    """Measure, print, write; the exit status says whether the bars hold."""
    harness, browser = _load("tests/browser/harness.py"), _load("book.py").find_browser(sys.executable)
    if not browser:
        sys.exit("No browser of the Chromium family was found; set GPT4LAB_BROWSER to one.")
    with (
        tempfile.TemporaryDirectory() as folder,
        harness.jupyterlab(Path(folder)) as url,
        harness.chromium(browser) as chromium,
    ):
        found = {name: measure(harness, chromium, url, Path(folder), name) for name in names}
    print(f"{'panel':22}{'median ms':>11}{'p95 ms':>9}{'replaced':>10}{'moves':>7}")
    for name, row in found.items():
        print(f"{name:22}{row['median_ms']:11.1f}{row['p95_ms']:9.1f}{row['replaced']:10}{row['moves']:7}")
    print(f"{'bar':22}{BARS['median_ms']:11}{BARS['p95_ms']:9}{BARS['replaced']:10}")
    rows = [{"panel": name, **row} for name, row in found.items()]
    holds = all(row[name] <= bar for row in rows for name, bar in BARS.items())
    save("slider_to_paint", {"bars": BARS, "holds": holds, "rows": rows}, "altair", "ipywidgets")
    return 0 if holds else 1


def measure(harness: ModuleType, chromium: Any, url: str, folder: Path, name: str) -> dict[str, float]:
    """Move the first slider of a panel to and fro."""
    module, panel = name.split(".")
    cells = [f"from gpt4lab.panels.{module} import {panel}\n{panel}.widget()"]
    harness.write_notebook(folder / f"{name}.ipynb", cells)
    lab = harness.Lab(chromium, url)
    lab.open(f"{name}.ipynb")
    lab.run_all()
    lab.charts()
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


def _load(path: str) -> ModuleType:
    """Import a script that is not part of the package."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(PANELS)))
