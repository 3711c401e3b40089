"""The training-step model: anchors worked out by hand, published numbers, and properties that must always hold."""

from __future__ import annotations

import inspect
import itertools
import math
import subprocess
import sys

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpt4lab import catalog
from gpt4lab.checks import published as runs
from gpt4lab.checks import step as check
from gpt4lab.checks.check import when_moved
from gpt4lab.formulas import layer, memory, pipeline, traffic
from gpt4lab.models.inputs import NOT_DECODERS, Chip, Network, machine, measured_efficiency, network_of
from gpt4lab.models.rules import LayoutError, possible
from gpt4lab.models.search.parameters import parts
from gpt4lab.models.step.layout import Layout
from gpt4lab.models.step.part import StepPart
from gpt4lab.models.step.report import StepReport, step
from gpt4lab.quantities.formula import Formula

A100 = machine("a100-sxm-80gb", usd_per_hour=1.0)
SMALL = Network(layers=24, d_model=2048, heads=16, kv_heads=8, experts=8, top_k=2, vocab=32000)


def megatron_flop(s: Network, B: float) -> float:
    """Narayanan (2021), equation 3: FLOP of an iteration with full recomputation."""
    h, L, q, V = s.d_model, s.layers, s.sequence, s.vocab
    return 96 * B * q * L * h**2 * (1 + q / (6 * h) + V / (16 * L * h))


# Anchors


def test_bubble_of_the_posts_pipeline():
    assert pipeline.bubble_fraction(p=15, m=35, v=1) == pytest.approx(0.286, abs=5e-4)
    assert [round(pipeline.bubble_fraction(15, 35, v), 3) for v in (2, 4, 8)] == [0.167, 0.091, 0.048]


@pytest.mark.parametrize(("p", "m", "v", "published"), [(4, 8, 1, 0.375), (8, 16, 1, 0.4375), (8, 16, 2, 0.21875)])
def test_bubble_overhead_of_narayanan(p: int, m: int, v: int, published: float):
    assert pipeline.bubble_overhead(p, m, v) == published


def test_zero_bubble_schedule_keeps_a_third_of_the_bubble():
    """1F1B waits (p-1)(F+B), ZB-H1 (p-1)(F+B-2W); with B = 2F and W = F that is a third."""
    assert pipeline.zero_bubble_share(r=0) == pytest.approx(1 / 3)


@pytest.mark.parametrize(("zero", "gb"), [(0, 244.1), (1, 61.9), (2, 31.5), (3, 1.17)])
def test_zero_memory_of_the_leak(zero: int, gb: float):
    """15.26e9 parameters a model-parallel rank, 208 replicas."""
    P, d = 15.26e9, 208
    held = memory.weight_bytes(P, d, zero) + memory.gradient_bytes(P, d, zero, 2) + memory.optimiser_bytes(P, d, zero)
    assert held / 1e9 == pytest.approx(gb, abs=0.1 if gb > 10 else 0.005)


def ring_all_reduce_by_hand(n: int, chunk: float) -> float:
    """Bytes that each rank sends when it walks the ring: n-1 steps to add up, n-1 to hand round, a chunk each."""
    sent = [0.0] * n
    for _ in itertools.chain(range(n - 1), range(n - 1)):
        sent = [so_far + chunk for so_far in sent]
    assert len(set(sent)) == 1
    return sent[0]


def test_ring_bytes():
    data = 64 * 2048 * 4096 * 2  # a micro-batch of activations, 16 bits
    assert traffic.tensor_bytes(b=64, s=2048, h=4096, t=8, r=0) == 4 * ring_all_reduce_by_hand(8, data / 8)
    assert traffic.data_bytes(P=1e9, d=5, m=7, g=2, zero=0) == pytest.approx(ring_all_reduce_by_hand(5, 2e9 / 5))


@pytest.mark.parametrize(("zero", "per_parameter"), [(0, 4), (1, 4), (2, 7 * 2 + 2), (3, 7 * (2 + 2 + 2))])
def test_data_parallel_bytes_by_zero_stage(zero: int, per_parameter: int):
    assert traffic.data_bytes(P=1.0, d=4, m=7, g=2, zero=zero) == pytest.approx(per_parameter * 3 / 4)


def test_rings_know_the_node():
    assert traffic.ring_rate(300, 25, n=8, inside=8) == 300
    assert traffic.ring_rate(300, 25, n=32, inside=8) == 200, "eight ports of a node"
    assert traffic.ring_rate(300, 25, n=6, inside=1) == 25


