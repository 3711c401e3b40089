"""How many numbers the post really contains: which statements can be rebuilt from the others."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

import attrs

from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.verdict.linear import rank, reduced
from gpt4lab.verdict.network import GPT3, equations, logs, numbers, slopes

STATED, REBUILT, LOST = KINDS = ("stated", "rebuilt", "lost")


@attrs.frozen
class Content:
    """What is left of the network when some statements are struck out.

    kinds: path -> stated, rebuilt from others, or lost. independent: numbers that are not decided by the others.
    spare: path -> whether this statement, struck out alone next, could be rebuilt.
    """

    kinds: dict[str, str]
    independent: int
    spare: dict[str, bool]

    @property
    def stated(self) -> int:
        """How many statements are left."""
        return sum(kind == STATED for kind in self.kinds.values())

    @property
    def lost(self) -> list[str]:
        """What can no longer be rebuilt."""
        return [path for path, kind in self.kinds.items() if kind == LOST]

    @property
    def count_lost(self) -> int:
        """How many are lost that the whole post tells."""
        return len(set(self.lost) - set(content().lost))


@lru_cache(maxsize=64)
def content(deleted: frozenset[str] = frozenset(), block: bool = False) -> Content:
    """The network of the post without some statements; what nobody states is not there to begin with."""
    said = [path for path, one in numbers().items() if one.claim and path not in deleted]
    kinds = {path: STATED if path in said else REBUILT for path in numbers()}
    lost = _undetermined(said, block)
    kinds |= dict.fromkeys(lost, LOST)
    spare = {path: path not in _undetermined([other for other in said if other != path], block) for path in said}
    rows = _rows(block)
    checks = rank(rows) - rank(_columns(rows, [path for path in numbers() if path not in said]))
    return Content(kinds, len(said) - checks, spare)


def left(scenario: Scenario) -> Content:
    """What is left of the post without what its reader has struck out, with layers of GPT-3 or without."""
    return content(deleted(scenario), scenario.adjust.block == GPT3)


def deleted(scenario: Scenario) -> frozenset[str]:
    """The statements that the reader has struck out."""
    paths = list(numbers())
    return frozenset(paths[int(word) - 1] for word in scenario.adjust.deleted.split())


def _rows(block: bool) -> list[list[float]]:
    """The equations' slopes at the post's numbers: which numbers move together does not depend on the scenario."""
    leak = load_scenario("leak")
    return slopes(equations(block), logs(leak), leak)


def _columns(rows: list[list[float]], paths: Collection[str]) -> list[list[float]]:
    at = [k for k, path in enumerate(numbers()) if path in paths]
    return [[row[k] for k in at] for row in rows]


def _undetermined(said: Collection[str], block: bool) -> set[str]:
    """What the equations leave open: in their reduced form, what no row has alone."""
    unknown = [path for path in numbers() if path not in said]
    rows = reduced(_columns(_rows(block), unknown))
    alone = {unknown[next(k for k, by in enumerate(row) if by)] for row in rows if sum(by != 0 for by in row) == 1}
    return set(unknown) - alone
