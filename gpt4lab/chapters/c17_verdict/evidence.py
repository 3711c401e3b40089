"""Chapter 17: the public evidence in strands; what goes back to one source is one witness."""

from __future__ import annotations

import math
from collections.abc import Iterator

from gpt4lab.charts.drawing import Box, Scene, Shape, Stroke, Words
from gpt4lab.claims.prose import as_stated
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.view import View
from gpt4lab.scenario import Scenario
from gpt4lab.scenario.live import STRANDS
from gpt4lab.units import counted
from gpt4lab.verdict.strands import BY_STRAND, DERIVED, EVERY, ONE, Item, Strand, Weighed, questions, weighed

ROW, TOP, MIDDLE, TENFOLD, NAMES = 21, 28, 440, 62, 270  # px; TENFOLD: as wide as ten times likelier
WHOSE = {
    "leak": "the article", "rumour": "talk before it", "NVIDIA": "NVIDIA", "OpenAI": "OpenAI itself",
    "behaviour": "how it behaves", "court": "courts", "press": "other reporters", DERIVED: "derived from the leak",
}  # fmt: skip


def _wide(ratio: float) -> float:
    return max(-2.9, min(2.9, math.log10(ratio))) * TENFOLD


def _bar(key: str, ratio: float, y: float, look: str, tip: str) -> Box:
    wide = _wide(ratio)
    return Box(key, MIDDLE + min(0.0, wide), y - 7, max(1.5, abs(wide)), 14, look, tip)


def _times(ratio: float) -> str:
    return f"×{ratio:.2g}" if ratio >= 1 else f"1/{1 / ratio:.2g}"


def _item(item: Item, number: int, y: float, lean: float, said: bool) -> Iterator[Shape]:
    low, high = item.band
    tip = f"{item.entry.date}: {item.entry.says} Band {low:g} to {high:g}: {item.why}."
    yield Box(f"item-{number}", 14, y - 9, NAMES - 14, 18, "wash press", tip)
    yield Words(f"name-{number}", 19, y + 4, f"{number} {item.entry.name}", "small" if said else "soft small")
    yield _bar(f"bar-{number}", item.at(lean), y, f"{'green' if item.at(lean) >= 1 else 'orange'} pale", tip)


def _strand(strand: Strand, numbers: list[int], top: float, lean: float) -> Iterator[Shape]:
    """A heading with what the strand says, and its items below."""
    name, said = WHOSE.get(strand.name, "by itself"), strand.name != DERIVED
    yield Words(f"strand-{strand.name}", 2, top + 5, name, "bold small")
    yield _bar(f"sum-{strand.name}", strand.ratio, top, "green" if strand.ratio >= 1 else "orange", "")
    words = _times(strand.ratio) if said else "says nothing"
    yield Words(f"times-{strand.name}", 616, top + 4, words, "bold small", "end")
    for k, (item, number) in enumerate(zip(strand.items, numbers, strict=True)):
        yield from _item(item, number, top + ROW * (k + 1), lean, said)


def scene(scenario: Scenario, found: Weighed) -> Scene:
    """Strand below strand, then from the prior to the posterior."""
    items, lean = questions()[found.question][1], scenario.strands.lean
    shapes: list[Shape] = [Words("against", MIDDLE - 8, 12, "against", "soft small", "end")]
    shapes += [Words("for", MIDDLE + 8, 12, "for", "soft small")]
    y = float(TOP)
    for strand in found.strands:
        shapes += _strand(strand, [items.index(item) + 1 for item in strand.items], y, lean)
        y += ROW * (len(strand.items) + 1) + 4
    shapes.append(Stroke("middle", MIDDLE, 16, MIDDLE, y - 10, "soft"))
    shapes += _ruler(found, y + 12)
    words = "; ".join(f"{WHOSE.get(s.name, s.name)} {_times(s.ratio)}" for s in found.strands if s.name != DERIVED)
    return Scene(
        shapes, y + 56, f"Evidence by strand, a bar each for or against: {words}. {_arithmetic(found)}",
        titles={"item": "Item", "date": "Date", "strand": "Strand", "band": "Band", "here": "Here", "why": "Why"},
        rows=[
            {"item": i.entry.name, "date": str(i.entry.date), "strand": s.name,
             "band": f"{i.band[0]:g} to {i.band[1]:g}", "why": i.why,
             "here": "–" if s.name == DERIVED else _times(i.at(lean))}
            for s in found.strands for i in s.items
        ],
    )  # fmt: skip