def test_hfu_is_four_thirds_of_mfu_when_all_is_recomputed():
    assert layer.weight_passes(1) / layer.weight_passes(0) == pytest.approx(4 / 3)
    report = step(attrs.evolve(SMALL, vocab=1), Layout(recompute="full"), A100)
    assert report.hfu / report.mfu == pytest.approx(4 / 3, rel=1e-4)
    assert step(SMALL, Layout(), A100).hfu == step(SMALL, Layout(), A100).mfu


def test_hardware_flop_are_equation_3_of_narayanan():
    shape = Network(layers=96, d_model=12288, heads=96)
    assert step(shape, Layout(batch=7, recompute="full"), A100).hardware_flop == pytest.approx(megatron_flop(shape, 7))


def test_activations_are_equation_1_of_korthikanti():
    """sbh(34 + 5as/h) a layer without tensor parallelism; 34 sbh/t with sequence parallelism and selective."""
    s, h, a = 2048, 6144, 64
    whole = memory.kept_bytes(h, q=h, n=h, f=4 * h, g=0, t=1, c=1)
    assert whole + memory.score_bytes(a, s, 1) == pytest.approx(h * (34 + 5 * a * s / h))
    assert memory.kept_bytes(h, q=h, n=h, f=4 * h, g=0, t=8, c=8) == 34 * h / 8


def test_experts_travel_and_are_shared_out():
    """Two copies of each token leave in bf16 and come back, forward and backward; 3 of 4 ranks are elsewhere."""
    report = step(attrs.evolve(SMALL, layers=1), Layout(data=4, expert=4, batch=4), A100)
    assert report.sent_bytes.expert == 2 * 2 * (2 * SMALL.sequence * 2 * SMALL.d_model) * 3 / 4
    alone = step(attrs.evolve(SMALL, layers=1), Layout(data=4, batch=4), A100)
    experts = SMALL.experts * 2 * SMALL.d_model * SMALL.d_ff
    assert alone.memory_bytes.weights - report.memory_bytes.weights == 2 * experts * 3 / 4


def test_a_step_of_arithmetic_alone():
    """On a machine with boundless memory and links only the matmuls are left, at the measured efficiency."""
    ideal = Chip(1e15, math.inf, math.inf, math.inf, math.inf)
    half = attrs.evolve(measured_efficiency(), matmul=0.5, half_flop=0, hop_s=0, host_s=0)
    report = step(Network(2, 1024, 8), Layout(tensor=2, batch=6, micro_batch=2, recompute="full"), ideal, half)
    assert report.time_s == pytest.approx(report.hardware_flop / 2 / 0.5e15)
    assert report.hfu == pytest.approx(0.5)


# Published measurements


def test_table_1_of_megatron_is_within_the_bar():
    rows = check.megatron_validation()
    assert len(rows) >= 5
    assert rows.mean_error < 0.03
    assert rows.largest < 0.07


BANDWIDTHS = ("memory", "link", "network")


def test_no_bandwidth_carries_the_result_alone():
    """A memory, link or network efficiency that is off by a fifth leaves the mean error within the bar."""
    for name, means in when_moved(check.megatron_validation, measured_efficiency(), 0.2).items():
        assert max(means) < (0.16 if name == "matmul" else 0.03 if name not in BANDWIDTHS else 0.06), name


def test_rows_that_no_constant_was_chosen_for():
    assert check.table_2("PTD-P").largest < 0.03
    assert check.korthikanti_times().mean_error < 0.037
    assert check.korthikanti_times().largest < 0.06
    bloom, one_chunk, eight_chunks = check.later_runs()
    assert abs(bloom.error) < 0.06
    assert eight_chunks.ratio < 1 < one_chunk.ratio, "the published run lies between the two interleavings"


def test_what_the_model_gets_wrong_is_known():
    """ZeRO-3 as DeepSpeed ran it in 2021 was up to three times slower than its bytes need; this must stay visible."""
    slower = [1 / row.ratio for row in check.table_2("ZeRO-3")]
    assert min(slower) > 1.25
    assert max(slower) < 3.5


def test_memory_of_korthikanti_figure_1():
    """The figure leaves out embedding and logits, which the model counts."""
    for row in check.korthikanti_memory():
        assert -0.001 < 1 / row.ratio - 1 < (0.09 if "optimiser" in row.what else 0.06), row


