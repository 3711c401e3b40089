"""Where things stand on a page: what a reader moves and what answers are seen together, on every common screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.harness import ALL_DRAWN

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SEEN = 779  # px that JupyterLab leaves of a window of 900
SHORTEST = 170  # px of a slider's track
#: (width of the window, whether the side bar is open)
WINDOWS = ((1280, True), (1280, False), (1440, True), (800, False), (390, False))

# From the top of the chart, or of the sliders, to the lower end of both; and the shortest open track.
PANELS = """() => [...document.querySelectorAll('.g4l-panel:has(.g4l-figure svg)')].flatMap((panel) => {
  const tracks = [...panel.querySelectorAll('.g4l-track')].filter((track) => track.offsetParent);
  if (!tracks.length) return [];
  const places = [panel.querySelector('.g4l-figure svg'), ...tracks].map((part) => part.getBoundingClientRect());
  const height = Math.max(...places.map((p) => p.bottom)) - Math.min(...places.map((p) => p.top));
  const shortest = Math.min(...places.slice(1).map((place) => place.width));
  return [[panel.querySelector('.g4l-title').textContent, height, shortest]];
})"""
EDGES = """() => [...document.querySelectorAll('.jp-RenderedMarkdown > p')].filter((p) => p.offsetParent)
  .map((p) => [p.getBoundingClientRect(), p.textContent.slice(0, 60)])
  .map(([{ left, width }, words]) => [left, width, words])"""


@pytest.mark.parametrize("notebook", CHAPTERS, ids=lambda path: path.stem[:2])
def test_sliders_and_chart_are_seen_together_and_text_has_one_edge(
    notebook: Path, open_copy: Callable[[Path], Any]
) -> None:
    lab = open_copy(notebook)
    lab.page.wait_for_function(ALL_DRAWN)
    for width, side in WINDOWS:
        lab.page.set_viewport_size({"width": width, "height": 900})
        lab.page.evaluate(f"() => jupyterapp.shell.{'expand' if side else 'collapse'}Left()")
        lab.page.evaluate("() => new Promise((done) => setTimeout(done, 500))")  # charts take the new width
        for title, height, shortest in lab.page.evaluate(PANELS):
            assert shortest >= SHORTEST, f"{title} at {width} px: a track of {shortest} px"
            assert height <= SEEN or width < 800, f"{title} at {width} px: {height} px from chart to slider"
        edges = lab.page.evaluate(EDGES)
        assert len({round(left) for left, _, _ in edges}) == 1, f"left edges at {width} px: {edges}"
        assert max(wide for _, wide, _ in edges) <= 46 * 16
