"""The number of GPUs that a refusal names: it fits on them, and on no fewer."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from gpt4lab.models import fewest
from gpt4lab.models.decode.deployment import Deployment
from gpt4lab.models.decode.report import decode, generate
from gpt4lab.models.fewest import fewest_to_answer, fewest_to_train
from gpt4lab.models.inputs import Network, chip, network_of
from gpt4lab.models.rules import LayoutError, possible
from gpt4lab.models.step.layout import Layout
from gpt4lab.models.step.report import step

LLAMA, A100 = network_of("llama-2-70b"), chip("a100-sxm-80gb")
models = st.sampled_from(["llama-2-70b", "mixtral-8x7b", "palm-540b", "deepseek-v3", "gpt-j-6b", "gpt-oss-120b"])
cards = st.sampled_from(["a100-sxm-40gb", "h100-sxm-80gb", "l4", "rtx-4090", "mi300x"])


def shapes(gpus: int, stages: int) -> list[tuple[int, int]]:
    """All ranks of a node of eight, times stages, that are fewer GPUs."""
    return [(t, p) for t in range(1, 9) for p in range(1, stages + 1) if t * p < gpus]


@settings(max_examples=30, deadline=None)
@given(models, cards, st.sampled_from([1, 16, 256]), st.sampled_from([1, 2]))
def test_it_serves_on_the_fewest_and_on_no_fewer(model: str, card: str, batch: int, weight_bytes: int):
    network, way, there = network_of(model), Deployment(batch=batch, weight_bytes=weight_bytes), chip(card)
    found = fewest_to_answer(network, way, there)
    if found is None:
        assert not decode(network, evolve(way, tensor=8, pipeline=network.layers), there).fits
        return
    assert decode(network, evolve(way, tensor=found.ranks, pipeline=found.stages), there).fits
    for t, p in shapes(found.gpus, int(network.layers)):
        assert not decode(network, evolve(way, tensor=t, pipeline=p), there).fits, (t, p)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["llama-2-70b", "mixtral-8x7b", "gpt-j-6b"]), cards, st.sampled_from([0, 1, 3]))
def test_it_trains_on_the_fewest_and_on_no_fewer(model: str, card: str, zero: int):
    network, there = network_of(model), chip(card)
    layout = Layout(data=4, batch=512, zero=zero, recompute="full", fused_attention="fused", sequence_parallel=1)
    found = fewest_to_train(network, layout, there)
    assert found is not None
    assert step(network, evolve(layout, tensor=found.ranks, pipeline=found.stages), there).fits
    assert step(network, evolve(layout, tensor=found.ranks, pipeline=found.stages), there).gpus == found.gpus
    for t, p in shapes(found.ranks * found.stages, int(network.layers)):
        try:
            assert not step(network, evolve(layout, tensor=t, pipeline=p), there).fits, (t, p)
        except LayoutError:
            continue


def test_the_refusal_names_it():
    report = decode(LLAMA, Deployment(), A100)
    assert "and has 85.0 GB: fits from 2 GPUs (2 x 1); weights take 138.0 GB" in report.reason
    whole = generate(LLAMA, Deployment(tensor=2, batch=512), A100, prompt=1000, output=1000)
    assert re.search(r"fits from [0-9]+ GPUs \([0-9]+ x [0-9]+\)", whole.reason)
    trained = step(LLAMA, Layout(), A100)
    assert re.search(r"fits from [0-9]+ GPUs \([0-9]+ x [0-9]+\)", trained.reason)


def test_nothing_is_named_where_nothing_fits():
    report = decode(LLAMA, Deployment(overhead_bytes=90e9), A100)
    assert "fits on no number of them up to 8 x 80;" in report.reason


BIGGEST = Network(layers=1000, d_model=65_536, heads=1024, d_ff=1_048_576, experts=1024)


@pytest.mark.parametrize("layers", [1000, 1024, 3000])
def test_the_largest_network_is_asked_in_few_calls_and_the_limit_is_said(
    layers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(fewest, "possible", lambda *way: asked.append(1) or possible(*way))
    network = evolve(BIGGEST, layers=layers)
    for report in (decode(network, Deployment(tensor=1024), A100), step(network, Layout(tensor=1024), A100)):
        assert f"fits on no number of them up to 1,024 x {min(layers, 1024):,};" in report.reason
    assert len(asked) < 60


@pytest.mark.parametrize("find", [fewest_to_answer, fewest_to_train])
@pytest.mark.parametrize("model", ["llama-2-70b", "mixtral-8x7b", "deepseek-v3"])
def test_without_numpy_it_is_the_same_number(find: Any, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    way = Deployment(batch=64) if find is fewest_to_answer else Layout(data=4, batch=512, recompute="full")
    many = find(network_of(model), way, A100)
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert find(network_of(model), way, A100) == many


@pytest.mark.parametrize("report", [decode(LLAMA, Deployment(tensor=4), A100)])
def test_what_fits_has_no_reason(report):
    assert report.reason == ""
