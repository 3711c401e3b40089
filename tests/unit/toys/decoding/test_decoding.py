"""The cache and the four ways to attend: exact, and as large as the formula says."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402

from gpt4lab.toys.core.transformer import ToyConfig, build_model  # noqa: E402
from gpt4lab.toys.decoding import cache as decoding  # noqa: E402
from gpt4lab.toys.decoding.cache import KVCache, attention_race, cache_checks, cache_for, race, step  # noqa: E402

HEADS, WIDTH = 16, 64


def reference(query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Softmax attention in double precision."""
    rows = query.double().view(keys.shape[0], -1, WIDTH) / WIDTH**0.5
    shares = torch.einsum("kgd,knd->kgn", rows, keys.double()).softmax(-1)
    return torch.einsum("kgn,knd->kgd", shares, values.double()).reshape(HEADS, WIDTH).float()


@pytest.mark.parametrize("way", decoding.WAYS)
@pytest.mark.parametrize("kv_heads", [1, 4, 16])
@pytest.mark.parametrize("tokens", [1, 7, 8193, 20_000])
def test_every_way_attends_alike(way: str, kv_heads: int, tokens: int) -> None:
    draw = torch.Generator().manual_seed(kv_heads * tokens)
    query = 3 * torch.randn(HEADS, WIDTH, generator=draw)
    keys, values = (torch.randn(kv_heads, tokens, WIDTH, generator=draw) for _ in range(2))
    found = decoding.WAYS[way](query, keys, values)
    torch.testing.assert_close(found, reference(query, keys, values), atol=1e-5, rtol=0)


def test_folding_is_what_sdpa_does_with_every_head_copied() -> None:
    query, keys, values = torch.randn(HEADS, WIDTH), torch.randn(4, 500, WIDTH), torch.randn(4, 500, WIDTH)
    k, v = keys.repeat_interleave(4, 0)[None], values.repeat_interleave(4, 0)[None]
    expected = F.scaled_dot_product_attention(query[None, :, None], k, v)[0, :, 0]
    torch.testing.assert_close(decoding.folded(query, keys, values), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("layers", "kv_heads", "width", "context"), [(1, 16, 64, 100), (3, 1, 32, 4096), (2, 4, 8, 1)])
def test_measured_bytes_are_the_formulas(layers: int, kv_heads: int, width: int, context: int) -> None:
    cache = KVCache(layers, kv_heads, width, context)
    assert cache.bytes == cache.predicted_bytes == 2 * layers * kv_heads * width * context * 4


def test_a_full_cache_and_an_impossible_one_are_refused() -> None:
    cache = KVCache(1, 1, 4, 2)
    cache.length = 2
    with pytest.raises(ValueError, match="full"):
        cache.put(0, torch.zeros(1, 4), torch.zeros(1, 4))
    with pytest.raises(ValueError, match="at least one"):
        KVCache(1, 0, 4, 2)


def test_filling_reaches_every_place() -> None:
    cache = KVCache(1, 2, 8, decoding.BLOCK + 5).fill()
    assert cache.length == decoding.BLOCK + 5
    assert (cache.keys != 0).all()
    assert (cache.values != 0).all()


@pytest.mark.parametrize("kv_heads", [1, 2, 4])
def test_decoding_with_the_cache_says_what_the_whole_forward_pass_says(kv_heads: int) -> None:
    model = build_model(ToyConfig(d_model=32, n_layers=3, n_heads=4, n_kv_heads=kv_heads, d_ff=64), seed=1)
    torch.nn.init.normal_(model.head.weight)
    tokens = torch.randint(0, model.config.vocabulary, (12,), generator=torch.Generator().manual_seed(2))
    cache = cache_for(model, 12)
    stepped = torch.stack([step(model, token, cache) for token in tokens])
    with torch.no_grad():
        torch.testing.assert_close(stepped, model(tokens[None])[0], atol=1e-4, rtol=1e-4)
    assert cache.length == 12


def test_a_race_keeps_the_number_of_threads_and_takes_turns() -> None:
    before, order = torch.get_num_threads(), list[str]()
    found = race({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, rounds=3, in_a_row=0)
    assert order == ["a", "b"] * 4
    assert torch.get_num_threads() == before
    assert all(0 <= t.quickest <= t.seconds for t in found.values())


def test_the_race_of_heads_reports_every_head_and_way() -> None:
    rows = attention_race((16, 1), 256, ("folded", "repeat_kv"), rounds=1)
    assert [(row["kv_heads"], row["way"]) for row in rows] == [
        (16, "folded"),
        (16, "repeat_kv"),
        (1, "folded"),
        (1, "repeat_kv"),
    ]
    assert rows[0]["bytes"] == 16 * rows[2]["bytes"] == rows[0]["formula"]
    assert all(row["seconds"] > 0 for row in rows)


def test_the_checks_of_a_race_are_bytes_of_both_caches_and_the_times_of_every_way() -> None:
    row = {"context": 8, "formula": 32.0, "bytes": 32, "seconds": 6.0, "disturbed": False}
    few = {**row, "formula": 2.0, "bytes": 2, "seconds": 1.0}
    many, one = ({"kv_heads": heads, **measured} for heads, measured in ((16, row), (1, few)))
    raced = [{**measured, "way": way} for measured in (many, one) for way in ("folded", "repeat_kv")]
    raced[-1]["disturbed"] = True
    large, small, folded, copied = cache_checks(raced)
    assert (large.ratio, small.ratio) == (1, 1)
    assert (folded.what, folded.predicted, folded.found) == ("16 heads / 1 head in time, folded", 16, 6)
    assert (folded.disturbed, copied.disturbed) == (False, True)


def test_a_race_leaves_the_random_numbers_of_other_threads_alone() -> None:
    """A model that is built meanwhile draws from torch's one generator."""
    before = torch.get_rng_state()
    attention_race((1, 2), context=64, rounds=1)
    assert torch.equal(torch.get_rng_state(), before)
