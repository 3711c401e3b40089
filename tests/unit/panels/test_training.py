"""Every live run of the book: at rest, to the end, stopped, run again, taken over, failing, and without torch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from gpt4lab import place
from gpt4lab.panels.reading import EMPTY
from gpt4lab.panels.setting import path_of
from gpt4lab.panels.training import LiveTraining, Training
from gpt4lab.panels.view import View
from gpt4lab.scenario import Scenario, change, load_scenario
from tests.unit.panels.declared import declared, settings, shortened

TRAININGS = declared(Training)
#: Module of a chapter -> constants with which its run is short.
SHORT: dict[str, dict[str, Any]] = {
    "c02_experts.more_experts": {"LIVE": {"experts": (1, 16), "seeds": 1}, "FACT_EXPERTS": (1, 4)},
    "c05_memory.live": {"EACH": 1, "SEEDS": 1},
    "c05_memory.own": {"MOST_STEPS": 9},
    "c06_batch.live": {"SEEDS": 1},
    "c10_chinchilla.sweep": {"LIVE": {"grid": {3e7: (6, 8), 6e7: (6, 8)}, "seeds": 1}, "JOBS": 1},
    "c15_eyes.live": {"READING": 2},
    "c14_drafts.watch": {"LENGTH": 12, "LENIENCES": (1.0, 0.05)},
}


@pytest.fixture(params=TRAININGS)
def training(request: pytest.FixtureRequest) -> Training:
    return TRAININGS[request.param]


@pytest.fixture
def lab(training: Training, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> LiveTraining:
    """The panel on the page, its run as short as it can be."""
    shortened(next(place for place, known in TRAININGS.items() if known is training), SHORT, monkeypatch)
    return training.widget(few_steps(training, load_scenario(training.start)))


def few_steps(training: Training, scenario: Scenario, end: str = "lo") -> Scenario:
    """Every number of steps at one end of its slider."""
    items = [item for item in (*training.controls, *training.folded) if path_of(item).endswith(".steps")]
    return change(scenario, {path_of(item): getattr(item, end) for item in items})


def begun(lab: LiveTraining) -> LiveTraining:
    """A long run, after its first step."""
    lab.load(few_steps(lab.panel, lab.scenario, "hi"))
    lab.start()
    while lab.attempt and lab.attempt.run.state == "running" and not lab.attempt.run.history:
        time.sleep(0.01)
    return lab


def counted(lab: LiveTraining) -> Any:
    """A look into the run that counts its steps."""
    return lab.reading(
        title="Steps",
        look=lambda attempt: len(attempt.run.history),
        view=lambda found, _: View(sentence=f"{found} steps seen", rows={"data": [{"steps": found}]}),
        html_of=lambda view: view.sentence,
    )


def test_at_rest_it_says_what_to_press(training: Training) -> None:
    live = training.widget()
    assert live.error == ""
    assert "Press Run" in live._sentence.value
    assert "not started" in live._progress.value
    for preset in training.presets:
        assert training.view(training.scenario_of(preset)).description
    drawn = training.chart(training.view(load_scenario(training.start)))
    assert drawn.to_dict()["$schema"], "by its grammar, which the panel itself does not ask"


@pytest.mark.live
def test_run_to_the_end(lab: LiveTraining) -> None:
    """What reads it, what fails to, and a widget that is made later, all find the same run."""
    look = counted(lab)
    fails = lab.reading(title="", look=lambda _: 1 / 0, view=lambda *_: View(), html_of=lambda _: "")
    assert EMPTY in look._sentence.value
    lab.start().wait()
    assert lab.attempt
    assert lab.attempt.run.state == "done", lab.attempt.run.error
    assert f"{len(lab.attempt.run.history)} steps in" in lab._progress.value
    assert "Press Run" not in lab._sentence.value
    assert look.view.sentence == f"{len(lab.attempt.run.history)} steps seen"
    assert fails.error.startswith("ZeroDivisionError")
    assert lab.error == look.error == ""
    assert lab._view(lab.scenario).rows["data"]
    takes_over(lab)


def takes_over(lab: LiveTraining) -> None:
    """A new widget of the panel shows the run that was."""
    again = lab.panel.widget()
    assert again.attempt is lab.attempt
    assert "steps in" in again._progress.value
    assert "Press Run:" not in again._sentence.value


@pytest.mark.live
def test_stopped_early_keeps_what_it_reached(training: Training) -> None:
    lab = training.widget()
    look = counted(lab)
    begun(lab).stop()
    assert lab.attempt
    assert lab.attempt.run.state == "stopped"
    assert 0 < len(lab.attempt.run.history) < lab.attempt.run.steps
    assert "stopped at step" in lab._progress.value
    assert look.view.rows["data"]


@pytest.mark.live
def test_a_second_run_keeps_the_first_to_compare(lab: LiveTraining) -> None:
    lab.start().wait()
    first = lab.attempt
    lab.start().wait()
    assert first
    assert lab.before is first
    assert lab.attempt is not first
    assert lab.error == ""


@pytest.mark.live
def test_pressing_run_while_it_runs_begins_anew(training: Training) -> None:
    lab = begun(training.widget())
    first = lab.attempt
    lab.start()
    assert first
    assert first.run.state == "stopped"
    assert lab.attempt is not first


@pytest.mark.live
def test_every_preset_trains(lab: LiveTraining) -> None:
    for preset in lab.panel.presets:
        lab.load(few_steps(lab.panel, lab.panel.scenario_of(preset)))
        lab.start().wait()
        assert lab.attempt
        assert lab.attempt.run.state == "done", (preset, lab.attempt.run.error)
        assert lab.error == "", preset


@pytest.mark.live
def test_both_ends_of_every_control_can_be_run(lab: LiveTraining) -> None:
    """Several controls at a time; one by one where they do not go together."""
    start = lab.scenario
    tries = {path: ends(control) for path, control in lab.controls.items() if not path.endswith(".steps")}
    for together in side_by_side(tries):
        if not runs(lab, start, together):
            for path, new in together.items():
                taken = runs(lab, start, {path: new})
                assert taken or lab.controls[path].kind == "text" or "A token cannot meet" in lab.error, (path, new)


def ends(control: Any) -> list[Any]:
    """What to try on a control: its ends, or all that can be chosen or written."""
    found = settings(control)
    return [found[0], found[-1]] if control.kind == "number" else found


def side_by_side(tries: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Every value of every control in as few settings as can be, neighbours at unlike ends."""
    turns = range(max(map(len, tries.values()), default=0))
    return [{path: of[(turn + at) % len(of)] for at, (path, of) in enumerate(tries.items())} for turn in turns]


