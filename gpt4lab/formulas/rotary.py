"""Rotary positions: how fast each pair of a head's coordinates turns, and the ways to bend that for a longer context.

Su 2021: pair i of d/2 turns by b^(-2i/d) from one token to the next. "interpolation" slows all pairs alike (Chen 2023);
"NTK" raises the base, so that the quickest pair stays and the slowest is slowed in full; "YaRN" leaves pairs alone
that turned at least 32 times within the trained context, slows in full those that never turned once, and those between
them in part (Peng 2023, as the code of its repository has it). It also sharpens attention by a gain on both sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, inf, log, pi

WAYS = ("none", "interpolation", "NTK", "YaRN")
YARN_TURNS = (32, 1)  # beta and alpha


def frequencies(width: int, base: float = 10_000.0) -> list[float]:
    """Radians that each pair of a head `width` wide turns from one token to the next, the quickest first."""
    return [base ** (-2 * pair / width) for pair in range(width // 2)]


def bent(way: str, times: float, trained: float, width: int, base: float = 10_000.0) -> list[float]:
    """The same, for a context `times` as long as the `trained` one. ValueError for an unknown way."""
    turns = frequencies(width, base)
    if way not in WAYS:
        raise ValueError(f"way must be one of {', '.join(WAYS)}, not {way!r}")
    if way == "none" or times <= 1:
        return turns
    if way == "NTK":
        return frequencies(width, base * times ** (width / (width - 2)))
    slowed = [1.0] * len(turns) if way == "interpolation" else _slowed_by_yarn(trained, width, base)
    return [turn * (1 - share + share / times) for turn, share in zip(turns, slowed, strict=True)]


def gain(way: str, times: float) -> float:
    """What YaRN multiplies queries and keys by; one for all others."""
    return 0.1 * log(times) + 1 if way == "YaRN" and times > 1 else 1.0


def leaving(turns: Sequence[float], width: int, trained: float, base: float = 10_000.0) -> list[float]:
    """After how many tokens each pair, turning so, first points where it never did within the `trained` ones.

    Infinite for those that finished a turn there: they have pointed everywhere.
    """
    seen = (plain * trained for plain in frequencies(width, base))
    return [inf if angle >= 2 * pi else angle / turn for turn, angle in zip(turns, seen, strict=True)]


def unseen(turns: Sequence[float], context: float, width: int, trained: float, base: float = 10_000.0) -> list[bool]:
    """Which pairs, turning so within `context`, point where they never did within the `trained` one."""
    return [context > at * (1 + 1e-9) for at in leaving(turns, width, trained, base)]


def _slowed_by_yarn(trained: float, width: int, base: float) -> list[float]:
    """The share of each pair's slowing: none, all, and a straight ramp between."""

    def pair(turns: float) -> float:
        return width * log(trained / (turns * 2 * pi)) / (2 * log(base))

    low, high = max(floor(pair(YARN_TURNS[0])), 0), min(ceil(pair(YARN_TURNS[1])), width - 1)
    return [min(max((at - low) / max(high - low, 1e-3), 0.0), 1.0) for at in range(width // 2)]
