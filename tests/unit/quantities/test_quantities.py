"""Derived numbers: declared soundly, shown truly, and right where the answer is known."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import gpt4lab.quantities.topics
from gpt4lab.catalog import constants, latencies, models, references
from gpt4lab.formulas import layer
from gpt4lab.quantities import QUANTITIES, UnknownQuantity, explain, leaves, quantity, unit_of, value, values
from gpt4lab.quantities.registry import again
from gpt4lab.quantities.topics import goodput, kv, moe, scaling, vision
from gpt4lab.scenario import FIELDS, change, get, live, load_scenario, names
from gpt4lab.scenario.records import GROUPS
from gpt4lab.units import factor

LEAK = load_scenario("leak")
DAYS = ({"cluster.days": 90}, {"cluster.days": 100})


@pytest.mark.parametrize("name", QUANTITIES)
def test_every_quantity_is_declared_soundly(name: str) -> None:
    declared = QUANTITIES[name]
    origin = declared.source.partition(":")[0]
    assert origin in ("arithmetic", "assumed") or origin in references, f"no such source: {declared.source}"
    assert declared.meaning.endswith((".", ":")) or ":" in declared.meaning, "one sentence says what it is"
    assert factor(declared.unit, f"({declared.unit})") == pytest.approx(1), "a unit that pint knows"
    assert all(unit_of(path) is not None for path in declared.inputs.values())


TOPICS = Path(gpt4lab.quantities.topics.__file__).parent
PATTERN = re.compile(r'"(\w+\.\w*\{[^"]*)"')  # "scaling.{fit}_loss"


@cache
def declared_in(home: Path) -> tuple[list[str], re.Pattern[str]]:
    """The lines of a topic, and what its literal names and its patterns, filled with its own words, allow."""
    text = home.read_text("utf-8")
    word = "(" + "|".join(set(re.findall(r'"(\w+)"', text))) + ")"
    names = [re.escape(name) for name in re.findall(r'"(\w+\.\w+)"', text)]
    patterns = [re.sub(r"\\{\w+\\}", word, re.escape(pattern)) for pattern in PATTERN.findall(text)]
    return text.splitlines(), re.compile("|".join([*names, *patterns]))


@pytest.mark.parametrize("name", QUANTITIES)
def test_every_name_is_found_by_search_in_the_file_of_its_prefix(name: str) -> None:
    """Literally, or as a pattern whose pieces stand in a table of the same file."""
    file, _, line = QUANTITIES[name].declared.rpartition(":")
    home = TOPICS / f"{name.partition('.')[0]}.py"
    lines, names = declared_in(home)
    assert Path(file).parts[-2:] == home.parts[-2:]
    assert re.match(r"@?(quantity|again)\(", lines[int(line) - 1])
    assert names.fullmatch(name)


@pytest.mark.parametrize("name", QUANTITIES)
def test_every_quantity_explains_itself(name: str) -> None:
    found = explain(name, LEAK, depth=9)
    text, latex = found.text(), found.latex()
    assert found.value == value(name, LEAK)
    assert all(symbol.rstrip("_") in found.quantity.formula.text() for symbol in found.quantity.inputs)
    assert text.startswith(name)
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\left(") == latex.count(r"\right)")
    assert found.html().count("<ul>") == found.html().count("</ul>")


@pytest.mark.parametrize("scenario", names())
def test_every_quantity_is_a_number_in_every_scenario(scenario: str) -> None:
    found = values(tuple(QUANTITIES), load_scenario(scenario))
    assert not [name for name, number in found.items() if not math.isfinite(number)]


@pytest.mark.parametrize("name", QUANTITIES)
def test_arrays_give_what_scalars_give(name: str) -> None:
    numpy = pytest.importorskip("numpy")
    for path in leaves((name,)):
        if path in FIELDS and not FIELDS[path].catalog:
            here = float(get(LEAK, path))
            points = [here, 1.25 * here, 2 * here] if path != "speculation.acceptance" else [0.2, 0.5, 0.8]
            expected = [value(name, LEAK, {path: point}) for point in points]
            array = value(name, LEAK, {path: numpy.array(points)}) * numpy.ones(3)
            assert array == pytest.approx(expected, rel=1e-12), path


def test_every_input_of_the_scenario_is_used() -> None:
    behind = set(leaves(tuple(QUANTITIES)))
    words = {path for path, field in FIELDS.items() if field.catalog or field.choices}
    studies = {group for group, record in GROUPS.items() if record.__module__ == live.__name__}  # say nothing of it
    inputs = {path for path in set(FIELDS) - words if path.partition(".")[0] not in studies}
    assert inputs <= behind, f"no quantity reads {inputs - behind}"


def test_a_name_is_computed_in_one_place() -> None:
    with pytest.raises(ValueError, match="computed in two places"):
        quantity("training.flop", "FLOP", source="arithmetic")(lambda: 1)
    with pytest.raises(ValueError, match="computed in two places"):
        quantity("training.mfu", "fraction", source="arithmetic")(lambda: 1)
    with pytest.raises(ValueError, match="the arguments of"):
        quantity("training.new", "FLOP", source="arithmetic", N="training.tokens")(lambda D: D)
    with pytest.raises(ValueError, match="computed in two places"):
        again({"training.cost": ("cluster.rental", "")}, instead={"training.days": "cluster.days"})
    with pytest.raises(ValueError, match=r"training\.cost under another name"):
        again({"training.cost": ("training.new", "")}, instead={"model.layers": "model.heads"})


def test_what_is_declared_again_reads_its_own_kind_and_else_the_same() -> None:
    first, copy = QUANTITIES["decode.latency"], QUANTITIES["speculation.pass_s"]
    assert copy.function is first.function
    assert dict(copy.inputs) == {"t_w": "speculation.read_s", "t_kv": "decode.kv_s", "t_c": "speculation.compute_s"}
    assert copy.meaning != first.meaning
    assert QUANTITIES["rerun.days_needed"].meaning == QUANTITIES["training.days"].meaning
    alike = {"speculation.draft_length": 0}
    assert value("speculation.pass_s", LEAK, alike) == value("decode.latency", LEAK, alike)


def test_an_unknown_name_lists_near_ones() -> None:
    with pytest.raises(UnknownQuantity, match=r"did you mean training\.cost"):
        value("training.costs", LEAK)
    with pytest.raises(UnknownQuantity, match=r"training\.mfu"):
        value("training.cost", LEAK, {"training.mfuu": 1})


def test_given_paths_override_fields_quantities_and_machines() -> None:
    assert value("training.days", LEAK, {"training.mfu": 0.68}) == pytest.approx(value("training.days", LEAK) / 2)
    assert value("training.cost", LEAK, {"training.days": 100}) == 60e6
    on_h100 = value("training.days", LEAK, {"cluster.accelerator": "h100-sxm-80gb"})
    assert on_h100 == value("training.days", change(LEAK, {"cluster.accelerator": "h100-sxm-80gb"}))


# The numbers of the fact sheet that go beyond the claims: (quantity, settings, value), as published there.
DERIVED: Mapping[str, tuple[str, tuple[Mapping[str, Any], ...], tuple[float, ...]]] = {
    "tokens per second": ("training.tokens_per_s", DAYS[::-1], (1.505e6, 1.672e6)),
    "tokens per second and GPU": ("training.tokens_per_s_per_gpu", DAYS[::-1], (60.19, 66.87)),
    "steps": ("batch.steps", ({},), (216_667,)),
    "seconds per step": ("batch.seconds_per_step", DAYS, (35.89, 39.88)),
    "replicas": ("cluster.replicas_exact", ({},), (208.33,)),
    "sequences per replica": ("batch.sequences_per_replica", ({},), (35.21,)),
    "bubble": (
        "pipeline.bubble",
        ({}, {"cluster.interleave": 2}, {"cluster.interleave": 4}, {"cluster.interleave": 8}),
        (0.2857, 0.1667, 0.09091, 0.04762),
    ),
    "MFU before the bubble": (
        "training.mfu_before_bubble",
        ({"training.mfu": 0.32}, {"training.mfu": 0.36}),
        (0.448, 0.504),
    ),
    "optimiser state": ("memory.optimiser", ({"cluster.zero": 0}, {}), (183.1e9, 0.8803e9)),
    "memory by ZeRO stage": (
        "memory.states",
        tuple({"cluster.zero": stage} for stage in range(4)),
        (244.1e9, 61.91e9, 31.54e9, 1.174e9),
    ),
    "tokens per expert": ("moe.training_tokens_per_expert", ({},), (1.625e12,)),
    "latency floor": (
        "decode.latency_floor",
        tuple(
            {"model.shared_params": 24e9, "serving.accelerator": machine, "serving.bytes_per_weight": width}
            for machine, width in (
                ("a100-sxm-40gb", 2),
                ("a100-sxm-80gb", 2),
                ("a100-sxm-80gb", 1),
                ("h100-sxm-80gb", 2),
                ("h100-sxm-80gb", 1),
            )
        ),
        (0.2894, 0.2207, 0.1103, 0.1343, 0.06716),
    ),
    "throughput": ("decode.tokens_per_s_floor", ({"model.shared_params": 24e9},), (18_559,)),
    "margin": ("serving.margin", ({}, {"serving.price_per_1k_tokens": 0.03}), (0.9183, 0.8367)),
    "best dense model": ("scaling.besiroglu_params", ({"training.flop": 2.15e25},), (462.0e9,)),
    "its tokens": ("scaling.besiroglu_tokens", ({"training.flop": 2.15e25},), (7.756e12,)),
    "dense equivalent": ("moe.dense_equivalent", ({},), (674.8e9,)),
    "energy": ("cluster.energy", ({},), (45.46e9,)),
    "DeepSeek's batch": ("batch.deepseek", ({"training.flop": 2.15e25},), (5.644e7,)),
    "effective tokens": ("data.effective_tokens", ({},), (1.264e13,)),
    "MFU of NVIDIA's run": (
        "rerun.implied_mfu",
        ({"training.flop": 2.15e25, "rerun.gpus": 8000, "rerun.days": 90},),
        (0.3493,),
    ),
}


@pytest.mark.parametrize("what", DERIVED)
def test_derived_numbers_of_the_fact_sheet(what: str) -> None:
    name, cases, published = DERIVED[what]
    found = [value(name, LEAK, settings) for settings in cases]
    assert found == pytest.approx(published, rel=1e-3)


def test_one_width_reproduces_both_sums() -> None:
    shape = values(("geometry.full_attention_params", "geometry.expert_params"), LEAK)
    assert list(shape.values()) == pytest.approx([55.49e9, 110.98e9], rel=1e-3)


def test_the_mqa_width_gives_the_attention_back() -> None:
    width = value("geometry.width_from_mqa", LEAK)
    given = {"model.d_model": width, "model.heads": width / 128}
    assert value("geometry.attention_params", LEAK, given) == pytest.approx(LEAK.model.shared_params)


def test_attention_is_counted_as_in_the_training_step_model() -> None:
    per_layer = layer.attention_weights(10752, 84, 1, 128, 1)
    assert value("geometry.attention_params", LEAK) == 120 * per_layer


def test_the_shape_of_gpt3_gives_its_published_size() -> None:
    gpt3 = models["gpt-3-175b"]
    shape = {
        "model.layers": gpt3.n_layers,
        "model.d_model": gpt3.d_model,
        "model.d_ff": gpt3.d_ff,
        "model.heads": gpt3.n_heads,
        "model.kv_heads": gpt3.n_kv_heads,
        "model.experts": 1,
    }
    assert value("geometry.total_params", LEAK, shape) == pytest.approx(175e9, rel=0.01)


@pytest.mark.parametrize(("tokens", "share"), [(1, 0.125), (8, 0.6564), (16, 0.882), (32, 0.9861), (256, 1)])
def test_experts_touched(tokens: int, share: float) -> None:
    assert value("moe.touched", LEAK, {"decode.micro_batch": tokens}) == pytest.approx(share, rel=1e-3)


@pytest.mark.parametrize(
    ("routing", "base", "gain"), [("s_base", 1.3e9, -0.031), ("s_base", 166e9, -0.0085), ("rl_r", 166e9, 0.011)]
)
def test_clark_on_64_against_16_experts(routing: str, base: float, gain: float) -> None:
    found = value(f"moe.{routing}_gain", LEAK, {"model.base_params": base})
    assert found == pytest.approx(gain, abs=5e-4)


@pytest.mark.parametrize("routing", moe.ROUTINGS)
def test_clark_gain_is_the_ratio_of_two_losses(routing: str) -> None:
    here, there = (value(f"moe.{routing}_loss", LEAK, {"model.experts": count}) for count in (16, 64))
    assert value(f"moe.{routing}_gain", LEAK) == pytest.approx(there / here - 1)


def test_clark_stops_helping_near_the_published_size() -> None:
    law = constants["clark2022-s-base"]
    base = 10 ** (-law.b / law.c)
    assert value("moe.s_base_gain", LEAK, {"model.base_params": base}) == pytest.approx(0)
    assert base == pytest.approx(law.N_cutoff, rel=0.1), "c is printed with one digit"


def test_ludziejewski_joint_law_gives_its_own_row_for_16_experts() -> None:
    row = constants["ludziejewski2025-e16"]
    terms = values(("moe.ludziejewski_params_term", "moe.ludziejewski_tokens_term"), LEAK)
    assert list(terms.values()) == pytest.approx([row.m * 277e9**row.mu, row.n * 13e12**row.nu], rel=0.01)
    assert value("moe.ludziejewski_loss", LEAK) == pytest.approx(1.722, abs=1e-3)
    assert value("moe.ludziejewski_other_loss", LEAK) == pytest.approx(1.710, abs=1e-3)


def test_a_dense_model_is_its_own_equivalent() -> None:
    dense = change(LEAK, {"model.experts": 1, "model.top_k": 1})
    assert value("moe.dense_equivalent", dense) == pytest.approx(value("model.active_params", dense), rel=1e-6)


@pytest.mark.parametrize(
    ("fit", "params", "tokens", "active"),
    [
        ("hoffmann", 165e9, 21.7e12, 40.7e12),
        ("hoffmann_tex", 210e9, 17.0e12, 23.6e12),
        ("besiroglu", 462e9, 7.76e12, 4.77e12),
    ],
)
def test_chinchilla_by_each_fit(fit: str, params: float, tokens: float, active: float) -> None:
    names_ = tuple(f"scaling.{fit}_{what}" for what in ("params", "tokens", "tokens_active"))
    found = values(names_, LEAK, {"training.flop": 2.15e25})
    assert list(found.values()) == pytest.approx([params, tokens, active], rel=5e-3)


@pytest.mark.parametrize("fit", scaling.FITS)
def test_the_closed_form_is_the_minimum_of_the_loss(fit: str) -> None:
    law = {symbol: getattr(constants[scaling.FITS[fit]], symbol) for symbol in ("E", "A", "alpha", "B", "beta")}
    flop, best = 1e24, value(f"scaling.{fit}_params", LEAK, {"training.flop": 1e24})

    def loss(params: float) -> float:
        return scaling.loss(params, flop / (6 * params), **law)

    assert loss(best) < min(loss(0.99 * best), loss(1.01 * best))
    exponents = {"alpha": law["alpha"], "beta": law["beta"]}
    balance = value(f"scaling.{fit}_balance", LEAK)
    assert scaling.best_tokens(best, balance, **exponents) == pytest.approx(flop / (6 * best))


def test_kv_cache_by_kind_of_attention() -> None:
    sizes = [value("kv.bytes_per_sequence", LEAK, {"model.kv_heads": heads}) for heads in (1, 8, 84)]
    assert sizes == pytest.approx([0.503e9, 4.03e9, 42.3e9], rel=2e-3)
    assert kv.bytes_per_token(120, 8, 128, 2) == 491_520


@pytest.mark.parametrize(("machine", "batch"), [("a100-sxm-80gb", 153), ("a100-sxm-40gb", 201), ("h100-sxm-80gb", 295)])
def test_the_batch_at_which_decoding_becomes_compute_bound(machine: str, batch: float) -> None:
    given = {"serving.accelerator": machine}
    assert value("decode.crossover_dense", LEAK, given) == pytest.approx(batch, abs=0.6)
    assert value("decode.crossover", LEAK, given) == pytest.approx(8 * batch, abs=6)


def test_measured_latency_lies_below_the_floor_of_a_full_batch() -> None:
    floor_ms = 1000 * value("decode.latency_floor", LEAK)
    assert latencies["gpt-4-2023-spring"].ms_per_token < floor_ms
    few = 1000 * value("decode.latency_floor", LEAK, {"decode.micro_batch": 1})
    assert few == pytest.approx(34, abs=0.5)


def test_the_vision_formula_comes_near_flamingo() -> None:
    chinchilla = vision.params(8192, 80, constants["flamingo-80b"].every)
    assert chinchilla == pytest.approx(constants["flamingo-80b"].cross_attention, rel=0.1)


def test_speculation_pays_by_the_paper() -> None:
    speed = [value("speculation.speedup", LEAK, {"speculation.draft_length": g}) for g in (2, 4, 8)]
    assert speed == pytest.approx([2.22, 2.80, 3.09], abs=5e-3)


def test_llama_3_kept_ninety_percent_with_quick_restarts() -> None:
    gpus, days, failures = 16_384, 54, 419
    mtbf = 24 / (failures / days)
    best = goodput.share(goodput.young_interval(0.5, mtbf), 0.5, 5, mtbf)
    assert 0.90 < best < 0.92
    assert gpus * days / 365.25 / failures == pytest.approx(LEAK.reliability.gpu_mtbf_years, rel=0.02)


def test_the_post_s_batch_and_pipeline_explain_its_mfu() -> None:
    assert value("training.mfu_after_bubble", LEAK) == pytest.approx(0.371, abs=1e-3)
