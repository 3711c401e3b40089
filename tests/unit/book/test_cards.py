"""Cards and ClaimReview, over all claims: they say what the audit says, whole, escaped, and ask for nothing."""

from __future__ import annotations

import datetime as dt
import json
import re
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gpt4lab.book.cards import Card, card, page, picture
from gpt4lab.book.cards.drawn import compared, number_line
from gpt4lab.charts.still import document
from gpt4lab.claims import Result, audit, ledger
from gpt4lab.claims.prose import as_stated
from gpt4lab.claims.review import BEST, WORST, reviews
from gpt4lab.claims.sensitivity import flips_in_words
from gpt4lab.cli import main
from gpt4lab.home import ADDRESS, AUTHOR
from gpt4lab.panels.verdicts import SIGNS
from gpt4lab.quantities import QUANTITIES
from gpt4lab.scenario import FIELDS, ScenarioError, load_scenario

LEAK, DAY = load_scenario("leak"), dt.date(2026, 1, 2)
MOST_WORDS = 12
NAMES = ("http://www.w3.org/2000/svg", "https://schema.org")  # of standards: nobody asks for them
LOADS = re.compile(
    r"<(?:link|img|iframe|object|embed|use|image)\b|\bsrc=|\bhref=|url\(|@import|<script(?! type=\"application)"
)
ROOT = Path(__file__).resolve().parents[3]


@cache
def made(key: str) -> Card:
    return card(key, LEAK, DAY)


@cache
def judged() -> dict[str, Result]:
    return {result.claim.id: result for result in audit(LEAK)}


