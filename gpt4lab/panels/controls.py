"""Controls that a reader moves: a number, a choice. They know nothing of scenarios.

    gpus = NumberControl("GPUs", unit="GPU", lo=1_000, hi=200_000, value=25_000, mark=25_000, scale="log", integer=True)
    mfu = NumberControl("MFU", unit="fraction", lo=0.01, hi=1, value=0.34, mark=0.34, help="share of the peak")
    zero = ChoiceControl("ZeRO stage", options=[("none", 0), ("1", 1), ("3", 3)], value=1, mark=1)

    gpus.observe(lambda change: ..., names="value")     # float, or int where `integer`
    gpus.value = 8_000                                  # out of range: ControlError, and the old value stays
    gpus.error = "fewer GPUs than pipeline stages"      # shown under the control until set to ""

`mark` is the value that the reader can always return to (the post's, or what `mark_label` says): a hollow diamond on
the slider, pressed or reached by Delete. The unit "fraction" is shown and typed in per cent and stored as a fraction.
The entry takes "25k", "1.8e12", "25,000", "1.8 trillion", "32%". A move sends the newest value only, never a queue.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from importlib.resources import files
from typing import Any

import anywidget
import ipywidgets as w
import traitlets as t

from gpt4lab.charts import theme
from gpt4lab.scenario.field import SLIPS, is_number, meant, plain
from gpt4lab.scenario.numbers import GRAMMAR
from gpt4lab.units import counted, month, quoted

# What the page says is not said back to it: each move would wait for one message more, a fifth of its time.
NO_ECHO = False


class ControlError(ValueError, t.TraitError):
    """A value that the control does not take: names control, value, range and unit."""


class NotNone(t.Any):
    """Anything but None. What it is not, the control says in its own words."""

    allow_none = False


def read_beside(name: str) -> str:
    """A text file that lies beside this module."""
    return files("gpt4lab.panels").joinpath(name).read_text(encoding="utf-8")


#: JavaScript that gives the page the look and the manners of controls, panels and the pieces of a chapter; once.
LOOK = theme.styling(
    "panel", theme.read("tokens.css") + "".join(map(read_beside, ("controls.css", "band.css", "panel.css", "kit.css")))
) + read_beside("page.js")


#: JavaScript that reads numbers by the same table as Python does.
READER = f"const GRAMMAR = {json.dumps({**GRAMMAR, 'slips': SLIPS})};\n" + read_beside("grammar.js")


def spoken(how: str = "spoken") -> w.HTML:
    """HTML whose changes a screen reader says: "spoken" when it has time, "alarm" at once. See page.js."""
    place = w.HTML()
    place.add_class(f"g4l-{how}")
    return place


class Control(anywidget.AnyWidget):
    """What both controls share."""

    _esm = theme.PATIENT + LOOK + READER + read_beside("number.js") + read_beside("controls.js")

    kind = t.Unicode().tag(sync=True)
    label = t.Unicode().tag(sync=True)
    help = t.Unicode().tag(sync=True)
    mark_label = t.Unicode("the post").tag(sync=True)
    disabled = t.Bool(False).tag(sync=True)
    error = t.Unicode("", help="one line under the control: what is wrong with its value").tag(sync=True)
    note = t.Unicode("", help="one line under the control: why it stands elsewhere than it was put").tag(sync=True)
    slid = t.Bool(False, help="whether the value was slid to, not typed").tag(sync=True, echo_update=NO_ECHO)
    gave = t.Tuple(t.Int(), t.Any(), default_value=(0, None), help="how often `give` has, and in whose place").tag(
        sync=True
    )
    known = t.Bool(True, help="whether its value counts; else nobody has given one yet").tag(sync=True)
    value: Any
    mark: Any

    def stand(self, value: Any, *, known: bool = True) -> None:
        """Stand at a value, or where nothing is known: the first move says what it is."""
        self.value = value
        self.known = known

    def give(self, value: Any) -> None:
        """Stand at a value in place of the one that was chosen; on the page, a choice made since then stays."""
        with self.hold_sync():
            self.gave = self.gave[0] + 1, self.value
            self.value = value

    @t.observe("value")
    def _given(self, _: Any) -> None:
        self.known = True


def unit_words(unit: str, *, one: bool = False) -> str:
    """A unit as a reader says it: "GPU" -> "GPUs", or of one "GPU"; "USD/GPU/hour" -> "$ per GPU-hour"."""
    known = {"fraction": "%", "percent": "%", "1": "", "x": "×", "USD": "$", "s": "s", "date": ""}
    head, *below = unit.replace("param", "parameter").replace("ktoken", "1,000 tokens").split("/")
    plural = head if one or (not head.islower() and head != "GPU") else f"{head}s"
    words = known.get(head, plural)
    return f"{words} per {'-'.join(below)}" if below and below != ["s"] else words + "/s" * len(below)


def billion_of(words: str) -> str:
    """The letter of a billion before a unit: "G" before those that take prefixes, else "B"."""
    return "G" if re.match(r"(FLOP|B\b|byte|bit|W|Hz)", words, re.IGNORECASE) else "B"


def in_figures(shown: float, billion: str = "B") -> str:
    """A number as the page writes it (`formatNumber`): "25,000", to seven digits; "13T", to five."""
    size = abs(shown)
    if size and (size >= 1e21 or size < 1e-4):
        return f"{Decimal(repr(float(shown))).normalize():e}".replace("+", "")
    scales = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, billion), (1e6, "M"))
    factor, letter = next((scale for scale in scales if size >= scale[0]), (1, ""))
    exact = Decimal(repr(float(shown / factor)))
    last = exact.adjusted() + 1 - (5 if letter else 7)  # the place of the last digit that is written
    rounded = exact.quantize(Decimal(1).scaleb(last), ROUND_HALF_UP) if exact else exact
    return f"{rounded:,f}".rstrip("0").rstrip(".") + letter if "." in f"{rounded:f}" else f"{rounded:,f}{letter}"


class NumberControl(Control):
    """A slider with a number entry and a unit. Every value from `least` to `most` is taken; the slider widens to it.

    Raises
    ------
    ControlError
        On a value or a mark that is no number or out of range, a broken range, or a log scale that reaches zero.

    """

    unit = t.Unicode().tag(sync=True)
    unit_words = t.Unicode(help="the unit as the reader sees it").tag(sync=True)
    unit_of_one = t.Unicode(help="the same where it stands at one").tag(sync=True)
    lo = t.Float().tag(sync=True)
    hi = t.Float().tag(sync=True)
    least = t.Float(help="what may be typed").tag(sync=True)
    most = t.Float().tag(sync=True)
    scale = t.Enum(["linear", "log"], "linear").tag(sync=True)
    step = t.Float(None, allow_none=True).tag(sync=True)
    integer = t.Bool(False).tag(sync=True)
    mark = t.Any(None).tag(sync=True)
    value = NotNone(0).tag(sync=True, echo_update=NO_ECHO)

    def __init__(self, label: str, unit: str, lo: float, hi: float, value: float, **options: Any) -> None:
        if not (math.isfinite(lo) and math.isfinite(hi) and lo < hi):
            raise ControlError(f"{label}: the range {lo:g} to {counted(hi, unit)} is empty or endless.")
        if options.get("scale") == "log" and lo <= 0:
            raise ControlError(f"{label}: a log scale starts above zero, not at {counted(lo, unit)}.")
        said = {"unit": unit, "unit_words": unit_words(unit), "unit_of_one": unit_words(unit, one=True)}
        self._range = lo, hi
        super().__init__(
            kind="number", label=label, lo=lo, hi=hi, value=value, **{**said, "least": lo, "most": hi, **options}
        )

    def stand(self, value: Any, *, known: bool = True) -> None:
        """As every control; the slider is as wide as declared again, or as the value needs."""
        super().stand(value, known=known)
        self._widen(*self._range)

    def _widen(self, lo: float, hi: float) -> None:
        """The slider from `lo` to `hi`, or as far as the value; a log scale never reaches nothing."""
        reached = self.scale == "linear" or self.value > 0
        self.lo, self.hi = min(lo, self.value) if reached else lo, max(hi, self.value)

    @t.observe("value")
    def _reach(self, _: Any) -> None:
        self._widen(self.lo, self.hi)

    @t.validate("value", "mark")
    def _inside(self, proposal: dict[str, Any]) -> float | None:
        value: Any = plain(proposal["value"])
        if proposal["value"] is None and proposal["trait"].allow_none:  # no mark
            return None
        symbol = self.unit_words[:1] in ("$", "%")
        allowed = f"{self._words(self.least) if symbol else self._number(self.least)} to {self._words(self.most)}"
        if not is_number(value):
            raise ControlError(f"{self.label}: {quoted(value)} is not a number; allowed: {allowed}.")
        if not self.least <= value <= self.most:
            raise ControlError(f"{self.label}: {self._words(value)} is outside {allowed}.{self._meant(value)}")
        if self.integer and value != int(value):
            raise ControlError(f"{self.label}: {self._words(value)} is not a whole number.")
        return int(value) if self.integer else float(value)

    def _words(self, value: float) -> str:
        """The number as the page would write it: "34%", "25,000 GPUs", "$1 per GPU-hour"."""
        if not is_number(value * 100):  # beyond every float, in per cent
            return f"{quoted(value)} {self.unit_words}".strip()
        number = self._number(value)
        if self.unit_words.startswith("$"):
            return f"${number}{self.unit_words[1:]}"
        words = self.unit_of_one if value == 1 else self.unit_words
        return f"{number}{'' if words == '%' else ' '}{words}".strip()

    def _number(self, value: float) -> str:
        if self.unit == "date":
            name, _, year = month(value).partition(" ")
            return f"{name[:3]} {year}"
        shown = value * 100 if self.unit == "fraction" else value
        return in_figures(shown, billion_of(self.unit_words))

    def _meant(self, value: float) -> str:
        best = meant(value, self.least, self.most, self.hi if self.mark is None else self.mark, self.integer)
        return "" if best is None else f" Did you mean {self._words(best)}?"


class ChoiceControl(Control):
    """One of a few options: words, (words, value) pairs, or a dict of value -> words.

    Raises
    ------
    ControlError
        On a value or a mark that is not among the options.

    """

    options = t.List().tag(sync=True)
    stacked = t.Bool(False, help="radios below each other, however long their words").tag(sync=True)
    mark = t.Any(None).tag(sync=True)
    value = NotNone(None).tag(sync=True, echo_update=NO_ECHO)

    def __init__(
        self, label: str, options: Sequence[Any] | Mapping[str, Any], value: Any, mark: Any = None, **more: Any
    ) -> None:
        pairs = [(words, own) for own, words in options.items()] if isinstance(options, Mapping) else options
        listed = [list(pair) if isinstance(pair, (list, tuple)) else [str(pair), pair] for pair in pairs]
        super().__init__(kind="choice", label=label, options=listed, value=value, mark=mark, **more)

    @t.validate("value", "mark")
    def _among(self, proposal: dict[str, Any]) -> Any:
        value, values = plain(proposal["value"]), [own for _, own in self.options]
        no_mark = value is None and proposal["trait"].allow_none
        if not no_mark and (type(value) not in map(type, values) or value not in values):
            raise ControlError(f"{self.label}: {quoted(value)} is not one of {', '.join(map(str, values))}.")
        return value


class Text(t.Unicode[str, Any]):
    """Text alone. What is none, the control says in its own words."""

    def validate(self, obj: Any, value: Any) -> str:
        """The text as it is."""
        if not isinstance(value, str):
            raise ControlError(f"{obj.label}: {quoted(value)} is not text.")
        return value


class TextControl(Control):
    """Text, letter by letter; `late`: once the reader has finished. What is being typed is never written over.

    `sent` counts how often the reader has pressed Enter in it, the value comes with it; not so in `lines`.
    """

    value = Text("").tag(sync=True, echo_update=NO_ECHO)
    sent = t.Int(0).tag(sync=True, echo_update=NO_ECHO)
    lines = t.Int(1).tag(sync=True)
    late = t.Bool(False).tag(sync=True)
    mark = ""

    def __init__(self, label: str, **more: Any) -> None:
        super().__init__(kind="text", label=label, **more)
