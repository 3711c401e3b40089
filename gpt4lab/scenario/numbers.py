"""How a reader writes a number: "25,000", "25k", "1.8 trillion", "$63M", "34%", "8 heads", "2.15×10²⁵".

One grammar for every door: shared lines, files, exercises, the desk, the command line and, from the same table, the
page. Its table is `grammar.json`, with the things that the book counts and the months from `units`.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from gpt4lab.scenario.field import FAR, ScenarioError
from gpt4lab.units import COUNTED, MONTHS, cut


def _table() -> dict[str, Any]:
    table = json.loads(files("gpt4lab.scenario").joinpath("grammar.json").read_text("utf-8"))
    return {**table, "names": [*map(str.lower, COUNTED), *table["names"]], "months": MONTHS}


GRAMMAR = _table()
_NUMBER, _COMMA, _SPACE = (re.compile(GRAMMAR[name]) for name in ("number", "comma", "space"))
_MONTH = re.compile(GRAMMAR["month"], re.IGNORECASE | re.ASCII)
_SCALE = re.compile(GRAMMAR["scale"], re.IGNORECASE | re.ASCII)
_RAISED = re.compile("[⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_LOWERED = str.maketrans("⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹", "-+0123456789")


def from_text(text: str, unit: str | None = None) -> float:
    """The number that a text means, in `unit`; without one, whatever unit of the book stands behind it.

    Raises ScenarioError, in one short sentence, for what is no number, or has a decimal comma or another unit.
    """
    if len(text) > GRAMMAR["longest"]:
        raise _wrong("long", text)
    plain = _plain(text)
    if not plain:
        raise _wrong("empty", text)
    if unit == "date" and (date := _of_month(plain)) is not None:
        return date
    found = _NUMBER.match(plain)
    if not found:
        raise _wrong("none", text, unit)
    sign, dollar, ten, digits, exponent, power, rest = found.groups(default="")
    if _COMMA.match(rest):
        raise _wrong("comma", text)
    raised = int(ten or exponent or power or 0) + _behind(rest, "usd " * bool(dollar), unit, text)
    return _near(float(f"{sign}{digits.replace(',', '').replace(' ', '') or 1}e{raised}"), digits, text)


def _plain(text: str) -> str:
    """The text with plain spaces, signs and powers."""
    text = _SPACE.sub(" ", text).strip(" ").replace("−", "-").replace("**", "^")
    return _RAISED.sub(lambda raised: "^" + raised[0].translate(_LOWERED), text)


def _of_month(plain: str) -> float | None:
    """A month, as a year with its fraction; None for what is none."""
    if not (found := _MONTH.match(plain)):
        return None
    word, year, only, number = found.groups(default="")
    named = (at for at, name in enumerate(MONTHS) if word and name.lower().startswith(word.lower()))
    at = next(named, int(number or 0) - 1)
    return int(year or only) + at / 12 if 0 <= at < 12 else None


def _near(number: float, digits: str, text: str) -> float:
    nothing = digits and not digits.strip("0., ")
    if not (nothing or 1 / FAR < abs(number) < FAR):
        raise _wrong("far", text)
    return number + 0.0  # and no minus before nothing


def _behind(rest: str, before: str, unit: str | None, text: str) -> int:
    """The power of ten that scale and unit behind a number stand for."""
    scaled = _SCALE.match(rest)
    scale, named = (GRAMMAR["scales"][scaled[1].lower()], rest[scaled.end() :]) if scaled else (0, rest)
    if scaled and scaled[1] in "bB" and not named and _head(_canonical(unit or "")) == "byte":
        raise _wrong("byte", text)
    power = _power(before + named.strip(), unit)
    if power is None:
        known = _power(before + named.strip(), None) is not None
        raise _wrong("unit" if known and unit is not None else "none", text, unit)
    return scale + power


def _power(named: str, unit: str | None) -> int | None:
    """The power of ten that turns a number in the unit `named` into one in `unit`; None where they differ."""
    wanted, given = None if unit is None else _canonical(unit), _canonical(named)
    if not given:
        return 0
    if given == "percent" and wanted in (None, "fraction", "", "x"):
        return -2
    if _fits(given, wanted):
        return 0
    exponent, bare = _prefix(named)
    prefixed = _head(bare) in GRAMMAR["prefixed"] and _fits(bare, wanted)
    return exponent if exponent and prefixed else None


def _fits(given: str, wanted: str | None) -> bool:
    """Whether it is the unit wanted, or the part of it above the line; without one, any that the book knows."""
    if wanted is None:
        return all(part in GRAMMAR["names"] for part in given.split("/") if part)
    return given in (wanted, _head(wanted))


def _prefix(named: str) -> tuple[int, str]:
    """The power of ten of a prefix, and the unit behind it: "GB" -> 9 and byte, "ms" -> -3 and s."""
    letter, bare = named[:1], _canonical(named[1:])
    if _head(bare) in GRAMMAR["in_small"] and letter in GRAMMAR["small"]:
        return GRAMMAR["small"][letter], bare
    return GRAMMAR["scales"].get(letter.lower(), 0), bare


def _head(unit: str) -> str:
    return unit.partition("/")[0]


@cache
def _canonical(unit: str) -> str:
    """One spelling of a unit: "$ per GPU-hour" and "USD/GPU/hour" -> "usd/gpu/hour", "heads" -> "head", "1" -> ""."""
    words = unit.lower().strip().replace("per cent", "percent")
    parts = [_singular(part.strip()) for part in re.split(r"(?:^| )per |[/*-]", words)]
    return "/".join("" if part == "1" else part for part in parts)


def _singular(word: str) -> str:
    for name in (word, word.removesuffix("s")):
        known = GRAMMAR["same"].get(name, name)
        if known in GRAMMAR["names"]:
            return known
    return word


def _wrong(why: str, text: str, unit: str | None = None) -> ScenarioError:
    said: str = GRAMMAR["said"]["date" if unit == "date" and why in ("none", "unit") else why]
    return ScenarioError(said.format(text=f"“{cut(text)}”", longest=GRAMMAR["longest"], unit=unit or "it"))
