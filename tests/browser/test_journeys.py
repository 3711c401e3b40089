"""Each chapter as a reader meets it: open, run all, move every slider of every panel with the keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.browser.harness import Lab

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
CHAPTERS = [NOTEBOOKS / f"{text.stem}.ipynb" for text in sorted((NOTEBOOKS / "text").glob("*.md"))]
WHOLE_CHAPTER = 20_000  # px: every cell stands in the window, so that every widget is drawn
CHAPTER_MS, ANSWER_MS = 240_000, 60_000

# What a panel says of itself: its assumptions, and what is wrong with them.
SAID = "panel.querySelectorAll('.g4l-error, .g4l-note')"
STATE = f"""panel => [panel.querySelector('.g4l-address input').value,
                    ...[...{SAID}].map((line) => line.textContent)].join('|')"""
CHANGED = f"([panel, before]) => ({STATE})(panel) !== before"
# Where a run of all cells leaves the reader: the chosen cell, and what is scrolled away of the first one.
STANDS = """() => [jupyterapp.shell.currentWidget.content.activeCellIndex,
                   document.querySelector('.jp-Notebook .jp-Cell').getBoundingClientRect().top > 0]"""
# Words that can be read in folded code.
UNFOLDED = """() => [...document.querySelectorAll('.jp-InputPlaceholder *')]
  .filter((part) => [...part.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()))
  .filter((part) => getComputedStyle(part).fontSize !== '0px')
  .map((part) => part.textContent)"""
OPEN_ALL = """() => {
  const closed = [...document.querySelectorAll('.jp-OutputArea-output details:not([open])')];
  return closed.map((fold) => { fold.open = true; return fold; });
}"""
CLOSE = "(folds) => folds.forEach((fold) => (fold.open = false))"
PICTURE = ".g4l-plot svg, .g4l-drawing svg"
DRAWN = f"(panel) => panel.querySelector('{PICTURE}')?.innerHTML ?? ''"
# What a panel draws now, kept in the page; and whether it draws something else, now or within a few frames.
KEEP = f"(panel) => (panel.drawn = ({DRAWN})(panel)) !== ''"
FRAMES = 10
REPAINTED = f"""async (panel) => {{
  for (let frame = 0; frame < {FRAMES} && ({DRAWN})(panel) === panel.drawn; frame++)
    await new Promise((next) => requestAnimationFrame(next));
  return ({DRAWN})(panel) !== panel.drawn;
}}"""
SEEN = 779  # px that JupyterLab leaves of a window of 900
SHORTEST = 170  # px of a slider's track
#: (width of the window, whether the side bar is open)
WINDOWS = ((1280, True), (1280, False), (1440, True), (800, False), (390, False))

# From the top of the chart, or of the sliders, to the lower end of both; and the shortest open track.
TOGETHER = """() => [...document.querySelectorAll('.g4l-panel:has(.g4l-figure svg)')].flatMap((panel) => {
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
# What the Tab key must reach, in this order: of radios the chosen one, else the first; no code, that is JupyterLab's.
STOPS = """() => {
  for (const editor of document.querySelectorAll('.cm-content')) editor.tabIndex = -1;
  const kinds = ['a[href]', 'button', 'input', 'select', 'textarea', 'summary', '[tabindex]'];
  const places = `:is(.jp-OutputArea-output, .jp-RenderedMarkdown) :is(${kinds})`;
  const chosen = (radio) => {
    const group = [...document.querySelectorAll(`input[type=radio][name="${radio.name}"]`)];
    return radio === (group.find((other) => other.checked) ?? group[0]);
  };
  globalThis.came = [];
  document.addEventListener('focusin', ({ target }) => came.push([target, seen(target)]));
  const seen = (at) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(at);
    return (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none' || at.type === 'range';
  };
  globalThis.stops = [...document.querySelectorAll(places)].filter((at) => at.tabIndex >= 0 && !at.disabled)
    .filter((at) => at.checkVisibility({ visibilityProperty: true }) && (at.type !== 'radio' || chosen(at)));
  stops[0].focus();
  return stops.length;
}"""
WALKED = """() => {
  const words = (at) => at.outerHTML.slice(0, 150);
  const walk = came.slice(0, came.findIndex(([at]) => at === stops.at(-1)) + 1);
  const order = walk.map(([at]) => stops.indexOf(at)).filter((at) => at >= 0);
  return {
    missed: stops.filter((_, at) => !order.includes(at)).map(words),
    back: order.filter((at, i) => at < order[i - 1]).map((at) => words(stops[at])),
    unseen: walk.filter(([at, seen]) => stops.includes(at) && !seen).map(([at]) => words(at)),
  };
}"""
# Whether claims and reasons stand open: before it is printed, on paper, and afterwards.
PRINTED = """() => [null, 'beforeprint', 'afterprint'].map((event) => {
  if (event) window.dispatchEvent(new Event(event));
  return [...document.querySelectorAll(':is(.g4l-skeleton, .g4l-verdicts) details')].map((fold) => fold.open);
})"""
PRESSED = ".g4l-look-press[role=button][tabindex='0']"
# A scrubber moves what is seen of a drawing, and no number: it has a test of its own.
SLIDERS = "input[type=range]:not(.g4l-scrub *)"


@pytest.fixture(scope="module", params=CHAPTERS, ids=lambda path: path.stem)
def chapter(request: pytest.FixtureRequest, tab: Lab, served: Path, harness: Any) -> Iterator[Lab]:
    """A chapter that was run from top to bottom, whole in the window, with all its charts drawn."""
    (served / "text").mkdir(exist_ok=True)
    (served / "text" / f"{request.param.stem}.md").touch()  # a chapter is what has a text
    (served / request.param.name).write_bytes(request.param.read_bytes())
    tab.page.set_default_timeout(CHAPTER_MS)
    tab.open(request.param.name)
    tab.run_all()
    tab.left_at = tab.page.evaluate(STANDS)
    resize(tab, WHOLE_CHAPTER)
    tab.charts()
    tab.page.wait_for_function(harness.ALL_DRAWN)
    tab.page.set_default_timeout(ANSWER_MS)
    yield tab
    tab.clear()


def resize(lab: Lab, height: int) -> None:
    """A window of 1280 px, and of this height."""
    lab.page.set_viewport_size({"width": 1280, "height": height})


@pytest.fixture
def whole(chapter: Lab) -> Lab:
    """The chapter, whole in the window."""
    resize(chapter, WHOLE_CHAPTER)
    return chapter


@pytest.fixture
def in_window(chapter: Lab) -> Lab:
    """The chapter in a window of a reader's size: to paint it whole, for each key, takes as long as all else."""
    resize(chapter, 900)
    chapter.settled()
    return chapter


def panels(lab: Lab) -> list[Any]:
    return lab.page.locator(".g4l-panel:has(.g4l-address)").element_handles()


def test_runs_without_an_error_and_stays_on_this_machine(chapter: Lab) -> None:
    errors = chapter.page.locator('[data-mime-type="application/vnd.jupyter.error"]')
    assert errors.all_text_contents() == []
    chapter.no_trouble()


def test_a_run_of_all_cells_leaves_the_reader_at_the_title(chapter: Lab) -> None:
    assert chapter.left_at == [0, True]


def test_folded_code_shows_no_word(chapter: Lab) -> None:
    assert chapter.page.locator(".jp-InputPlaceholder").count()
    assert chapter.page.evaluate(UNFOLDED) == []


def test_it_is_saved_as_it_was_shipped(chapter: Lab, served: Path, request: pytest.FixtureRequest) -> None:
    shipped = request.node.callspec.params["chapter"]
    chapter.command("docmanager:save")
    assert (served / shipped.name).read_bytes() == shipped.read_bytes()


def test_every_control_has_a_name(chapter: Lab) -> None:
    assert chapter.nameless_controls() == []


def test_every_chart_has_a_text_alternative_and_a_table(chapter: Lab) -> None:
    for chart in chapter.page.locator(".g4l-chart").element_handles():  # a group, where its parts can be pressed
        assert chart.evaluate(
            "c => c.querySelector('[role=img], .g4l-picture[role=group]')?.getAttribute('aria-label')?.length > 20"
        )
        assert chart.evaluate("c => !!c.querySelector('details')")


@pytest.mark.parametrize("look", ["light", "dark", "forced colours"])
def test_axe_finds_no_barrier(whole: Lab, look: str) -> None:
    """In outputs and text, with every fold opened. In another look the same stands there, in other colours."""
    opened = whole.page.evaluate_handle(OPEN_ALL)
    whole.theme(look == "dark")
    whole.forced_colours(look == "forced colours")
    try:
        assert whole.barriers(*(["cat.color"] if look != "light" else [])) == []
    finally:
        whole.theme(False)
        whole.forced_colours(False)
        whole.page.evaluate(CLOSE, opened)


def test_sliders_and_chart_are_seen_together_and_text_has_one_edge(chapter: Lab) -> None:
    for width, side in WINDOWS:
        chapter.page.set_viewport_size({"width": width, "height": 900})
        chapter.page.evaluate(f"() => jupyterapp.shell.{'expand' if side else 'collapse'}Left()")
        chapter.settled()  # charts take the new width
        fits(chapter.page, width)


def fits(page: Any, width: int) -> None:
    """What a reader moves and what answers are seen together, on every common screen."""
    for title, height, shortest in page.evaluate(TOGETHER):
        assert shortest >= SHORTEST, f"{title} at {width} px: a track of {shortest} px"
        assert height <= SEEN or width < 800, f"{title} at {width} px: {height} px from chart to slider"
    edges = page.evaluate(EDGES)
    assert len({round(left) for left, _, _ in edges}) == 1, f"left edges at {width} px: {edges}"
    assert max(wide for _, wide, _ in edges) <= 46 * 16


def test_what_is_folded_stands_open_on_paper(chapter: Lab) -> None:
    before, on_paper, after = chapter.page.evaluate(PRINTED)
    assert before == after
    assert set(on_paper) == {True}


def test_what_speaks_has_a_role_on_an_element_that_stays(chapter: Lab) -> None:
    from playwright.sync_api import expect

    silent = chapter.page.locator(".g4l-spoken:not([role=status]), .g4l-alarm:not([role=alert])")
    expect(silent.locator("visible=true")).to_have_count(0)  # what is hidden gets its role as it comes


@pytest.mark.parametrize(
    "chapter", [path for path in CHAPTERS if path.stem.startswith("09")], indirect=True, ids=lambda path: path.stem
)
def test_tab_reaches_all_that_can_be_moved_in_order_and_shows_where_it_is(in_window: Lab) -> None:
    """From the first to the last without a trap; of a slider the thumb is marked, which no script can see."""
    for _ in range(in_window.page.evaluate(STOPS) // 10 + 10):
        for _ in range(20):
            in_window.page.keyboard.press("Tab")
        if in_window.page.evaluate("came.some(([at]) => at === stops.at(-1))"):
            break
    assert in_window.page.evaluate(WALKED) == {"missed": [], "back": [], "unseen": []}


def test_every_slider_moves_its_panel_in_place(in_window: Lab) -> None:
    for panel in panels(in_window):
        sliders = [slider for slider in panel.query_selector_all(SLIDERS) if slider.is_visible()]
        redrawn = sum(moves(in_window, panel, slider) for slider in sliders if slider.is_enabled())
        waits_for_run = panel.query_selector("button:text-matches('^Run')")
        chosen = not sliders and panel.query_selector("select, [role=radiogroup]")
        moved = redrawn or waits_for_run or chosen or (not sliders and pressed(in_window, panel))
        assert moved, "no slider of this panel repaints its chart"
    in_window.no_trouble()


def pressed(lab: Lab, panel: Any) -> bool:
    """Press a part of a drawing by keyboard, as a panel is moved that has no slider; True if it was painted anew."""
    part, _ = panel.query_selector(PRESSED), panel.evaluate(KEEP)
    if not part:
        return False
    lab.press(part, " ")
    lab.page.wait_for_function(f"panel => ({DRAWN})(panel) !== panel.drawn", arg=panel)
    return True


def moves(lab: Lab, panel: Any, slider: Any) -> bool:
    """Move a slider to each end and to its tick by keyboard; True if the chart was painted anew, its element kept."""
    plot, painted = panel.query_selector(PICTURE), False
    panel.evaluate(KEEP)
    for key in ("End", "Home", "Delete"):
        state, stood = slider.evaluate(f"(s, panel) => [({STATE})(panel), s.value]", panel)
        lab.press(slider, key)
        if slider.evaluate("s => s.value") != stood:  # it may stand at that end already
            wait_for_answer(lab, panel, state, f"{slider.get_attribute('aria-label')}, {key} from {stood}")
            painted = painted or panel.evaluate(REPAINTED)
    assert plot.evaluate(f"(old, panel) => old.isConnected && panel.querySelector('{PICTURE}') === old", panel)
    return painted


def wait_for_answer(lab: Lab, panel: Any, state: str, move: str) -> None:
    """Wait until the panel says something else than `state`."""
    from playwright.sync_api import TimeoutError as NoAnswer

    try:
        lab.page.wait_for_function(CHANGED, arg=[panel, state])
    except NoAnswer:
        pytest.fail(f"{panel.query_selector('.g4l-title').text_content()}: no answer to {move}; it says {state!r}")
