"""The web edition: two chapters are built, served below a sub path by a plain server of files, and walked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import axe

if TYPE_CHECKING:
    from types import ModuleType

    from tests.browser.harness import Lab

#: Tests are named without a number: all of them share one site, on one worker (tests/order.py).
CHAPTERS = ("00_start_here", "09_sixty_three_million")
MONEY = CHAPTERS[1]
pytestmark = pytest.mark.timeout(900)  # the first one waits until the site is built

PATIENCE_MS = 180_000  # a machine that does other things, too, starts a browser's Python slowly
STANDS = "() => performance.getEntriesByName('widgets').length && !document.querySelector('.g4l-coming')"
READY = "() => globalThis.g4lReady && !document.querySelector('.g4l-coming')"
# Each panel, and what it shows: a hand moves the first slider that is seen.
MOVE_ALL = """async () => {
  const stuck = [];
  for (const panel of document.querySelectorAll('.g4l-panel')) {
    const slider = [...panel.querySelectorAll('input[type=range]:enabled')].find((each) => each.offsetParent);
    if (!slider || panel.parentElement.closest('.g4l-panel')) continue;
    const shown = () => panel.innerText + [...panel.querySelectorAll('svg')].map((picture) => picture.outerHTML);
    let before = shown();
    for (const step of [9, -9, -9]) {
      slider.value = Number(slider.value) + step;
      slider.dispatchEvent(new Event('input', { bubbles: true }));
      const until = performance.now() + 3000;
      while (shown() === before && performance.now() < until) await new Promise((go) => setTimeout(go, 10));
      if (shown() !== before) break;
    }
    if (shown() === before) stuck.push(panel.innerText.slice(0, 80));
  }
  return stuck;
}"""
BARRIERS = """async () => {
  await Promise.allSettled(document.getAnimations().map((blink) => blink.finished)); // of a verdict that has turned
  const { violations } = await axe.run('.bd-article', { resultTypes: ['violations'] });
  return violations.map(({ id, nodes }) => `${id}, ${nodes.length} times: ${nodes[0].html.slice(0, 200)}`);
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a site of two chapters."""
    from web import build, bundle, draw

    try:
        bundle.fetch()
    except OSError as error:
        pytest.skip(f"npm's registry does not answer, and the page's packages were never fetched here: {error}")
    folder = tmp_path_factory.mktemp("web")
    # In a process of its own: playwright, which draws, runs in this one already.
    build.python("-m", "web.build", "--chapters", "00", "09", "--out", str(folder / "below" / "site"))
    with draw.served(folder) as address:
        yield f"{address}/below/site"


@pytest.fixture
def tab(browser: Any, harness: ModuleType, site: str) -> Iterator[Lab]:
    opened = harness.Lab(browser, site)
    opened.page.set_default_timeout(PATIENCE_MS)
    yield opened
    opened.no_trouble()
    opened.context.close()


def awake(tab: Lab, page: str) -> Any:
    """Open a page and touch it; returns it once its Python has run every cell."""
    tab.page.goto(f"{tab.url}/{page}")
    tab.page.wait_for_function(STANDS)
    tab.page.locator(".g4l-widget").first.hover()
    tab.page.wait_for_function(READY)
    assert tab.page.evaluate("g4lReady.failed") == []
    assert tab.page.locator(".g4l-needs").count() == 0
    return tab.page


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda name: name[3:])
def test_reads_at_once_without_scripts(browser: Any, site: str, chapter: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/{chapter}.html")
    assert page.locator(".bd-article h1").first.is_visible()
    assert page.locator(".g4l-plot svg").first.is_visible()
    assert page.locator(".g4l-panel input[type=range]").count() > 0
    assert "$$" not in page.locator(".bd-article").first.inner_text()
    context.close()


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda name: name[3:])
def test_every_panel_moves(tab: Lab, chapter: str) -> None:
    page = awake(tab, f"{chapter}.html")
    assert page.evaluate(MOVE_ALL) == []
    page.evaluate(axe.script())
    assert page.evaluate(BARRIERS) == []


def test_a_guess_is_kept_over_a_reload(tab: Lab) -> None:
    from playwright.sync_api import expect

    page = awake(tab, f"{MONEY}.html")
    box = page.locator(".g4l-guess-box").first
    best = box.locator(".g4l-band-words input").first
    tab.type(best, "3")
    box.get_by_role("button", name="Keep my guess").click()
    page.wait_for_function("() => JSON.stringify(localStorage).includes('09-twice')")
    said = best.input_value()
    assert "3" in said
    awake(tab, f"{MONEY}.html")
    expect(best).to_have_value(said)


def test_a_shared_line_opens_its_state(tab: Lab) -> None:
    from playwright.sync_api import expect

    page = tab.page
    page.goto(f"{tab.url}/{MONEY}.html?leak?training.mfu=0.4")
    page.wait_for_function(READY)
    expect(page.locator(".g4l-panel .g4l-of-training-mfu input[type=range]").first).to_have_attribute(
        "aria-valuetext", "40%"
    )


def test_a_line_that_cannot_be_read_is_said_and_the_page_lives(tab: Lab) -> None:
    page = awake(tab, f"{CHAPTERS[0]}.html?from=elsewhere&%E0%A4%A")
    said = page.locator(".g4l-python").text_content()
    assert "behind its address cannot be read" in said
    assert page.evaluate(MOVE_ALL) == []


def test_a_phone_scrolls_down_alone(browser: Any, harness: ModuleType, site: str) -> None:
    tab = harness.Lab(browser, site, width=390, height=844)
    for page in (*CHAPTERS, "index", "claims"):
        tab.page.goto(f"{site}/{page}.html")
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390, page
    tab.no_trouble()
    tab.context.close()


def test_links_lead_to_what_the_site_has(site: str, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/index.html")
    hrefs = page.evaluate("[...document.querySelectorAll('a[href]')].map((a) => a.href)")
    own = {href.partition("#")[0] for href in hrefs if href.startswith(site)}
    assert [href for href in own if context.request.get(href).status != 200] == []
    context.close()


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda name: name[3:])
def test_every_panel_has_an_address_that_the_index_of_numbers_knows(site: str, browser: Any, chapter: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/numbers.html")
    linked = page.evaluate("[...document.querySelectorAll('a[href*=\"#panel-\"]')].map((a) => a.getAttribute('href'))")
    page.goto(f"{site}/{chapter}.html")
    there = page.evaluate("[...document.querySelectorAll('[id^=panel-]')].map((panel) => panel.id)")
    assert len(set(there)) == len(there) > 0
    assert {href.partition("#")[2] for href in linked if href.startswith(chapter)} <= set(there)
    context.close()


def test_own_code_is_small() -> None:
    front = Path(__file__).resolve().parents[2] / "web" / "front"
    lines = sum(len((front / name).read_text("utf-8").splitlines()) for name in ("live.js", "worker.js", "page.py"))
    assert lines <= 500
