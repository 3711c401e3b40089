"""What the models find, as quantities: found by name alone, the same by both doors, explained, and moved by sliders."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import numpy as np
import pytest

from gpt4lab import catalog
from gpt4lab.claims import Claim
from gpt4lab.claims.prose import fill
from gpt4lab.claims.sensitivity import elasticities, flips, upstream
from gpt4lab.models.chinchilla import chosen_law, counted, stretched
from gpt4lab.models.decode.line import line
from gpt4lab.models.decode.part import largest_batch
from gpt4lab.models.decode.prices import token_prices
from gpt4lab.models.decode.report import decode
from gpt4lab.models.gangs import gang_lengths
from gpt4lab.models.in_scenario import (
    board_in,
    busy_chip_in,
    chip_in,
    choice_in,
    cluster_in,
    cutting_in,
    deployment_in,
    fleet_in,
    flop_in,
    gang_in,
    grid_in,
    layout_in,
    machine_in,
    served_in,
    sizes_in,
    spread_in,
    surface_in,
    traffic_in,
    trained_in,
)
from gpt4lab.models.isoflop import parabolas
from gpt4lab.models.rules import LayoutError
from gpt4lab.models.sites import cluster_away, short
from gpt4lab.models.step.report import step
from gpt4lab.quantities import QUANTITIES, UnknownQuantity, explain, find, unit_of, value
from gpt4lab.scenario import ScenarioError, change, load_scenario, names
from gpt4lab.units import show
from gpt4lab.verdict import registered as engines

LEAK = load_scenario("leak")
MODELLED = [name for name in QUANTITIES.names() if name not in list(QUANTITIES)]
READ = [name for name in MODELLED if find(name).read]
PRICED = [name for name in READ if find(name).read.startswith("token_prices")]


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


WHOLE: dict[str, Callable[[Any], Any]] = {  # the model's report is the number itself
    "answer.batch_that_fits": lambda s: largest_batch(served_in(s), deployment_in(s), chip_in(s)),
    "chinchilla.size": lambda s: counted(sizes_in(s)),
    "chinchilla.stretch": lambda s: stretched(flop_in(s)),
    "sites.cluster_away": lambda s: cluster_away(cluster_in(s)),
    "sites.short": lambda s: short(cluster_in(s), fleet_in(s)),
}
REPORTS: dict[str, Callable[[Any], Any]] = {  # by the beginning of the name, the longest that fits
    "chinchilla.parabola_": lambda s: parabolas(surface_in(s), grid_in(s), flop_in(s)),
    "chinchilla.": lambda s: chosen_law(choice_in(s)),
    "step.": lambda s: step(trained_in(s), layout_in(s), machine_in(s)),
    "assembly.": board_in,
    "gang.": lambda s: gang_lengths(gang_in(s)),
    "stages.": lambda s: line(served_in(s), deployment_in(s), chip_in(s), cutting_in(s)),
    "stages.fewest_": lambda s: REPORTS["stages."](change(s, {"serving.pipeline": value("stages.fewest", s)})),
    **dict.fromkeys(
        ("stages.floor", "stages.token_"), lambda s: decode(served_in(s), spread_in(s), chip_in(s))
    ),
    "answer.": lambda s: decode(served_in(s), deployment_in(s), chip_in(s)),
    "answer.checking_s": lambda s: decode(
        served_in(s), deployment_in(s), chip_in(s), drafted=s.speculation.draft_length
    ),
    **dict.fromkeys(PRICED, lambda s: token_prices(served_in(s), deployment_in(s), busy_chip_in(s), traffic_in(s))),
}  # fmt: skip


def found_by(name: str, scenario: Any) -> Any:
    """The same number off the model's own report."""
    if name.startswith("verdict."):
        engine, _, read = find(name).read.partition("(scenario).")
        return attrgetter(read)(getattr(engines, engine)(scenario)) * 1
    if name in WHOLE:
        return WHOLE[name](scenario)
    begin = max(filter(name.startswith, REPORTS), key=len)
    return attrgetter(find(name).read.partition(").")[2])(REPORTS[begin](scenario))


@pytest.mark.parametrize("name", READ)
def test_both_doors_give_the_same_number(name: str) -> None:
    asked = 0
    for scenario in map(load_scenario, names()):
        try:
            expected = found_by(name, scenario)
        except (ScenarioError, catalog.MissingFact) as refused:
            with pytest.raises(type(refused)):
                value(name, scenario)
            continue
        asked += 1
        assert value(name, scenario) == expected
    assert asked


