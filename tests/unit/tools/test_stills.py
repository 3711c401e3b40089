"""What stands in a notebook before anything runs: all words of a panel, its picture, and the numbers to compare."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import attrs
import ipywidgets as w
import pytest

from gpt4lab.charts.drawing import Box, Drawing, Scene, Words
from gpt4lab.panels.curve import Curve
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.measured import Measured
from gpt4lab.panels.panel import LivePanel, Panel
from gpt4lab.scenario import FIELDS, load_scenario
from tests.unit.panels.declared import declared
from tools import stills
from tools.stills import still

NOTEBOOKS = sorted((Path(__file__).resolve().parents[3] / "notebooks").glob("[01]?_*.ipynb"))
SOURCE = re.compile(r'src="data:image/svg\+xml;base64,([^"]*)"')
ASKS = re.compile(
    r"<(?:script|style|link|iframe|image|use)\b|url\((?!#)|href=|src=\"(?!data:)|@import|http(?!://www\.w3\.org/2000/svg)"
)
PANELS = declared(Panel) | declared(Curve) | declared(Drawn)


class Text(HTMLParser):
    """The words of a piece of HTML and the alternatives of its images; every element closes."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.words, self.alternatives, self.open = "", [], []
        self.feed(source)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.alternatives += [dict(attrs)["alt"]] if tag == "img" else []
        self.open += [tag] if tag not in ("img", "br") else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def html_of(output: Any) -> str:
    return "".join(output["data"]["text/html"])


def shipped() -> list[tuple[str, Any]]:
    cells = [(path, cell) for path in NOTEBOOKS for cell in json.loads(path.read_text("utf-8"))["cells"]]
    return [(f"{path.stem}: {cell['id']}", output) for path, cell in cells for output in cell.get("outputs", ())]


def test_every_chapter_has_panels_that_can_be_read_without_running() -> None:
    assert {name.partition(":")[0] for name, _ in shipped()} == {path.stem for path in NOTEBOOKS}


