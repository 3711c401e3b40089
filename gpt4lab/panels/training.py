"""A model that trains while the reader watches: sliders, Run and Stop, progress, time left, a live curve.

    mixture = Training(
        title="Train a mixture of experts",
        controls=("mixture.experts", "mixture.top_k"),
        begin=train_mixture,     # Scenario -> a `toys.core.background.BackgroundRun`
        watch=curves,            # (Scenario, Attempt | None, Attempt | None) -> View, while it runs and after
        chart=curve_chart,       # View -> chart
    )
    lab = mixture.widget()
    lab.start()                  # what the Run button does; `lab.stop()` keeps what was reached
    lab.reading(title="...", look=router, view=router_view, chart=router_chart)     # more of the same model

The work goes on in a thread of its own, and what it finds is put on the page from there: the kernel stays free for
sliders and other cells. A run outlives its widget: when the cell runs again, the new widget shows it.
"""

from __future__ import annotations

import html
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import attrs
import ipywidgets as w

from gpt4lab import place
from gpt4lab.panels.panel import LivePanel, Panel, method
from gpt4lab.panels.reading import Attempt, Reading
from gpt4lab.panels.view import View
from gpt4lab.scenario import Scenario, get, load_scenario
from gpt4lab.units import counted

if TYPE_CHECKING:
    from gpt4lab.toys.core.background import BackgroundRun

REPAINT_S = 0.2  # the curve, at most this often


Watch = Callable[[Scenario, "Attempt | None", "Attempt | None"], View]


@attrs.frozen(kw_only=True)
class Training(Panel):
    """The declaration of a live run. `watch` gets the sliders' scenario, the run shown and the one before it.

    Its view is that of a panel at rest: what there is to see before anything has run.
    """

    begin: Callable[[Scenario], BackgroundRun[Any]]
    watch: Watch
    verb: str = "Run"
    view: Callable[[Scenario], View] = attrs.field(init=False, default=method("_at_rest"))

    def _at_rest(self, scenario: Scenario) -> View:
        return self.seen(scenario, None, None)

    def seen(self, scenario: Scenario, attempt: Attempt | None, before: Attempt | None) -> View:
        """What there is to see; where nothing has run yet, a run that the book brings, if it brings one."""
        view, kept = self.watch(scenario, attempt, before), recorded(self.begin.__module__).get(self.title)
        if kept is None:
            return view
        at_rest = f"The pale lines are a run recorded on {kept['date']} ({kept['machine']}). {view.sentence}"
        return attrs.evolve(
            view,
            rows={**view.rows, "recorded": [] if attempt else kept["rows"]},
            sentence=view.sentence if attempt else at_rest,
        )

    def widget(self, scenario: Scenario | None = None) -> LiveTraining:
        """The panel on the page; it takes over what ran under this title before."""
        return LiveTraining(self, scenario or load_scenario(self.start))


@cache
def recorded(module: str) -> Mapping[str, Any]:
    """The runs that lie beside a module of a chapter, by title of their panel; made by `tools/recordings.py`."""
    file = files(module.rpartition(".")[0]).joinpath("recorded.json")
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


#: The last attempts by title of the panel, newest first: they outlive the widget that began them.
KEPT: dict[str, list[Attempt]] = {}


