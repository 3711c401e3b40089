"""What is kept of a reader's way: one record a thing, declared with its JSON schema, by kind and key in `store`.

    Guess(63e6, "USD").keep("09-price")     # True; False where it is kept for this session only
    Guess.recall("09-price")                # the record, or None; also what an older edition kept
    Guess.all()                             # key -> record

What is no such record (another type, a number without end, a word of a later edition) is passed over and stays in the
file; so do the fields that a later edition adds. docs/progress.schema.json is `schema()` in writing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Self, get_args

import attrs

from gpt4lab.book import store
from gpt4lab.book.exercises.tasks import Level
from gpt4lab.book.store import State
from gpt4lab.claims import VERDICTS
from gpt4lab.schemas import Draft202012Validator

MOST_TEXT = 10_000  # characters; a line of assumptions has some hundreds
MOST_NUMBER = 1.7e308  # what a float holds
TIME = {"type": "string", "pattern": r"^(\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?)?$"}
NUMBER = {"type": "number", "minimum": -MOST_NUMBER, "maximum": MOST_NUMBER}
TEXT = {"type": "string", "maxLength": MOST_TEXT}
UNIT = {"type": "string", "maxLength": 60, "pattern": r"^(\w+([/*]\w+)*)?$"}  # no powers: it goes to an evaluator
COUNT = {"type": "integer", "minimum": 0, "maximum": 10**9}
ANY_LEVEL = {"enum": list(get_args(Level))}
LEVEL_OR_NONE = {"enum": [*get_args(Level), None]}
NUMBER_OR_NONE = {"anyOf": [NUMBER, {"type": "null"}]}
ANY_ANSWER = {"anyOf": [NUMBER, TEXT, {"type": "null"}]}
MARKS = {"type": "array", "items": {"type": "boolean"}, "maxItems": 10}
BOOL = {"type": "boolean"}
SURE = {"type": "number", "minimum": 0.5, "maximum": 1}


class WayError(ValueError):
    """A value that no record holds: names the field and the value."""


def now() -> str:
    """The time in UTC, to the second: "2026-11-28T05:30:00Z"."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _fits(record: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    number = isinstance(value, float) and not math.isfinite(value)  # NaN compares with nothing, so it passes a schema
    if number or not attribute.metadata["judge"].is_valid(value):
        raise WayError(f"{record.KIND}.{attribute.name} = {str(value)[:80]!r}: {attribute.metadata['schema']}")


def _kept(meaning: str, schema: Mapping[str, Any], **more: Any) -> Any:
    told = {"description": meaning, **schema}
    return attrs.field(validator=_fits, metadata={"schema": told, "judge": Draft202012Validator(told)}, **more)


def _when() -> Any:
    return _kept("when it was kept, UTC; empty where an older edition kept none", TIME, factory=now, kw_only=True)


@attrs.frozen
class Record:
    """One thing kept. KIND is its table in the file; ONCE the table of an older edition."""

    KIND: ClassVar[str] = ""
    ONCE: ClassVar[str] = ""

    @classmethod
    def recall(cls, key: str) -> Self | None:
        """The record kept under a key, or None."""
        return cls.among(lambda kind: {own: value for own, value in store.entries(kind).items() if own == key}).get(key)

    @classmethod
    def all(cls) -> dict[str, Self]:
        """Every record of this kind, by key; what cannot be read as one is left out."""
        return cls.among(store.entries)

    @classmethod
    def among(cls, entries: Callable[[str], State]) -> dict[str, Self]:
        """The same, of any file: `entries` gives its table of a kind."""
        kept = {**(entries(cls.ONCE) if cls.ONCE else {}), **entries(cls.KIND)}
        read = {key: cls.read(value) for key, value in kept.items()}
        return {key: record for key, record in read.items() if record is not None}

    @classmethod
    def read(cls, value: Any) -> Self | None:
        """The record that a value of the file means, or None."""
        fields = value if isinstance(value, dict) else cls.once(value)
        if fields is None:
            return None
        known = {field.name: fields[field.name] for field in attrs.fields(cls) if field.name in fields}
        try:
            return cls(**{"when": "", **known})
        except (TypeError, WayError):
            return None

    @classmethod
    def once(cls, value: Any) -> Mapping[str, Any] | None:
        """The fields behind a bare value, as an older edition kept it; None where it means nothing."""
        return None

    def keep(self, key: str) -> bool:
        """Keep it under a key. False: for this session only, `store.trouble()` says why."""
        return self.revise(key, lambda _: self)

    @classmethod
    def revise(cls, key: str, change: Callable[[Self | None], Record]) -> bool:
        """Keep what `change` makes of the record kept."""
        return cls.revise_all({key: change})

    @classmethod
    def revise_all(cls, changes: Mapping[str, Callable[[Self | None], Record]]) -> bool:
        """The same for many, written at once. The fields that a later edition added to a record stay."""

        def changed(kept: State) -> State:
            older = store.entries(cls.ONCE) if cls.ONCE else {}  # an older edition may hold it

            def one(key: str, change: Callable[[Self | None], Record]) -> State:
                old = kept.get(key)
                before = cls.read(older[key] if old is None and key in older else old)
                return {**(old if isinstance(old, dict) else {}), **attrs.asdict(change(before))}

            return {key: one(key, change) for key, change in changes.items()}

        return store.update_all(cls.KIND, changed)


@attrs.frozen
class Opened(Record):
    """A chapter that was opened, and when it was first; the key is its number."""

    KIND = "opened"
    when: str = _when()

    @classmethod
    def once(cls, value: Any) -> Mapping[str, Any] | None:
        """The first edition kept True."""
        return {} if value is True else None