@pytest.mark.parametrize(("name", "output"), shipped(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_shipped_picture_is_xml_and_asks_for_nothing(name: str, output: Any) -> None:
    html = html_of(output)
    read = Text(html)
    assert stills.HOW in read.words or "Recorded on" in read.words
    assert all(read.alternatives)
    assert len(read.alternatives) == len(SOURCE.findall(html))
    assert ASKS.search(html) is None
    for source in SOURCE.findall(html):
        picture = base64.b64decode(source).decode()
        assert ElementTree.fromstring(picture).tag.endswith("svg")
        assert ASKS.search(picture) is None


@pytest.mark.parametrize("panel", PANELS.values(), ids=PANELS)
def test_a_still_panel_says_what_the_panel_opens_with(panel: Any) -> None:
    live = panel.widget()
    view = panel.view(live.scenario)
    found = Text(html_of(still(live, draw=False)))
    wanted = (panel.title, view.label, view.headline, view.change, view.sentence, *panel.claims)
    assert [words for words in wanted if words and words not in found.words] == []
    assert view.sentence in " ".join((*found.alternatives, found.words))


def some_panel() -> LivePanel:
    return PANELS["c09_money.run.run"].widget()


def test_another_number_is_another_still() -> None:
    panel = some_panel()
    before = still(panel, draw=False)
    assert still(panel, draw=False) == before
    panel.set({"training.mfu": FIELDS["training.mfu"].default * 1.001})
    assert still(panel, draw=False).metadata != before.metadata


def test_a_picture_draws_the_words_of_the_chart() -> None:
    pytest.importorskip("vl_convert")
    root = ElementTree.fromstring(base64.b64decode(SOURCE.findall(html_of(still(some_panel())))[0]))
    words = {text.text for text in root.findall(".//{*}text")}
    assert {"you", "the post", "Days", "Rent, million $"} <= words


def test_no_dollar_begins_a_formula() -> None:
    assert stills.plain("<p>$1 to $2</p>") == "<p><span>$</span>1 to <span>$</span>2</p>"
    assert re.search(r">[^<$]+\$[^<]*<", html_of(still(some_panel(), draw=False))) is None


def test_what_shows_no_picture_has_no_still() -> None:
    assert [still(shown) for shown in (None, 3, "text", w.HTML("<p>"), w.VBox([w.HTML("<p>")]))] == [None] * 5


def test_what_is_measured_is_recorded_and_not_drawn_anew() -> None:
    panel = attrs.evolve(
        next(iter(declared(Measured).values())),
        measure=lambda _: None,
        shown=lambda *_: some_panel().panel.view(load_scenario("leak")),
    )
    with pytest.raises(ValueError, match="begin its cell with %%live"):
        still(panel.widget())


def test_words_over_each_other_are_moved_apart() -> None:
    words = "".join(f'<text transform="translate(10,{y})">some words</text>' for y in (20, 22, 21, 80))
    root = ElementTree.fromstring(f'<svg><g><g class="mark-text you_words_marks">{words}</g></g></svg>')
    stills.push_apart(root)
    heights = sorted(stills.place(word)[1] for word in root.iter("text"))
    assert all(below - above >= stills.LINE for above, below in pairwise(heights))
    assert heights[-1] == 80


def test_many_points_lie_as_one_path_each_where_it_was() -> None:
    marks = "".join(
        f'<path transform="translate({x},7)" d="M2.5,0A2.5,2.5,0,1,1,-2.5,0L1,1Z" stroke="#123"/>' for x in range(40)
    )
    root = ElementTree.fromstring(f'<svg xmlns="s"><g class="mark-symbol role-mark">{marks}</g></svg>')
    stills.slim(root)
    (path,) = root
    assert path.get("d") == "".join(f"M{x + 2.5:g},7a2.5,2.5,0,1,1,-5,0l3.5,1z" for x in range(40))
    odd = ElementTree.fromstring('<path transform="translate(1,7)" d="M0,0C1,1,2,2,3,3"/>')
    stills.lay(odd)
    assert odd.get("transform") == "translate(1,7)", "a curve that is not known stays as it is"


def test_slimming_keeps_every_place_word_and_colour() -> None:
    parts = "".join(f'<path class="a" d="M{x},0h1.2345v1h-1Z" fill="#{x}{x}{x}"/>' for x in (1, 2, 1, 2))
    text = '<g fill="none" class="b"><text opacity="1" font-size="12px">a</text></g>'
    root = ElementTree.fromstring(
        f'<svg xmlns="s"><g class="mark-rect role-mark">{parts}</g>{text}<g class="c"/></svg>'
    )
    stills.slim(root)
    slimmed = ElementTree.tostring(root, "unicode")
    assert sorted(re.findall(r"M\d,0h1\.2v1h-1Z", slimmed)) == [f"M{x},0h1.2v1h-1Z" for x in (1, 1, 2, 2)]
    assert re.search(r"<\w+:text font-size=\"12px\">a<", slimmed)
    assert not re.search("class|opacity", slimmed)


def test_a_drawing_stands_at_the_scene_that_is_seen_first() -> None:
    scenes = [Scene((Box("tank", 0, 0, n, 9), Words("w", 0, 9, f"step {n}")), 20, f"Step {n}.") for n in (1, 2)]
    for start, words in ((0, "step 1"), (-1, "step 2")):
        drawing = Drawing(scenes, start=start)
        root = ElementTree.fromstring(stills.svg_of(drawing))
        assert root.findtext(".//{*}text") == words
        assert stills.description(drawing) == f"{words.capitalize()}."


def test_a_picture_of_too_many_parts_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stills, "MOST_PARTS", 1)
    html = html_of(still(some_panel()))
    assert (SOURCE.search(html), "too many parts" in html) == (None, True)
