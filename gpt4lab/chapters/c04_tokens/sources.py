"""Chapter 04: where the tokens could come from, row by row, and how many each could give at most."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from gpt4lab import catalog
from gpt4lab.catalog import Dataset
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario, get
from gpt4lab.scenario.published import published
from gpt4lab.units import show

ROUNDED = {"training.tokens": 0.5e12}  # half of the last digit of "about 13 trillion"
TERA = 1e12
BOOKS = sum(catalog.datasets[slug].need("tokens") for slug in ("gpt-3-books1", "gpt-3-books2"))
GPT3 = {f"gpt-3-{part}": part for part in ("commoncrawl", "webtext2", "books1", "books2", "wikipedia")}


def hole_range(scenario: Scenario) -> tuple[float, float]:
    """What web text may leave open, if the two stated numbers are only as exact as they are written."""
    return value("data.unexplained_least", scenario), value("data.unexplained_most", scenario)


@attrs.frozen
class Supply:
    """One body of text, if all of it were in the mix.

    tokens: seen, its readings counted; low and high: with the shortest and the longest items that were published.
    who: a mark's name: the post (or its poster), somebody who published it, or an assumption. counted: by whom.
    """

    name: str
    who: str
    items: str
    each: str
    tokens: float
    low: float
    high: float
    counted: str


def sources(scenario: Scenario) -> list[Supply]:
    """Every body of text that the post, a court, a newspaper or a paper names, the largest first."""
    return sorted(_listed(scenario), key=lambda one: -one.tokens)


def _listed(scenario: Scenario) -> Iterator[Supply]:
    data, known = scenario.data, catalog.datasets
    old, court, small = (known[key] for key in ("libgen-2020", "libgen-books1-books2", "gpt-3-books1"))
    yield _items(scenario, "Sci-Hub, as the poster counts", "post", data.papers, "paper", "the poster; 88M confirmed")
    yield _items(scenario, "LibGen, as the poster counts", "post", data.books, "book", "the poster")
    yield _items(scenario, "LibGen in January 2020", "published", old.need("items"), "book", _cite(old))
    yield _items(scenario, "LibGen copies in court, at least", "published", court.need("items"), "book", _cite(court))

    once, speech = value("data.instruction_tokens", scenario), value("data.speech_tokens", scenario)
    books = value("data.textbooks_tokens", scenario)
    github, hour = _cite(known["the-stack-v2"]), show(speech / data.video_hours, "token/hour")
    yield _whole("All of GitHub", "post", value("data.repository_seen", scenario), f"the poster; {github}")
    yield _whole("GPT-3’s Books1 and Books2", "published", BOOKS * data.text_epochs, _cite(small))
    yield _whole("YouTube, transcribed", "published", speech * data.text_epochs, _cite(known["openai-youtube"]),
                 f"{show(data.video_hours, 'hour')} or more", hour)  # fmt: skip
    yield _whole("College textbooks", "you", books * data.text_epochs, "nobody: our guess",
                 show(data.textbooks, "book"), show(data.tokens_per_textbook, "token/book"))  # fmt: skip
    yield _whole("Instruction data", "post", once, "the post: “millions”; the length is ours",
                 show(data.instruction_rows, "row"), show(data.tokens_per_row, "token/row"))  # fmt: skip


def _whole(name: str, who: str, seen: float, counted: str, items: str = "", each: str = "") -> Supply:
    return Supply(name, who, items, each, seen, seen, seen, counted)


def _items(scenario: Scenario, name: str, who: str, items: float, item: str, counted: str) -> Supply:
    """A shadow library: so many books or papers, all of one length."""
    path, readings = f"data.tokens_per_{item}", scenario.data.text_epochs
    each, known = get(scenario, path), published(path, scenario)
    low, high = (items * end * readings for end in ((known.lo, known.hi) if known else (each, each)))
    seen = items * each * readings
    return Supply(name, who, show(items, item), show(each, f"token/{item}"), seen, low, high, counted)


def _cite(dataset: Dataset) -> str:
    return catalog.references[dataset.sources[0].reference].cite()


def listed(scenario: Scenario) -> list[dict[str, Any]]:
    """The same as a table, with what each would fill of the hole that web text leaves."""
    hole = value("data.unexplained", scenario)
    return [
        {
            "source": one.name,
            "items": one.items or "counted in tokens",
            "length of one": one.each or "–",
            "seen, readings counted": show(one.tokens, "token"),
            "share of the hole": f"{one.tokens / hole:.1%}",
            "who counted": one.counted,
        }
        for one in sources(scenario)
    ]


def gpt3_readings() -> list[dict[str, str]]:
    """How often GPT-3 read each part of its mix, by the shares and sizes that OpenAI published."""
    mix = catalog.constants["gpt-3-mix"]
    return [
        {
            "part": catalog.datasets[slug].name.removeprefix("GPT-3 "),
            "tokens": f"{catalog.datasets[slug].need('tokens') / 1e9:.0f} billion",
            "share of what was read": f"{mix.need(key):.0%}",
            "readings": f"{mix.need(key) * mix.need('tokens') / catalog.datasets[slug].need('tokens'):.2g}",
        }
        for slug, key in GPT3.items()
    ]
