"""The generated pages: all has its entry and its words, every link leads somewhere, nothing is HTML by accident."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import sys
from collections import Counter
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import attrs
import pytest

from gpt4lab import catalog, home
from gpt4lab.book import cards
from gpt4lab.book.chapter import chapters
from gpt4lab.checks.tables import tables
from gpt4lab.claims import judge, ledger
from gpt4lab.claims.ledger import VERDICTS
from gpt4lab.panels.verdicts import SIGNS
from gpt4lab.quantities import QUANTITIES, known
from gpt4lab.scenario import FIELDS, change, load_scenario
from web import run
from web.pages import PAGES, claims, index, numbers, parts, preview, used, words
from web.pages.catalog import TABLES, items, of_entry

VOID = {"input", "br", "img", "meta", "hr", "wbr"}
HOSTILE = "<script>alert(1)</script> \"'><img src=x onerror=alert(1)> ```` {raw} $x$"


class Parsed(HTMLParser):
    """Entries by their ids, links, tags; `open` is empty at the end of what is well-formed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids, self.links, self.tags, self.open = Counter[str](), list[str](), Counter[str](), list[str]()
        self.attributes = Counter[str]()
        self.text: dict[str, str] = {}
        self.wrong: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        here = dict(attrs)
        self.tags[tag] += 1
        self.attributes.update(list(here))
        if name := here.get("id"):
            self.ids[name] += 1
        if (to := here.get("href")) is not None:
            self.links.append(to)
        if tag not in VOID:
            self.open.append(f"{tag} {here.get('id') or ''}".strip())

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop().split()[0] != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        for name in (one.partition(" ")[2] for one in self.open):
            if name:
                self.text[name] = self.text.get(name, "") + data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """All pages beside one chapter; what moves a number or flips a claim is tested elsewhere, and takes its time."""
    place = tmp_path_factory.mktemp("pages")
    shutil.copy(root / "notebooks" / f"{chapters()['09'].file}.ipynb", place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbers, "elasticities", lambda *_: {"training.mfu": -1.0})
        patch.setattr(sys.modules[cards.Card.__module__], "flips_in_words", lambda *_, **__: "MFU")
        for page in PAGES:
            page.write(place)
    return place


@pytest.fixture(scope="module")
def parsed(folder: Path) -> dict[str, Parsed]:
    return {page.name: Parsed((folder / f"{page.name}.md").read_text("utf-8")) for page in PAGES}


def test_every_page_is_well_formed_and_no_address_is_given_twice(parsed: dict[str, Parsed]) -> None:
    for name, page in parsed.items():
        assert (name, page.wrong, page.open) == (name, [], [])
        assert [key for key, count in page.ids.items() if count > 1] == [], name


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        ("claims", list(ledger())),
        ("numbers", [*QUANTITIES.names(), *FIELDS]),
        ("catalog", [f"{table}-{item.slug}" for table in TABLES for item in items(table)]),
        ("bibliography", list(catalog.references)),
        ("glossary", list(catalog.glossary)),
        ("validation", [f"group-{at}" for at in range(len(tables()))]),
    ],
)
def test_everything_has_its_entry(parsed: dict[str, Parsed], page: str, wanted: list[str]) -> None:
    assert set(wanted) - set(parsed[page].ids) == set()


def test_every_claim_says_its_quote_its_verdict_and_both_numbers(parsed: dict[str, Parsed]) -> None:
    post = load_scenario("leak")
    for key, claim in ledger().items():
        result, told = judge(claim, post), parsed["claims"].text[key]
        assert claim.quoted in told
        assert f"{SIGNS[result.verdict]} {result.verdict.replace('-', ' ')}" in told
        assert result.shown() in told
        assert claim.note in told


def test_every_row_of_every_check_is_shown(parsed: dict[str, Parsed]) -> None:
    heads = 1 + len(tables())
    assert parsed["validation"].tags["tr"] == sum(len(one.checks) for one in tables()) + len(tables()) + heads


def test_every_link_leads_somewhere(parsed: dict[str, Parsed], folder: Path) -> None:
    files = {file.relative_to(folder / "extra").as_posix() for file in (folder / "extra").rglob("*") if file.is_file()}
    dead = []
    for name, page in parsed.items():
        for to in (to for to in page.links if not to.startswith(("https://", "http://"))):
            file, _, key = to.partition("#")
            there = Path(file).stem if file else name
            if not to:
                dead.append(f"{name}: a link without an address")
            elif key and there in parsed:  # a chapter's own addresses are looked at in the browser
                dead += [] if key in parsed[there].ids else [f"{name}: {to}"]
            elif file not in files and not any(folder.glob(f"{there}.*")):
                dead.append(f"{name}: {to}")
    assert sorted(set(dead)) == []


def test_every_citation_resolves() -> None:
    listed = set(catalog.references)
    assert set(used.cited_in_chapters()) - listed == set()
    others = {key for key in used.cited_by_numbers() if key not in listed and key not in ledger()}
    assert {key for key in others if key not in ("arithmetic", "assumed") and ", read as" not in key} == set()
    assert set(used.cited_by_facts(TABLES)) - listed == set()


def test_bibtex_is_one_balanced_record_for_each_source() -> None:
    for key, one in catalog.references.items():
        record = re.sub(r"\\[{}]", "", one.bibtex())
        assert record.count("{") == record.count("}")
        assert record.startswith(f"@misc{{{key},\n")
        assert re.search(r"(?<!\\)[&%$#_]", re.sub(r"  (url|eprint) = .*|@misc{.*", "", record)) is None


def hostile(record: Any, but: set[str]) -> Any:
    texts = [f.name for f in attrs.fields(type(record)) if isinstance(getattr(record, f.name), str)]
    return attrs.evolve(record, **{name: HOSTILE for name in texts if name not in but})