class Text(HTMLParser):
    """The words of a page, and the elements that are open."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.words, self.open = [], []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open += [] if tag == "meta" else [tag]

    def handle_startendtag(self, tag: str, attrs: object) -> None: ...

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("key", ledger())
def test_a_card_says_what_the_audit_says(key: str) -> None:
    found, told = made(key), dict(made(key).lines())
    result = judged()[key]
    assert len(ledger()[key].quote.split()) <= MOST_WORDS
    assert found.quote == ledger()[key].quoted
    assert found.verdict == f"{SIGNS[result.verdict]} {result.verdict.replace('-', ' ')}"
    assert told.get("As written", "") == as_stated(key)
    assert told.get("Recomputed", "") == result.shown()
    assert told.get("What flips it") == (flips_in_words(ledger()[key], LEAK, 1) if ledger()[key].checkable else None)
    assert "2026-01-02" in found.made
    assert found.made.endswith("assumptions: leak")


@pytest.mark.parametrize("key", ledger())
def test_its_picture_is_xml_with_a_text_alternative(key: str) -> None:
    root = ElementTree.fromstring(picture(made(key)))
    drawn = "".join("".join(text.itertext()) for text in root.findall(".//{*}text"))
    assert root.attrib["role"] == "img"
    assert root.findtext("{*}title") == root.attrib["aria-label"] == f"{key}: {made(key).verdict}"
    assert root.findtext("{*}desc") == " ".join(made(key).text()[1:])
    assert all("".join(line.split()) in "".join(drawn.split()) for line in made(key).text())  # lines are broken
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert all(
        0 < float(text.attrib["x"]) < width and 0 < float(text.attrib["y"]) < height
        for text in root.findall(".//{*}text")
    )


@pytest.mark.parametrize("key", ledger())
def test_its_page_is_whole_and_asks_for_nothing(key: str) -> None:
    source = page(made(key))
    read = Text(source)
    assert read.open == []
    assert all(words in read.words for _, words in made(key).lines())
    assert LOADS.search(source) is None
    data = re.search(r'<script type="application/ld\+json">(.*?)</script>', source)
    assert data
    assert json.loads(data[1]) == json.loads(json.dumps(made(key).review))


def test_the_pattern_of_what_loads_finds_each() -> None:
    loads = ('<img src="x">', '<link rel="x">', "<script>", '<a href="x">', "@import 'x'", "background: url(x)")
    assert all(LOADS.search(text) for text in loads)


def test_what_a_scenario_is_called_is_escaped_everywhere() -> None:
    found = card("C33", load_scenario("leak?name=%3C%2Fscript%3E%3Cb%3E%22%26&training.mfu=0.4"), DAY)
    nasty = Card(found.result, '</script><b>"&\x00', found.flip, DAY)
    ElementTree.fromstring(picture(nasty))
    assert "<b>" not in page(nasty)
    assert page(nasty).count("</script>") == 1


def test_words_that_no_xml_can_hold_are_marked() -> None:
    assert ElementTree.fromstring(document("a\x00<b", '"', 1, 1, "")).findtext("{*}title") == "a�<b"


def test_the_line_of_numbers_lies_as_they_do() -> None:
    for key in filter(lambda key: compared(judged()[key]), ledger()):
        line = ElementTree.fromstring(f"<g>{number_line(judged()[key], 0)}</g>")
        dots = [float(dot.attrib["cx"]) for dot in line.iter("circle")]
        written = [float(path.attrib["d"][1:].split()[0]) for path in line.iter("path") if "l9" in path.attrib["d"]]
        result = judged()[key]
        pairs = zip((*result.stated, *result.recomputed), (*written[:-1], *dots[:-1]), strict=True)  # the last: the key
        places = [x for _, x in sorted(pairs)]
        assert places == sorted(places), key
        assert all(0 < x < 640 for x in places)


def test_the_ledger_as_claimreview() -> None:
    document = json.loads(json.dumps(reviews(judged().values(), "leak", DAY)))
    assert document["@context"] == "https://schema.org"
    found = {entry["identifier"]: entry for entry in document["@graph"]}
    assert set(found) == {key for key, result in judged().items() if result.verdict != "no-claim"}
    for key, entry in found.items():
        rating, result = entry["reviewRating"], judged()[key]
        assert (entry["@type"], entry["claimReviewed"]) == ("ClaimReview", result.claim.quote)
        assert entry["author"] == {"@type": "Organization", "name": AUTHOR, "url": ADDRESS}
        assert entry["url"].startswith(ADDRESS)
        assert rating["alternateName"] == result.verdict.replace("-", " ")
        assert result.shown() in rating["ratingExplanation"]
        assert as_stated(key) in rating["ratingExplanation"]
        assert entry["itemReviewed"]["appearance"]["name"]
        assert ("ratingValue" in rating) == (result.verdict not in ("not-checkable", "opinion", "not-known")), key
        assert WORST <= rating.get("ratingValue", BEST) <= BEST


def test_the_author_has_one_name() -> None:
    assert f'name: "{AUTHOR}"' in (ROOT / "CITATION.cff").read_text("utf-8")


# --- on the command line -----------------------------------------------------------------------------


def test_a_card_is_written_where_one_wants_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    svg, html = tmp_path / "a.svg", tmp_path / "a.html"
    assert main(["card", "c12", "--svg", str(svg), "--html", str(html)]) == 0
    assert capsys.readouterr().out.splitlines() == card("C12", LEAK).text()
    assert svg.read_text("utf-8") == picture(card("C12", LEAK))
    assert "C12" in html.read_text("utf-8")


def test_a_card_as_png(tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    assert main(["card", "C12", "--png", str(tmp_path / "a.png")]) == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_without_the_renderer_one_sentence_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    assert main(["card", "C12", "--png", str(tmp_path / "a.png")]) == 2
    assert "pip install vl-convert-python" in capsys.readouterr().err
    assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize("key", ["C999", "", "33", "<b>", "x" * 10_000])
def test_an_unknown_claim_is_one_sentence(key: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ScenarioError):
        card(key, LEAK)
    assert main(["card", key]) == 2
    error = capsys.readouterr().err
    assert (error.count("\n"), len(error) < 200) == (1, True)


def test_claimreview_on_the_command_line_follows_its_filters(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claims", "--claimreview", "--chapter", "03"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [entry["identifier"] for entry in document["@graph"]] == ["C11", "C12", "C13", "C14"]


def test_a_card_names_what_was_computed_and_no_mark_stands_twice() -> None:
    for key, result in judged().items():
        told = " ".join(made(key).text())
        names = [name for name in result.claim.quantity if name in QUANTITIES or name in FIELDS]
        assert ("What that is: " in told) == bool(result.recomputed and names), key
        assert "““" not in told
        assert "””" not in told
