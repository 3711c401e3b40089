"""In which order the tests run, and which of them stay together on one worker.

Tests that share something costly form a group: a file, with its fixtures and caches; all that judges one chapter's
run; one chapter in the browser. Whoever is free takes the next group, those that take long first.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import PurePosixPath
from random import Random
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

CHAPTER = re.compile(r"(?<=[\[/-])\d\d_\w+")
#: What takes long, longest first; the rest follows as it was collected.
LONG = (
    "browser/test_journeys.py",
    "browser/",
    "notebooks/",
    "static/test_tools.py",
    "unit/toys/",
    "unit/distributed/",
    "unit/tools/test_recipes.py",
    "unit/panels/",
    "unit/chapters/",
)


def in_groups(items: list[pytest.Item], seed: int | None = None) -> list[pytest.Item]:
    """The tests, group by group: the long ones first, or shuffled with a seed."""
    groups: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        groups[group_of(item.nodeid)].append(item)
    names = sorted(groups, key=rank)
    if seed is not None:
        dice = Random(seed)
        dice.shuffle(names)
        for name in names:
            dice.shuffle(groups[name])
    return [item for name in names for item in groups[name]]


def group_of(nodeid: str) -> str:
    """The name of a test's group."""
    path, _, test = nodeid.partition("::")
    place = PurePosixPath(path.removeprefix("tests/"))
    chapter = CHAPTER.search(nodeid)
    if chapter and place.parts[0] in ("notebooks", "browser") and place.name != "test_light.py":
        return f"{place.parts[0]}/{place.name if place.parts[0] == 'browser' else 'run'}/{chapter[0]}"
    return f"{place}/{test}" if place.name == "test_tools.py" else str(place)


def rank(group: str) -> int:
    """The place of a group in the order."""
    return next((at for at, start in enumerate(LONG) if group.startswith(start)), len(LONG))


class GroupScheduling(LoadScopeScheduling):
    """Hands whole groups to whoever is free, in the order of the tests.

    pytest-xdist's own `--dist loadgroup` writes the group into the name of a test, which pytest 9 no longer takes.
    """

    def __init__(self, config: pytest.Config, log: Any) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