class LiveTraining(LivePanel):
    """A training panel at work. `attempt` is the run shown, `before` the one before it."""

    panel: Training

    def __init__(self, training: Training, scenario: Scenario) -> None:
        self._lock, self._readings = threading.RLock(), []
        self._run_button = w.Button(description=training.verb, tooltip=f"{training.verb}: {training.title}")
        self._stop_button = w.Button(description="Stop", tooltip=f"Stop: {training.title}", layout={"display": "none"})
        self._progress = w.HTML()
        self._run_button.on_click(lambda _: self.start())
        self._stop_button.on_click(lambda _: self.stop())
        self._run_button.add_class("g4l-do")
        super().__init__(training, scenario)
        self._attend(self.attempt)

    @property
    def attempt(self) -> Attempt | None:
        """The run on the page, under way or ended; None before the first."""
        return next(iter(KEPT.get(self.panel.title, [])), None)

    @property
    def before(self) -> Attempt | None:
        """The run before it, to compare."""
        return next(iter(KEPT.get(self.panel.title, [])[1:]), None)

    # --- what the reader does ---------------------------------------------------------------------

    def start(self) -> LiveTraining:
        """Begin a run with the sliders as they stand; an earlier one ends, and stays on the chart to compare."""
        self.stop()
        try:
            attempt = Attempt(self.panel.begin(self.scenario), self.scenario)
        except ImportError:
            self._complain(ValueError(place.needs("torch")))
        except Exception as error:
            self._complain(error)
        else:
            KEPT[self.panel.title] = [attempt, *_worth_keeping(self.attempt)]
            self._attend(attempt)
        return self

    def stop(self) -> None:
        """End the run after its current step; what it reached stays on the page."""
        if self.attempt:
            self.attempt.run.stop()

    def wait(self, timeout_s: float | None = None) -> LiveTraining:
        """Wait for the end of the run (tests and patient readers). An interrupt stops it and keeps its result."""
        if self.attempt:
            with suppress(Exception):  # a failure is shown on the panel
                self.attempt.run.wait(timeout_s)
        return self

    def reading(self, **look: Any) -> Reading:
        """Something that the trained model shows, as a widget of its own; see `Reading`."""
        reading = Reading(**look)
        self._readings.append(reading)
        if self.attempt:
            reading.follow(self.attempt)
        return reading

    # --- how it answers ---------------------------------------------------------------------------

    def _view(self, scenario: Scenario) -> View:
        return self.panel.seen(scenario, self.attempt, self.before)

    def _show(self, view: View) -> None:
        super()._show(view)
        self._name_button()

    def _name_button(self) -> None:
        """What Run would do now; it stands out where that would be something new."""
        run, verb = self.attempt, self.panel.verb
        moved = run is not None and any(get(self.scenario, p) != get(run.scenario, p) for p in self.controls)
        self._run_button.description = f"{verb} with these" if moved else f"{verb} again" if run else verb
        (self._run_button.add_class if moved or run is None else self._run_button.remove_class)("g4l-do")

    def _attend(self, attempt: Attempt | None) -> None:
        if attempt is None:
            self._report(None)
            return
        for reading in self._readings:
            reading.follow(attempt)
        attempt.run.on_update(lambda run: self._paint(attempt), REPAINT_S)

    def _paint(self, attempt: Attempt) -> None:
        """Called from the run's thread: curve, sentence, progress, buttons."""
        with self._lock:
            if attempt is not self.attempt:
                return
            try:
                self._draw(self._view(self.scenario))
            except Exception as error:  # in a thread nobody would see it
                self._complain(error)
            self._report(attempt.run)

    def _draw(self, view: View) -> None:
        with self._lock:
            super()._draw(view)

    def _follow(self, decided: Any) -> None:
        """No control follows another here; and the thread that paints must not touch what the reader moves."""

    def _report(self, run: BackgroundRun[Any] | None) -> None:
        busy = run is not None and run.state == "running"
        self._name_button()
        self._stop_button.layout.display = "" if busy else "none"
        self._progress.value = progress(run)
        if run is not None and run.error is not None:
            self._complain(run.error)

    def _laid_out(self) -> Iterator[w.Widget]:
        for part in super()._laid_out():
            yield part
            if part is self._sentence:
                row = w.HBox([self._run_button, self._stop_button, self._progress])
                row.add_class("g4l-run")
                yield row


def progress(run: BackgroundRun[Any] | None) -> str:
    """How far a run is, as a bar and in words."""
    if run is None:
        return '<span class="g4l-legend">not started</span>'
    done, of = len(run.history), run.steps
    look = 'aria-label="steps done" style="accent-color: var(--g4l-you)"'
    bar = f'<progress max="{of}" value="{done}" {look}></progress>'
    return f'<span class="g4l-legend">{bar} {html.escape(in_words(run))}</span>'


def in_words(run: BackgroundRun[Any]) -> str:
    """The state of a run: "step 120 of 300, 3 s left", "300 steps in 6.1 s", "stopped at step 120"."""
    done, of = len(run.history), run.steps
    if run.state == "running":
        left = run.seconds_left
        return "preparing" if left is None else f"step {done} of {of}, {left:.0f} s left"
    ends = {
        "done": f"{counted(done, 'step')} in {run.elapsed_s:.1f} s",
        "stopped": f"stopped at step {done} of {of}; kept",
    }
    return ends.get(run.state, f"failed at step {done}")


def _worth_keeping(attempt: Attempt | None) -> list[Attempt]:
    return [attempt] if attempt is not None and attempt.run.history else []