@pytest.mark.parametrize("module", [layer, memory, pipeline, traffic], ids=lambda module: module.__name__)
def test_every_formula_can_be_shown(module: object):
    functions = [f for f in vars(module).values() if inspect.isfunction(f) and f.__module__ == module.__name__]
    assert functions
    for function in functions:
        assert Formula(function).text()
        assert Formula(function).latex()


# What cannot be


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        (Layout(pipeline=25, batch=7), "24 layers cannot fill 25 stages: 24 or fewer"),
        (
            Layout(pipeline=8, interleave=2, batch=8, schedule="interleaved"),
            "24 layers in 8 stages cannot be cut into 2 chunks a stage: 1 or 3",
        ),
        (Layout(pipeline=4, interleave=2, batch=6, schedule="interleaved"), "6 micro-batches .* 4 stages: 4 or 8"),
        (Layout(context=2049), "2,048 tokens cannot be shared by 2,049 ranks"),
        (Layout(data=3, batch=10), "10 sequences cannot be divided into 3 replicas"),
        (Layout(expert=9, data=9, batch=9), "8 experts cannot be dealt out to 9 groups: 8 or fewer"),
        (Layout(expert=4, data=2, batch=2), "2 replicas cannot be divided into groups of 4"),
        (Layout(interleave=2, batch=1), "need the schedule 'interleaved'"),
    ],
)
def test_an_impossible_layout_says_why(layout: Layout, words: str):
    with pytest.raises(LayoutError, match=words):
        step(SMALL, layout, A100)


@pytest.mark.parametrize(
    ("uneven", "fullest"),
    [
        (Layout(pipeline=7, batch=7), (attrs.evolve(SMALL, layers=28), Layout(pipeline=7, batch=7))),
        (Layout(tensor=3), (attrs.evolve(SMALL, heads=18, kv_heads=9, head_dim=SMALL.head_dim), Layout(tensor=3))),
        (Layout(context=3), (attrs.evolve(SMALL, sequence=2049), Layout(context=3))),
    ],
)
def test_what_is_uneven_takes_as_long_as_the_fullest_rank_or_stage(uneven: Layout, fullest: tuple[Network, Layout]):
    shape, bare = fullest[0], {"vocab": 1}  # where logits are no stage's burden
    here, there = step(attrs.evolve(SMALL, **bare), uneven, A100), step(attrs.evolve(shape, **bare), fullest[1], A100)
    assert here.seconds.matmul == pytest.approx(there.seconds.matmul, rel=2e-3)
    assert here.memory_bytes.activations == pytest.approx(there.memory_bytes.activations, rel=2e-3)
    alone = step(attrs.evolve(SMALL, **bare), Layout(batch=uneven.batch), A100)
    assert here.model_flop == alone.model_flop < there.model_flop
    assert here.mfu < there.mfu


def test_what_fills_up_a_pipeline_of_uneven_stages_passes_all_the_others_once():
    """By hand: of 24 layers in 7 stages the fullest has 4; a micro-batch waits for the other 20."""
    here = step(attrs.evolve(SMALL, vocab=1), Layout(pipeline=7, batch=70), A100)
    busy = here.seconds.matmul + here.seconds.memory
    even = step(attrs.evolve(SMALL, layers=28, vocab=1), Layout(pipeline=7, batch=70), A100)
    assert here.seconds.bubble / even.seconds.bubble == pytest.approx(20 / 24, rel=0.02)
    assert busy == pytest.approx(even.seconds.matmul + even.seconds.memory, rel=1e-3)


@settings(max_examples=200)
@given(data=st.data())
def test_what_is_repeated_only_adds(data: st.DataObject):
    """On one basis: HFU is never below MFU, and the same where nothing is computed again."""
    t, C, b = (data.draw(st.sampled_from((1, 2, 3, 4, 8))) for _ in range(3))
    network = Network(
        layers=data.draw(st.integers(2, 48)), d_model=64 * data.draw(st.integers(4, 128)),
        heads=data.draw(st.integers(1, 64)), sequence=data.draw(st.sampled_from((512, 8192, 131_072))),
        experts=16, top_k=data.draw(st.integers(1, 4)),
    )  # fmt: skip
    layout = Layout(
        tensor=t, context=C, micro_batch=b, batch=8 * b, pipeline=data.draw(st.integers(1, 2)),
        recompute=data.draw(st.sampled_from(memory.RECOMPUTE)), fused_attention=data.draw(st.booleans()),
        sequence_parallel=data.draw(st.booleans()),
    )  # fmt: skip
    report = step(network, layout, A100)
    assert report.hfu >= report.mfu
    repeated = layout.recompute == 2 or (layout.recompute == 1 and not layout.fused_attention)
    assert (report.hfu > report.mfu) is repeated


