"""From sums back to shapes: the post's coincidence, its rivals, a brute force, and shapes that must find themselves."""

from __future__ import annotations

import itertools
import subprocess
import sys
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpt4lab.catalog import models
from gpt4lab.models.inputs import Network, described
from gpt4lab.models.search.geometry import (
    MOST,
    SIZES,
    Allowed,
    Fit,
    Fits,
    GeometryError,
    Stated,
    facts_in,
    judge,
    search,
    stated_in,
    sums_of,
)
from gpt4lab.quantities import value
from gpt4lab.scenario import load_scenario

LEAK = load_scenario("leak")
FACTS = facts_in(LEAK)
POST = {
    "shared": Stated(55e9),
    "expert": Stated(111e9),
    "total": Stated(1.8e12, tolerance=0.03),
    "active": Stated(277e9, 280e9),
}
COINCIDENCE = attrs.evolve(FACTS, attention="MHA", gated=0, head_dim=128, expert_ratio=(3.99, 4.01))


def sizes(shape: Network) -> tuple[float, ...]:
    return tuple(getattr(shape, name) for name in SIZES)


def holds(found: Fits, shape: Network) -> bool:
    return sizes(shape) in {sizes(fit.shape) for fit in found.fits}


# What the post's sums say


def test_one_plain_shape_fits_the_post() -> None:
    """With full attention, heads of 128 and experts four times as wide: 10,752, and nothing beside it."""
    (fit,) = search(POST, COINCIDENCE).fits
    assert (fit.attention, fit.shape.d_model, fit.shape.d_ff, fit.shape.heads) == ("MHA", 10752, 43008, 84)
    assert all(abs(error) < POST[name].tolerance for name, error in fit.errors.items())
    assert fit.misfit < 1


def test_its_attention_would_be_half_with_one_key_value_head() -> None:
    (fit,) = search(POST, COINCIDENCE).fits
    one = judge(attrs.evolve(fit.shape, kv_heads=1), POST)
    assert one.attention == "MQA"
    assert one.errors["shared"] == pytest.approx(-0.49, abs=0.01)
    assert one.sums["shared"] == value("geometry.attention_params", LEAK)
    assert not search(POST, attrs.evolve(COINCIDENCE, attention="MQA")).fits


def test_eight_tensor_ranks_cannot_share_84_heads() -> None:
    """Heads of 128 are out with eight ranks, with any kind of attention."""
    assert {ranks: len(search(POST, attrs.evolve(COINCIDENCE, tensor=ranks)).fits) for ranks in (8, 4)} == {8: 0, 4: 1}
    assert search(POST, attrs.evolve(FACTS, tensor=8)).spread()["head_dim"] == (64,)


def test_more_shapes_fit_than_the_coincidence() -> None:
    found = search(POST, FACTS)
    assert len(found.fits) > 50
    assert {"MHA", "GQA", "MQA"} == set(found.spread()["attention"])
    assert found.spread()["layers"] == (120,)
    assert "In common: layers 120" in found.text()
    assert list(found.fits) == sorted(found.fits, key=lambda fit: fit.misfit)


def test_the_proxy_s_sums_find_nvidia_s_shape_first() -> None:
    proxy, entry = load_scenario("nvidia-proxy"), models["nvidia-gpt-moe-1.8t"]
    best = search(stated_in(proxy), facts_in(proxy)).fits[0]
    assert (best.attention, best.shape.d_model, best.shape.d_ff) == ("MQA", entry.d_model, entry.d_ff)
    assert best.sums["total"] == pytest.approx(entry.params_total, rel=1e-3)


def test_the_proxy_is_near_the_post_but_not_within_a_percent() -> None:
    proxy = load_scenario("nvidia-proxy")
    shape = search(stated_in(proxy), facts_in(proxy)).fits[0].shape
    assert not holds(search(POST, FACTS), shape)
    assert holds(search({name: Stated(one.low, one.high, 0.04) for name, one in POST.items()}, FACTS), shape)


def test_eight_times_220_billion_has_shapes_too() -> None:
    hotz = load_scenario("hotz-8x220b")
    found = search(stated_in(hotz), facts_in(hotz))
    assert found.fits
    assert found.spread()["experts"] == (8,)
    wide = attrs.evolve(facts_in(hotz), attention="MHA", gated=0, head_dim=128)
    assert {fit.shape.d_model for fit in search(stated_in(hotz), wide).fits} == {10752}


