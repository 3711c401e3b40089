"""The web edition: two chapters are built, served below a sub path by a plain server of files, and walked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import pytest

from gpt4lab.book.chapter import chapters
from gpt4lab.claims import ledger
from tests.browser import axe
from tests.browser.harness import MOVE_ALL

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
# Charts that have nothing on them any more.
EMPTY = """() => [...document.querySelectorAll('.g4l-plot svg')]
  .filter((picture) => picture.viewBox.baseVal.height < 20).map((picture) => picture.closest('div').outerHTML)"""
BARRIERS = """async () => {
  await Promise.allSettled(document.getAnimations().map((blink) => blink.finished)); // of a verdict that has turned
  const { violations } = await axe.run('.bd-article', { resultTypes: ['violations'] });
  return violations.map(({ id, nodes }) => `${id}, ${nodes.length} times: ${nodes[0].html.slice(0, 200)}`);
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of two chapters."""
    from web import build, bundle

    try:
        bundle.fetch()
    except OSError as error:
        pytest.skip(f"npm's registry does not answer, and the page's packages were never fetched here: {error}")
    below = tmp_path_factory.mktemp("web") / "below" / "site"
    # In a process of its own: playwright, which draws, runs in this one already.
    build.python("-m", "web.build", "--chapters", "00", "09", "--out", str(below))
    return below


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[str]:
    """Its address."""
    from web import draw

    with draw.served(folder.parents[1]) as address:
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
    show = page.get_by_role("button", name="Show the band", exact=True)
    for _ in range(show.count()):
        show.first.click()
    assert page.evaluate(MOVE_ALL) == []
    assert page.evaluate(EMPTY) == []
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


class Addresses(HTMLParser):
    """What a page can be asked for by, and what it asks for."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.ids, self.links = Counter[str](), set[str]()
        self.feed(file.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and name == "id":
                self.ids[value] += 1
            elif value and name in ("href", "src") and ":" not in value:
                self.links.add(unquote(value))


def test_every_link_of_every_page_leads_to_something(folder: Path) -> None:
    pages = {file: Addresses(file) for file in (*folder.glob("*.html"), *folder.glob("claims/*.html"))}
    built = {file.name for file in pages}
    others = {f"{chapter.file}.html" for chapter in chapters().values()} - built
    assert len(pages) > len(ledger())
    for file, page in pages.items():
        assert [name for name, count in page.ids.items() if count > 1] == [], file.name
        for link in page.links - {"#"}:
            to, _, at = link.partition("#")
            there = (file.parent / to.partition("?")[0]).resolve() if to else file
            if there.name not in others and not at.startswith(tuple(others)):  # chapters that this site leaves out
                assert there.exists(), (file.name, link)
                assert not at or there not in pages or at in pages[there].ids, (file.name, link)


@pytest.mark.parametrize("name", ["index", "changes", "teaching"])
def test_pages_of_the_site_alone_have_no_barriers(tab: Lab, name: str) -> None:
    tab.page.goto(f"{tab.url}/{name}.html")
    tab.page.evaluate(axe.script())
    assert tab.page.evaluate(BARRIERS.replace("'.bd-article'", "document")) == []


def test_paper_holds_every_table(site: str, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 794, "height": 1123})
    page = context.new_page()
    page.emulate_media(media="print")
    for name in (MONEY, "validation"):
        page.goto(f"{site}/{name}.html")
        tall = page.evaluate("[...document.querySelectorAll('table')].map((table) => table.offsetHeight)")
        assert len(tall) > 5
        assert min(tall) > 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 794
    context.close()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("C33", "claims.html#C33"),
        ("training.mfu", "numbers.html#training.mfu"),
        ("63 million", f"{MONEY}.html"),
        ("multi-query", "glossary.html#multi-query-attention"),
    ],
)
def test_the_search_finds_entries_and_pages(tab: Lab, asked: str, found: str) -> None:
    tab.page.goto(f"{tab.url}/search.html?q={quote(asked)}")
    tab.page.locator(f'#search-results a[href="{found}"]').wait_for()


GUESS_IN_FIREFOX = """(() => {
  const best = document.querySelector('.g4l-guess-box .g4l-band-words input');
  Object.assign(best, { value: '3' }).dispatchEvent(new Event('change', { bubbles: true }));
  [...document.querySelectorAll('.g4l-guess-box button')].find((each) => each.innerText === 'Keep my guess').click();
})()"""


def test_firefox_moves_keeps_a_guess_and_finds_a_claim(site: str, tmp_path: Path) -> None:
    from tests.browser import firefox

    if not (binary := firefox.find()):
        pytest.skip("no Firefox on this machine: apt install firefox-esr, or GPT4LAB_FIREFOX names one")

    def awake_there(chapter: str) -> None:
        tab.goto(f"{site}/{chapter}.html")
        tab.wait(STANDS)
        tab.run("void document.querySelector('.g4l-widget').dispatchEvent(new Event('touchstart', { bubbles: true }))")
        tab.wait(READY)
        assert tab.run("g4lReady.failed.length") == 0

    with firefox.opened(binary, tmp_path) as tab:
        for chapter in CHAPTERS:
            awake_there(chapter)
            assert tab.run(f"({MOVE_ALL})().then(String)") == ""
        tab.run(GUESS_IN_FIREFOX)
        tab.wait("() => JSON.stringify(localStorage).includes('09-twice')")
        awake_there(MONEY)
        assert tab.run("document.querySelector('.g4l-guess-box .g4l-band-words input').value") == "3"
        tab.goto(f"{site}/claims.html?words=63+million+run")
        assert tab.run("document.querySelector('.g4l-item:not([hidden]) .g4l-id').innerText") == "C33"
        assert tab.errors == []


def test_own_code_is_small() -> None:
    front = Path(__file__).resolve().parents[2] / "web" / "front"
    lines = sum(len((front / name).read_text("utf-8").splitlines()) for name in ("live.js", "worker.js", "page.py"))
    assert lines <= 500
