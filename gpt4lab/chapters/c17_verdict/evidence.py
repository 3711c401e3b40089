"""Chapter 17: the public evidence in strands; what goes back to one source is one witness."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from gpt4lab.charts.drawing import Box, Scene, Shape, Stroke, Words
from gpt4lab.claims.prose import as_stated
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.view import View
from gpt4lab.scenario import Scenario
from gpt4lab.scenario.live import STRANDS
from gpt4lab.units import counted
from gpt4lab.verdict.strands import BY_STRAND, DERIVED, EVERY, ONE, Item, Strand, Weighed, moves, questions, weighed

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


def _item(item: Item, y: float, lean: float, said: bool) -> Iterator[Shape]:
    (low, high), number = item.band, item.number
    tip = f"{item.entry.date}: {item.entry.says} Band {low:g} to {high:g}: {item.why}."
    yield Box(f"item-{number}", 14, y - 9, NAMES - 14, 18, "wash press drag", tip)
    yield Words(f"name-{number}", 19, y + 4, f"{number} {item.entry.name}", "small" if said else "soft small")
    yield _bar(f"bar-{number}", item.at(lean), y, f"{'green' if item.at(lean) >= 1 else 'orange'} pale", tip)


def _strand(strand: Strand, top: float, lean: float) -> Iterator[Shape]:
    """A heading with what the strand says, and its items below."""
    name, said = WHOSE.get(strand.name, "by itself"), strand.name != DERIVED
    yield Box(f"strand-{strand.name}", 0, top - 8, NAMES, 17, "paper press drag", f"The whole strand: {name}")
    yield Words(f"title-{strand.name}", 2, top + 5, name, "bold small")
    yield _bar(f"sum-{strand.name}", strand.ratio, top, "green" if strand.ratio >= 1 else "orange", "")
    words = _times(strand.ratio) if said else "says nothing"
    yield Words(f"times-{strand.name}", 616, top + 4, words, "bold small", "end")
    for k, item in enumerate(strand.items):
        yield from _item(item, top + ROW * (k + 1), lean, said)


def scene(scenario: Scenario, found: Weighed) -> Scene:
    """Strand below strand, then from the prior to the posterior."""
    lean = scenario.strands.lean
    shapes: list[Shape] = [Words("against", MIDDLE - 8, 12, "against", "soft small", "end")]
    shapes += [Words("for", MIDDLE + 8, 12, "for", "soft small")]
    y = float(TOP)
    for strand in found.strands:
        shapes += _strand(strand, y, lean)
        y += ROW * (len(strand.items) + 1) + 4
    shapes.append(Stroke("middle", MIDDLE, 16, MIDDLE, y - 10, "soft"))
    shapes += _ruler(found, y + 12)
    words = "; ".join(f"{WHOSE.get(s.name, s.name)} {_times(s.ratio)}" for s in found.strands if s.name != DERIVED)
    return Scene(
        shapes, y + 56, f"Evidence by strand, a bar each for or against: {words}. {_arithmetic(found)}",
        keys="UD>",
        titles={"item": "Item", "date": "Date", "strand": "Strand", "band": "Band", "here": "Here", "why": "Why"},
        rows=[
            {"item": f"{i.number} {i.entry.name}", "date": str(i.entry.date), "strand": s.name,
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
        f"{_arithmetic(found)} In print: {counted(len(items), 'item')}, of {counted(witnesses, 'witness')}. Who takes "
        f"each at its weakest has {found.low:.0%}, who takes each at its strongest {min(found.high, 0.99):.0%}"
        f"{' or more' if found.high > 0.99 else ''}. The claim is "
        f"{claim.id}{f', {stated}' if stated else ''}.".replace("witnesss", "witnesses"),
        scenes=[scene(scenario, found)],
    )


# --- what a hand does -------------------------------------------------------------------------------------------------


def pressing(scenario: Scenario, key: str) -> dict[str, str]:
    """Dragged, an item or a whole strand joins the strand that it is dropped on; U and D: the one above or below.

    Pressed, an item goes over into the next strand that there is, round again to its own; a strand lets go what was
    put into it.
    """
    found, (taken, _, way) = weighed(scenario).strands, key.partition(" ")
    at = _place(found, taken)
    there = {"U": at - 1, "D": at + 1}.get(way.upper(), _place(found, way.removeprefix(">")))
    if at < 0 or (way and there not in range(len(found))):
        return {}
    moved = moves(scenario.strands.moved)
    items = [item for item in found[at].items if taken in (_key(item), f"strand-{found[at].name}")]
    if way:
        moved = _joined(moved, items, found[there]) if there != at else moved
    elif taken == _key(items[0]):
        moved[items[0].number] = _next(moved.get(items[0].number, items[0].entry.strand))
    else:
        moved = {number: name for number, name in moved.items() if number not in {item.number for item in items}}
    return _told(scenario, moved)


def _key(item: Item) -> str:
    return f"item-{item.number}"


def _place(found: Sequence[Strand], key: str) -> int:
    """Which strand a shape belongs to; -1 where there is none of that key."""
    keys = [{f"strand-{strand.name}", *map(_key, strand.items)} for strand in found]
    return next((at for at, known in enumerate(keys) if key in known), -1)


def _joined(moved: dict[int, str], items: Sequence[Item], strand: Strand) -> dict[int, str]:
    """Items put into a strand; one that stood alone gets the name of its source, with all that it holds."""
    if strand.name in STRANDS:
        return moved | {item.number: strand.name for item in items}
    return moved | {item.number: strand.items[0].entry.strand for item in (*items, *strand.items)}


def _next(strand: str) -> str:
    """The strand after this one; what is derived is no witness, so nothing goes there by itself."""
    return STRANDS[(STRANDS.index(strand) + 1) % (len(STRANDS) - 1)]


def _told(scenario: Scenario, moved: dict[int, str]) -> dict[str, str]:
    """The moves as they are written; where sources are counted, an item in its own strand needs none."""
    own = {item.number: item.entry.strand for item in questions()[scenario.strands.question][1]}
    kept = {number: name for number, name in moved.items()
            if scenario.strands.counting != BY_STRAND or own.get(number) != name}  # fmt: skip
    return {"strands.moved": " ".join(f"{number}={name}" for number, name in sorted(kept.items()))}


strands = Drawn(
    title="Witnesses, not articles",
    legend="A strand is what goes back to one source. Drag one onto another, and they are one witness; drag a single "
    "item, too. Bars to the right speak for the claim, to the left against; pale ones are items, full ones what the "
    "strand says. Keys: arrows; U and D join the strand above or below; Space puts an item into the next strand, and "
    "lets a strand go back to what it was. Or write it, such as 10=leak. The bands are this book’s own judgement; "
    "hover one to read why.",
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