@pytest.mark.parametrize("slug", ["gpt-3-175b", "mixtral-8x7b", "dbrx", "olmoe-1b-7b"])
def test_a_model_of_the_catalog_is_found_by_its_sums(slug: str) -> None:
    shape = attrs.evolve(described(models[slug]), dense_d_ff=0, vocab=LEAK.model.vocab)
    sums = {name: Stated(total, tolerance=1e-6) for name, total in sums_of(shape).items()}
    assert holds(search(sums, Allowed(layers=shape.layers, experts=shape.experts, top_k=shape.top_k)), shape)


def test_latent_attention_is_tried_where_it_is_named() -> None:
    shape = described(models["deepseek-v3"])
    sums = {name: Stated(total, tolerance=1e-9) for name, total in sums_of(shape).items() if name != "total"}
    found = search(sums, Allowed(layers=61, attention="MLA", experts=256, top_k=8))
    assert found.fits[0].attention == "MLA"
    assert holds(found, shape)
    assert found.fits[0].shape.query_rank == shape.query_rank


def test_the_embedding_counts_where_asked() -> None:
    shape = Network(layers=8, d_model=1024, heads=8, vocab=50_000, experts=4, top_k=2)
    without, with_it = sums_of(shape), sums_of(shape, embedding=True)
    assert [with_it[name] - without[name] for name in without] == [0, 0, 50_000 * 1024, 50_000 * 1024]
    both = Allowed(layers=8, experts=4, top_k=2, vocab=50_000, embedding=(0, 1))
    sums = {name: Stated(total, tolerance=1e-9) for name, total in with_it.items()}
    fits = [fit for fit in search(sums, both).fits if sizes(fit.shape) == sizes(shape)]
    assert [fit.embedding for fit in fits] == [True]


# Nothing fits, or too much


def test_sums_that_contradict_each_other_name_the_culprit() -> None:
    found = search({"shared": 55e9, "expert": 111e9, "total": 1e12}, FACTS)
    assert found.fits == ()
    assert found.without["the sum total"] > found.without["the sum expert"] > 0
    assert found.text().startswith("No shape fits; without the sum total ")


def test_a_fact_can_be_the_culprit() -> None:
    found = search(POST, attrs.evolve(COINCIDENCE, tensor=8))
    assert found.without["the fact tensor"] == 1
    assert "without the fact tensor 1 would" in found.text()


def test_where_no_single_statement_is_to_blame_it_says_so() -> None:
    found = search({"shared": 1e9, "expert": 2e9, "total": 9e12, "active": 8e12}, Allowed(layers=3))
    assert found.text() == "No shape fits, nor would any if one statement were dropped."


def test_too_few_statements_are_an_error() -> None:
    with pytest.raises(GeometryError, match=f"More than {MOST:,} shapes fit: state another sum"):
        search({"total": 1.8e12})


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: search({}), "sums = none: allowed are shared, expert, total, active"),
        (lambda: search({"totl": 1.0}), "sums = totl: allowed are shared"),
        (lambda: Stated(float("nan")), "A stated sum of nan"),
        (lambda: Stated(-1.0), "A stated sum of -1.0"),
        (lambda: Stated(2.0, 1.0), "low to high"),
        (lambda: Stated(1.0, tolerance=0.0), "tolerance = 0.0: allowed is a share"),
        (lambda: Allowed(layers=0), "layers = 0: allowed are whole numbers from 1 up"),
        (lambda: Allowed(experts=(8, 2.5)), "experts = 2.5 "),
        (lambda: Allowed(head_dim=()), "head_dim = None"),
        (lambda: Allowed(attention="MQQ"), "attention = MQQ: allowed are MHA, GQA, MQA, MLA"),
        (lambda: Allowed(expert_ratio=(4, 2)), r"expert_ratio = \(4, 2\): allowed are two numbers"),
    ],
)
def test_bad_input_is_one_clear_error(ask: Any, words: str) -> None:
    with pytest.raises(GeometryError, match=words.rstrip()):
        ask()


