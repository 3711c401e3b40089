"""How an input is declared: once, with all that a slider, an error message, a file and the documentation need.

    class Training:
        mfu: float = number(0.34, "fraction", 0.01, 1, "MFU", "share of the peak that the model used", "C29")

The declaration makes the attrs field and its validator; everything else reads the `Field` kept in its metadata.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from numbers import Integral, Real
from typing import Any

import attrs

from gpt4lab.units import counted, quoted, show

FAR = 1e300  # what is larger, or smaller than its inverse, cannot be computed with
SLIPS = (2, 3, 6, 9, 12)  # powers of ten by which a unit or a prefix is missed


class ScenarioError(ValueError):
    """An input that the book cannot use: names the field, the value, the allowed range and the unit."""


class NotKnown(ScenarioError):
    """A number that nobody has published was asked for: the fields at `paths` are missing, and nothing stands in."""

    def __init__(self, words: str, paths: Sequence[str] = ()) -> None:
        super().__init__(words)
        self.paths = tuple(paths)


#: The value of a field that nobody knows, in a change, in a shared line and on the command line.
UNKNOWN = "not known"


@attrs.frozen
class Field:
    """One input of a scenario, as declared.

    `unit` is a unit that `gpt4lab.units` knows; `log` asks for a logarithmic slider; `source` is a claim id (the post
    says so), a key of `catalog.references`, or "assumed: ..." with the reason. `feature` is what a network is built of
    and not how much of it there is: 0 where it has none of that.
    """

    unit: str
    label: str
    meaning: str
    source: str
    default: Any
    lo: float = -math.inf
    hi: float = math.inf
    log: bool = False
    whole: bool = False
    feature: bool = False
    catalog: str = ""
    choices: tuple[str, ...] = ()
    path: str = ""

    @property
    def sense(self) -> tuple[float, float]:
        """The least and most that it can mean, however far a slider goes: a count is one or more, a share never more.

        A share whose slider cannot reach all has no meaning there. Nothing is an amount, as long as none divides by it.
        """
        least = 1 if self.whole and self.lo >= 1 else min(self.lo, 0)
        return least, (math.inf if self.unit != "fraction" else 1 if self.hi >= 1 else math.nextafter(1, 0))

    @property
    def sense_in_words(self) -> str:
        """For example "a share from 0 to 1" or "a finite number from 1 up"."""
        least, most = self.sense
        if most == math.inf:
            return f"a finite number from {least:g} up" if math.isfinite(least) else "a finite number"
        return "a share from 0 to 1" if most == 1 else "a share from 0 to below 1"


def number(
    default: float, unit: str, lo: float, hi: float, label: str, meaning: str, source: str, *, log: bool = False
) -> Any:
    """A real number between `lo` and `hi`, in `unit`."""
    return _declare(Field(unit, label, meaning, source, default, lo, hi, log=log), _to_number)


def whole(
    default: int, unit: str, lo: int, hi: int, label: str, meaning: str, source: str, *, log: bool = False
) -> Any:
    """A whole number between `lo` and `hi`."""
    return _declare(Field(unit, label, meaning, source, default, lo, hi, log=log, whole=True), _to_whole)


def feature(default: int, unit: str, hi: int, label: str, meaning: str, source: str) -> Any:
    """What a network may have or not: a yes (1), or a whole number up to `hi`; 0 is none."""
    return _declare(Field(unit, label, meaning, source, default, 0, hi, whole=True, feature=True), _to_whole)


def choice(default: str, choices: tuple[str, ...], label: str, meaning: str, source: str) -> Any:
    """One word out of a closed list."""
    return _declare(Field("", label, meaning, source, default, choices=choices), str)


class Written(tuple[str, ...]):
    """The choices of a field that holds a text of one form, told in `words`. Listed are a few examples.

    wrong: what is wrong with a text, in words; "" where nothing is.
    """

    wrong: Callable[[str], str]
    words: str

    def __new__(cls, wrong: Callable[[str], str], words: str, *examples: str) -> Written:
        """Examples of what is taken."""
        made = super().__new__(cls, examples)
        made.wrong, made.words = wrong, words
        return made

    def __contains__(self, text: object) -> bool:
        return not self.fault(text)

    def fault(self, text: object) -> str:
        """Why it is none, in words; "" where it is one."""
        return self.wrong(text) if isinstance(text, str) else f"{quoted(text)} is no text"


def listing(last: int, label: str, meaning: str, source: str) -> Any:
    """Some of the numbers from 1 to `last`, or none; kept in order, each once."""

    def wrong(text: str) -> str:
        odd = (word for word in text.split() if not (word.isascii() and word.isdigit() and 1 <= int(word) <= last))
        return next((f"{quoted(word)} is no such number" for word in odd), "")

    words = f"whole numbers from 1 to {last}, with blanks between, or nothing"
    return written(Written(wrong, words, "", "1", f"2 {last}", "3 4 5"), _sorted, label, meaning, source)


def written(choices: Written, tidied: Callable[[Any], Any], label: str, meaning: str, source: str) -> Any:
    """A text of some form, nothing at first; kept as it is `tidied`."""
    return _declare(Field("", label, meaning, source, "", choices=choices), tidied)


class Sentence(tuple[str, ...]):
    """The choices of a field that takes any short line of plain characters: a few of them, as examples."""

    longest: int

    def __new__(cls, longest: int, *examples: str) -> Sentence:
        """Examples of what is taken."""
        made = super().__new__(cls, examples)
        made.longest = longest
        return made

    def __contains__(self, words: object) -> bool:
        return not self.fault(words)

    def fault(self, words: object) -> str:
        """Why it is none, in words; "" where it is one."""
        if not isinstance(words, str):
            return f"{quoted(words)} is no text"
        if not words.strip():
            return "nothing is written there"
        if len(words) > self.longest:
            return f"{len(words):,} characters are too many"
        odd = next((letter for letter in words if not (letter.isascii() and letter.isprintable())), "")
        return odd and f"{quoted(odd)} is none of the characters that are known"

    @property
    def words(self) -> str:
        """What is taken, in words."""
        return (
            f"one line of 1 to {self.longest} characters: letters without accents, digits, and the signs of a keyboard"
        )


def sentence(longest: int, default: str, label: str, meaning: str, source: str) -> Any:
    """A line of the reader's own."""
    examples = Sentence(longest, default, "Aha!", "To be, or not to be", "x" * longest)
    return _declare(Field("", label, meaning, source, default, choices=examples), str)


