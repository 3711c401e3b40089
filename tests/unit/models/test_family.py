"""The family of shapes behind two sums: against trying everything, and against the search that knows each shape."""

from __future__ import annotations

from itertools import product

import pytest

from gpt4lab.models.search.family import (
    BESIDE,
    EXPERT,
    HEAD_SIZES,
    KINDS,
    STEP,
    WIDTHS,
    by_width,
    count,
    decides,
    family,
    kept,
)
from gpt4lab.models.search.geometry import judge, search, stated_in
from gpt4lab.scenario import Scenario, change, load_scenario

LEAK = load_scenario("leak")


def tried(scenario: Scenario, width: int) -> int:
    """How many shapes of one width fit, by loops that know nothing of the sums."""
    m, near, found = scenario.model, scenario.nearness.tolerance, 0
    for shared, head_dim, heads in product(KINDS.values(), HEAD_SIZES, range(1, 1200)):
        keys = shared or heads
        attention = 2 * width * head_dim * (heads + keys) * m.layers
        fits = abs(attention / m.shared_params - 1) <= near and heads % scenario.cluster.tensor == 0
        if fits and heads % keys == 0 and (not shared or heads > shared) and _beside(heads * head_dim / width):
            found += sum(
                abs(rows * width * f * m.layers / m.expert_params - 1) <= near
                for rows, f in product(
                    (2, 3), range(STEP * -(-int(EXPERT[0] * width) // STEP), int(EXPERT[1] * width) + 1, STEP)
                )
            )
    return found


def _beside(ratio: float) -> bool:
    return BESIDE[0] <= ratio <= BESIDE[1]


@pytest.mark.parametrize("width", [6272, 10_752, 12_288, 15_360])
@pytest.mark.parametrize("ranks", [1, 8])
def test_the_family_is_what_trying_everything_finds(width: int, ranks: int) -> None:
    scenario = change(LEAK, {"cluster.tensor": ranks, "nearness.tolerance": 0.02})
    assert by_width(family(scenario))[width] == tried(scenario, width)


def test_each_shape_of_the_other_search_is_one_of_the_family() -> None:
    one = change(LEAK, {"cluster.tensor": 1})
    sums = {name: stated_in(LEAK)[name] for name in ("shared", "expert")}
    known = {(some.width, some.heads, some.head_dim, kept(some)) for some in family(one)}
    from gpt4lab.models.search.geometry import Allowed

    found = search(sums, Allowed(layers=120, experts=16, top_k=2, kv_heads=8, expert_ratio=EXPERT))
    assert found.fits
    for fit in found.fits:
        s = fit.shape
        assert (s.d_model, s.heads, s.head_dim, s.kv_heads * s.head_dim) in known
        assert judge(s, sums).misfit <= 1.01


def test_a_wider_tolerance_loses_nothing_and_ranks_add_nothing() -> None:
    counts = [count(family(change(LEAK, {"nearness.tolerance": near}))) for near in (0.001, 0.01, 0.1)]
    assert counts == sorted(counts)
    assert count(family(LEAK)) < count(family(change(LEAK, {"cluster.tensor": 1})))
    assert set(by_width(family(LEAK))) <= set(WIDTHS)


def test_what_is_known_leaves_fewer_and_never_one() -> None:
    rows = {row["if one knew"]: row["shapes left, on average"] for row in decides(LEAK)}
    assert rows["nothing more"] == count(family(LEAK))
    assert (
        1
        < rows["the width and the cache"]
        < rows["the width"]
        < rows["whether heads share keys"]
        < rows["nothing more"]
    )


def test_where_nothing_fits_nothing_is_left() -> None:
    none = change(LEAK, {"model.expert_params": 1e6})
    assert family(none) == ()
    assert {row["shapes left, on average"] for row in decides(none)} == {0}
