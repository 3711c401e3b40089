"""What answers the numbers of a page that a reader touches.

Its state is that of the panels. The page says by messages:

    {"explain": "cluster.rental|cluster.days=90"}         how is this number made?   -> {"explain": ..., "html": ...}
    {"follow": 3, "panel": "4f…", "text": "At {~training.mfu} it takes {training.days}."}
                                                          -> {"follow": 3, "words": ["34%", "94.3 days"]},
                                                          now, and whenever the panel shows something else
    {"forget": 3}                                         that sentence follows another panel by now

An input in a sentence is a remote of the slider in that panel, so it moves scenario, panel and verdicts as the slider
does, reads numbers by the same grammar and refuses them in the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

import anywidget

from gpt4lab.book.page import escape
from gpt4lab.charts.theme import PATIENT
from gpt4lab.claims import ledger
from gpt4lab.claims.prose import fill, meant
from gpt4lab.panels.panel import ALIVE, LivePanel
from gpt4lab.quantities import explain
from gpt4lab.scenario import Scenario, load_scenario


class Touch(anywidget.AnyWidget):
    """The ear of a chapter's sentences; nothing of it is seen. One a page: `opening` brings it."""

    _esm = PATIENT + files("gpt4lab.book.touch").joinpath("touch.js").read_text("utf-8")

    def __init__(self) -> None:
        super().__init__()
        self.layout.display = "none"
        self._followed: dict[str, dict[Any, str]] = {}  # panel -> the sentences that follow it
        self.on_msg(self._heard)

    def _heard(self, _: Any, said: Mapping[str, Any], __: Any) -> None:
        panel = ALIVE.get(said.get("panel", ""))
        for followed in self._followed.values():
            followed.pop(said.get("forget"), None)
        if "follow" in said and panel is not None:
            self._follow(panel, said["follow"], said["text"])
        elif "explain" in said:
            self.send({**said, "html": in_words(said["explain"], panel.scenario if panel else load_scenario("leak"))})

    def _follow(self, panel: LivePanel, key: int, text: str) -> None:
        key_of_panel = str(panel.model_id)
        if key_of_panel not in self._followed:
            panel.on_change(lambda _: self._tell(panel))
        self._followed.setdefault(key_of_panel, {})[key] = text
        self._tell(panel)

    def _tell(self, panel: LivePanel) -> None:
        """Send the numbers of each sentence as they are in the panel's scenario."""
        for key, text in self._followed[str(panel.model_id)].items():
            self.send({"follow": key, **_or_why(lambda text=text: {"words": said_in(text, panel.scenario)})})


def said_in(text: str, scenario: Scenario) -> list[str]:
    """What the sentence says for each of its names in braces."""
    said: list[str] = []
    fill(text, scenario, written=lambda number, _: said.append(number) or number)
    return said


def in_words(brace: str, scenario: Scenario) -> str:
    """How a number comes about, as HTML; of a claim's, its words before it."""
    name, under = meant(brace, scenario)
    claim = ledger().get(name.partition(".")[0])
    if claim is None:
        return explain(name, under).html()
    quote = f"<p>The post ({claim.id}): {escape(claim.quoted)}</p>"
    return quote + "".join(explain(quantity, under).html() for quantity in claim.quantity)


def _or_why(made: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What is made, or in one sentence why it is not."""
    try:
        return made()
    except Exception as why:
        return {"why": str(why)}
