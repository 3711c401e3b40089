"""A panel: controls bound to scenario fields, and a pure view of the scenario they make.

    days_and_dollars = Panel(
        title="Days and dollars",
        controls=("training.mfu", Slide("cluster.gpus", 1_000, 100_000)),
        folded=("training.tokens",),
        presets={"The post": "leak", "On H100": "h100-rerun"},
        view=cost_view,        # Scenario -> View
        chart=cost_chart,      # View -> Altair chart with named data
        claims=("C29", "C33"), # whose verdicts move with the sliders
    )
    days_and_dollars.widget()

A panel's whole state is a scenario. So it can be shared as a line of text, set back, put into a preset, checked by an
exercise and driven by a test. A control knows nothing of that: it carries a number.
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Literal
from weakref import WeakValueDictionary

import attrs
import ipywidgets as w

from gpt4lab import catalog
from gpt4lab.charts import LiveChart, drawn
from gpt4lab.claims.prose import fill
from gpt4lab.panels import verdicts
from gpt4lab.panels.bands import Bands
from gpt4lab.panels.controls import TextControl, spoken
from gpt4lab.panels.setting import Pull, Slide, control_of, path_of, places, pulled_by
from gpt4lab.panels.view import View, heading, headline
from gpt4lab.scenario import NotKnown, Scenario, ScenarioError, change, get, load_scenario, share, told
from gpt4lab.scenario.field import UNKNOWN
from gpt4lab.scenario.rules import LayoutError
from gpt4lab.verdict.bands import Leeway

#: How long a view may take: moved with the slider, or after a pause.
Speed = Literal["instant", "debounced"]
PAUSE_S = 0.15
#: The value of a view where there is none.
IMPOSSIBLE = "not possible"
NO_NUMBER = (UNKNOWN, IMPOSSIBLE)
MOST_CONTROLS = 6
MOST_PLACES = 1000  # that are tried for a slider, so that no move takes long
SAID_BY_OTHERS = ("post", "measured", "published")  # marks that no assumption of the reader moves


@attrs.frozen
class Panel:
    """The declaration of a panel; `widget()` makes a new live one. At most six controls stand open.

    html_of: View -> HTML, for a view that is also something to read, below the chart.
    tour: three steps, each a scenario (as a preset) and one sentence, whose numbers stand in braces.
    pulls: field of an axis -> what moves when the reader's mark is pulled along it; see `setting.Pull`.
    number: the quantity that the headline shows, where it is one: then there is a band of it; see `bands.py`.
    """

    title: str
    controls: tuple[str | Slide, ...] = attrs.field(converter=tuple)
    view: Callable[[Scenario], View]
    chart: Callable[[View], Any]
    legend: str = ""
    claims: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    folded: tuple[str | Slide, ...] = attrs.field(default=(), converter=tuple)
    presets: Mapping[str, str | Mapping[str, Any]] = attrs.field(factory=lambda: {"The post": "leak"})
    html_of: Callable[[View], str] | None = None
    tour: Sequence[tuple[str | Mapping[str, Any], str]] = ()
    start: str = "leak"
    speed: Speed = "instant"
    pulls: Mapping[str, Pull] = attrs.field(factory=dict)
    number: str = ""

    def __attrs_post_init__(self) -> None:
        if len(self.controls) > MOST_CONTROLS:
            raise ValueError(f"{self.title}: {len(self.controls)} controls; fold all but {MOST_CONTROLS}")

    def widget(self, scenario: Scenario | None = None) -> LivePanel:
        """The panel on the page, starting from `scenario` or from the panel's own start."""
        return LivePanel(self, scenario or load_scenario(self.start))

    def without(self, missing: NotKnown | LayoutError) -> View:
        """What there is to see without a number: what the post and others say, and why there is none."""
        start = self.view(load_scenario(self.start))
        rows = {name: rows if name in SAID_BY_OTHERS else [] for name, rows in start.rows.items()}
        movable = {path_of(item) for item in (*self.controls, *self.folded)}
        unknown = isinstance(missing, NotKnown)
        typed = [path for path in missing.paths if path not in movable] if unknown else []
        how = f" Here {' and '.join(typed)} can only be typed, in the line behind “Share”." if typed else ""
        value = UNKNOWN if unknown else IMPOSSIBLE
        return attrs.evolve(start, value=value, sentence=f"{missing}{how}", rows=rows, follow={}, text=None)

    def picture(self, view: View) -> Any:
        """The widget that shows a view; its form is that of the start where a view has no numbers."""
        form = self.view(load_scenario(self.start)) if view.value in NO_NUMBER else view
        form = attrs.evolve(form, rows={**dict.fromkeys(view.rows, ()), **form.rows})
        return LiveChart(drawn(self.chart, form), rows=view.datasets, description=view.description)

    def repaint(self, picture: Any, view: View) -> None:
        """Show another view on it."""
        picture.show(description=view.description, **view.datasets)

    def along_of(self) -> str:
        """The input along which the chart draws the number; "" where it draws no such line."""
        return ""

    def along_at(self) -> Sequence[float]:
        """Where along it."""
        return ()

    def banded(self, found: Leeway) -> Mapping[str, Any]:
        """The rows of a band on the chart."""
        return {}

    def scenario_of(self, preset: str) -> Scenario:
        """The scenario behind a preset: a named one, or the start with some changes."""
        return self._wanted(self.presets[preset])

    def step(self, at: int) -> tuple[Scenario, str]:
        """A step of the tour: its scenario, and its sentence there."""
        wanted, says = self.tour[at]
        scenario = self._wanted(wanted)
        return scenario, fill(says, scenario)

    def _wanted(self, wanted: str | Mapping[str, Any]) -> Scenario:
        return load_scenario(wanted) if isinstance(wanted, str) else change(load_scenario(self.start), wanted)