@attrs.frozen
class Guess(Record):
    """A guess made before the result is shown; the key is that of the question."""

    KIND = "guess"
    value: float | str = _kept("a number in `unit`, or the option chosen", {"anyOf": [NUMBER, TEXT]})
    unit: str = _kept("the unit of the number", UNIT, default="")
    low: float | None = _kept("the reader is fairly sure: no less than this; null: open", NUMBER_OR_NONE, default=None)
    high: float | None = _kept("and no more than this; null: open", NUMBER_OR_NONE, default=None)
    answer: float | str | None = _kept("what the book answered then, in `unit`", ANY_ANSWER, default=None)
    why: str = _kept("why the reader thinks so, in a line", TEXT, default="")
    asked: str = _kept("the question, in its words", TEXT, default="")
    seen: bool = _kept("whether the answer was shown since: the guess stays as it is then", BOOL, default=False)
    when: str = _when()

    def __attrs_post_init__(self) -> None:
        band = [bound for bound in (self.low, self.value, self.high) if isinstance(bound, (int, float))]
        if band != sorted(band):
            raise WayError(f"guess = {self.value} is not between low = {self.low} and high = {self.high}")

    @property
    def held(self) -> bool | None:
        """Whether the band held the answer; an end that is None lies open. None without a band or an answer."""
        if self.low is self.high is None or not isinstance(self.answer, (int, float)):
            return None
        low, high = -math.inf if self.low is None else self.low, math.inf if self.high is None else self.high
        return low <= self.answer <= high

    @classmethod
    def once(cls, value: Any) -> Mapping[str, Any] | None:
        """The first edition kept the number or the option alone."""
        return {"value": value}


@attrs.frozen
class Answer(Record):
    """How an exercise went; the key is that of the exercise. `level` is the best so far, `tries` counts up to it.

    No try yet, and "missing", is one of which hints were seen.
    """

    KIND, ONCE = "answers", "solved"
    level: str = _kept("the best answer so far", ANY_LEVEL)
    tries: int = _kept("answers judged, up to the right one", COUNT, default=1)
    hints: int = _kept("hints shown before it was solved", COUNT, default=0)
    told: bool = _kept("whether the solution was shown before it was solved", {"type": "boolean"}, default=False)
    text: str = _kept("what the reader wrote: code, or a judgement", TEXT, default="")
    answer: str = _kept("the number as typed, the option, or the line of assumptions", TEXT, default="")
    marks: Sequence[bool] = _kept("yes or no to each question about a judgement, by the reader", MARKS, factory=list)
    when: str = _when()

    @property
    def solved(self) -> bool:
        """Whether a right answer was given."""
        return self.level == "right"

    @classmethod
    def once(cls, value: Any) -> Mapping[str, Any] | None:
        """The first edition kept True for a solved exercise, and nothing for others."""
        return {"level": "right"} if value is True else None


@attrs.frozen
class Signed(Record):
    """A verdict that the reader has signed; the key is the id of the claim."""

    KIND = "verdicts"
    verdict: str | None = _kept("one of the book's verdict words; null: taken back", {"enum": [*VERDICTS, None]})
    seen: bool = _kept("whether the book had shown its own verdict before", BOOL)
    sure: float = _kept("how sure the reader is that the book's falls on the same side", SURE, default=0.5)
    when: str = _when()


@attrs.frozen
class Review(Record):
    """A question that is asked again later; the key is that of the exercise, or the id of the claim."""

    KIND = "reviews"
    due: str = _kept("the day on which it is asked again, UTC", {**TIME, "minLength": 10})
    went: str | None = _kept("how it went the last time", LEVEL_OR_NONE, default=None)
    round: int = _kept("how often in a row it went right", COUNT, default=0)
    when: str = _when()


@attrs.frozen
class Assumptions(Record):
    """A scenario of the reader's own, as `gpt4lab.share` writes it; the key is "mine"."""

    KIND = "scenario"
    text: str = _kept("`leak?training.mfu=0.4`", TEXT)
    when: str = _when()

    @classmethod
    def once(cls, value: Any) -> Mapping[str, Any] | None:
        """The first edition kept the text alone."""
        return {"text": value}


@attrs.frozen
class Wish(Record):
    """What the reader has chosen; the key is "sign-first": a verdict of one's own before the book's is shown."""

    KIND = "wishes"
    on: bool = _kept("whether it is wished", BOOL)
    when: str = _when()


RECORDS: tuple[type[Record], ...] = (Opened, Guess, Answer, Signed, Review, Assumptions, Wish)


def schema() -> dict[str, Any]:
    """The JSON schema of progress.json: a table a kind, a record a key."""
    tables = {record.KIND: {"type": "object", "additionalProperties": _described(record)} for record in RECORDS}
    edition = {"type": "integer", "minimum": 1, "description": f"the edition of this file; today {store.SCHEMA}"}
    return {
        "$schema": Draft202012Validator.META_SCHEMA["$id"],
        "title": "gpt4lab: a reader's way",
        "type": "object",
        "required": ["schema"],
        "properties": {"schema": edition, **tables},
    }


def _described(record: type[Record]) -> dict[str, Any]:
    fields = attrs.fields(record)
    return {
        "type": "object",
        "description": " ".join((record.__doc__ or "").split()),
        "required": [field.name for field in fields if field.default is attrs.NOTHING],
        "properties": {field.name: field.metadata["schema"] for field in fields},
    }
