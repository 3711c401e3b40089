"""The reader's mark goes where it is pulled, in every chart that lets it be pulled."""

from __future__ import annotations

import pytest

from gpt4lab.panels.curve import Curve
from gpt4lab.panels.panel import Panel
from tests.unit.panels.declared import declared
from tests.unit.panels.test_marks import domains, yours

PANELS = {name: panel for name, panel in (declared(Panel) | declared(Curve)).items() if panel.pulls}
PULLS = [(name, field) for name, panel in PANELS.items() for field in panel.pulls]


def test_most_charts_with_a_mark_of_the_reader_s_own_let_it_be_pulled() -> None:
    assert len(PULLS) >= 12


@pytest.mark.parametrize(("name", "field"), PULLS)
def test_the_mark_goes_where_it_is_pulled(name: str, field: str) -> None:
    panel = PANELS[name]
    live = panel.widget()
    if live.controls[panel.pulls[field].path].disabled:
        live.set({"equation.follows": "days"})
    lo, hi = domains(panel.chart(panel.view(live.scenario)))[field]
    here = next(row[field] for row in yours(panel.view(live.scenario)) if row.get(field) is not None)
    log = live.controls[panel.pulls[field].path].scale == "log" or lo > 0
    wanted = here * 1.3 if log and here * 1.3 < hi else here / 1.3 if log else (here + hi) / 2
    live.chart.pulled = [field, wanted, 1]
    there = next(row[field] for row in yours(panel.view(live.scenario)) if row.get(field) is not None)
    assert abs(there - wanted) < abs(here - wanted), (here, wanted, there)
    assert not live.error
    assert live.chart.pulls[field]["label"] == live.controls[panel.pulls[field].path].label


def test_a_mark_whose_slider_follows_the_others_stays() -> None:
    live = PANELS["c09_money.equation.equation"].widget()
    before = live.scenario
    assert live.controls["training.mfu"].disabled
    live.chart.pulled = ["mfu", 0.5, 1]
    assert live.scenario == before


def test_a_pull_beyond_the_slider_stops_at_its_end() -> None:
    live = PANELS["c09_money.run.run"].widget()
    live.chart.pulled = ["days", 1e6, 1]
    assert live.controls["training.mfu"].value == pytest.approx(live.controls["training.mfu"].lo)
