"""A case on disk: JSON in the form of docs/progress.schema.json, and one page of HTML. What is read is untrusted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

import attrs

from gpt4lab import __version__, catalog
from gpt4lab.book import store
from gpt4lab.book.case.calibration import COIN, brier, steps
from gpt4lab.book.case.case import Case, Signature, factor
from gpt4lab.book.exercises.box import LEVELS, WORDS
from gpt4lab.book.page import Raw, escape, shortened, table
from gpt4lab.book.store import State
from gpt4lab.book.way import RECORDS, Answer, Guess, Record, now
from gpt4lab.units import counted, show

MOST_BYTES = 4_000_000
MOST_RECORDS = 2_000  # the whole book asks some hundreds of things
KEY = re.compile(r"[\w.-]{1,80}")


class CaseError(ValueError):
    """A file that is no case file, in one sentence."""


# --- JSON ---------------------------------------------------------------------------------------------------------


def as_json() -> str:
    """All that is kept of this reader's way, as `merge` takes it back."""
    tables = {record.KIND: {key: attrs.asdict(kept) for key, kept in record.all().items()} for record in RECORDS}
    return json.dumps({"schema": store.SCHEMA, **{kind: kept for kind, kept in tables.items() if kept}}, indent=1)


def read(raw: bytes) -> State:
    """The tables of a case file. Raises CaseError."""
    if len(raw) > MOST_BYTES:
        raise CaseError(f"it is larger than {MOST_BYTES:,} bytes, as no file of this book is")
    try:
        text = json.dumps(json.loads(raw), ensure_ascii=False)
        state = json.loads(text.encode("utf-8", "replace"))  # half a character could not leave again
    except (ValueError, RecursionError) as error:
        raise CaseError("it is no JSON, or not all of it") from error
    if not isinstance(state, dict) or type(state.get("schema")) is not int:
        raise CaseError('it is no file of this book: the number of its "schema" is missing')
    return state


def merge(state: State) -> tuple[int, int]:
    """Add what this reader has not yet: what is here stays, of an answer the better one. -> (added, passed over)."""
    added = left = 0
    for record in RECORDS:
        told = {**store.section(state, record.ONCE), **store.section(state, record.KIND)}
        new = {key: kept for key, kept in record.among(lambda kind: store.section(state, kind)).items() if _fits(key)}
        left += len(told) - len(new)
        here = record.all()
        news = [key for key, kept in new.items() if key not in here or _better(kept, here[key])]
        taken = news[: MOST_RECORDS - added]
        added, left = added + len(taken), left + len(news) - len(taken)
        if taken:
            record.revise_all({key: partial(_of_both, new[key]) for key in taken})
    return added, left


def _fits(key: str) -> bool:
    return KEY.fullmatch(key) is not None


def _of_both(new: Record, here: Record | None) -> Record:
    return new if here is None or _better(new, here) else here


def _better(new: Any, here: Any) -> bool:
    return isinstance(new, Answer) and LEVELS.index(new.level) > LEVELS.index(here.level)


# --- the page -----------------------------------------------------------------------------------------------------

NOTHING = "Nothing yet: guess, solve an exercise, or sign a verdict, and it stands here."


def sections(case: Case) -> str:
    """What there is, as HTML: calibration, verdicts, guesses, exercises."""
    parts = (_calibration(case), _verdicts(case.signatures()), _guesses(case.guesses), _exercises(case))
    return "".join(parts) or f"<p>{NOTHING}</p>"


def _calibration(case: Case) -> str:
    return _of_bands(case.bands()) + _of_verdicts(case)


def _of_bands(held: list[bool]) -> str:
    return f"<p>Your bands held the answer {sum(held)} of {counted(len(held), 'time')}.</p>" if held else ""


