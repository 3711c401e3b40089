r"""Sentences whose numbers are computed, each with its own unit.

    fill("The run takes {training.days} and costs {training.cost}; on H100 {training.days@h100-rerun}.")
    fill("With 100 days it is {cluster.rental|cluster.days=100}. The post says {C33.stated}: {C33.verdict}.")
    fill("Of {training.mfu:.0%} you keep {training.mfu_after_bubble:.1%}.", scenario)

    fill("The post says that GPT-4 {C11.quote:only utilizes ~280B parameters}.")

A name in braces is a quantity, a field, or part of a claim (stated, recomputed, residual, verdict, quote, flip). "@"
names another scenario, "|" changes fields, ":" formats the bare number, or says which words of a quote are wanted.
"~" before an input, as in {~training.mfu}, lets a reader move it within the sentence: see gpt4lab/book/touch.
Other braces, as in LaTeX, are left alone.
Two amounts of one unit with no more than a joint between them ("to", "instead of", a comma) say it once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from gpt4lab.claims.audit import judge
from gpt4lab.claims.ledger import ledger
from gpt4lab.claims.sensitivity import flips_in_words
from gpt4lab.quantities import QUANTITIES, UnknownQuantity, known, unit_of, value, values
from gpt4lab.quantities.registry import FAMILIES, unchecked
from gpt4lab.scenario import FIELDS, RENAMED, Scenario, ScenarioError, change, load_scenario, parse
from gpt4lab.units import COUNTED, Amount, amount, joined, minus

_NAME = re.compile(
    r"\{(?P<moved>~)?(?P<name>[A-Z]\d+\.[a-z]+|[a-z_]+\.[a-z_0-9]+)"
    r"(?:@(?P<there>[\w.-]+))?(?:\|(?P<changes>[^{}:]+))?(?::(?P<spec>[^{}]+))?\}"
)


#: The parts of a claim that are numbers.
NUMBERS = ("stated", "recomputed", "residual")
_HEADS = {*FAMILIES, *(name.partition(".")[0] for name in (*QUANTITIES, *FIELDS, *RENAMED))}
#: How a name begins; what begins so and is no whole name in braces was meant as one.
_BEGUN = re.compile(r"\{[\s~]*(?:[A-Z]\d+|" + "|".join(sorted(_HEADS)) + r")\.")


def fill(
    text: str,
    scenario: Scenario | None = None,
    written: Callable[[str, re.Match[str]], str] = lambda words, _: words,
    given: Mapping[str, Any] | None = None,
) -> str:
    """The text with every name in braces replaced by its value under a scenario (the post's, where none is given).

    `written` makes of each value's words, and of what stands in the text for it, what the page needs; `given` is set
    over the scenario, for bare names. Raises ScenarioError, with the part of the text that it is about, for an unknown
    name, a change or a format that cannot be, and for a brace that does not close.
    """
    here = scenario or load_scenario("leak")
    for begun in _BEGUN.finditer(text):
        if not _NAME.match(text, begun.start()):
            raise ScenarioError(f"{text[begun.start() :][:40]!r} is not a name in braces, such as {{training.cost}}.")
    found = list(_NAME.finditer(text))
    names = dict.fromkeys(name["name"] for name in found if not (name["there"] or name["changes"]))
    wanted = [name for name in names if name in FIELDS or name in QUANTITIES]
    ahead = unchecked(wanted, here, given) if given else values(wanted, here)  # what they share, once
    return _joined(text, found, [_told(here, ahead, name) for name in found], written)


def meant(brace: str, here: Scenario) -> tuple[str, Scenario]:
    """The name within braces, and the scenario that it is asked of. Raises ScenarioError for what is no such name."""
    found = _NAME.fullmatch(f"{{{brace}}}")
    if not found:
        raise ScenarioError(f"{brace!r} is not a name in braces, such as {{training.cost}}.")
    return found["name"], _under(here, found["there"], found["changes"])


#: What stands between two amounts that are read in one breath.
_JOINT = re.compile(r"(,|,?\s+(to|and|or|not|against|beside|instead\s+of|out\s+of|rather\s+than))\s+")


def _joined(text: str, found: list[re.Match[str]], told: list[Amount], written: Callable[..., str]) -> str:
    """The text with the amounts in place of their names."""
    begins = [name.start() for name in found] + [len(text)]
    between = [text[name.end() : begin] for name, begin in zip(found, begins[1:], strict=True)]
    parts = [
        written(one.before(then if _JOINT.fullmatch(words) else Amount("")), name) + words
        for name, one, then, words in zip(found, told, [*told[1:], Amount("")], between, strict=False)
    ]
    return text[: begins[0]] + "".join(parts)


def _told(here: Scenario, ahead: Mapping[str, Any], found: re.Match[str]) -> Amount:
    try:
        return _value(here, ahead, **found.groupdict())
    except (UnknownQuantity, ValueError, TypeError) as error:  # a format for numbers, of a word
        raise ScenarioError(f"{found.group()}: {error}") from error


def _value(
    here: Scenario,
    ahead: Mapping[str, Any],
    moved: str | None,
    name: str,
    there: str | None,
    changes: str | None,
    spec: str | None,
) -> Amount:
    if moved and (not movable(name) or there or changes):
        raise UnknownQuantity("only an input with a number, under no other scenario, can be moved in a sentence")
    scenario = _under(here, there, changes)
    head, _, part = name.partition(".")
    if head in ledger():
        return _stated_once(head) if part == "stated" and not spec else Amount(_of_claim(head, part, scenario, spec))
    number = ahead[name] if scenario is here and name in ahead else value(known(name), scenario)
    return Amount(minus(format(number, spec))) if spec else amount(number, unit_of(name))


def movable(name: str) -> bool:
    """Whether a reader may move this number: an input that is no choice."""
    field = FIELDS.get(name)
    return field is not None and not (field.choices or field.catalog)


def _under(here: Scenario, there: str | None, changes: str | None) -> Scenario:
    return _changed(load_scenario(there) if there else here, changes)


def _changed(scenario: Scenario, changes: str | None) -> Scenario:
    if changes is None:
        return scenario
    settings = [(path.strip(), text) for path, _, text in (pair.partition("=") for pair in changes.split(","))]
    if bare := [path for path, text in settings if not text]:
        raise ScenarioError(f"{bare[0]!r} sets nothing; write it like training.mfu=0.4.")
    return change(scenario, {path: parse(path, text) for path, text in settings})


def _of_claim(key: str, part: str, scenario: Scenario, spec: str | None) -> str:
    if part == "quote":
        return f"“{_trimmed(key, spec)}”" if spec else ledger()[key].quoted
    if spec:
        raise UnknownQuantity(f"only a quote is trimmed; {key}.{part} takes no {spec!r}")
    if part == "flip":
        return flips_in_words(ledger()[key], scenario, most=1)
    result = judge(ledger()[key], scenario)
    parts = {
        "stated": as_stated(key),
        "recomputed": result.shown(),
        "residual": "–" if result.residual is None else f"{result.residual:+.1%}",
        "verdict": result.verdict.replace("-", " "),
    }
    if part not in parts:
        raise UnknownQuantity(f"{key}.{part} is no part of a claim; there are: {', '.join(['flip', 'quote', *parts])}")
    return parts[part]


def _trimmed(key: str, words: str) -> str:
    """Some whole words of a claim's quote, so that it fits into a sentence: never other words than the post's."""
    quote = ledger()[key].quote
    if not re.search(rf"(?<!\w){re.escape(words)}(?!\w)", quote):
        raise UnknownQuantity(f"{words!r} does not stand in the quote of {key}: {quote!r}")
    return words


def _stated_once(key: str) -> Amount:
    """What a claim states; a single number as an amount, so that its unit can be said once for two."""
    claim = ledger()[key]
    single = not claim.as_written and len(claim.stated) == 1
    return _with_unit(claim.stated[0], claim.stated_unit) if single else Amount(as_stated(key))


def as_stated(key: str) -> str:
    """The stated number as the post writes it, its own unit kept: "560 TFLOP per token", "0.0049 cent"."""
    claim = ledger()[key]
    if claim.as_written or not claim.stated:
        return claim.as_written
    return joined([_with_unit(number, claim.stated_unit) for number in claim.stated], " to ")


def _with_unit(number: float, unit: str) -> Amount:
    """Dollars, counts and shares in words; a prefixed unit (TFLOP) as it is, because the prefix may be the mistake."""
    if unit.startswith("MUSD"):
        return Amount(f"${number:,.12g} million")
    prefixed = unit[:1] in "kMGTPE" and unit not in COUNTED
    return Amount(f"{number:,.12g}", unit=f" {unit.replace('/', ' per ')}") if prefixed else amount(number, unit)
