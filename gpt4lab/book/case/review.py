"""Five questions that are due: made from the ledger, so that they never go stale, and asked again after 1, 7, 30 days.

Nothing is kept before the first answer, and all of it stays on this machine.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import attrs

from gpt4lab.book import store
from gpt4lab.book.case import signing
from gpt4lab.book.exercises.tasks import Feedback, Level, in_words
from gpt4lab.book.way import Opened, Review
from gpt4lab.claims import Result, audit, judge, ledger
from gpt4lab.claims.prose import as_stated
from gpt4lab.panels.controls import unit_words
from gpt4lab.panels.verdicts import sealed
from gpt4lab.quantities import QUANTITIES, value
from gpt4lab.scenario import FIELDS, NotKnown, ScenarioError, from_text, load_scenario
from gpt4lab.units import show

AT_ONCE = 5
DAYS = (1, 7, 30)  # until it is asked again, after one right answer in a row, two, three or more
#: How far off an answer may be, as a factor, and what it is called then.
FACTORS: tuple[tuple[float, Level, str], ...] = (
    (1.1, "right", "Within a tenth."),
    (1.25, "almost", "Within a quarter."),
    (2, "wrong", "Within a factor of two."),
)
NARROW = 1.25  # times the least: over a wider range there is no question
#: What else is asked of claims that give no number, or several.
MORE = {
    "C39": ("pipeline.bubble",),
    "C40": ("step.activation_bytes",),
    "C19": ("flop.long_scores_over_weights", "context.unfinished"),
    "C20": ("context.extension_cost", "context.long_from_start_cost"),
    "C56": ("kv.reduction",),
    "C62": ("gang.padding", "batching.gain", "gang.longest"),
    "C63": ("batching.step_s", "batching.lane_tokens_per_s"),
    "C64": ("vision.image_worth", "vision.even_tokens"),
    "C66": ("vision.share_of_active",),
    "C67": ("vision.frozen_cost",),
    "C73": ("speculation.experts_touched",),
    "C74": ("speculation.batch_speedup",),
    "C76": ("speculation.extra_flop",),
    "C99": ("heart.capacity", "heart.room"),
    "C100": ("heart.known_of_all",),
    "C79": ("sites.cluster_away",),
    "C80": ("stages.latency", "stages.waiting", "stages.floor"),
    "C85": ("chinchilla.stretch", "chinchilla.exponent", "scaling.kaplan_params"),
    "F02": ("rerun.trend",),
    "F06": ("verdict.rent", "verdict.independent"),
}
OWN = "How much comes out by the post’s own numbers"
NUMBERS = re.compile(r"\d[\d.,]*")


@attrs.frozen
class Recall:
    """One question. What comes out lies from `low` to `high`.

    key: the id of the claim that it is made from; with a dot and a quantity where a claim gives several questions.
    """

    key: str
    text: str
    low: float
    high: float
    unit: str

    @property
    def claim(self) -> str:
        """The id of its claim."""
        return self.key.partition(".")[0]

    def check(self, text: str) -> Feedback:
        """Judge a number by its factor; "missing" what is none, with the reason."""
        try:
            number = from_text(text, self.unit)
        except ScenarioError as error:
            return Feedback("missing", str(error))
        off = max(1, number / self.high, self.low / number) if number > 0 else math.inf
        for factor, level, words in FACTORS:
            if off <= factor * (1 + 1e-12):
                return Feedback(level, words)
        return Feedback("wrong", f"Off by a factor of {off:,.3g}." if off < 1e6 else "Far off.")

    def solved(self) -> str:
        """What comes out, what the claim says, and the verdict."""
        out = show(self.low if self.low == self.high else [self.low, self.high], self.unit)
        stated = as_stated(self.claim) if self.key == self.claim else ""
        said = f"{self.claim} says {stated}: " if stated else f"{self.claim}: "
        return f"It is {out}. {said}{judge(ledger()[self.claim], load_scenario('leak')).verdict.replace('-', ' ')}."


@cache
def questions() -> Mapping[str, Recall]:
    """A question of each number that a claim recomputes to by the post's own numbers, where it is one, or nearly."""
    found = [recall for result in audit(load_scenario("leak")) for recall in _of(result)]
    return {recall.key: recall for recall in found}


def _of(result: Result) -> Iterator[Recall]:
    """The questions of one claim."""
    claim = result.claim
    if _asks(result):
        yield _recall(result)
    several = claim.quantity if len(claim.quantity) > 1 and claim.given == ({},) else ()
    for name in (*several, *MORE.get(claim.id, ())):
        if name in QUANTITIES and (number := _number(name)) > 0:
            asked = f"{QUANTITIES[name].meaning} {OWN}? Answer {_unit(QUANTITIES[name].unit)}."
            yield Recall(f"{claim.id}.{name}", asked, number, number, QUANTITIES[name].unit)