def test_no_array_library_is_loaded() -> None:
    code = (
        "import sys; from gpt4lab.models.search.geometry import *; "
        "search({'shared': 55e9, 'expert': 111e9}, Allowed(layers=120, experts=16, top_k=2)); "
        "print(sorted({'numpy', 'torch', 'pandas'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# Against trying everything


def test_the_search_equals_brute_force() -> None:
    small = Allowed(
        layers=(2, 3),
        d_model=range(128, 1025, 128),
        d_ff=range(256, 4097, 256),
        head_dim=(64, 128),
        kv_heads=(2, 4),
        experts=(1, 4, 8),
        top_k=(1, 2),
        tensor=2,
    )
    sums = {"shared": Stated(5e6, 6e6, 0.1), "expert": Stated(7e6, tolerance=0.3), "total": Stated(4e7, tolerance=0.4)}
    everything = list(_everything(small))
    fits = {sizes(fit.shape) for fit in (judge(shape, sums) for shape in everything) if _near(fit, sums)}
    assert 20 < len(fits) < len(everything)
    assert {sizes(fit.shape) for fit in search(sums, small).fits} == fits


def _near(fit: Fit, sums: dict[str, Stated]) -> bool:
    return all(abs(error) <= sums[name].tolerance for name, error in fit.errors.items())


def _everything(allowed: Allowed) -> Any:
    """Every shape of a small space, by loops that know nothing of the sums."""
    for L, d, d_h, f, gated, E, k in itertools.product(
        *(getattr(allowed, name) for name in ("layers", "d_model", "head_dim", "d_ff", "gated", "experts", "top_k"))
    ):
        heads = d // d_h
        if d % d_h or heads % allowed.tensor[0] or k > E or not 0.25 <= f / d <= 8:
            continue
        for n_kv in {1, heads} | {n for n in allowed.kv_heads if n < heads and heads % n == 0}:
            yield Network(
                layers=L, d_model=d, heads=heads, kv_heads=n_kv, head_dim=d_h, d_ff=f, gated=gated, experts=E, top_k=k
            )


# Properties


@st.composite
def shapes(draw: st.DrawFn) -> Network:
    """Any shape that a search may find."""
    width, head_dim = draw(st.integers(2, 160)) * 128, draw(st.sampled_from([64, 128]))
    heads, E = width // head_dim, draw(st.sampled_from([1, 8, 16, 64]))
    kv_heads = draw(st.sampled_from([1, heads, *(n for n in (4, 8, 16) if n < heads and heads % n == 0)]))
    return Network(
        layers=draw(st.integers(1, 200)),
        d_model=width,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        d_ff=draw(st.integers(-(-width // 512), width // 16)) * 128,
        gated=draw(st.sampled_from([0, 1])),
        experts=E,
        top_k=draw(st.sampled_from([k for k in (1, 2, 4) if k <= E])),
    )


@settings(max_examples=20, deadline=None)
@given(shapes())
def test_any_shape_is_found_by_its_own_sums(shape: Network) -> None:
    sums = {name: Stated(total, tolerance=1e-9) for name, total in sums_of(shape).items()}
    found = search(sums, Allowed(layers=shape.layers))
    assert holds(found, shape)
    assert found.fits[0].misfit < 1e-3


@settings(max_examples=20, deadline=None)
@given(shapes(), st.sampled_from(["shared", "expert", "total", "active"]), st.floats(0.001, 0.01))
def test_a_wider_tolerance_and_a_dropped_sum_lose_nothing(shape: Network, dropped: str, tolerance: float) -> None:
    facts = Allowed(layers=shape.layers, experts=shape.experts, top_k=shape.top_k, d_model=shape.d_model)
    sums = {name: Stated(total * 1.0005, tolerance=0.001) for name, total in sums_of(shape).items()}
    few = {sizes(fit.shape) for fit in search(sums, facts).fits}
    wide = {name: Stated(one.low, tolerance=tolerance) for name, one in sums.items()}
    assert sizes(shape) in few
    assert few <= {sizes(fit.shape) for fit in search(wide, facts).fits}
    rest = {name: one for name, one in sums.items() if name != dropped}
    assert few <= {sizes(fit.shape) for fit in search(rest, facts).fits}
