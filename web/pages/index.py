"""The front page: the price of GPT-4 on one screen, and one number of it to move.

A script of a few lines shows states that were computed here, by the book's own quantities; it computes nothing.
Without a script the first state is text, and a table holds some of the others.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import partial
from html import escape
from pathlib import Path
from urllib.parse import quote

from gpt4lab.book.chapter import chapters
from gpt4lab.book.page import Raw, table
from gpt4lab.claims import Result, judge, ledger
from gpt4lab.claims.ledger import HELPED, NEEDS_MORE
from gpt4lab.panels.verdicts import in_words
from gpt4lab.scenario import FIELDS, change, share
from gpt4lab.units import convert, show
from web.pages import parts
from web.pages.claims import fare

CLAIM, MOVED = ledger()["C33"], "cluster.usd_per_gpu_hour"
PRICES = [cents / 100 for cents in range(50, 305, 5)]
SHOWN = (0.5, 1, 1.1, 1.5, 2, 3)
ENDS = 20e6, 200e6  # dollars at the ends of the line, on which twice as much is as far everywhere
TICKS = (25e6, 50e6, 100e6, 200e6)
HEAD = ("An hour of one GPU", "The run costs", "The post's total", "Verdict")


def page(behind: Sequence[parts.Page]) -> parts.Page:
    """The front page, with ways to all others."""
    about = (
        "In July 2023 a post told the world how GPT-4 is built and what it cost. Its numbers are quoted to this day."
    )
    return parts.Page("index", "What GPT-4 cost, and other leaked numbers", about, partial(_body, behind))


def _body(behind: Sequence[parts.Page], folder: Path) -> str:
    pages = "".join(f"<p>{parts.link(f'{one.name}.html', one.title)}: {escape(one.about)}</p>" for one in behind)
    told = parts.sections(_conflict(folder) + fare(), [("The chapters", _chapters(folder)), ("Behind them", pages)])
    written = [chapter.file for chapter in chapters().values() if any(folder.glob(f"{chapter.file}.*"))]
    trees = [_tree("Chapters", written), _tree("Behind them", [one.name for one in behind])]
    return "\n\n".join([told, *trees])


def _tree(words: str, names: Sequence[str]) -> str:
    """What Sphinx makes the navigation of."""
    listed = "\n".join(names)
    return f"```{{toctree}}\n:hidden:\n:caption: {words}\n\n{listed}\n```" if names else ""


def state(price: float) -> dict[str, str]:
    """What an hour's price makes of the run's: in words, as a verdict, and as places on the line in percent."""
    here = change(parts.post(), {MOVED: price})
    result = judge(CLAIM, here)
    low, high = min(result.recomputed), max(result.recomputed)
    return {
        "price": show(price, "USD"),
        "cost": result.shown(),
        "verdict": in_words(result.verdict),
        "says": _gap(result),
        "needs": f"The assumption: {CLAIM.assumption}." if result.verdict in (HELPED, NEEDS_MORE) else "",
        "on": f"{chapters()[CLAIM.chapter].file}.html?{quote(share(here), safe='?=.,')}",
        "left": f"{_place(low):.2f}%",
        "width": f"{_place(high) - _place(low):.2f}%",
    }


def _gap(result: Result) -> str:
    """Where the post's total lies beside what its own machines and days cost."""
    stated, low, high = result.stated[0], min(result.recomputed), max(result.recomputed)
    words = f"The post’s {show(stated, result.unit)}"
    if low <= stated <= high:
        return f"{words} lies within that."
    less = stated < low
    return f"{words} is {abs(stated / (low if less else high) - 1):.0%} {'less' if less else 'more'}."


def _place(usd: float) -> float:
    low, high = map(math.log, ENDS)
    return 100 * (math.log(usd) - low) / (high - low)


def _conflict(folder: Path) -> str:
    states, price, gpus = list(map(state, PRICES)), FIELDS[MOVED].default, FIELDS["cluster.gpus"]
    days = show(sorted(case["cluster.days"] for case in CLAIM.given), "day")
    at, data = PRICES.index(price), json.dumps(states, ensure_ascii=False).replace("<", "\\u003c")
    return (
        f'<section class="g4l-front" aria-label="The price of GPT-4"><blockquote>{escape(CLAIM.quoted)} '
        f"{parts.claim_link(CLAIM.id)}</blockquote><p>It also says what that pays for: "
        f"{show(gpus.default, gpus.unit)}, {days}, about {show(price, 'USD')} for an hour of each. "
        "Multiply; then pay another price.</p>"
        '<label class="g4l-mover" hidden>An hour of one GPU '
        f'<input type="range" min="0" max="{len(states) - 1}" value="{at}">'
        f'<span aria-hidden="true"><i>{show(PRICES[0], "USD")}</i><i>{show(PRICES[-1], "USD")}</i></span></label>'
        f"{_said(states[at])}{_on(folder, states[at])}"
        f'<script type="application/json" class="g4l-states">{data}</script></section>'
        f"<details><summary>The same as a table</summary>{_table()}</details>"
    )


def _on(folder: Path, here: dict[str, str]) -> str:
    """The way on, to the chapter in this state, where the site has it."""
    words = f"Take it apart at this price, in chapter {CLAIM.chapter}"
    there = any(folder.glob(f"{chapters()[CLAIM.chapter].file}.*"))
    return f'<p><a class="g4l-on" href="{escape(here["on"])}">{words}</a></p>' if there else ""


def _said(here: dict[str, str]) -> str:
    """One state in words, and the run's price as a bar, the post's as a diamond, on a line of dollars."""
    stated = _place(convert(CLAIM.stated[0], CLAIM.stated_unit, "USD"))
    ticks = "".join(f'<span style="left:{_place(usd):.1f}%">{show(usd, "USD")}</span>' for usd in TICKS)
    return (
        f'<div aria-live="polite" class="g4l-said"><p class="g4l-big">At <b data-of="price">{here["price"]}</b> an '
        f'hour the run costs <b data-of="cost">{here["cost"]}</b>.</p><p><span data-of="says">{here["says"]}</span> '
        f'<span data-of="verdict">{here["verdict"]}</span></p><p data-of="needs">{here["needs"]}</p></div>'
        f'<div class="g4l-line" aria-hidden="true"><b style="left:{stated:.2f}%">◇ the post</b>'
        f'<i class="g4l-bar" style="left:{here["left"]};width:{here["width"]}"></i>'
        f'<i class="g4l-diamond" style="left:{stated:.2f}%"></i>{ticks}</div>'
        "<p>Bar: the post’s machines and days at this price.</p>"
    )


def _table() -> str:
    rows = [(one["price"], one["cost"], one["says"], Raw(one["verdict"])) for one in map(state, SHOWN)]
    return table("The same at some prices", HEAD, rows)


def _chapters(folder: Path) -> str:
    told = [(parts.chapter_link(folder, number), escape(chapter.stakes)) for number, chapter in chapters().items()]
    listed = "".join(f"<li>{link}<br><span>{stakes}</span></li>" for link, stakes in told)
    return f'<ol class="g4l-chapters">{listed}</ol>'
