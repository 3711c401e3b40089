"""Parameter counts: the formulas against torch modules of full size on the meta device, and against counts by hand."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from gpt4lab import catalog
from gpt4lab.catalog import MissingFact, PublishedModel
from gpt4lab.models.inputs import Network
from gpt4lab.models.search.parameters import parts, published

COMPLETE = sorted(set(catalog.models) - {"gshard-600b", "gpt-4-leak", "nvidia-gpt-moe-1.8t"})
MIXTURE = Network(
    layers=3,
    d_model=64,
    heads=4,
    kv_heads=2,
    head_dim=16,
    d_ff=96,
    gated=1,
    experts=8,
    top_k=2,
    shared_experts=1,
    dense_layers=1,
    dense_d_ff=256,
    dense_gated=0,
    vocab=500,
    tied_embeddings=0,
)


def test_every_part_by_hand():
    found = parts(MIXTURE)
    assert found.attention == 3 * 64 * 16 * (4 + 2 + 2 + 4)
    assert found.dense == 2 * 64 * 256
    assert found.routed == 2 * 8 * 3 * 64 * 96
    assert found.shared == 2 * 3 * 64 * 96
    assert found.routers == 2 * 64 * 8
    assert found.embedding == found.head == 500 * 64
    assert found.total == sum(attrs.astuple(found)) - found.used
    assert found.total - found.active == 2 * 6 * 3 * 64 * 96
    assert found.multiplied == found.active - 500 * 64


def test_a_model_without_experts_has_no_router_and_uses_all():
    found = parts(attrs.evolve(MIXTURE, experts=1, top_k=1, shared_experts=0, dense_layers=0, tied_embeddings=1))
    assert (found.routed, found.routers, found.shared, found.head) == (0, 0, 0, 0)
    assert found.dense == 3 * 3 * 64 * 96
    assert found.total == found.active == found.multiplied


def test_arrays_give_what_numbers_give():
    columns = {"experts": [1, 8, 16], "kv_heads": [1, 2, 4], "kv_rank": [0, 0, 32], "tied_embeddings": [1, 0, 1]}
    together = parts(attrs.evolve(MIXTURE, **{name: np.array(some) for name, some in columns.items()}))
    for index in range(3):
        alone = parts(attrs.evolve(MIXTURE, **{name: some[index] for name, some in columns.items()}))
        assert together.total[index] == alone.total
        assert together.multiplied[index] == alone.multiplied


@pytest.mark.live
@pytest.mark.parametrize("slug", COMPLETE)
def test_the_formula_equals_modules_on_the_meta_device(slug: str):
    """Parameter for parameter, part by part."""
    checks = _shapes().parameter_checks(catalog.models[slug])
    assert {"attention", "embedding", "total", "active"} <= {check.name for check in checks}
    assert not [check for check in checks if check.found != check.predicted]


@pytest.mark.live
def test_the_catalog_s_modules_are_of_every_kind():
    models = [catalog.models[slug] for slug in COMPLETE]
    assert {model.attention for model in models} == {"MHA", "GQA", "MQA", "MLA"}
    for holds in (_has_first_dense_layers, lambda m: m.n_shared_experts, lambda m: m.gated_mlp, lambda m: m.n_experts):
        assert {bool(holds(model)) for model in models} == {True, False}
    assert {bool(model.tied_embeddings) for model in models} == {True, False}


@pytest.mark.live
def test_modules_have_shapes_and_no_numbers():
    model = _shapes().build("deepseek-v3")
    assert {p.device.type for p in model.parameters()} == {"meta"}
    assert _shapes().count(model).total == pytest.approx(671e9, rel=1e-3)


@pytest.mark.live
def test_a_shape_that_nobody_published_is_refused_and_can_be_completed():
    with pytest.raises(MissingFact, match="vocab_size"):
        _shapes().build("nvidia-gpt-moe-1.8t")
    mine = attrs.evolve(catalog.models["nvidia-gpt-moe-1.8t"], n_heads=120, vocab_size=100_277, tied_embeddings=True)
    assert _shapes().count(_shapes().build_entry(mine)).total == published(mine).total


def _has_first_dense_layers(model: PublishedModel) -> bool:
    return bool(model.n_experts) and model.n_moe_layers != model.n_layers


def _shapes():
    pytest.importorskip("torch")
    from gpt4lab.toys.counting import shapes

    return shapes