def method(name: str) -> Any:
    """The default of a field that a kind of panel fills with a method of its own, so that no declaration gives it."""
    return attrs.Factory(lambda panel: getattr(panel, name), takes_self=True)


class LivePanel(w.VBox):
    """A panel at work. `scenario` is its state, `error` what went wrong last, or ""."""

    def __init__(self, panel: Panel, scenario: Scenario) -> None:
        self.panel, self.scenario, self.error = panel, scenario, ""
        self._base, self._listeners, self._held, self._timer = scenario, [], False, None
        self.controls = {path_of(item): control_of(item, scenario) for item in (*panel.controls, *panel.folded)}
        view = self._opening(scenario)
        self.scenario, self._moved = change(scenario, view.follow), set(view.follow)
        self._headline, self._sentence, self._alert = w.HTML(), spoken(), spoken("alarm")
        self._verdicts, self._reading, self._chips = w.HTML(), w.HTML(), verdicts.Chips(panel.claims)
        self.bands = Bands(self)
        self.chart = panel.picture(self.bands.around(view, self.scenario))
        self._figure = _classed(w.VBox([self.chart]), "g4l-figure")
        self._address = TextControl("Copy or paste assumptions", late=True)
        self._presets = {name: self._button(name) for name in panel.presets}
        self.tour = Tour(self)
        super().__init__(list(self._laid_out()))
        self.add_class("g4l-panel").add_class(f"g4l-panel-{self.model_id}")
        ALIVE[str(self.model_id)] = self
        self._show(view)
        self._listen()
        verdicts.follow(self)
        pulled_by(self, panel.pulls)

    # --- what the reader does ---------------------------------------------------------------------

    def set(self, changes: Mapping[str, Any]) -> None:
        """Move controls, as a reader would; a field without a control changes the scenario behind them."""
        with self._quiet():
            self._base = change(self._base, {path: v for path, v in changes.items() if path not in self.controls})
            for path, value in changes.items():
                if path in self.controls:
                    self.controls[path].value = value
                    self.controls[path].known = True
        self._update()

    def load(self, scenario: Scenario) -> None:
        """Take over a whole scenario: a preset, or one that somebody shared."""
        self._base = scenario
        self._moved.clear()
        with self._quiet():
            for path, control in self.controls.items():
                control.stand(get(scenario, path), known=path not in scenario.unknown)
        self._update()

    def on_change(self, listener: Callable[[Scenario], None]) -> None:
        """Call `listener` with each new valid scenario, and with the last one when something is wrong: see `error`."""
        self._listeners.append(listener)

    @property
    def settled(self) -> bool:
        """Whether the controls stand where the scenario is; else it is the last one that could be shown."""
        return all(control.value == get(self.scenario, path) for path, control in self.controls.items())

    # --- how it answers ---------------------------------------------------------------------------

    def _update(self, event: Any = None) -> None:
        """Controls -> scenario -> view -> page. Anything wrong is said in place, and the last good state stays."""
        if self._held:
            return
        mover = event["owner"] if event else None
        try:
            moved = self._moves()
            scenario = change(self._base, moved)
            view = self._answer(scenario)
        except LayoutError as error:
            self._step(mover, error) if mover and mover.slid else self._complain(error, mover)
        except Exception as error:
            self._complain(error, mover)
        else:
            self.scenario, self._moved = change(scenario, view.follow), {*moved, *view.follow}
            self._show(view)
            self._tell()

    def _step(self, control: Any, refused: LayoutError) -> None:
        """Put a control that was slid where nothing can be at the nearest place on its way, and say why under it."""
        path = next(path for path, known in self.controls.items() if known is control)
        here, moves = get(self.scenario, path), self._moves()
        ways = islice(places(control, here), MOST_PLACES)
        with self._quiet():
            control.give(next((there for there in ways if self._can_be({**moves, path: there})), here))
        self._update()
        control.note = refused.words

    def _can_be(self, moves: Mapping[str, Any]) -> bool:
        try:
            self._answer(change(self._base, moves))
        except LayoutError:
            return False
        return True

    def _moves(self) -> dict[str, Any]:
        """What the reader has set, not what followed it: sizes that are counted from a shape stay free to follow."""
        standing = {path: control.value for path, control in self.controls.items() if control.known}
        return {
            path: value
            for path, value in standing.items()
            if value != told(self._base, path) and (path in self._moved or value != told(self.scenario, path))
        }

    def _answer(self, scenario: Scenario) -> View:
        """The view; where a number of it is not known, what there is without it."""
        try:
            return self._view(scenario)
        except NotKnown as missing:
            return self.panel.without(missing)

    def _opening(self, scenario: Scenario) -> View:
        """The first answer: with no state before it that could stay, what cannot be is said in its place."""
        try:
            return self._answer(scenario)
        except LayoutError as impossible:
            return self.panel.without(impossible)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener(self.scenario)

    def _view(self, scenario: Scenario) -> View:
        return self.panel.view(scenario)

    def _show(self, view: View) -> None:
        self._draw(view)
        self._hush()
        self._address.value = share(self.scenario)
        self._mark_preset(view)

    def _hush(self) -> None:
        self.error = self._alert.value = ""
        for control in self.controls.values():
            control.error = control.note = ""

    def _draw(self, view: View) -> None:
        """Put a view on the page; what was wrong with the controls stays said."""
        view = self.bands.around(view, self.scenario)
        self.panel.repaint(self.chart, view)  # first: the eye is on the chart
        self._headline.value = headline(view)
        self._sentence.value = f'<p class="g4l-sentence">{html.escape(view.sentence)}</p>'
        self._reading.value = self.panel.html_of(view) if self.panel.html_of and view.text else ""
        self._follow(view.follow)
        self.show_verdicts()

    def refresh(self) -> None:
        """Draw the same state again, since what is shown of it has changed."""
        self._draw(self._answer(self.scenario))

    def show_verdicts(self) -> None:
        """Put the verdicts of the scenario on the page; anew where the reader has signed one."""
        self._verdicts.value = self._chips.of(self.scenario)

    def _follow(self, decided: Mapping[str, Any]) -> None:
        """Controls of what the others decide move by themselves and cannot be moved."""
        with self._quiet():
            for path, control in self.controls.items():
                control.disabled = path in decided
                control.value = decided.get(path, control.value if path in self._moved else get(self.scenario, path))

    def _complain(self, error: Exception, mover: Any = None) -> None:
        """Say what is wrong, under the control that was moved, or below the panel."""
        known = isinstance(error, (ScenarioError, ValueError, KeyError, catalog.CatalogError))
        words = getattr(error, "words", str(error))
        self._hush()
        self.error = words if known else f"This view failed: {type(error).__name__}: {error}"
        said = f"{self.error} Still shown: the last state."
        if mover:
            mover.error = said
        else:
            self._alert.value = f'<p class="g4l-error">{html.escape(said)}</p>'
        self._tell()

    def _later(self, event: Any = None) -> None:
        """Update after a pause, so that a view slower than a frame does not chase the slider."""
        if self._timer:
            self._timer.cancel()
        try:
            self._timer = asyncio.get_running_loop().call_later(PAUSE_S, self._update, event)
        except RuntimeError:  # no event loop: a test, or plain Python
            self._update(event)

    def _listen(self) -> None:
        answer = self._update if self.panel.speed == "instant" else self._later
        for control in self.controls.values():
            control.observe(answer, ["value", "known"])
        self._address.observe(self._paste, "value")

    def _paste(self, event: Any) -> None:
        if self.error or event["new"] != share(self.scenario):  # the way back from a line that was not understood
            try:
                self.load(load_scenario(event["new"]))
            except (ScenarioError, KeyError) as error:
                self._complain(error)

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        self._held = True
        try:
            yield
        finally:
            self._held = False

    # --- how it is laid out -----------------------------------------------------------------------

    def _laid_out(self) -> Iterator[w.Widget]:
        yield w.HTML(heading(self.panel.title, self.panel.legend))
        yield self._headline
        yield self._sentence
        open_ones = _classed(w.VBox([self.controls[path_of(item)] for item in self.panel.controls]), "g4l-sliders")
        yield self.tour.said
        buttons = _classed(w.HBox([*self._presets.values()]), "g4l-actions")
        side = _classed(
            w.VBox([*([self.tour] if self.panel.tour else []), buttons, open_ones, *self._fold(), self.bands]),
            "g4l-controls",
        )
        yield _classed(w.Box([self._figure, side]), "g4l-body")
        yield self._alert
        yield from (self.bands.said, self.bands.drawn)
        if self.panel.html_of:
            yield self._reading
        yield self._verdicts
        yield from _behind(
            SHARE, f"The line of assumptions of: {self.panel.title}", _classed(self._address, "g4l-address")
        )

    def _fold(self) -> Iterator[w.Widget]:
        if self.panel.folded:
            inside = _classed(w.VBox([self.controls[path_of(item)] for item in self.panel.folded]), "g4l-sliders")
            yield from _behind(FOLDED, f"Further assumptions of: {self.panel.title}", inside)

    def _button(self, preset: str) -> w.Button:
        button = w.Button(description=preset, tooltip=f"Set every control to: {preset}")
        button.on_click(lambda _: self.load(self.panel.scenario_of(preset)))
        return _classed(button, "g4l-button")

    def _mark_preset(self, view: View) -> None:
        """Mark the preset that the panel stands at, if it stands at one, to the eye and in the words of its button."""
        here = self._base if self._moved <= set(view.follow) else None
        for name, button in self._presets.items():
            chosen = here is not None and here == self.panel.scenario_of(name)
            (button.add_class if chosen else button.remove_class)("g4l-chosen")
            button.tooltip = f"Set every control to: {name}{' (they stand there)' * chosen}"


