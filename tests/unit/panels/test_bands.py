"""The band of a panel: off at first and free then; on, around its line, or in words beside its number."""

from __future__ import annotations

import math
from html import unescape

import pytest

from gpt4lab import catalog
from gpt4lab.panels.bands import TOO_SLOW, WORDS
from gpt4lab.panels.curve import Curve
from gpt4lab.panels.panel import LivePanel, Panel
from gpt4lab.quantities import value
from gpt4lab.scenario import change, get, load_scenario
from gpt4lab.verdict import bands
from gpt4lab.verdict.uncertain import Spread, spreads
from tests.unit.panels.declared import declared

LEAK = load_scenario("leak")
ALL = {name: panel for kind in (Curve, Panel) for name, panel in declared(kind).items() if panel.number}
OFFERED = {name: one for name, one in ALL.items() if bands.wanted(one.number, load_scenario(one.start), one.along_of())}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch):
    """However slow this machine is: as many draws as are wanted."""
    monkeypatch.setattr(bands, "SECONDS", math.inf)


@pytest.mark.parametrize("name", ALL)
def test_the_number_that_a_panel_names_is_the_one_it_shows(name: str):
    panel = ALL[name]
    start = load_scenario(panel.start)
    assert panel.view(start).value == pytest.approx(value(panel.number, start))


@pytest.mark.parametrize("name", OFFERED)
def test_a_band_is_switched_on_and_off_on_the_same_chart(name: str):
    """A page without Altair cannot make another one."""
    live = OFFERED[name].widget()
    before, spec, begun = live.chart, live.chart.spec, live.bands.said.value
    live.bands.button.click()
    assert live.bands.button.description == WORDS[True]
    assert "Eight in ten" in live.bands.said.value
    ends = bands.band(live.panel.number, live.scenario, start=live.panel.start).ends[0]
    here = live.panel.view(live.scenario).value
    assert ends
    assert (" lies " in live.bands.said.value) == (not ends[0] <= here <= ends[1]), "what lies outside is said"
    told = unescape(live.bands.drawn.value)
    assert all(one.source in told or f"({one.claim})" in told for one in wanted_of(live))
    if isinstance(live.panel, Curve):
        found = live.chart.rows("band")
        assert found
        assert all(low <= high for low, high in zip(found["low"], found["high"], strict=True))
    live.bands.button.click()
    assert (live.chart, live.chart.spec) == (before, spec)
    assert live.bands.said.value == live.bands.drawn.value == begun == ""
    if isinstance(live.panel, Curve):
        assert not live.chart.rows("band")


def wanted_of(live: LivePanel) -> tuple[Spread, ...]:
    return bands.wanted(live.panel.number, live.scenario, live.panel.along_of(), live.panel.start)


@pytest.mark.parametrize("chip", catalog.accelerators)
def test_a_single_quote_is_no_range_and_no_chip_has_that_of_another(chip: str):
    there = change(LEAK, {f"{place}.accelerator": chip for place in ("cluster", "rerun", "serving")})
    assert all(one.lo < one.hi for one in spreads(there).values())
    family = chip.partition("-")[0]
    ran = [run for run in catalog.published_mfu() if family in (run.hardware or "").lower().replace("-", " ").split()]
    assert ran or "training.best_mfu" not in spreads(there)


def test_a_band_by_hand():
    """Sixteen experts, each even within half a billion: eight in ten lie within eight tenths of that."""
    (ends,) = bands.band("model.total_params", LEAK).ends
    assert ends
    assert [end - 1.831e12 for end in ends] == pytest.approx([-6.4e9, 6.4e9], rel=0.1)


@pytest.mark.parametrize("name", OFFERED)
def test_without_numpy_it_is_about_the_same(name: str, monkeypatch: pytest.MonkeyPatch):
    panel = OFFERED[name]
    with_it = bands.band(panel.number, load_scenario(panel.start))
    monkeypatch.setattr(bands, "numpy", lambda: None)
    without = bands.band(panel.number, load_scenario(panel.start))
    for one, other in zip(with_it.ends[0] or (), without.ends[0] or (), strict=True):
        assert one == pytest.approx(other, rel=0.25)


CURVES = {name: one for name, one in OFFERED.items() if isinstance(one, Curve)}


@pytest.mark.parametrize("name", CURVES)
def test_along_a_line_it_bends_with_the_line_where_each_is_asked_alone(name: str, monkeypatch: pytest.MonkeyPatch):
    panel, here = CURVES[name], load_scenario(CURVES[name].start)
    asked = (panel.number, here, panel.along, panel.along_at(), panel.start)
    by_arrays = bands.band(*asked)
    monkeypatch.setattr(bands, "numpy", lambda: None)
    alone = bands.band(*asked)
    drawn_at = alone.at[:: math.ceil(len(alone.at) / bands.PLACES)]
    assert alone.draws * len(drawn_at) <= bands.MOST
    assert list(alone.at) == list(panel.along_at())
    for at, one, other in zip(alone.at, by_arrays.ends, alone.ends, strict=True):
        line = value(panel.number, here, {panel.along: at})
        if one and other:
            margin = min(line - one[0], one[1] - line) / ((one[1] - one[0]) or 1)
            assert margin < 0.3 or other[0] <= line <= other[1], "what lies well inside lies inside"


def test_what_is_moved_is_not_drawn():
    drawn = [one.path for one in bands.wanted("training.cost", LEAK)]
    for path in drawn:
        moved = change(LEAK, {path: get(LEAK, path) * 1.01 if path != "cluster.gpus" else 26_000})
        assert path not in [one.path for one in bands.wanted("training.cost", moved)]
    live = OFFERED["c09_money.run.run"].widget()
    live.bands.turn()
    live.set({path: 26_000 if path == "cluster.gpus" else 1.01 * get(LEAK, path) for path in drawn})
    assert "Nothing is left" in live.bands.said.value


def test_a_slow_number_is_drawn_less_often_or_not_at_all(monkeypatch: pytest.MonkeyPatch):
    live = OFFERED["c16_clusters.sites.spares"].widget()
    monkeypatch.setattr(bands, "SECONDS", 0.0)
    live.bands.turn()
    assert live.bands.said.value.count(TOO_SLOW) == 1
    assert not live.chart.rows("band")