@pytest.mark.parametrize("name", MODELLED)
def test_each_has_a_unit_a_source_a_meaning_and_can_be_explained(name: str) -> None:
    quantity = find(name)
    assert quantity.source == "arithmetic" or quantity.source in catalog.references
    assert show(value(name, LEAK), unit_of(name))
    assert quantity.meaning[0].isupper() or quantity.meaning[0].isdigit()
    assert quantity.meaning.endswith(".")
    text = explain(name, LEAK, depth=3).text()
    assert all(f"{part}  (computed)" in text for part in quantity.parts.values())
    assert explain(name, LEAK).latex().startswith(r"\begin{aligned}")


@pytest.mark.parametrize("whole", ["step.seconds", "step.memory_bytes", "answer.latency"])
def test_the_parts_that_are_shown_add_up(whole: str) -> None:
    assert sum(value(part, LEAK) for part in find(whole).parts.values()) == pytest.approx(value(whole, LEAK))


def test_an_explanation_says_who_was_asked_and_what_was_read() -> None:
    lines = explain("step.mfu", LEAK).text().splitlines()
    assert lines[1] == "  = step(network, layout, chip).mfu    [narayanan2021]"
    assert "  pipeline = 15 stages  cluster.pipeline  (C39)" in lines


def test_a_look_may_give_fields_quantities_and_arrays() -> None:
    there = change(LEAK, {"cluster.tensor": 16})
    assert value("step.mfu", LEAK, {"cluster.tensor": 16}) == value("step.mfu", there) != value("step.mfu", LEAK)
    assert value("step.gpus", LEAK, {"cluster.replicas": 10}) == 8 * 15 * 10
    assert value("step.mfu", LEAK, {"cluster.accelerator": "h100-sxm-80gb"}) < value("step.mfu", LEAK)
    many = value("answer.latency", LEAK, {"serving.tokens_in_flight": np.array([64.0, 4096.0])})
    assert many.tolist() == [value("answer.latency", LEAK, {"serving.tokens_in_flight": n}) for n in (64, 4096)]


def test_what_cannot_be_is_refused_in_one_sentence() -> None:
    with pytest.raises(LayoutError, match="120 layers cannot fill 121 stages: 120 or fewer"):
        value("step.mfu", LEAK, {"cluster.pipeline": 121})


def test_near_names_are_offered_and_the_list_of_quantities_stays_without_models() -> None:
    code = (
        "import sys; from gpt4lab.quantities import QUANTITIES, values, known;"
        "from gpt4lab.scenario import load_scenario;"
        "values(tuple(QUANTITIES), load_scenario('leak')); print('gpt4lab.models.registered' in sys.modules);"
        "print(known('step.mfu'), 'gpt4lab.models.registered' in sys.modules, 'numpy' in sys.modules);"
        "print(any(name.startswith(('step.', 'answer.')) for name in QUANTITIES))"
    )
    assert run(code).split() == ["False", "step.mfu", "True", "False", "False"]
    with pytest.raises(UnknownQuantity, match=r"did you mean step\.mfu"):
        find("step.mfo")
    with pytest.raises(UnknownQuantity, match=r"answer\.latency"):
        value("anser.latency", LEAK)


def test_the_command_line_explains_them() -> None:
    out = run("from gpt4lab.cli import main; main(['explain', 'answer.usd_per_1k', '--depth', '1'])")
    assert out.startswith("answer.usd_per_1k = $0.003")
    assert "decode(network, deployment, chip).usd_per_1k" in out


def test_the_fields_behind_them_flip_a_claim() -> None:
    claim = Claim(id="X", chapter="09", quote="a made-up claim", expect={"step.mfu": (0.29, 1)}, tolerance=0)
    assert {"cluster.interleave", "training.batch_tokens"} <= set(upstream(claim))
    assert not {"cluster.accelerator", "cluster.recompute"} & set(upstream(claim)), "these are words"
    found = flips(claim, LEAK, 3)
    assert len(found) == 3
    for flip in found:
        assert value("step.mfu", LEAK, {flip.field.path: flip.there}) >= 0.29 > value("step.mfu", LEAK)
    even = [flip.there for flip in flips(claim, LEAK, 20) if flip.field.path == "cluster.pipeline"]
    assert all(120 % stages == 0 for stages in even), "what cannot be is passed over"


def test_sentences_name_them() -> None:
    assert fill("A step takes {step.seconds}.", LEAK) == f"A step takes {show(value('step.seconds', LEAK), 's')}."


def test_what_moves_them_most() -> None:
    assert {"serving.bytes_per_weight", "serving.usd_per_gpu_hour"} <= set(elasticities("answer.usd_per_1k", LEAK))
    assert elasticities("answer.usd_per_1k", LEAK)["serving.usd_per_gpu_hour"] == pytest.approx(1)
    assert elasticities("step.seconds", LEAK)["model.d_ff"] > 0
