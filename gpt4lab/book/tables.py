"""Tables that close a chapter: the cross-check of model and measurement, and the verdict on its claims."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from IPython.display import HTML

from gpt4lab import catalog
from gpt4lab.book.page import Raw, block, escape, shown, table
from gpt4lab.charts import theme
from gpt4lab.checks.check import Check, Checks
from gpt4lab.claims import Claim, Result, audit, claims_of
from gpt4lab.claims.ledger import HELPED, NEEDS_MORE
from gpt4lab.claims.prose import as_stated, fill
from gpt4lab.claims.sensitivity import flips_in_words, pinned, upstream
from gpt4lab.panels.reading import Reading
from gpt4lab.panels.training import LiveTraining
from gpt4lab.panels.verdicts import sealed, verdict_mark
from gpt4lab.panels.view import View
from gpt4lab.quantities import find, values
from gpt4lab.scenario import FIELDS, Scenario, load_scenario
from gpt4lab.units import show


def crosscheck(checks: Iterable[Check], caption: str = "Formula against measurement") -> HTML:
    """Predictions beside what was found, with their ratios; a publication is cited, words stand as they are."""
    checks = tuple(checks)
    alike = len({check.what for check in checks}) == 1
    rows = [
        (
            check.name if check.name and alike else ": ".join(filter(None, (check.name, check.what))),
            show(check.predicted, check.unit),
            show(check.found, check.unit),
            f"{check.ratio:.3f}",
            _where(check),
        )
        for check in checks
    ]
    return shown(table(caption, ("What", "Formula", "Found", "Found / formula", "Found where"), rows))


def _where(check: Check) -> str:
    known = check.where in set(catalog.references)
    return (catalog.references[check.where].cite() if known else check.where) + "; disturbed" * check.disturbed


def live_crosscheck(lab: LiveTraining, look: Callable[[Any], Checks], caption: str) -> Reading:
    """`crosscheck` of what `look` finds in the model that trains above; it fills in when the run has ended."""
    return lab.reading(
        title="",
        look=look,
        view=lambda checks, _: View("", "", "", "" if checks else WAITING, {}, text=checks),
        html_of=lambda view: str(crosscheck(view.text, caption).data) if view.text else "",
    )


WAITING = "The table fills in when the run above has ended."


def consequences(path: str, readings: Mapping[str, float], follow: Iterable[str], caption: str) -> HTML:
    """What would follow if a number were each of several readings: one column a reading, one row a quantity."""
    names = tuple(follow)
    found = zip(*(_following(path, number, names) for number in readings.values()), strict=True)
    rows = [(find(name).meaning.rstrip("."), *cells) for name, cells in zip(names, found, strict=True)]
    return shown(table(caption, ("If it is", *readings), rows))


def _following(path: str, number: float, names: tuple[str, ...]) -> list[str]:
    found = values(names, load_scenario("leak"), {path: number})
    return [show(found[name], find(name).unit) for name in names]


def rows(data: Sequence[Mapping[str, Any]], caption: str, **units: str) -> HTML:
    """Rows of a toy or a simulation as a table; `units` names the unit of each column that has one."""
    head = list(data[0])
    cells = [[_shown(row[name], units.get(name)) for name in head] for row in data]
    return shown(table(caption, head, cells))


def _shown(value: Any, unit: str | None) -> str:
    if unit:
        return show(value, unit)
    return f"{value:,.3g}" if isinstance(value, float) else str(value)


def residual_of(result: Result) -> str:
    """The residual as a reader wants it: "+5.0%", or a factor where the unit is wrong."""
    if result.slip != 1:
        return f"×{1 / result.slip:,.0f}" if result.slip < 1 else f"1/{result.slip:,.0f}"
    return (
        "" if result.residual is None else f"{result.residual:+.1%}".replace("-0.0%", "0.0%").replace("+0.0%", "0.0%")
    )


def then_of(result: Result) -> str:
    """What comes out with the help that the verdict names, in words; "" where that changes no number."""
    if (helped := result.helped) is None:
        return ""
    left = residual_of(helped)
    return helped.shown() + f", a residual of {left}" * bool(left)


def claim_rows(results: Iterable[Result]) -> list[tuple[Any, ...]]:
    """One row a claim: id, verdict, quote, stated, recomputed, residual; of a sealed one nothing that gives it away."""
    return [(r.claim.id, _judged(r), r.claim.quoted, as_stated(r.claim.id), *_outcome(r)) for r in results]


def _outcome(result: Result) -> tuple[str, str]:
    return ("", "") if sealed(result.claim.id) else (result.shown(), residual_of(result))


def _judged(result: Result) -> Raw:
    """The verdict, what it needs, and which inputs are pinned: stated by the claim itself, so that no slider helps."""
    claim, needs = result.claim, result.verdict in (HELPED, NEEDS_MORE)
    numbers = ", ".join(FIELDS[path].label for path in pinned(claim))
    mark = "pinned in part" if upstream(claim) else "pinned"
    notes = (
        [f"if: {claim.assumption}"] * needs
        + [f"then: {then_of(result)}"] * bool(then_of(result))
        + [f"{mark}: {numbers}"] * bool(numbers)
    )
    beside = [f'<br><span class="g4l-beside">{escape(note)}</span>' for note in notes if not sealed(claim.id)]
    return Raw(verdict_mark(result) + "".join(beside))


CLAIM_HEAD = ("Claim", "Verdict", "In its own words", "As stated", "Recomputed", "Residual")
#: Who says it, in words.
ORIGIN = {"post": "the post", "poster": "the poster alone", "source": "the source", "forum": "the forum"}


def judgement(chapter: str, conclusion: str = "", scenario: Scenario | None = None) -> str:
    """The claims of a chapter, judged, each with the two nearest changes that flip it, as HTML.

    With a conclusion, whose numbers are computed, each claim's note, and the dated evidence since. While a claim is
    sealed, its row says nothing of ours, and the conclusion waits for the last of them.
    """
    here = scenario or load_scenario("leak")
    results = audit(here, [claim.id for claim in claims_of(chapter)])
    free = [result for result in results if not sealed(result.claim.id)]
    flips = ["" if sealed(r.claim.id) else _flips(r.claim, here) for r in results]
    rows = [(*row, flip) for row, flip in zip(claim_rows(results), flips, strict=True)]
    judged = table("Verdict", (*CLAIM_HEAD, "The nearest change that flips it"), rows)
    notes = "".join(f"<li><strong>{r.claim.id}</strong> {escape(_note(r))}</li>" for r in free if _note(r))
    said = conclusion and len(free) == len(results)
    lead = f'<p class="g4l-conclusion">{escape(fill(conclusion, here))}</p>' if said else ""
    folded = f"<details><summary>Why, claim by claim</summary><ul>{notes}</ul></details>"
    return block("verdicts mathjax_ignore", lead, judged, folded, _evidence({r.claim.id for r in free}))


@lru_cache(500)
def _flips(claim: Claim, here: Scenario) -> str:
    """Searched once: the table is drawn anew with each signature."""
    return flips_in_words(claim, here, most=2)


def _note(result: Result) -> str:
    return " ".join(filter(None, (result.claim.why, result.claim.note)))


def _evidence(ids: set[str]) -> str:
    """Public evidence since the post that bears on these claims, oldest first, behind a fold."""
    found = [entry for entry in catalog.evidence.values() if ids & set(entry.bears_on)]
    items = "".join(
        f"<li><strong>{escape(str(e.date))}</strong> {escape(e.name)}: {escape(e.says)}</li>" for e in found
    )
    return f"<details><summary>Evidence since ({len(found)})</summary><ul>{items}</ul></details>" if found else ""


def legend_of_marks() -> HTML:
    """What the four marks of every chart mean, drawn and in words."""
    rows = [
        (
            Raw(f"<strong>{escape(mark.label)}</strong>"),
            Raw(f"{_drawn(mark)} {FILL[mark.filled]} {mark.shape.partition('-')[0]}"),
            MEANS[mark.name],
        )
        for mark in theme.MARKS.values()
    ]
    return shown(table("The four marks", ("Mark", "Shape", "What it stands for"), rows))


def _drawn(mark: theme.Mark) -> str:
    colour = f"var(--g4l-{mark.name})"
    fill = colour if mark.filled else "none"
    look = f"fill: {fill}; stroke: {colour}; stroke-width: 1.5"
    size = 'width="16" height="16" viewBox="0 0 16 16"'
    return f'<svg aria-hidden="true" {size}><path d="{OUTLINES[mark.shape]}" style="{look}"/></svg>'


FILL = {True: "filled", False: "hollow"}
OUTLINES = {
    "diamond": "M8 1.5 14.5 8 8 14.5 1.5 8Z",
    "circle": "M3 8a5 5 0 1 0 10 0a5 5 0 1 0-10 0Z",
    "square": "M3 3h10v10H3Z",
    "triangle-up": "M8 2 14 13H2Z",
}
MEANS = {
    "post": "a number that the post states, in the unit that it must mean",
    "you": "where your sliders stand",
    "measured": "measured on this machine, by a cell of the chapter",
    "published": "published by somebody else, with its source in the table below the chart",
}