def _number(name: str) -> float:
    """What comes out by the post's own numbers; 0 where this copy of the book does not know."""
    try:
        return value(name, load_scenario("leak"))
    except NotKnown:
        return 0


def _asks(result: Result) -> bool:
    """Whether one number or a narrow range comes out, of one quantity: a field is no result."""
    numbers, names = result.recomputed, result.claim.quantity
    one = result.claim.checkable and len(numbers) > 0 and len(names) == 1 and names[0] in QUANTITIES
    return one and min(numbers) > 0 and max(numbers) <= NARROW * min(numbers)


def _recall(result: Result) -> Recall:
    """The claim's quote without its numbers; what it gives itself is given."""
    claim = result.claim
    given = ", ".join(_setting(*item) for item in claim.given[0].items()) if len(claim.given) == 1 else ""
    quote, blanks = NUMBERS.subn("…", claim.quoted)
    about = f" The claim: {quote}" if blanks else ""
    asked = f"{OWN}{f' ({given})' if given else ''}?"
    text = f"{QUANTITIES[claim.quantity[0]].meaning} {asked} Answer {_unit(result.unit)}.{about}"
    return Recall(claim.id, text, min(result.recomputed), max(result.recomputed), result.unit)


def _setting(path: str, value: Any) -> str:
    """One number that the claim itself gives."""
    if path not in FIELDS:
        return f"{QUANTITIES[path].meaning.rstrip('.')}: {show(value, QUANTITIES[path].unit)}"
    return f"{FIELDS[path].label}: {in_words(path, value)}"


def _unit(unit: str) -> str:
    odd = {"fraction": "in per cent, like 34%", "x": "as a factor", "1": "as a plain number", "s": "in seconds"}
    return odd.get(unit) or f"in {unit_words(unit)}"


# --- when ---------------------------------------------------------------------------------------------------------


def today() -> str:
    """The day in UTC: "2026-11-28"."""
    return datetime.now(UTC).date().isoformat()


def due(day: str = "") -> list[Recall]:
    """At most five: those whose day has come, the longest due first, then new ones of the chapters that were opened.

    An answer shows our verdict: of a claim that the reader wants to sign first, nothing is asked before. A day further
    off than any wait was kept by a clock that was wrong: it has come.
    """
    day = day or today()
    last = (datetime.fromisoformat(day) + timedelta(days=max(DAYS))).date().isoformat()
    signing.refresh()
    kept, opened = Review.all(), Opened.all()
    waits = {key: kept[key].due[:10] for key in kept.keys() & questions().keys()}
    again = sorted((then, key) for key, then in waits.items() if not day < then <= last)
    new = (key for key, each in questions().items() if key not in kept and ledger()[each.claim].chapter in opened)
    waiting = (questions()[key] for key in [*(key for _, key in again), *new])
    return [each for each in waiting if not sealed(each.claim)][:AT_ONCE]


def answered(key: str, level: Level, day: str = "") -> bool:
    """Keep how it went, and when it is asked again. False: for this session only."""

    def moved(before: Review | None) -> Review:
        row = before.round if before else 0
        row = row + 1 if level == "right" else row if level == "almost" else 0
        days = DAYS[min(max(row, 1), len(DAYS)) - 1]
        again = datetime.fromisoformat(day or today()) + timedelta(days=days)
        return Review(again.date().isoformat(), level, row)

    return Review.revise(key, moved)


def asked(day: str = "") -> Iterator[str]:
    """A review in lines; it reads an answer from the standard input after each question, and ends where that ends."""
    waiting = due(day)
    if not waiting:
        yield "Nothing is due. Questions are made from the claims of the chapters that you have opened."
    for number, question in enumerate(waiting, 1):
        yield f"{number} of {len(waiting)}. {question.text}"
        feedback = None
        while feedback is None or feedback.level == "missing":
            if feedback:
                yield feedback.text
            text = _line()
            if text is None:
                return
            feedback = question.check(text)
        answered(question.key, feedback.level, day)
        yield f"{feedback.text} {question.solved()} {store.trouble()}".rstrip()


def _line() -> str | None:
    """What is typed next; None where nothing comes any more."""
    try:
        print("> ", end="", flush=True)  # input() would write it elsewhere where the output is no terminal
        return input()
    except (EOFError, UnicodeDecodeError):
        print()
        return None
