"""Bad input: at every closed-form door one clear error that names the field and the value, never a wrong number."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from gpt4lab import catalog
from gpt4lab.models.curves import iso_flop, lifetime_optimum, optimum
from gpt4lab.models.decode.cluster import batch_within
from gpt4lab.models.decode.deployment import Deployment
from gpt4lab.models.decode.ladder import ladder
from gpt4lab.models.decode.part import kv_bytes_per_token, largest_batch, longest_context
from gpt4lab.models.decode.report import decode, generate, prefill
from gpt4lab.models.inputs import Chip, Efficiency, Network, chip, machine, measured_efficiency, network_of
from gpt4lab.models.rules import LayoutError
from gpt4lab.models.step.layout import Layout
from gpt4lab.models.step.report import step
from gpt4lab.quantities import UnknownQuantity, explain, value
from gpt4lab.quantities.topics.stretch import farthest
from gpt4lab.quantities.topics.vision import tile_tokens
from gpt4lab.scenario import FIELDS, ScenarioError, change, get, load_scenario
from gpt4lab.units import counted

BAD: tuple[Any, ...] = (0, -1, math.nan, math.inf, -math.inf, "seven", None)
LEAK = load_scenario("leak")
LLAMA, A100 = network_of("llama-2-70b"), chip("a100-sxm-80gb")
RECORDS = (
    Network(layers=24, d_model=2048, heads=16),
    Layout(),
    machine("a100-sxm-80gb"),
    LLAMA,
    Deployment(),
    A100,
    measured_efficiency(),
)
#: What some of these values mean in some fields: no gate, nothing hidden, no window, a free link, an unknown price.
ZERO_MEANS = {
    "gated",
    "shared_experts",
    "tied_embeddings",
    "dense_layers",
    "dense_d_ff",
    "dense_gated",
    "parallel_block",
    "query_rank",
    "kv_rank",
    "rope_dim",
    "nope_dim",
    "window_layers",
    "rest",
    "schedule",
    "zero",
    "recompute",
    "overlap",
    "overhead_bytes",
    "usd_per_hour",
    "kernel_s",
    "launch_s",
    "message_s",
    "hop_s",
    "network_hop_s",
    "half_flop",
    "hidden",
    "host_s",
    "lean",
    *(field.name for field in attrs.fields(Deployment) if field.default in (True, False)),
    "fused_attention",
}
RATES = {"peak_8bit_flop_per_s", "sm_clocks_per_s", "product_flop_per_s", "attention_flop_per_s"}
BOUNDLESS = {"window", "max_context", *(field.name for field in attrs.fields(Chip)[:5]), "intake", *RATES}
UNKNOWN = {"usd_per_hour", *RATES}


def allowed(record: Any, name: str, bad: Any) -> bool:
    """Whether a field gives this value a meaning."""
    boundless = name in BOUNDLESS and isinstance(record, (Chip, Network, Efficiency))
    return (
        (bad == 0 and name in ZERO_MEANS)
        or (bad == math.inf and boundless)
        or (name in UNKNOWN and isinstance(bad, float) and math.isnan(bad))
        or (name == "rest" and bad == -1)
    )


CASES = [
    pytest.param(record, field.name, id=f"{type(record).__name__}.{field.name}")
    for record in RECORDS
    for field in attrs.fields(type(record))
]


@pytest.mark.parametrize(("record", "name"), CASES)
def test_no_record_takes_it(record: Any, name: str) -> None:
    for bad in (bad for bad in BAD if not allowed(record, name, bad)):
        with pytest.raises(LayoutError, match=rf"^{type(record).__name__}\.{name} = {re.escape(repr(bad))} is not "):
            attrs.evolve(record, **{name: bad})


@pytest.mark.parametrize(("record", "name"), CASES)
@pytest.mark.parametrize("odd", [1j, [1], {}, b"1", 10**400, 1e308], ids=lambda odd: type(odd).__name__)
def test_no_record_takes_what_is_no_number_or_beyond_all(record: Any, name: str, odd: Any) -> None:
    with pytest.raises(LayoutError, match=rf"^{type(record).__name__}\.{name} = .{{1,80}} is not ") as caught:
        attrs.evolve(record, **{name: odd})
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(("record", "name"), CASES)
def test_no_record_takes_it_from_numpy(record: Any, name: str) -> None:
    np = pytest.importorskip("numpy")
    for bad in (np.int64(-7), np.float64("-inf"), np.array(-7), np.array("7"), np.array([None])):
        if not (name == "rest" and bad == -7):
            with pytest.raises(LayoutError, match=rf"\.{name} = .{{1,80}} is not "):
                attrs.evolve(record, **{name: bad})


@pytest.mark.parametrize("odd", [None, "7", {}, 1j, 10**400])
def test_what_follows_from_a_width_leaves_the_word_to_it(odd: Any) -> None:
    with pytest.raises(LayoutError, match=r"^Network\.d_model = .{1,80} is not "):
        Network(layers=1, d_model=odd, heads=9)


NUMBERS = [path for path, field in FIELDS.items() if not (field.catalog or field.choices)]


def inside(path: str, bad: Any) -> bool:
    """Whether a field allows this value."""
    return isinstance(bad, (int, float)) and FIELDS[path].lo <= bad <= FIELDS[path].hi


@pytest.mark.parametrize("path", NUMBERS)
def test_no_scenario_takes_it(path: str) -> None:
    for bad in (bad for bad in BAD if not inside(path, bad)):
        with pytest.raises(ScenarioError, match=rf"^{re.escape(path)} = .+; allowed: ") as caught:
            change(LEAK, {path: bad})
        shown = repr(bad) if not isinstance(bad, (int, float)) or not math.isfinite(bad) else f"{bad:,g}"
        assert shown in str(caught.value)
        unit = FIELDS[path].unit
        said = {"fraction": "%", "date": counted(FIELDS[path].hi, "date")}.get(unit, unit)
        assert unit == "1" or said in str(caught.value)


@pytest.mark.parametrize("bad", [0, -1, math.nan, math.inf, None])
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("training.mfu", "training.cost"),
        ("training.tokens", "training.flop_per_usd"),
        ("cluster.gpus", "training.tokens_per_s_per_gpu"),
    ],
)
def test_no_look_takes_it(path: str, name: str, bad: Any) -> None:
    with pytest.raises(ScenarioError, match=rf"{re.escape(path)} = {re.escape(repr(bad))} (is not|leaves nothing)"):
        value(name, LEAK, {path: bad})


@pytest.mark.parametrize("bad", [math.nan, math.inf, None])
def test_no_look_takes_it_for_a_quantity(bad: Any) -> None:
    with pytest.raises(ScenarioError, match=r"training\.flop = .+ is not a finite number"):
        explain("training.cost", LEAK, given={"training.flop": bad})


DOORS: dict[str, tuple[Callable[[Any], Any], type[Exception]]] = {
    "kv_bytes": (lambda bad: kv_bytes_per_token(LLAMA, bad), LayoutError),
    "context": (lambda bad: generate(LLAMA, Deployment(tensor=4), A100, prompt=bad, output=9), LayoutError),
    "sequence": (lambda bad: network_of("llama-2-70b", sequence=bad), LayoutError),
    "ms_per_token": (lambda bad: batch_within(LEAK, bad), LayoutError),
    "flop": (lambda bad: iso_flop("besiroglu", bad), ScenarioError),
    "params": (lambda bad: iso_flop("besiroglu", 1e24, [1e9, bad]), ScenarioError),
    "target": (lambda bad: lifetime_optimum("besiroglu", bad, 1e12), ScenarioError),
    "width": (lambda bad: tile_tokens(bad, 100), ScenarioError),
}


@pytest.mark.parametrize("bad", [0, -1, math.nan, math.inf])
@pytest.mark.parametrize("name", DOORS)
def test_no_function_takes_it(name: str, bad: float) -> None:
    door, error = DOORS[name]
    with pytest.raises(error, match=rf"{name} = {re.escape(repr(bad))} "):
        door(bad)


@pytest.mark.parametrize("bad", [0, -1, math.nan, math.inf])
def test_an_answer_has_tokens(bad: float) -> None:
    with pytest.raises(LayoutError, match=rf"context = {re.escape(repr(bad))} "):
        generate(LLAMA, Deployment(tensor=4), A100, prompt=9, output=bad)


@pytest.mark.parametrize("bad", [-1, math.nan, math.inf])
def test_answers_of_a_lifetime_are_counted(bad: float) -> None:
    with pytest.raises(ScenarioError, match=rf"served_tokens = {re.escape(repr(bad))} "):
        lifetime_optimum("besiroglu", 2.0, bad)


@pytest.mark.parametrize(
    ("door", "error", "words"),
    [
        (lambda: network_of("llama-2-71b"), catalog.UnknownName, "llama-2-71b.*llama-2-70b"),
        (lambda: network_of("gpt-5"), catalog.UnknownName, "gpt-5"),
        (lambda: machine("a100-sxm-60gb"), catalog.UnknownName, "a100-sxm-60gb.*a100-sxm-80gb"),
        (lambda: chip("abacus"), catalog.UnknownName, "abacus"),
        (lambda: value("training.costs", LEAK), UnknownQuantity, r"training\.costs.*training\.cost"),
        (lambda: farthest("chinchila", LEAK), UnknownQuantity, "chinchila"),
        (lambda: optimum("chinchilla", 1e24), ScenarioError, "unknown fit 'chinchilla'"),
        (lambda: load_scenario("leek"), ScenarioError, "leek.*leak"),
        (lambda: change(LEAK, {"training.mfuu": 0.3}), ScenarioError, r"training\.mfuu.*training\.mfu"),
        (lambda: Layout(schedule="dualpipe"), LayoutError, "Layout.schedule = 'dualpipe' is not one of"),
        (lambda: Layout(recompute=7), LayoutError, "Layout.recompute = 7 is not one of"),
        (lambda: Layout(tensor=2.5), LayoutError, r"Layout\.tensor = 2\.5 is not a whole number"),
    ],
)
def test_an_unknown_name_is_told_with_near_ones(door: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        door()


@pytest.mark.parametrize(
    "door",
    [
        lambda: decode(LLAMA, Deployment(tensor=4, context=5000), A100),
        lambda: prefill(LLAMA, Deployment(tensor=4, context=5000), A100),
        lambda: largest_batch(LLAMA, Deployment(tensor=4, context=5000), A100),
        lambda: generate(LLAMA, Deployment(tensor=4), A100, prompt=4000, output=1000),
        lambda: step(network_of("llama-2-70b", sequence=5000), Layout(), A100),
        lambda: ladder(change(LEAK, {"serving.mean_context": 40_000})),
    ],
)
def test_a_context_beyond_the_models_is_refused(door: Callable[[], Any]) -> None:
    with pytest.raises(LayoutError, match=r"(5,?000|40,000)[\d.]* tokens (are|is) more than the .*(4,096|32,768)"):
        door()


def test_stages_beyond_the_layers_are_refused() -> None:
    with pytest.raises(LayoutError, match="80 layers cannot fill 100 stages: 80 or fewer"):
        longest_context(LLAMA, Deployment(pipeline=100), A100)


def test_what_does_not_fit_is_said_and_never_priced_as_if_it_did() -> None:
    report = decode(LLAMA, Deployment(), A100)
    assert report.fits is False
    assert "GB a GPU and has 85.0 GB" in report.reason
    assert value("kv.sequences", LEAK, {"serving.bytes_per_weight": 16}) == 0


def test_what_zero_or_infinity_mean_is_declared() -> None:
    names = {field.name for record in RECORDS for field in attrs.fields(type(record))}
    assert names >= ZERO_MEANS | BOUNDLESS | UNKNOWN
    assert isinstance(A100, Chip)
    assert isinstance(measured_efficiency(), Efficiency)
    assert get(LEAK, "serving.lifetime_tokens") > 0
