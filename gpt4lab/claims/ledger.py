"""The post, split into atomic claims: each is one entry of ledger.toml.

    [C12]
    chapter = "03"
    quote = "~560 TFLOPs"               # at most a dozen words of the post
    stated = 560                        # the number and its unit as written
    stated_unit = "TFLOP"
    quantity = "flop.per_token"         # what recomputes it
    given = {"model.active_params" = 280e9}   # what the same sentence states
    note = "..."

A claim in words says what must hold instead: `expect = {"kv.sequences" = [0, 0]}`. One that arithmetic cannot
reach has a typed `verdict` and says `why`. What only stands beside the claims, a remark or a question, is "no-claim".
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import attrs

#: Verdicts, best first, in the words that a reader sees.
VERDICTS = (
    "consistent",
    "consistent-with-assumption",
    "unit-error",
    "arithmetic-mismatch",
    "needs-more-than-anyone-has-shown",
    "internally-inconsistent",
    "not-checkable",
    "opinion",
    "no-claim",
    "not-known",
)
ALONE, HELPED = VERDICTS[:2]
HOLDS = frozenset((ALONE, HELPED))
#: Verdicts that neither hold nor fail.
OPEN = frozenset(VERDICTS[-4:])
#: The verdict of a claim that holds only under an assumption beyond all that was published.
NEEDS_MORE = "needs-more-than-anyone-has-shown"
NOT_CHECKABLE, OPINION, NO_CLAIM = VERDICTS[-4:-1]
#: The verdict of a claim that needs a number which the scenario does not know.
NOT_KNOWN = VERDICTS[-1]

#: Who says it: the post, with its source as far as known; the poster alone; the article that he copied; the forum.
ORIGINS = ("post", "poster", "source", "forum")
_BY_LETTER = {"C": "post", "P": "poster", "S": "source", "F": "forum"}

#: How stated and recomputed numbers compare: each with its own; with any one; with their range; as a lower limit.
RELATIONS = ("about", "any", "within", "at_least")

Bound = float | str  # a number, or the path of a quantity or field


def _tuple(value: Any) -> tuple[Any, ...]:
    """One or many: 560 -> (560,), [90, 100] -> (90, 100)."""
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def _bounds(value: Mapping[str, list[Bound]]) -> Mapping[str, tuple[Bound, Bound]]:
    return {name: (low, high) for name, (low, high) in value.items()}


@attrs.frozen(eq=False)
class Claim:
    """One atomic statement of the post (C..), its source (S..), its provenance (P..) or the forum below it (F..).

    stated, stated_unit: the number or range as written. as_written: how, where that matters ("2.15e25 FLOPS").
    quantity: names of the quantities that recompute it. given: one or more settings under which they are computed.
    sets: the path that the stated value itself sets, where the test is whether anything possible follows from it.
    relation: how `stated` compares with what is recomputed. tolerance: largest relative difference that still holds.
    expect: quantity -> (least, most), for what else must hold. assumption: what must be added for it to hold;
    assume: the same as settings. contradicts: which other statement of the post it denies, if it fails. by: who says
    it, where the letter of its id does not tell. verdict, why: typed where arithmetic cannot reach. note: what is
    known, derived or guessed. evidence: what was published. status: whether that was seen in its source.
    """

    id: str
    chapter: str
    quote: str
    as_written: str = ""
    stated: tuple[float, ...] = attrs.field(default=(), converter=_tuple)
    stated_unit: str = ""
    quantity: tuple[str, ...] = attrs.field(default=(), converter=_tuple)
    given: tuple[Mapping[str, Any], ...] = attrs.field(default=({},), converter=_tuple)
    sets: str = ""
    relation: str = attrs.field(default="about", validator=attrs.validators.in_(RELATIONS))
    tolerance: float = 0.03
    expect: Mapping[str, tuple[Bound, Bound]] = attrs.field(factory=dict[str, Any], converter=_bounds)
    assumption: str = ""
    assume: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    contradicts: str = ""
    by: str = attrs.field(default="", validator=attrs.validators.in_(("", *ORIGINS)))
    verdict: str = attrs.field(default="", validator=attrs.validators.in_(("", *VERDICTS)))
    why: str = ""
    note: str = ""
    evidence: str = ""
    status: str = ""

    @property
    def quoted(self) -> str:
        """The quote in its marks; its own become inner ones, and who says it, "[source]", stands before them."""
        tag, words = re.fullmatch(r"(\[.*?\] )?(.*)", self.quote, re.DOTALL).groups("")  # type: ignore[union-attr]
        return f"{tag}“{words.replace('“', '‘').replace('”', '’')}”"

    @property
    def checkable(self) -> bool:
        """Whether arithmetic decides it."""
        return not self.verdict

    @property
    def origin(self) -> str:
        """Who says it, one of `ORIGINS`."""
        return self.by or _BY_LETTER[self.id[0]]

    @property
    def may_slip(self) -> bool:
        """Whether a wrong unit could explain its failure: it states a number that must come out about right."""
        return bool(self.sets) or (bool(self.stated) and self.relation == "about")


@cache
def ledger() -> Mapping[str, Claim]:
    """All claims by id, in the order of the chapters."""
    entries = tomllib.loads(files("gpt4lab.claims").joinpath("ledger.toml").read_text("utf-8"))
    return MappingProxyType({key: Claim(id=key, **entry) for key, entry in entries.items()})


def claims_of(chapter: str) -> list[Claim]:
    """The claims of one chapter, given as "03"."""
    return [claim for claim in ledger().values() if claim.chapter == chapter]