def _sorted(value: Any) -> Any:
    words = re.split(r"[\s,;]+", value.strip()) if isinstance(value, str) else []
    numbers = all(word.isascii() and word.isdigit() and len(word) < 9 for word in words)
    return " ".join(map(str, sorted(set(map(int, words))))) if words and numbers else value


def entry(default: str, catalog: str, label: str, meaning: str, source: str) -> Any:
    """The key of a catalog entry; a path may go on into it: `cluster.accelerator.memory_bytes`."""
    return _declare(Field("", label, meaning, source, default, catalog=catalog), str)


def _declare(field: Field, converter: Callable[[Any], Any]) -> Any:
    return attrs.field(default=field.default, converter=converter, validator=_validate, metadata={"field": field})


def plain(value: Any) -> Any:
    """A real number of any library as Python's own; anything else as it is."""
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, Real):
        return value
    try:
        return int(value) if isinstance(value, Integral) else float(value)
    except OverflowError:  # a fraction that no float can hold
        return value


def _to_number(value: Any) -> Any:
    number = plain(value)
    return float(number) if is_number(number) else number


def _to_whole(value: Any) -> Any:
    number = plain(value)
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _validate(record: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    field = field_of(record.__class__, attribute)
    if field.choices or field.catalog:
        _validate_word(field, value)
    elif not is_number(value) or (field.whole and not isinstance(value, int)):
        kind = "whole number" if field.whole else "number"
        raise ScenarioError(f"{field.path} = {quoted(value)} is not a {kind}; {allowed(field)}.")
    elif not field.lo <= value <= field.hi:
        raise ScenarioError(f"{field.path} = {quoted(value)} is out of range; {allowed(field)}.{_meant(field, value)}")
    elif value and abs(value) < 1 / FAR:
        raise ScenarioError(f"{field.path} = {quoted(value)} is smaller than any number of this book: 0 would do.")


def _validate_word(field: Field, value: Any) -> None:
    if isinstance(field.choices, Sentence | Written) and (fault := field.choices.fault(value)):
        raise ScenarioError(f"{field.label}: {fault}; {allowed(field)}.")
    if field.choices and value not in field.choices:
        raise ScenarioError(f"{field.path} = {quoted(value)} is not one of: {', '.join(field.choices)}.")
    if field.catalog:
        try:
            _entries(field.catalog)[str(value)]
        except KeyError as unknown:
            raise ScenarioError(f"{field.path} = {quoted(value)} is not known: {unknown}") from None


def _entries(table: str) -> Mapping[str, Any]:
    from gpt4lab import catalog

    return getattr(catalog, table)


def is_number(value: Any) -> bool:
    """Whether it is a number that a float can hold."""
    return not isinstance(value, bool) and isinstance(value, (int, float)) and abs(value) <= sys.float_info.max


def allowed(field: Field) -> str:
    """The allowed range in words: "allowed: 1 to 16 experts", "allowed: 0.01 to 1 (1% to 100%)"; or the choices."""
    if isinstance(field.choices, Sentence | Written):
        return f"allowed: {field.choices.words}"
    if field.choices or field.catalog:
        return f"allowed: {', '.join(field.choices or _entries(field.catalog))}"
    least = counted(field.lo, "date") if field.unit == "date" else f"{field.lo:,.12g}"
    lo = f"{least} to " if field.lo != field.hi else ""
    share = f" ({show([field.lo, field.hi], 'fraction')})" if field.unit == "fraction" else ""
    return f"allowed: {lo}{counted(field.hi, field.unit)}{share}"


def _meant(field: Field, value: float) -> str:
    """End of an error message: "Did you mean 0.34?" where a slip of unit or prefix explains the value."""
    guess = meant(value, field.lo, field.hi, field.default, field.whole)
    return "" if guess is None else f" Did you mean {guess:,.15g}?"


def meant(value: float, lo: float, hi: float, usual: float, whole: bool = False) -> float | None:
    """What a number out of range may have been meant as: one that is off by 100, a thousand, a million ...

    The candidate in range that lies nearest to the `usual` value; whole, where the number is. None where there is none,
    or where the number is within a factor of ten of the range: it may be meant as it is.
    """
    if not (math.isfinite(value) and value > 0) or lo / 10 <= value <= hi * 10:
        return None
    shifted = [float(f"{value * 10.0**power:.12g}") for slip in SLIPS for power in (-slip, slip)]
    inside = [guess for guess in shifted if lo <= guess <= hi and (not whole or guess.is_integer())]
    return min(inside, key=lambda guess: abs(math.log(guess / (abs(usual) or hi))), default=None)


def field_of(group: type[Any], attribute: attrs.Attribute[Any]) -> Field:
    """The declaration behind an attrs attribute, with its dotted path filled in."""
    return _declared(group)[attribute.name]


@cache
def _declared(group: type[Any]) -> dict[str, Field]:
    """The fields of a record class by name, made once: every number of every scenario is held against its own."""
    declared = (attribute for attribute in attrs.fields(group) if "field" in attribute.metadata)
    known = {attribute.name: attribute.metadata["field"] for attribute in declared}
    return {name: attrs.evolve(field, path=f"{group.__name__.lower()}.{name}") for name, field in known.items()}


def fields_of(groups: Mapping[str, type[Any]]) -> dict[str, Field]:
    """Every declared field of some record classes, by dotted path."""
    return {field.path: field for group in groups.values() for field in _declared(group).values()}