def runs(lab: LiveTraining, start: Scenario, new: dict[str, Any]) -> bool:
    """Whether the setting is taken; if it is, it must run to its end."""
    lab.load(start)
    lab.set(new)
    if lab.error:
        return False
    lab.start().wait()
    assert lab.attempt
    assert (lab.attempt.run.state, lab.error) == ("done", ""), new
    return True


@pytest.mark.live
def test_a_failing_run_says_so_on_the_panel(lab: LiveTraining, monkeypatch: pytest.MonkeyPatch) -> None:
    from gpt4lab.toys.core.background import BackgroundRun

    start = BackgroundRun.start

    def fails(run: Any) -> Any:
        def rows() -> Iterator[dict[str, Any]]:
            raise RuntimeError("the text is gone")
            yield {}

        run._rows = rows()
        return start(run)

    monkeypatch.setattr(BackgroundRun, "start", fails)
    lab.start().wait()
    assert "the text is gone" in lab.error
    assert "the text is gone" in lab._alert.value


def test_without_torch_it_says_what_to_do(training: Training) -> None:
    def missing(_: Any) -> Any:
        raise ImportError("No module named 'torch'")

    lab = attrs.evolve(training, begin=missing).widget().start()
    assert lab.error == place.needs("torch")
    assert lab.attempt is None