@pytest.mark.parametrize("bad", [0, -1, math.nan])
def test_inputs_must_be_positive(bad: float):
    with pytest.raises(LayoutError, match=r"Layout\.tensor"):
        Layout(tensor=bad)
    with pytest.raises(LayoutError, match=r"Network\.layers"):
        Network(layers=bad, d_model=64, heads=1)


def test_an_unknown_schedule_names_the_known_ones():
    with pytest.raises(LayoutError, match="gpipe, 1f1b, interleaved, zero-bubble"):
        Layout(schedule="dualpipe")


def test_out_of_memory_is_a_result_with_its_reason():
    report = step(Network(96, 12288, 96), Layout(), A100)
    assert not report.fits
    assert "optimiser states take" in report.reason
    assert report.time_s > 0
    assert step(SMALL, Layout(tensor=8, recompute="full", fused_attention=True), A100).reason == ""


def test_arrays_mask_what_cannot_be():
    report = step(SMALL, Layout(pipeline=np.array([1.0, 25.0]), batch=7), A100)
    assert np.isnan(report.time_s).tolist() == [False, True]
    assert not report.fits[1]
    with pytest.raises(LayoutError):
        possible(SMALL, Layout(data=3, batch=4, pipeline=np.array([1.0, 2.0])))


def test_a_price_nobody_gave_is_unknown():
    assert math.isnan(step(SMALL, Layout(), machine("a100-sxm-80gb")).usd)
    report = step(SMALL, Layout(tensor=2), A100)
    assert report.usd == pytest.approx(report.time_s / 3600 * 2)


def test_shapes_of_the_catalog():
    llama = network_of("llama-3.1-405b", sequence=8192)
    report = step(llama, Layout(), A100)
    dense = report.model_flop / 8192 - 12 * llama.layers * llama.d_model * 8192
    assert dense / 6 == pytest.approx(405e9, rel=0.02)


@pytest.mark.parametrize("slug", [slug for slug in catalog.models if slug not in NOT_DECODERS])
def test_every_public_shape_trains_with_all_its_parameters(slug: str):
    """Latent attention, windows, first or alternate layers without experts, shared experts: nothing is lost."""
    try:
        shape = network_of(slug, sequence=512)
    except catalog.MissingFact:
        return
    whole, report = parts(shape), step(shape, Layout(fused_attention=True), A100)
    assert report.memory_bytes.weights == pytest.approx(2 * whole.total)
    products = 6 * whole.multiplied
    assert products <= report.model_flop / 512 * (1 + 1e-9)
    assert report.model_flop / 512 < 1.2 * products
    assert step(shape, Layout(fused_attention=True, data=8, batch=8, zero=3), A100).mfu > 0


def test_weights_beyond_the_shape_count():
    more = step(attrs.evolve(SMALL, rest=1e6), Layout(), A100).memory_bytes.weights
    assert more - step(SMALL, Layout(), A100).memory_bytes.weights == pytest.approx(2 * 24 * 1e6)


def test_windows_spare_attention():
    long = attrs.evolve(SMALL, sequence=4096)
    near = attrs.evolve(long, window=512, window_layers=24)
    half = attrs.evolve(near, window_layers=12)
    full, some, few = (step(n, Layout(fused_attention=True), A100).model_flop for n in (long, half, near))
    assert some == pytest.approx((full + few) / 2)
    pairs = (1 - (1 - 1 / 8) ** 2) * 12 * 24 * 2048 * 4096 * 4096
    assert few == pytest.approx(full - 12 * 24 * 2048 * 4096 * 4096 + pairs)


def test_the_fullest_stage_has_the_experts():
    """The first layers of DeepSeek-V3 have none, so the second stage is fuller than the first."""
    shape = attrs.evolve(network_of("deepseek-v3", sequence=4096), layers=64)
    layout = Layout(pipeline=16, batch=16)
    held = step(shape, layout, A100).memory_bytes.weights
    experts = StepPart(shape, layout).stage * 257 * 3 * 7168 * 2048
    assert held > 2 * experts
    assert held < 2 * 1.05 * experts


