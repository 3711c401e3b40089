"""What cannot go together: each rule says what would work, and every named scenario keeps all of them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpt4lab.quantities import value
from gpt4lab.scenario import PRODUCTS, ScenarioError, change, from_json, get, load_scenario, names, rules, to_json
from gpt4lab.scenario.rules import RULES, SCENARIO_RULES, Held, LayoutError, check, rules_for

LEAK = load_scenario("leak")
#: A rule, numbers that break it, and the sentence.
BROKEN = [
    ("shared_heads", (5, 84), "5 key-value heads do not divide 84 query heads: 4 or 6."),
    ("shared_heads", (128, 84), "128 key-value heads do not divide 84 query heads: 84."),
    ("chosen_experts", (64, 16), "A token cannot meet 64 experts of 16: 16 or fewer."),
    ("seen_tokens", (4097, 4096), "4,097 tokens are more than the 4,096 that the model can see: 4,096 or fewer."),
    ("some_layers", (61, 60), "61 layers of one kind are more than all 60: 60 or fewer."),
    ("some_experts", (60, 60), "60 layers without experts leave none of 60 with them: 59 or fewer."),
    ("dense_width", (3, 0), "3 layers without experts need the width of their feed-forward, and it is 0: 1 or more."),
    ("window_length", (3, 0), "3 layers with a window need its length, and it is 0: 1 or more."),
    ("latent_head", (512, 0, 0),
     "Latent attention of rank 512 needs the size of a query, and its parts have 0 and 0: 1 or more of either."),
    ("latent_queries", (1536, 0),
     "Queries of rank 1,536 need latent attention, and the rank of keys and values is 0: 1 or more; or no query rank."),
    ("filled_stages", (120, 1000), "120 layers cannot fill 1,000 stages: 120 or fewer."),
    ("even_chunks", (120, 15, 3), "120 layers in 15 stages cannot be cut into 3 chunks a stage: 2 or 4."),
    ("even_chunks", (120, 15, 16), "120 layers in 15 stages cannot be cut into 16 chunks a stage: 8."),
    ("whole_rounds", (35, 15, 2), "35 micro-batches cannot be interleaved over 15 stages: 30 or 45."),
    ("whole_copy", (10, 8, 15), "10 GPUs cannot hold a copy of the model, which is 8 ranks × 15 stages: 120 or more."),
    ("filled_groups", (16, 17), "16 experts cannot be dealt out to 17 groups: 16 or fewer."),
    ("whole_groups", (20, 3), "20 replicas cannot be divided into groups of 3 that share the experts: 2 or 4."),
    ("whole_micro_batches", (100, 8, 1),
     "100 sequences cannot be divided into 8 replicas and micro-batches of 1: 96 or 104."),
    ("shared_sequence", (8, 9), "8 tokens cannot be shared by 9 ranks: 8 or fewer."),
]  # fmt: skip


def held(name: str) -> tuple[Held, ...]:
    """The rule under its own symbols."""
    return rules_for({symbol: symbol for symbol in RULES[name].symbols}, among={name: RULES[name]})


@pytest.mark.parametrize(("name", "numbers", "said"), BROKEN)
def test_a_broken_rule_says_what_would_work(name: str, numbers: tuple[int, ...], said: str) -> None:
    given = dict(zip(RULES[name].symbols, numbers, strict=True))
    with pytest.raises(LayoutError) as refused:
        check(held(name), given.__getitem__)
    assert refused.value.words == said
    first = RULES[name].symbols[0]
    several = {**given, first: np.array([given[first]] * 2)}
    assert not check(held(name), several.__getitem__).any(), "an array says where, and raises nothing"


def test_every_rule_is_broken_above() -> None:
    assert {name for name, *_ in BROKEN} == set(RULES)


@pytest.mark.parametrize("name", names())
def test_every_named_scenario_keeps_all_rules(name: str) -> None:
    scenario = load_scenario(name)
    fields = [one for one in SCENARIO_RULES if not any(path.startswith(("pipeline.", "answer.")) for path in one.paths)]
    assert check(fields, lambda path: get(scenario, path))


REFUSED = [
    {"model.kv_heads": 5},
    {"model.kv_heads": 128},
    {"model.top_k": 64},
    {"model.dense_layers": 120},
    {"model.dense_layers": 3},
    {"model.window_layers": 121},
    {"model.window_layers": 3},
    {"model.kv_rank": 512},
    {"model.query_rank": 512},
    {"cluster.pipeline": 1000},
    {"serving.pipeline": 121},
    {"cluster.gpus": 10},
    *({"cluster.interleave": chunks} for chunks in (3, 5, 7, 16)),
    {"mixture.top_k": 8, "mixture.experts": 4},
]


@pytest.mark.parametrize("changes", REFUSED, ids=str)
def test_a_change_into_the_impossible_is_refused(changes: dict[str, int]) -> None:
    with pytest.raises(ScenarioError) as refused:
        change(LEAK, changes)
    assert all(path in str(refused.value) for path in changes), "the code's name stands behind the sentence"


@pytest.mark.parametrize(
    "changes",
    [
        {"cluster.interleave": 8},
        {"model.kv_heads": 6},
        {"serving.pipeline": 120},
        {"cluster.tensor": 7},
        {"cluster.pipeline": 16},
        {"model.layers": 8},
    ],
    ids=str,
)
def test_what_is_uneven_or_of_the_model_alone_is_no_error(changes: dict[str, int]) -> None:
    change(LEAK, changes)


OLD = [
    ("256", 8, 32),
    ("128", 8, 16),
    ("256&serving.tensor=16", 16, 16),
    ("120&serving.pipeline=15", 8, 15),
    ("60&serving.pipeline=15&serving.tensor=4", 4, 15),
]


@pytest.mark.parametrize(("text", "tensor", "pipeline"), OLD)
def test_an_old_line_with_the_gpus_of_a_copy_sets_its_stages(text: str, tensor: int, pipeline: int) -> None:
    serving = load_scenario(f"leak?serving.gpus={text}").serving
    assert (serving.tensor, serving.pipeline) == (tensor, pipeline)


def test_an_old_file_with_the_gpus_of_a_copy_still_loads() -> None:
    tree = json.loads(to_json(LEAK))
    tree["serving"]["gpus"] = 128
    assert from_json(json.dumps(tree)) == LEAK


@pytest.mark.parametrize("path", PRODUCTS)
@settings(max_examples=60, deadline=None)
@given(one=st.integers(1, 16), other=st.integers(1, 16), product=st.integers(1, 300))
def test_a_product_and_its_parts_agree_or_are_refused_aloud(path: str, one: int, other: int, product: int) -> None:
    first, second = PRODUCTS[path]
    both = {first: one, second: other, path: product}
    doors: list[Callable[[], Any]] = [
        lambda: change(LEAK, both),
        lambda: change(LEAK, dict(reversed(both.items()))),
        lambda: load_scenario("leak?" + "&".join(f"{name}={number}" for name, number in both.items())),
        lambda: value("serving.nodes", LEAK, both) and change(LEAK, both),
    ]
    for door in doors:
        if one * other == product:
            assert get(door(), first) == one
        else:
            with pytest.raises(ScenarioError, match=rf"^{path} = {product} contradicts {first} = {one}: .+Leave one"):
                door()


@pytest.mark.parametrize("path", PRODUCTS)
@pytest.mark.parametrize("bad", [None, "x", [1], {}, math.nan, math.inf, 10**400, 1j, True, 0, -8])
def test_no_product_takes_it(path: str, bad: Any) -> None:
    for more in ({}, {PRODUCTS[path][0]: 15}, {PRODUCTS[path][1]: 0}):
        with pytest.raises(ScenarioError):
            change(LEAK, {path: bad, **more})


def test_the_gpus_of_no_whole_copy_are_refused_with_those_of_one() -> None:
    with pytest.raises(ScenarioError, match=r"serving\.gpus = 100 is no multiple of serving\.tensor = 8: 96 or 104\."):
        change(LEAK, {"serving.gpus": 100})


@settings(max_examples=200, deadline=None)
@given(of=st.integers(1, 3000), wanted=st.integers(1, 3000))
def test_the_divisors_that_are_named_are_the_next_ones(of: int, wanted: int) -> None:
    below = [n for n in range(1, wanted) if of % n == 0][-1:]
    above = [n for n in range(wanted + 1, of + 1) if of % n == 0][:1]
    assert rules._divisors(of, wanted) == " or ".join(f"{n:,}" for n in below + above)


@pytest.mark.parametrize("huge", [10**9 + 7, 999_999_999_989, 2.0**61 - 1, 1e30])
@pytest.mark.parametrize("rule", [name for name, rule in RULES.items() if rule.divides])
def test_no_rule_counts_up_to_a_huge_number(rule: str, huge: float, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    monkeypatch.setattr(rules, "range", lambda *ends: counted.append(ends[-1]) or range(*ends), raising=False)
    symbols = RULES[rule].symbols
    for numbers in (dict.fromkeys(symbols, huge), *({**dict.fromkeys(symbols, 3), one: huge} for one in symbols)):
        assert RULES[rule].says(*(numbers[symbol] for symbol in symbols))
    assert all(end <= 10**6 + 1 for end in counted)
