"""What a control of a panel sets: a field, its range here, the words beside it, and the mark that is pulled for it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

import attrs

from gpt4lab import catalog
from gpt4lab.panels.controls import ChoiceControl, NumberControl, TextControl
from gpt4lab.quantities import QUANTITIES, find, value
from gpt4lab.quantities.leaf import on_page
from gpt4lab.scenario import FIELDS, Field, NotKnown, Scenario, ScenarioError, get, load_scenario
from gpt4lab.scenario.field import Sentence, Written
from gpt4lab.scenario.rules import LayoutError
from gpt4lab.units import show

if TYPE_CHECKING:
    from gpt4lab.panels.panel import LivePanel

HALVINGS = 40  # of a slider, until it stands where the mark was pulled
STATED = re.compile(r"[CPSF]\d|S-source")  # the source of a field is a claim


@attrs.frozen
class Slide:
    """A field with a narrower range than the scenario allows, so that the slider is fine enough."""

    path: str
    lo: float
    hi: float


def path_of(item: str | Slide) -> str:
    """The field that a control moves."""
    return item if isinstance(item, str) else item.path


def control_of(item: str | Slide, scenario: Scenario) -> Any:
    """The control that a field asks for, at the scenario's value; its tick is the post's own."""
    control = at_the_post(item)
    control.add_class(f"g4l-of-{on_page(path_of(item))}")
    control.stand(get(scenario, path_of(item)), known=path_of(item) not in scenario.unknown)
    return control


def at_the_post(item: str | Slide) -> Any:
    """The same at the post's own value."""
    field = FIELDS[path_of(item)]
    post = get(load_scenario("leak"), field.path)
    words = {"label": field.label, "help": _help(field, post), "mark_label": _whose(field)}
    if isinstance(field.choices, Sentence | Written):
        return TextControl(field.label, value=post, help=f"{field.meaning}: {field.choices.words}.")
    if field.choices or field.catalog:
        return ChoiceControl(options=_options(field), value=post, mark=post, **words)
    lo, hi = (item.lo, item.hi) if isinstance(item, Slide) else (field.lo, field.hi)
    scale = "log" if field.log and lo > 0 else "linear"
    more = {
        "least": field.lo,
        "most": field.hi,
        "scale": scale,
        "integer": field.whole,
        "step": 1 / 12 if field.unit == "date" else None,
    }
    return NumberControl(unit=field.unit, lo=lo, hi=hi, value=post, mark=post, **more, **words)


def _help(field: Field, post: Any) -> str:
    """What a control sets, and who says what its mark stands for; the slider itself may be elsewhere."""
    return f"{field.meaning}. The mark is at {show(post, field.unit)} ({field.source})."


def _whose(field: Field) -> str:
    """Whose value the tick marks: the post's, where a claim states it; otherwise this book's."""
    if STATED.match(field.source):
        return "the post"
    return "our default" if field.choices else "our assumption"


def _options(field: Any) -> dict[str, str]:
    """value -> words: those of a closed list, of a quantity what it means; or the display names of a catalog table."""
    if field.choices:
        return {word: _means(word) if word in QUANTITIES else word for word in field.choices}
    return {key: entry.name for key, entry in getattr(catalog, field.catalog).items()}


def _means(quantity: str) -> str:
    """What a quantity is, as short as a list has room for."""
    return re.split(r"[:,.]", find(quantity).meaning)[0]


def places(control: Any, here: Any) -> Iterator[int]:
    """Whole numbers on a slider's way from where it stands to where it was put, and beyond: the nearest to it first."""
    if not getattr(control, "integer", False):
        return
    asked, up = control.value, control.value > here
    least, most = (here + 1, int(control.hi)) if up else (math.ceil(control.lo), here - 1)
    for away in range(1, most - least + 1):
        yield from (there for there in (asked - away, asked + away) if least <= there <= most)


# --- a mark that is pulled ----------------------------------------------------------------------------


@attrs.frozen
class Pull:
    """The reader's mark is pulled along an axis of the chart, and the slider behind it moves; see charts/pull.js.

    pulls={"days": Pull("training.mfu", "training.days")}     # the mark stands at these days: which MFU is that?
    pulls={"context": Pull("model.context")}                  # the axis is that of the slider
    """

    path: str
    shows: str = ""
    along: Literal["x", "y"] = "x"


def pulled_by(live: LivePanel, pulls: Mapping[str, Pull]) -> None:
    """Let the marks of a panel's chart be pulled."""
    if pulls:
        live.chart.pulls = {
            field: {"along": one.along, "label": live.controls[one.path].label} for field, one in pulls.items()
        }
        live.chart.observe(lambda event: _pulled(live, pulls[event["new"][0]], event["new"][1]), "pulled")


def _pulled(live: LivePanel, pulled: Pull, wanted: float) -> None:
    control = live.controls[pulled.path]
    if not control.disabled:
        slide(live, pulled.path, place(pulled, wanted, live.scenario, control.lo, control.hi))


def place(pulled: Pull, wanted: float, scenario: Scenario, lo: float, hi: float) -> float:
    """Where the slider from `lo` to `hi` must stand for the axis to show this; its nearer end, where nowhere."""
    if pulled.shows in ("", pulled.path):
        return wanted
    log = lo > 0
    low, high = (lo, hi) if _shown(pulled, lo, scenario) <= _shown(pulled, hi, scenario) else (hi, lo)
    for _ in range(HALVINGS):
        middle = math.sqrt(low * high) if log else (low + high) / 2
        low, high = (middle, high) if _shown(pulled, middle, scenario) < wanted else (low, middle)
    return float(f"{(low + high) / 2:.4g}")


def _shown(pulled: Pull, at: float, scenario: Scenario) -> float:
    try:
        return float(value(pulled.shows, scenario, {pulled.path: at}))
    except (LayoutError, NotKnown, ScenarioError):
        return math.nan


def slide(live: LivePanel, path: str, wanted: float) -> None:
    """Slide the control of a field to a value, as far as the slider goes."""
    control: Any = live.controls.get(path)
    if control is not None:
        near = min(max(wanted, control.lo), control.hi)
        control.slid = True
        control.value = math.floor(near + 0.5) if control.integer else near
