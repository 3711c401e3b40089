"""A panel whose picture is a drawing: one mechanism, driven by the same scenario as every chart.

strip = Drawn(
    title="What one token leaves behind",
    controls=(Slide("model.kv_heads", 1, 84),),
    view=strip_view,            # Scenario -> View with scenes; more than one are scrubbed
    steps="Layer",              # what the scrubber counts
)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from gpt4lab.charts.drawing import Drawing, Scene, Words
from gpt4lab.panels.panel import LivePanel, Panel
from gpt4lab.panels.setting import slide
from gpt4lab.panels.view import View
from gpt4lab.scenario import NotKnown, Scenario
from gpt4lab.scenario.rules import LayoutError

NOTHING = "Nothing can be drawn here: the sentence below says why."


def _no_chart(view: View) -> Any:
    raise NotImplementedError("a drawing has scenes")


@attrs.frozen(kw_only=True)
class Drawn(Panel):
    """The declaration of such a panel. begins: the scene that is seen first; -1 is the last.

    pressing: what a shape of that key changes when it is pressed: path -> value. The same must be within reach of a
    control, for whoever has no pointer.
    """

    chart: Callable[[View], Any] = attrs.field(init=False, default=_no_chart)
    steps: str = "Step"
    begins: int = 0
    pressing: Callable[[Scenario, str], Mapping[str, Any]] = lambda scenario, key: {}

    def widget(self, scenario: Scenario | None = None) -> LivePanel:
        """The panel on the page; what is dragged in the drawing moves the slider of that field."""
        live = super().widget(scenario)
        live.chart.observe(lambda event: slide(live, *event["new"][:2]), "pulled")
        live.chart.observe(lambda event: self._press(live, event["new"][0]), "pressed")
        return live

    def _press(self, live: LivePanel, key: str) -> None:
        if live.chart.has(key):
            live.set(self.pressing(live.scenario, key))

    def without(self, missing: NotKnown | LayoutError) -> View:
        """As every panel; there is no drawing."""
        return attrs.evolve(super().without(missing), scenes=())

    def picture(self, view: View) -> Drawing:
        """The widget that shows a view's scenes."""
        return Drawing(_scenes(view), steps=self.steps, start=self.begins)

    def repaint(self, picture: Drawing, view: View) -> None:
        """Show another view's scenes on it."""
        picture.show(_scenes(view))


def _scenes(view: View) -> list[Scene]:
    return list(view.scenes) or [Scene([Words("nothing", 0, 20, NOTHING, "soft")], 30, view.description)]