def _ruler(found: Weighed, y: float) -> Iterator[Shape]:
    """How likely it was and is, from 0 to 1, with the posterior of a sceptic and of a believer."""
    left, wide = 40, 540
    yield Box("ruler", left, y, wide, 10, "wash")
    yield Box("band", left + wide * found.low, y, max(2, wide * (found.high - found.low)), 10, "sky pale")
    yield Box("posterior", left + wide * found.posterior - 2, y - 4, 4, 18, "blue")
    yield Box("prior", left + wide * found.prior - 1, y - 4, 2, 18, "ink")
    yield Words("zero", left - 6, y + 9, "0", "soft small", "end")
    yield Words("one", left + wide + 6, y + 9, "1", "soft small")
    yield Words("prior-words", left + wide * found.prior, y + 30, "before", "soft small", "middle")
    yield Words("after-words", left + wide * found.posterior, y - 10, f"after: {found.posterior:.0%}", "bold small",
                "end" if found.posterior > 0.5 else "start")  # fmt: skip


def _arithmetic(found: Weighed) -> str:
    said = [strand for strand in found.strands if strand.name != DERIVED]
    ratios = " × ".join(_times(s.ratio).removeprefix("×") for s in said)
    odds = found.posterior / (1 - found.posterior)
    return f"Odds {found.odds:.2g} × {ratios} = {odds:.2g}."


def evidence_view(scenario: Scenario) -> View:
    """How likely the claim is, given what is public and how it is counted."""
    found = weighed(scenario)
    claim, items = questions()[found.question]
    witnesses = sum(strand.name != DERIVED for strand in found.strands)
    stated = as_stated(claim.id)
    return View(
        f"{found.question[0].upper()}{found.question[1:]}: how likely",
        found.posterior,
        "fraction",
        f"{_arithmetic(found)} {counted(len(items), 'item')} in print are {counted(witnesses, 'witness')}. Who takes "
        f"each at its weakest has {found.low:.0%}, who takes each at its strongest {min(found.high, 0.99):.0%}"
        f"{' or more' if found.high > 0.99 else ''}. The claim is "
        f"{claim.id}{f', {stated}' if stated else ''}.".replace("witnesss", "witnesses"),
        scenes=[scene(scenario, found)],
    )


def pressing(scenario: Scenario, key: str) -> dict[str, str]:
    """An item that is pressed goes over into the next strand that there is; round again to its own."""
    number = key.partition(" ")[0].partition("-")[2]
    own = questions()[scenario.strands.question][1][int(number) - 1].entry.strand
    moved = dict(word.split("=") for word in scenario.strands.moved.split())
    after = STRANDS[(STRANDS.index(moved.get(number, own)) + 1) % (len(STRANDS) - 1)]
    moved = {key: name for key, name in {**moved, number: after}.items() if key != number or after != own}
    return {"strands.moved": " ".join(f"{key}={name}" for key, name in sorted(moved.items()))}


strands = Drawn(
    title="Witnesses, not articles",
    legend="A strand is what goes back to one source. Bars to the right speak for the claim, to the left against; pale "
    "ones are single items, full ones what the strand says. Press an item to put it into the next strand, or write "
    "it, such as 4=leak. The bands are this book’s judgement; hover one to read why.",
    controls=("strands.question", "strands.counting", "strands.prior", "strands.lean", "strands.moved"),
    presets={
        "Each source once": "leak",
        "Count every article": {"strands.counting": EVERY},
        "One rumour": {"strands.counting": ONE},
        "The only witness": {"strands.question": "one key-value head"},
    },
    tour=(
        ({"strands.counting": EVERY}, "Count what is in print, and {verdict.posterior:.0%} is the answer."),
        ({"strands.counting": BY_STRAND}, "Count sources. Epoch’s notebook took its number from the leak: out. Now "
                                          "it is {verdict.posterior:.0%}."),
        ({"strands.counting": ONE}, "Suppose that Hotz, the article and NVIDIA all heard the same. Then it is one "
                                    "witness, and {verdict.posterior:.0%}."),
    ),
    claims=("F06",),
    view=evidence_view,
    pressing=pressing,
)  # fmt: skip
