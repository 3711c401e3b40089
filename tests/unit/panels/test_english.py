"""What a panel says of one thing, it says in the singular."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from gpt4lab.panels.curve import Curve
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import path_of
from gpt4lab.panels.view import View
from gpt4lab.scenario import FIELDS, NotKnown, ScenarioError, change, load_scenario
from gpt4lab.scenario.rules import LayoutError
from tests.unit.panels.declared import declared

PANELS: dict[str, Any] = {**declared(Panel), **declared(Curve), **declared(Drawn)}
MANY_OF_ONE = re.compile(
    r"(?<![\d.,–-])1[ \u00a0](?!(?:is|was|has|as|across|less|times|plus|perhaps)\b)[a-z-]+[^s\W]s\b"
)


@pytest.mark.parametrize("place", PANELS)
def test_one_is_no_plural(place: str) -> None:
    panel = PANELS[place]
    for path in map(path_of, (*panel.controls, *panel.folded)):
        if not FIELDS[path].whole or FIELDS[path].lo > 1:
            continue
        try:
            view = panel.view(change(load_scenario(panel.start), {path: 1}))
        except (LayoutError, NotKnown, ScenarioError):
            continue
        wrong = [found[0] for words in said(view) for found in MANY_OF_ONE.finditer(words)]
        assert not wrong, f"{path} = 1: {wrong}"


def said(view: View) -> Iterator[str]:
    """All words of a view."""
    yield from (str(view.label), str(view.value), view.sentence, view.alt)
    for row in (row for rows in view.datasets.values() for row in rows):
        yield from (value for value in row.values() if isinstance(value, str))
    for scene in view.scenes:
        yield from (scene.caption, scene.description, *(shape.text for shape in scene.shapes if hasattr(shape, "text")))
