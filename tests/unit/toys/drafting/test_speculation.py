"""Speculative decoding: the cache, the drafts, Algorithm 1 case by case, and the proof that it is exact."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from gpt4lab.toys.core.corpus import encode  # noqa: E402
from gpt4lab.toys.core.transformer import ToyConfig, Transformer, build_model  # noqa: E402
from gpt4lab.toys.decoding.cache import one_thread  # noqa: E402
from gpt4lab.toys.decoding.cached import CachedDecoder  # noqa: E402
from gpt4lab.toys.drafting import train_target  # noqa: E402
from gpt4lab.toys.drafting.drafts import Draft, NGram, soften  # noqa: E402
from gpt4lab.toys.drafting.measured import Exactness, Lenience, chi_square, compare, draft_checks, exactness, joint  # noqa: E402
from gpt4lab.toys.drafting.speculation import Decoded, Settings, draw, judge, propose, speculate  # noqa: E402

PROMPT = "ab a"
SMALL = {"d_model": 16, "n_heads": 2, "n_kv_heads": 2, "d_ff": 32}


def model(layers: int = 2, seed: int = 0, spread: float = 0.4, vocabulary: int = 128) -> Transformer:
    """Random weights with opinions: the head is not zero. `spread` sets how strong they are."""
    built = build_model(ToyConfig(n_layers=layers, vocabulary=vocabulary, **SMALL), seed)
    with torch.no_grad():
        built.head.weight.normal_(std=spread, generator=torch.Generator().manual_seed(seed))
    return built.eval()


def deepen(small: Transformer, layers: int) -> Transformer:
    """The same function with more layers, which add nothing: a slow target with which every draft of it agrees."""
    deep = build_model(replace(small.config, n_layers=small.config.n_layers + layers))
    deep.load_state_dict(small.state_dict(), strict=False)
    for block in deep.blocks[small.config.n_layers :]:
        for last in (block.attention.out.weight, block.feed_forward.w_out):
            torch.nn.init.zeros_(last)
    return deep.eval()


def decoder(layers: int = 2, seed: int = 0, context: int = 96) -> CachedDecoder:
    return CachedDecoder(model(layers, seed), context)


def ngram(text: str = "ab ab ac ab ad abab a", order: int = 3) -> NGram:
    return NGram(encode(text), order)


@pytest.fixture(autouse=True)
def small_operations() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture
def rng() -> random.Random:
    return random.Random(0)


# --- the cached decoder -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [[12], [1] * 12, [5, 1, 4, 2]])
def test_the_cached_decoder_says_what_the_model_says(steps: list[int]) -> None:
    whole, tokens = model(), list(range(20, 32))
    cached = CachedDecoder(whole)
    logits = [cached.read(tokens[:at]) for at in torch.tensor(steps).cumsum(0).tolist()]
    with torch.no_grad():
        torch.testing.assert_close(torch.cat(logits), whole(torch.tensor([tokens]))[0], atol=1e-5, rtol=1e-5)


def test_what_was_rewound_leaves_no_trace() -> None:
    cached, fresh = decoder(), decoder()
    cached.read([1, 2, 3, 90, 91])
    cached.rewind(3)
    torch.testing.assert_close(cached.read([1, 2, 3, 4, 5]), fresh.read([1, 2, 3, 4, 5])[3:])
    cached.rewind(99)
    assert cached.position == 5, "rewinding forward does nothing"


def test_a_full_cache_says_so() -> None:
    with pytest.raises(ValueError, match="holds 8 tokens, not 9"):
        decoder(context=8).read(range(9))


def test_the_cached_decoder_refuses_what_it_cannot_do() -> None:
    shared = ToyConfig(d_model=16, n_heads=2, n_kv_heads=1, d_ff=32, n_layers=1)
    with pytest.raises(ValueError, match="dense models"):
        CachedDecoder(build_model(shared))


# --- drafts -----------------------------------------------------------------------------------------------------------


def test_the_ngram_counts_what_followed() -> None:
    text = "ab ab ac ab ad abab a"  # after "a": five b, one c, one d
    table = ngram(text, order=2)
    places = table.followers[table._range((ord("a"),))]
    assert sorted(map(chr, places.tolist())) == ["b"] * 5 + ["c", "d"]
    assert text.count("ab") == 5


def test_a_context_never_seen_says_what_the_shorter_one_says() -> None:
    table = ngram(order=3)
    torch.testing.assert_close(table.counted((ord("z"), ord("a"))), table.counted((ord("a"),)))


def test_witten_bell_by_hand() -> None:
    table = NGram(torch.tensor([0, 1, 0, 1, 0, 2, 0]), order=2, vocabulary=3)
    alone = (torch.tensor([3.0, 2.0, 1.0]) + 3 * torch.full((3,), 1 / 3)) / (6 + 3)  # followers of any token
    torch.testing.assert_close(table.counted(()), alone)
    torch.testing.assert_close(table.counted((0,)), (torch.tensor([0.0, 2.0, 1.0]) + 2 * alone) / (3 + 2))


def test_ngram_probabilities_sum_to_one_at_any_temperature() -> None:
    for temperature in (0, 0.5, 1, 2):
        assert ngram().next(encode(PROMPT).tolist(), temperature).sum().item() == pytest.approx(1)


def test_soften() -> None:
    logits = torch.tensor([[0.0, 2.0, 1.0]])
    assert soften(logits, 0).tolist() == [[0, 1, 0]]
    torch.testing.assert_close(soften(logits, 0.5), (2 * logits).softmax(-1))


@pytest.mark.parametrize("order", [1, 9])
def test_orders_that_do_not_fit_are_refused(order: int) -> None:
    with pytest.raises(ValueError, match="2 to 8"):
        ngram(order=order)


# --- Algorithm 1 ------------------------------------------------------------------------------------------------------


def test_a_draft_that_agrees_is_always_accepted(rng: random.Random) -> None:
    p = torch.tensor([[0.5, 0.3, 0.2]]).repeat(3, 1)
    for _ in range(200):
        rows = judge(p, [p[0], p[1]], [draw(p[0], rng), draw(p[1], rng)], 1.0, rng)
        assert [row["label"] for row in rows] == ["accepted", "accepted", "bonus"]


def test_an_impossible_draft_is_refused_and_replaced(rng: random.Random) -> None:
    p, q = torch.tensor([[0.0, 1.0], [0.5, 0.5]]), torch.tensor([1.0, 0.0])
    rows = judge(p, [q], [0], 1.0, rng)
    assert [(row["label"], row["token"], row["refused"]) for row in rows] == [("rejected", 1, 0)]


def test_a_replacement_comes_from_the_residual(rng: random.Random) -> None:
    """p = (.5, .3, .2), q = (.8, .1, .1): the residual is (0, .2, .1), so a refused 0 becomes 1 twice as often as 2."""
    p, q = torch.tensor([[0.5, 0.3, 0.2]] * 2), torch.tensor([0.8, 0.1, 0.1])
    found = [judge(p, [q], [0], 1.0, rng)[0] for _ in range(4_000)]
    new = [row["token"] for row in found if row["label"] == "rejected"]
    assert len(new) / 4_000 == pytest.approx(1 - 0.5 / 0.8, abs=0.03)
    assert new.count(0) == 0
    assert new.count(1) / len(new) == pytest.approx(2 / 3, abs=0.05)


def test_lenience_multiplies_the_acceptance(rng: random.Random) -> None:
    p, q = torch.tensor([[0.2, 0.8]] * 2), torch.tensor([0.8, 0.2])
    kept = sum(judge(p, [q], [0], 0.5, rng)[0]["label"] == "accepted" for _ in range(4_000))
    assert kept / 4_000 == pytest.approx(0.2 / (0.5 * 0.8), abs=0.03)


def test_bits_are_the_targets_surprise(rng: random.Random) -> None:
    p = torch.tensor([[0.25, 0.75], [0.0, 1.0]])
    rows = judge(p, [torch.tensor([1.0, 0.0])], [0], 0.01, rng)
    assert [row["bits"] for row in rows] == pytest.approx([2, 0])


# --- decoding ---------------------------------------------------------------------------------------------------------


def test_greedy_speculation_gives_the_greedy_text() -> None:
    target = decoder()
    plain = speculate(target, ngram(), PROMPT, 40, Settings(0, 0))
    for draft in (ngram(), decoder(1, seed=3)):
        fast = speculate(target, draft, PROMPT, 40, Settings(3, 0))
        assert fast.text.startswith(plain.text)


def test_the_rows_tell_what_happened() -> None:
    decoded = speculate(decoder(), decoder(1, seed=3), PROMPT, 40, Settings(3, 1.0))
    assert [row["position"] for row in decoded.rows] == list(range(len(PROMPT), len(PROMPT) + len(decoded.rows)))
    assert len(decoded.rows) >= 40
    ends = [row for row in decoded.rows if row["label"] != "accepted"]
    assert len(ends) == decoded.passes, "each pass ends with one token of the target's own"
    assert all((row["refused"] is None) == (row["label"] != "rejected") for row in decoded.rows)
    assert decoded.drafted == 3 * decoded.passes


@pytest.mark.parametrize("temperature", [0, 0.7, 1.0])
def test_a_target_that_equals_its_draft_accepts_everything(temperature: float) -> None:
    small = model(1)
    target, draft = CachedDecoder(deepen(small, 3)), CachedDecoder(small)
    decoded = speculate(target, draft, PROMPT, 60, Settings(4, temperature))
    assert decoded.acceptance == 1
    assert decoded.tokens_per_pass == decoded.formula == 5


def test_plain_decoding_is_one_token_a_pass() -> None:
    decoded = speculate(decoder(), ngram(), PROMPT, 20, Settings(gamma=0))
    assert decoded.tokens_per_pass == decoded.formula == 1
    assert {row["label"] for row in decoded.rows} == {"bonus"}


def test_the_same_seed_gives_the_same_text() -> None:
    a, b, other = (speculate(decoder(), decoder(1, seed=3), PROMPT, 20, seed=seed).text for seed in (1, 1, 2))
    assert a == b != other


def test_drafts_come_from_the_distribution_that_is_reported(rng: random.Random) -> None:
    guesses, q = propose(ngram(), encode(PROMPT).tolist(), Settings(3, 0.0), rng)
    assert guesses == [int(row.argmax()) for row in q]


@pytest.mark.parametrize("wrong", [{"gamma": -1}, {"temperature": -0.1}, {"lenience": 0.0}, {"lenience": 1.5}])
def test_impossible_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="at least 0"):
        Settings(**wrong)  # type: ignore[arg-type]


# --- measuring --------------------------------------------------------------------------------------------------------


def test_tokens_per_pass_follow_the_formula() -> None:
    row = compare(decoder(context=256), decoder(1, seed=3, context=256), Settings(3, 1.0), 200, [PROMPT, "ba b"])
    assert row["tokens_per_pass"] == pytest.approx(row["formula"], rel=0.1)
    assert row["predicted"] > 0
    assert row["speedup"] > 0
    tokens, times = draft_checks({"3 drafted": row})
    assert (tokens.what, tokens.predicted, tokens.found) == (
        "tokens a pass: 3 drafted",
        row["formula"],
        row["tokens_per_pass"],
    )
    assert (times.predicted, times.found) == (row["predicted"], row["speedup_cpu"])


def test_lenience_buys_tokens_with_quality() -> None:
    study = Lenience(decoder(), decoder(1, seed=3), (1.0, 0.05), length_bytes=60, prompts=[PROMPT, "ba b"])
    exact, lenient = study.start(name="").wait().result
    assert lenient["tokens_per_pass"] > exact["tokens_per_pass"]
    assert lenient["bits"] > exact["bits"]


def test_sums_of_decodings() -> None:
    a = Decoded(Settings(2), [{"label": "accepted", "bits": 1.0}], 1, 2)
    b = Decoded(Settings(2), [{"label": "rejected", "bits": 3.0}], 1, 2)
    assert ((a + b).acceptance, (a + b).bits, (a + b).tokens_per_pass) == (0.5, 2, 1)


def test_the_joint_is_a_distribution() -> None:
    pairs = joint(decoder(), encode(PROMPT).tolist(), 1.0)
    assert pairs.sum().item() == pytest.approx(1, abs=1e-5)


def test_chi_square_by_hand() -> None:
    found = chi_square(torch.tensor([30.0, 70.0, 0.0]), torch.tensor([50.0, 50.0, 0.0]))
    assert found.chi_square == pytest.approx(16)
    assert chi_square(torch.tensor([16.0, 14.0, 10.0]), torch.tensor([20.0, 10.0, 10.0])).p == pytest.approx(
        0.3012, abs=1e-3
    )


def few_words(layers: int, seed: int) -> CachedDecoder:
    """A vocabulary of 12, so that most of the 144 pairs are expected often enough to be judged one by one."""
    return CachedDecoder(model(layers, seed, spread=0.25, vocabulary=12), 16)


def pairs_against(draft: Draft, gamma: int, lenience: float = 1.0) -> Exactness:
    return exactness(few_words(2, 0), draft, [3, 1, 4], 2_500, Settings(gamma, 1.0, lenience))


@pytest.mark.parametrize(("gamma", "neural"), [(1, True), (3, True), (2, False)])
def test_speculation_is_exact(gamma: int, neural: bool) -> None:
    babble = torch.randint(12, (400,), generator=torch.Generator().manual_seed(0))
    found = pairs_against(few_words(1, 3) if neural else NGram(babble, 3, vocabulary=12), gamma)
    assert found.df >= 50
    assert found.p > 1e-3


def test_the_exactness_test_sees_lenience() -> None:
    found = pairs_against(few_words(1, 3), 2, lenience=0.5)
    assert found.df >= 50
    assert found.p < 1e-6


# --- the shipped models -----------------------------------------------------------------------------------------------


def log_of(name: str) -> dict:
    return json.loads((train_target.FOLDER / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", list(train_target.SHAPES))
def test_shipped_models_are_those_of_their_logs(name: str) -> None:
    loaded, log = train_target.load_shipped(name), log_of(name)
    assert loaded.config == train_target.SHAPES[name]
    assert sum(p.numel() for p in loaded.parameters()) == log["parameters"]
    assert log["settings"]["steps"] == train_target.STEPS[name] == log["curve"][-1]["step"]
    assert log["curve"][-1]["bpb_all"] < 2.5


def test_the_shipped_target_has_learnt_its_language() -> None:
    text = "The return value is a list of the names of the functions"
    tokens = encode(text).long()
    with torch.no_grad():
        bits = torch.nn.functional.cross_entropy(train_target.load_shipped()(tokens[None, :-1])[0], tokens[1:]) / 0.6931
    assert bits < 2.5


def test_saving_and_loading(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_target, "FOLDER", tmp_path)
    original = model()
    train_target.save("draft", original, {"steps": 1}, tmp_path)
    torch.testing.assert_close(train_target.load_shipped("draft").head.weight, original.head.weight.bfloat16().float())
    assert log_of("draft") == {"steps": 1}