def test_what_is_not_ours_is_escaped(folder: Path) -> None:
    claim = hostile(ledger()["C33"], {"id", "chapter", "stated_unit", "relation", "sets", "by", "verdict"})
    made = cards.Card(
        attrs.evolve(judge(ledger()["C33"], load_scenario("leak")), claim=claim), "leak", HOSTILE, dt.date.today()
    )
    reference = attrs.evolve(
        hostile(catalog.references["kaplan2020"], {"slug"}), link="javascript:alert(1)", authors=[HOSTILE]
    )
    entries = [
        claims._of_claim(folder, made),
        of_entry("models", hostile(catalog.models["gpt-3-175b"], {"slug"})),
        of_entry("evidence", hostile(catalog.evidence["gpt-4-system-card"], {"slug"})),
        words._of_reference(folder, reference),
        words._of_term(folder, hostile(catalog.glossary["token"], {"slug", "says"})),
        parts.entry(HOSTILE, parts.link("javascript:alert(1)", HOSTILE), {HOSTILE: ""}, kind=HOSTILE),
        parts.finder(kind={HOSTILE: HOSTILE}),
    ]
    for html in entries:
        page = Parsed(html)
        assert (page.wrong, page.open) == ([], [])
        assert not {"script", "img"} & set(page.tags)
        assert not [name for name in page.attributes if name.startswith("on")]
        assert not [to for to in page.links if to.startswith("javascript:")]
        assert parts.FENCE not in parts.raw(parts.FENCE + html).strip("`").partition("html")[2].rpartition("\n")[0]


def test_the_front_page_shows_what_the_library_computes(folder: Path) -> None:
    data = re.search(r'class="g4l-states">(.*?)</script>', (folder / "index.md").read_text("utf-8"))
    assert data is not None
    states = json.loads(data[1])
    assert len(states) == len(index.PRICES)
    for price, shown in zip(index.PRICES, states, strict=True):
        result = judge(index.CLAIM, change(load_scenario("leak"), {index.MOVED: price}))
        assert shown["cost"] == result.shown()
        assert result.verdict.replace("-", " ") in shown["verdict"]
        line = unquote(shown["on"].partition("?")[2])
        assert load_scenario(line).cluster.usd_per_gpu_hour == price
        stated, low, high = result.stated[0], min(result.recomputed), max(result.recomputed)
        assert ("within" in shown["says"], "less." in shown["says"], "more." in shown["says"]) == (
            low <= stated <= high,
            stated < low,
            stated > high,
        )
        assert 0 <= float(shown["left"][:-1]) <= float(shown["left"][:-1]) + float(shown["width"][:-1]) <= 100


def test_choices_of_the_ledger_find_something(parsed: dict[str, Parsed], folder: Path) -> None:
    text = (folder / "claims.md").read_text("utf-8")
    found = dict(re.findall(r'id="(\w+)" data-verdict="([\w-]+)"', text))
    assert set(found) == set(ledger())
    assert set(found.values()) <= set(VERDICTS) == set(claims.meanings())


def test_pictures_of_links_hold_both_numbers_and_nothing_runs_over() -> None:
    for chapter in chapters().values():
        svg = cards.preview(chapter)
        lines = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" font-size="([\d.]+)"[^>]*>(.*?)</text>', svg)
        told, first = unescape(" ".join(said for *_, said in lines)), chapter.conflict.first
        for part in (*first.claimed, *first.found, first.gap):
            assert first.in_words(part) in told
        for x, y, size, said in lines:
            assert float(x) + 0.55 * float(size) * len(unescape(said)) <= cards.WIDTH, said
            assert float(y) <= cards.HEIGHT


def test_every_page_says_what_it_is_to_whoever_links_to_it() -> None:
    for name in [*(page.name for page in PAGES), *(chapter.file for chapter in chapters().values())]:
        told = Parsed(preview.tags(name))
        assert told.wrong == []
        assert f'"{home.ADDRESS}/{name}.html"' in preview.tags(name)
        assert 'property="og:image"' in preview.tags(name)


def test_words_of_the_glossary_name_what_there_is() -> None:
    for term in catalog.glossary.values():
        assert all(known(name) == name for name in term.numbers)
        assert set(term.chapters) <= set(chapters())
        assert {catalog.glossary[key].slug for key in term.see} == set(term.see)
        assert term.slug not in term.see


def test_a_card_lies_where_it_says(folder: Path) -> None:
    for key in ledger():
        page = folder / "extra" / home.page_of(key).removeprefix(f"{home.ADDRESS}/")
        assert home.page_of(key) in page.read_text("utf-8")


def test_the_look_of_these_pages_touches_nothing_of_the_book(root: Path) -> None:
    book = "".join(
        file.read_text("utf-8") for end in ("css", "py", "js") for file in (root / "gpt4lab").rglob(f"*.{end}")
    )
    look = (root / "web" / "pages" / "look" / "pages.css").read_text("utf-8")
    firsts = set(re.findall(r"(?:^|[},])\s*\.(g4l-\w+)", re.sub(r"@media[^{]*\{|/\*.*?\*/", "", look)))
    assert "g4l-item" in firsts
    assert [name for name in firsts if re.search(rf"(?<!-){name}\b(?!-)", book)] == []


def test_what_a_page_says_otherwise_is_still_said(root: Path) -> None:
    first = (root / "notebooks" / f"{chapters()['00'].file}.ipynb").read_text("utf-8")
    cells = "\n".join("".join(cell["source"]) for cell in json.loads(first)["cells"])
    assert [words for words in run.ON_A_PAGE if not re.search(words, cells)] == []