def test_experts_keep_copies_of_their_tokens():
    """Routing to k keeps k inputs and k outputs of a token, 16 bits each, on top of a dense layer as wide."""
    dense = attrs.evolve(SMALL, experts=1, top_k=1, d_ff=2 * SMALL.d_ff)
    kept = [step(n, Layout(fused_attention=True), A100).memory_bytes.activations for n in (SMALL, dense)]
    assert kept[0] - kept[1] == pytest.approx(24 * SMALL.sequence * 4 * 2 * SMALL.d_model)


def test_a_head_as_large_as_layers_moves_layers_off_the_last_stage():
    """Logits of 131,072 tokens are worth some three layers of this width: the last stage of four has the fewest."""
    wide = Network(16, 2048, 32, d_ff=8192, gated=1, vocab=131072, sequence=4096)
    part = StepPart(wide, Layout(pipeline=4, batch=64))
    assert part.stage * 3 + part.last == 16
    assert part.last < part.stage
    assert StepPart(attrs.evolve(wide, vocab=1024), Layout(pipeline=4, batch=64)).last == 4


def test_no_array_library_is_loaded():
    code = (
        "import sys; from gpt4lab.models.step.report import *; from gpt4lab.models.inputs import *; "
        "step(Network(2, 64, 2), Layout(), machine('h100-sxm-80gb')); "
        "print(sorted({'numpy', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# Properties

powers = st.sampled_from([1, 2, 4, 8])
layouts = st.builds(
    lambda t, p, d, b, m, e, **more: Layout(
        tensor=t, pipeline=p, data=d, micro_batch=b, batch=d * b * m, expert=min(e, d), **more
    ),
    powers,
    powers,
    powers,
    powers,
    st.integers(1, 64),
    powers,
    schedule=st.sampled_from(["gpipe", "1f1b", "interleaved", "zero-bubble"]),
    zero=st.integers(0, 3),
    recompute=st.sampled_from(["none", "selective", "full"]),
    sequence_parallel=st.booleans(),
    fused_attention=st.booleans(),
    overlap=st.floats(0, 1),
    gradient_bytes=st.sampled_from([2, 4]),
)


def numbers(report: StepReport) -> dict[str, float]:
    """Every number of a report, by its path."""
    flat = attrs.asdict(report, filter=lambda field, _: field.name not in {"reason", "fits"})
    nested = {
        f"{name}.{part}": value
        for name, group in flat.items()
        if isinstance(group, dict)
        for part, value in group.items()
    }
    return nested | {name: value for name, value in flat.items() if not isinstance(value, dict)}


@settings(max_examples=60, deadline=None)
@given(st.lists(layouts, min_size=2, max_size=8))
def test_arrays_equal_scalars(many: list[Layout]):
    columns = {field.name: np.array([getattr(w, field.name) for w in many]) for field in attrs.fields(Layout)}
    together = numbers(step(SMALL, Layout(**columns), A100))
    for index, layout in enumerate(many):
        for name, value in numbers(step(SMALL, layout, A100)).items():
            assert np.broadcast_to(together[name], len(many))[index] == pytest.approx(value), name


@given(layouts)
def test_the_parts_add_up(layout: Layout):
    report = step(SMALL, layout, A100)
    assert sum(attrs.astuple(report.seconds)) == pytest.approx(report.time_s)
    assert min(attrs.astuple(report.seconds)) >= 0
    assert 0 < report.mfu <= report.hfu * (1 + 1e-9) or layout.fused_attention
    assert report.hfu < measured_efficiency().matmul


@given(layouts, st.sampled_from([field.name for field in attrs.fields(Chip)][:5]), st.floats(1.01, 10))
def test_better_hardware_is_never_slower(layout: Layout, rate: str, factor: float):
    better = attrs.evolve(A100, **{rate: getattr(A100, rate) * factor})
    assert step(SMALL, layout, better).time_s <= step(SMALL, layout, A100).time_s * (1 + 1e-12)


@given(layouts)
def test_memory_never_grows_with_the_zero_stage(layout: Layout):
    held = [step(SMALL, attrs.evolve(layout, zero=zero), A100).memory_bytes.total for zero in range(4)]
    assert held == sorted(held, reverse=True)


@given(layouts)
def test_recomputing_more_keeps_less_and_spends_more(layout: Layout):
    none, selective, full = (
        step(SMALL, attrs.evolve(layout, recompute=kind, micro_batch=1, batch=layout.data * 16), A100)
        for kind in memory.RECOMPUTE
    )
    assert none.memory_bytes.activations >= selective.memory_bytes.activations
    assert none.hardware_flop <= selective.hardware_flop <= full.hardware_flop
    assert none.model_flop == selective.model_flop == full.model_flop


@given(st.integers(2, 64), st.integers(1, 500), st.integers(1, 8))
def test_more_micro_batches_or_chunks_wait_less(p: int, m: int, v: int):
    assert pipeline.bubble_fraction(p, m + 1, v) < pipeline.bubble_fraction(p, m, v)
    assert pipeline.bubble_fraction(p, m, v + 1) < pipeline.bubble_fraction(p, m, v)
    assert 0 < pipeline.bubble_fraction(p, m, v) < 1


@given(layouts)
def test_schedules_order_by_bubble_and_memory(layout: Layout):
    gpipe, plain, zero_bubble = (
        step(SMALL, attrs.evolve(layout, schedule=name), A100) for name in ("gpipe", "1f1b", "zero-bubble")
    )
    assert gpipe.seconds.bubble == plain.seconds.bubble >= zero_bubble.seconds.bubble
    assert gpipe.memory_bytes.total >= plain.memory_bytes.total


# Context parallelism, and runs after Megatron-LM's tables


def test_context_parallel_ranks_share_tokens_and_gather_keys_and_values():
    """By hand: of the 2 × 8 heads × 128 values of a token, 16 bits each, three of four ranks' share arrives, twice."""
    large = attrs.evolve(measured_efficiency(), half_flop=0)
    one, four = (step(attrs.evolve(SMALL, experts=1, top_k=1), Layout(context=c), A100, large) for c in (1, 4))
    assert four.sent_bytes.context == pytest.approx(24 * 2 * (2 * 8 * 128 * 2 * SMALL.sequence) * 3 / 4)
    assert one.sent_bytes.context == one.seconds.context == 0
    assert four.seconds.matmul == pytest.approx(one.seconds.matmul / 4)
    assert four.model_flop == one.model_flop
    assert four.gpus == 4


def test_fsdp_is_the_third_stage_of_zero():
    """All states shared out over all ranks, for half as many bytes again as plain data parallelism."""
    dense = attrs.evolve(SMALL, experts=1, top_k=1)
    whole, shared = (step(dense, Layout(data=8, batch=8, zero=zero), A100) for zero in (0, 3))
    states = [attrs.astuple(report.memory_bytes)[:3] for report in (whole, shared)]
    two_layers = 2 * 2 * (states[0][0] / 2 - 2048 * 32000) / 24
    assert states[1][0] == pytest.approx(states[0][0] / 8 + two_layers)
    assert states[1][1:] == pytest.approx([state / 8 for state in states[0][1:]])
    assert shared.sent_bytes.data == pytest.approx(1.5 * whole.sent_bytes.data)


def test_later_runs_with_published_layouts():
    assert runs.mt_nlg().largest < 0.19
    mfu, hfu = runs.palm()
    assert abs(mfu.error) < 0.08
    assert abs(hfu.error) < 0.08
    rows = runs.throughput()[1:]
    brackets = [(rows[i].ratio, rows[i + 1].ratio) for i in range(0, len(rows), 2)]
    assert len(brackets) == 3
    *short, long = brackets
    assert all(few > 1 > many for few, many in short), "each published run lies between the two interleavings"
    assert 1 < long[1] < 1.2, "of 131,072 tokens its kernels were faster than FlashAttention-2"


def test_hours_come_out_short_because_pauses_are_not_counted():
    rows = runs.hours()
    *llamas, hidden_none, hidden_all = rows
    assert len(llamas) == 8
    assert all(0.7 < 1 / row.ratio < 1.3 for row in llamas)
    too_long = [row.name for row in llamas if row.ratio < 1]
    assert too_long == ["LLaMA 65B"], "its makers hid more of the traffic of 2,048 GPUs than the model's FSDP does"
    assert hidden_all.ratio > 1 > hidden_none.ratio, "DeepSeek hides much of its traffic, not all"
    (electricity,) = runs.energy()
    assert abs(electricity.error) < 0.01
