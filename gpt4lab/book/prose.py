r"""Prose whose numbers are computed.

    say("The run takes {training.days} and costs {training.cost}; on H100 {training.days@h100-rerun}.")
    say("With 100 days it is {cluster.rental|cluster.days=100}. The post says {C33.stated}: {C33.verdict}.")

A name in braces is a quantity, a field, or part of a claim (stated, recomputed, residual, verdict, quote). "@" names
another scenario, "|" changes fields. Other braces, as in LaTeX, are left alone. An unknown name is an error.
"""

from __future__ import annotations

import re

from IPython.display import Markdown

from gpt4lab.claims import judge, ledger
from gpt4lab.quantities import unit_of, value
from gpt4lab.quantities.registry import known
from gpt4lab.scenario import Scenario, change, load_scenario, parse
from gpt4lab.units import COUNTED, show

_NAME = re.compile(
    r"\{(?P<name>[A-Z]\d+\.[a-z]+|[a-z_]+\.[a-z_0-9]+)(?:@(?P<scenario>[\w.-]+))?(?:\|(?P<changes>[^{}]+))?\}"
)


def say(text: str) -> Markdown:
    """A paragraph of Markdown with its numbers filled in."""
    return Markdown(fill(text))


def fill(text: str) -> str:
    """The text with every name in braces replaced by its value and unit. Raises UnknownQuantity for an unknown name."""
    return _NAME.sub(lambda found: _value(**found.groupdict()), text)


def _value(name: str, scenario: str | None, changes: str | None) -> str:
    there = load_scenario(scenario or "leak")
    settings = dict(pair.split("=") for pair in (changes or "").split(",") if pair)
    there = change(there, {path.strip(): parse(path.strip(), text) for path, text in settings.items()})
    head, _, part = name.partition(".")
    return _claim(head, part, there) if head in ledger() else _shown(name, there)


def _shown(name: str, scenario: Scenario) -> str:
    return _escaped(show(value(known(name), scenario), unit_of(name)))


def _claim(key: str, part: str, scenario: Scenario) -> str:
    result = judge(ledger()[key], scenario)
    parts = {
        "stated": as_stated(key),
        "recomputed": result.shown(),
        "residual": "–" if result.residual is None else f"{result.residual:+.1%}",
        "verdict": result.verdict.replace("-", " "),
        "quote": f"“{result.claim.quote}”",
    }
    return _escaped(parts[part])


def as_stated(key: str) -> str:
    """The stated number as the post writes it, its own unit kept: "560 TFLOP per token", "0.0049 cent"."""
    claim = ledger()[key]
    if claim.as_written or not claim.stated:
        return claim.as_written
    return " to ".join(_with_unit(number, claim.stated_unit) for number in claim.stated)


def _with_unit(number: float, unit: str) -> str:
    """Dollars, counts and shares in words; a prefixed unit (TFLOP) as it is, because the prefix may be the mistake."""
    if unit.startswith("MUSD"):
        return f"${number:,.12g} million"
    prefixed = unit[:1] in "kMGTPE" and unit not in COUNTED
    return f"{number:,.12g} {unit.replace('/', ' per ')}" if prefixed else show(number, unit)


def _escaped(text: str) -> str:
    """A dollar sign would begin a formula, for Markdown and once more for MathJax: two backslashes."""
    return text.replace("$", r"\\$")
