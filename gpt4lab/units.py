"""Units: what converts into what, and how a number with a unit is written for a reader.

Conversion is pint's; it is loaded only when two units differ, and every factor is kept, so that reading a value costs
nothing and an audit costs milliseconds.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple, cast

#: The things that the book counts. Each is a dimension of its own, so tokens never turn into parameters.
COUNTED = (
    *("FLOP", "token", "param", "GPU", "USD", "expert", "layer", "head", "stage", "sequence", "step", "replica", "row"),
    *("book", "paper", "word", "node", "failure", "model", "request", "cluster", "site"),
)


class UnitError(ValueError):
    """Two units that measure different things, or a unit that the book does not know."""


@cache
def _registry() -> Any:
    import pint

    registry = cast(Any, pint.UnitRegistry)(cache_folder=None)
    for name in COUNTED:
        registry.define(f"{name} = [{name.lower()}_count]")
    for definition in ("fraction = 1", "x = 1", "nat = 1", "cent = 0.01 USD", "percent = 0.01 = %", "date = 1"):
        registry.define(definition)
    return registry


@cache
def factor(unit: str, to: str) -> float:
    """How many `to` one `unit` is: `factor("TFLOP", "GFLOP") == 1000`.

    Raises UnitError where the two measure different things ("FLOP/s" and "FLOP").
    """
    if unit == to:
        return 1.0
    for text in (unit, to):
        _refuse_riddles(text)
    try:
        found = float(_registry().Quantity(1, unit).to(to).magnitude)
    except Exception as error:
        raise UnitError(f"{cut(unit)!r} cannot be read as {cut(to)!r}: {cut(str(error), 200)}") from None
    if not (0 < found < math.inf):
        raise UnitError(f"{cut(unit)!r} is no amount of {cut(to)!r}.")
    return found


#: A unit is names, joined: multiplied, divided, raised to a small power. What could keep an evaluator busy is none.
LONGEST_UNIT = 60
_UNIT = re.compile(r"[A-Za-z_$%µμ°Ω()/*^. 0-9-]*")
_RIDDLE = re.compile(r"[0-9)]\s*(?:\*\*|\^)|(?:\*\*|\^)\s*(?!-?[0-9](?![0-9.]))|[0-9]{4}|[0-9.][eE]")


def _refuse_riddles(unit: str) -> None:
    if len(unit) > LONGEST_UNIT:
        raise UnitError(f"{cut(unit)!r} is longer than a unit needs to be: at most {LONGEST_UNIT} characters.")
    if not _UNIT.fullmatch(unit) or _RIDDLE.search(unit):
        raise UnitError(f"{unit!r} is not a unit: names, with * and / between them, or a power from 0 to 9.")


def convert(value: float, unit: str, to: str) -> float:
    """`value` in `unit`, expressed in `to`."""
    return value * factor(unit, to)


def cut(text: str, most: int = 60) -> str:
    """A text that is not ours, as an error may repeat it: one line, printable, at most so many characters."""
    if len(text) > most:
        return cut(text[: most - 1], most) + "…"
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def quoted(value: Any) -> str:
    """A value that is none, as an error repeats it: cut short, whatever it is, a text in quotes."""
    try:
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        return cut(f"{value:,g}" if number else repr(value) if isinstance(value, (str, bytes)) else str(value))
    except (ValueError, OverflowError, RecursionError):
        return "a whole number too large to write" if isinstance(value, int) else "something too large to write"


BITS_PER_NAT = 1 / math.log(2)

_SI = {-12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}
_WORDS = {3: "thousand", 6: "million", 9: "billion", 12: "trillion"}
_PLURALS = {"param": "parameter", "sequence": "sequence", "1": "", "x": "", "fraction": ""}
_PREFIXED = ("FLOP", "byte", "W", "Wh", "s", "bit")
_SYMBOLS = {"byte": "B"}


def show(value: Any, unit: str = "1") -> str:
    """A number as a reader wants it: "277 billion parameters", "$63.0 million", "560 GFLOP", "34.0%", "6.61×"."""
    if isinstance(value, (list, tuple)):
        return joined([amount(part, unit) for part in value], " to ")  # pyright: ignore[reportUnknownVariableType]
    return "".join(amount(value, unit))


class Amount(NamedTuple):
    """What `show` writes, in parts: ("277", " billion", " parameters"), ("$1.05", "", " per hour")."""

    number: str
    scale: str = ""
    unit: str = ""

    def before(self, then: Amount) -> str:
        """As it is written before another one that says the unit for both: "277 billion" before "1.83 trillion tokens".

        So it is where that unit is a word, in a plural that serves for both; the same scale is then said once as well.
        """
        once = then.unit[:1] == " " and then.unit in (self.unit, self.unit + "s")
        return self.number + self.scale * (not once or self.scale != then.scale) + self.unit * (not once)


def amount(value: Any, unit: str = "1") -> Amount:
    """A number in the parts of which `show` makes its text."""
    if value is None:
        return Amount("–")
    if getattr(value, "ndim", None) == 0:  # of NumPy
        value = value.item()
    if not isinstance(value, (int, float)):
        return Amount(str(value))
    try:
        if not math.isfinite(value):
            return Amount(str(value))
    except OverflowError:
        raise UnitError(f"A number beyond 1e308 cannot be shown in {unit}.") from None
    head, _, rest = unit.partition("/")
    shown = _amount_in(float(value), head)
    return shown._replace(unit=shown.unit + _per(rest))


def joined(parts: Sequence[Amount], link: str) -> str:
    """Amounts in a row, a unit that neighbours share said once: "26,250 to 29,167 GPUs", "1 to 16 experts"."""
    return link.join(one.before(then) for one, then in zip(parts, [*parts[1:], Amount("")], strict=False))


def _per(rest: str) -> str:
    """The unit below the line: "/s", or in words " per GPU per hour"."""
    if rest in ("", "s"):
        return rest and "/s"
    words = f" per {rest.replace('/', ' per ').replace('param', 'parameter')}"
    return words.replace("per ktoken", "per 1,000 tokens").replace("per Mtoken", "per million tokens")


def _amount_in(value: float, unit: str) -> Amount:
    if unit in ("fraction", "percent"):
        return Amount(f"{_digits(value * 100 if unit == 'fraction' else value)}%")
    if unit == "x":
        return Amount(f"{_digits(value)}×")
    if unit == "date":
        return Amount(month(value))
    if unit == "USD":
        return Amount(("−" if value < 0 else "") + "$" + _dollars(abs(value)))
    if unit in _PREFIXED:
        long = unit == "s" and _rounded(value) >= 1000
        return _long(value) if long else Amount(_prefixed(value, _SYMBOLS.get(unit, unit)))
    return Amount(*_worded(value), f" {_plural(unit, value)}".rstrip())


#: What a wait is told in that is too long for seconds: the name, its seconds, and from how many seconds on.
_LONG = (("year", 31_557_600, 63_115_200), ("day", 86_400, 172_800), ("hour", 3600, 7200), ("minute", 60, 0))


def _long(value: float) -> Amount:
    """1,450 s -> "24.2 minutes"; 1e6 s -> "11.6 days"."""
    name, seconds = next((name, seconds) for name, seconds, least in _LONG if abs(value) >= least)
    return _amount_in(value / seconds, name)


def counted(value: float, unit: str) -> str:
    """A number, written out, and its unit in the right number: "1 head", "16 experts", "0.34"."""
    if unit == "date":
        return month(value)
    name = "" if unit == "fraction" else unit if unit in ("s", "x") or "/" in unit else _plural(unit, value)
    return f"{value:,.12g} {name}".strip()


def _dollars(value: float) -> str:
    """Cents below a hundred dollars, if there are any; three digits from ten thousand on, and below ten cents.

    "1.10", "48", "302,000", "0.0049".
    """
    cents = round(value, 2)
    if not 0.1 <= value < 100 or cents == 100:
        return "".join(_worded(_rounded(value) if value >= 10_000 else value))
    return f"{cents:.0f}" if cents == int(cents) else f"{cents:.2f}"


def _plural(unit: str, value: float) -> str:
    name = _PLURALS.get(unit, unit).replace("*", "-")
    if name in ("", "ms") or value == 1 or (name.isupper() and name != "GPU"):
        return name
    return name + ("es" if name.endswith("ch") else "s")


def _worded(value: float) -> tuple[str, str]:
    """Three digits and a word: 277e9 -> "277", " billion"; beyond a thousand trillion a power of ten."""
    exponent = _thousands(value)
    if exponent < 6 or exponent > 12:
        return _digits(value) if exponent < 6 else scientific(value), ""
    return _digits(value / 10.0**exponent), f" {_WORDS[exponent]}"


def _prefixed(value: float, symbol: str) -> str:
    exponent = max(_thousands(value), 0) if symbol == "B" else _thousands(value)  # a byte is not divided further
    if value and exponent not in _SI:
        return f"{scientific(value)} {symbol}"
    return f"{_digits(value / 10.0**exponent)} {_SI[exponent]}{symbol}"


def _thousands(value: float) -> int:
    """The power of ten, in steps of three, that leaves one to three digits before the point."""
    return 0 if value == 0 else 3 * math.floor(math.log10(_rounded(value)) / 3)


def _rounded(value: float) -> float:
    """Its size to three digits, as long as that is a number: the largest rounds to none."""
    return min(float(f"{abs(value):.3g}"), sys.float_info.max)


def _digits(value: float) -> str:
    """Three significant digits without an exponent: 0.0049, 3.36, 25,000."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return minus(f"{value:,.0f}")
    if abs(value) < 1e-6:
        return scientific(value)
    decimals = max(0, 2 - math.floor(math.log10(_rounded(value))))
    text = f"{value:.{min(decimals, 9)}f}"
    return minus(text.rstrip("0").rstrip(".") if "." in text and float(text) == value else text)


def minus(text: str) -> str:
    """A minus sign as long as a plus, in place of the hyphen."""
    return text.replace("-", "−")


SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def scientific(value: float) -> str:
    """2.15e25 -> "2.15×10²⁵"."""
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    return f"{minus(mantissa)}×10{str(int(exponent)).translate(SUPERSCRIPT)}"


MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip


def year_and_month(date: float) -> tuple[int, int]:
    """The year, and the month from 0 to 11, of a date that is written as a year with its fraction: of unit "date"."""
    whole = math.floor(date)
    return whole, min(11, math.floor((date - whole) * 12 + 1e-6))


def month(date: float) -> str:
    """2021.67 -> "September 2021"."""
    whole, at = year_and_month(date)
    return f"{MONTHS[at]} {whole}"


def year(date: Any) -> float:
    """A date as a number of years."""
    return date.year + (date.timetuple().tm_yday - 1) / 365.25