def _of_verdicts(case: Case) -> str:
    forecasts = case.forecasts()
    score = brier(forecasts)
    if score is None:
        return ""
    agreed = sum(out for _, out in forecasts)
    words = (
        f"Of {counted(len(forecasts), 'verdict')} that you signed before you saw ours, {agreed} "
        f"{'falls' if agreed == 1 else 'fall'} on the same side: it holds, "
        f"it fails, or it cannot be decided. Your Brier score is {score:.2f}, the mean of (p − o)²: p is how sure you "
        f"were, o is 1 where ours fell on the same side, else 0. 0 is perfect; to say 50% each time scores {COIN}. "
        f"({catalog.references['brier1950'].cite(within=True)})"
    )
    rows = [(f"{step.sure:.0%}", step.count, f"{step.out / step.count:.0%}") for step in steps(forecasts)]
    return f"<p>{words}</p>" + table("How sure, how often right", ("You were", "Verdicts", "On our side"), rows)


def _verdicts(signed: list[Signature]) -> str:
    rows = [
        (s.claim, _plain(s.yours), f"{s.sure:.0%}", _plain(s.ours), "yes" if s.agrees else "no", _when(s))
        for s in signed
    ]
    head = ("Claim", "Yours", "How sure", "Ours", "Same side", "Signed")
    return table("Your verdicts, beside ours", head, rows) if rows else ""


def _plain(verdict: str) -> str:
    return verdict.replace("-", " ")


def _when(signature: Signature) -> str:
    return "before ours was shown" if signature.unseen else "after; it does not count"


def _guesses(guesses: Mapping[str, Guess]) -> str:
    head = ("Question", "You guessed", "Band", "Answer", "Guess / answer", "Band held it", "Why you thought so")
    return table("Your guesses", head, [_gap(*item) for item in sorted(guesses.items())]) if guesses else ""


def _gap(key: str, guess: Guess) -> tuple[str, ...]:
    unit, off = guess.unit or "1", factor(guess)
    low, high = (_said(bound, unit) for bound in (guess.low, guess.high))
    band = "–" if not (low or high) else f"{low} to {high}" if low and high else f"from {low}" if low else f"to {high}"
    held = {True: "yes", False: "no", None: "–"}[guess.held]
    times = "–" if off is None else f"{off:.2g}"
    asked = shortened(guess.asked) or key
    return asked, _said(guess.value, unit), band, _said(guess.answer, unit) or "–", times, held, shortened(guess.why)


def _said(value: float | str | None, unit: str) -> str:
    if value is None or isinstance(value, str):
        return shortened(value or "")
    try:
        return show(value, unit)
    except ValueError:  # a unit of another edition
        return f"{value:g} {unit}"


def _exercises(case: Case) -> str:
    kept = sorted(case.answers.items())
    rows = [(key, WORDS[a.level], a.tries, a.hints, "yes" if a.told else "no") for key, a in kept]
    head = ("Exercise", "Best answer", "Tries", "Hints before", "Solution before")
    return (table("Exercises", head, rows) if rows else "") + _texts([(key, a) for key, a in kept if a.text])


def _texts(kept: list[tuple[str, Answer]]) -> str:
    """What the reader wrote, as it was written, and what they said of it."""
    said = {True: "yes", False: "no"}
    rows = [(key, Raw(f"<pre>{escape(a.text)}</pre>"), " ".join(said[mark] for mark in a.marks)) for key, a in kept]
    return table("In your own words", ("Exercise", "You wrote", "By your own judgement"), rows) if rows else ""


STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
.g4l-scroll { overflow-x: auto; margin: 1.5rem 0 }
pre { font-size: 0.9em; margin: 0; white-space: pre-wrap }
table { border-collapse: collapse } caption { text-align: left; font-weight: 600 }
th, td { text-align: left; padding: 0.2rem 0.8rem 0.2rem 0; border-bottom: 1px solid #8888; vertical-align: top }
"""
#: Nothing of the page may load or run, whatever a record says.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def as_html(case: Case | None = None) -> str:
    """One page that needs nothing beside it."""
    made = (
        f"Made on {now()[:10]} by gpt4lab {__version__}, from what this reader kept; ours are under the post’s numbers."
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Case file: GPT-4’s details</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body><main>'
        f"<h1>Case file: GPT-4’s details</h1><p>{escape(made)}</p>{sections(case or Case.read())}"
        "</main></body></html>\n"
    )