class Tour(w.HBox):
    """A row of buttons: each step sets the panel and says its sentence, until the reader moves anything."""

    def __init__(self, live: LivePanel) -> None:
        self._live, self._there, self.said = live, None, spoken()
        count = len(live.panel.tour)
        words = {str(at + 1): f"Step {at + 1} of {count}" for at in range(count)}
        words["Free play"] = "End the tour; everything stays where it is"
        self.buttons = [
            _classed(w.Button(description=name, tooltip=told), "g4l-button") for name, told in words.items()
        ]
        for at, button in enumerate(self.buttons):
            button.on_click(lambda _, at=at: self.go(at))
        super().__init__([w.Label("In three steps:"), *self.buttons])
        self.add_class("g4l-actions").add_class("g4l-tour")
        live.on_change(self._moved)

    def go(self, at: int) -> None:
        """To a step; after the last one, to free play."""
        self._there, said = None, ""
        if at < len(self._live.panel.tour):
            scenario, said = self._live.panel.step(at)
            self._live.load(scenario)
            self._there = self._live.scenario
        self.said.value = said and f'<p class="g4l-says">{html.escape(f"{at + 1}. {said}")}</p>'
        for other, button in enumerate(self.buttons):
            (button.add_class if other == at and said else button.remove_class)("g4l-chosen")

    def _moved(self, scenario: Scenario) -> None:
        if self._there is not None and scenario != self._there:
            self.go(len(self.buttons) - 1)


#: The panels at work, by the end of their class on the page.
ALIVE: WeakValueDictionary[str, LivePanel] = WeakValueDictionary()
#: What a button says that folds something, by whether that is open.
FOLDED = {False: "More assumptions", True: "Fewer assumptions"}
SHARE = {False: "Share", True: "Hide the line"}


def _behind(words: Mapping[bool, str], tooltip: str, inside: w.DOMWidget) -> Iterator[w.Widget]:
    """Something that is folded at first, after the button that opens it, or folds it again."""
    button, inside.layout.display = w.Button(description=words[False], tooltip=tooltip), "none"

    def turn(_: Any) -> None:
        opened = inside.layout.display == "none"
        inside.layout.display = "" if opened else "none"
        button.description = words[opened]

    button.on_click(turn)
    yield _classed(w.HBox([_classed(button, "g4l-button")]), "g4l-more")
    yield inside


def _classed(widget: Any, name: str) -> Any:
    widget.add_class(name)
    return widget
