"""Corpus, model, optimizer and the background run, all at tiny sizes."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from gpt4lab.toys.core import corpus as corpus_module  # noqa: E402
from gpt4lab.toys.core.background import BackgroundRun, RunFailed  # noqa: E402
from gpt4lab.toys.core.corpus import DOMAINS, VOCABULARY, Corpus, character_type, decode, encode, load_corpus  # noqa: E402
from gpt4lab.toys.core.optim import orthogonalise  # noqa: E402
from gpt4lab.toys.core.training import evaluate, train  # noqa: E402
from gpt4lab.toys.core.transformer import ToyConfig, build_model, count_parameters, sample  # noqa: E402

TINY = ToyConfig(d_model=16, n_layers=1, n_heads=2, n_kv_heads=1, d_ff=16, n_experts=4, top_k=2, router_noise=0.1)


def curve(corpus: Corpus, seed: int, config: ToyConfig = TINY, steps: int = 8) -> list[float]:
    run = train(build_model(config, seed), corpus.sampler(4, 32), steps, seed).wait()
    return [row["loss"] for row in run.history]


def forever() -> Iterator[dict[str, float]]:
    while True:
        time.sleep(0.001)
        yield {"loss": 1.0}


# --- corpus


def test_corpus_has_both_domains_and_no_shared_text(corpus: Corpus) -> None:
    for domain in DOMAINS:
        train_text, held_out = decode(corpus.train[domain]), decode(corpus.held_out[domain])
        assert len(train_text) > 20_000
        assert len(held_out) > 2_000
        assert held_out[500:600] not in train_text
        assert max(corpus.train[domain].tolist()) < VOCABULARY


def test_code_has_lost_its_docstrings(corpus: Corpus) -> None:
    assert "def " in decode(corpus.train["code"])
    assert decode(corpus.train["code"]).count('"""') * 1_000 < len(corpus.train["code"])


def test_batches_are_shifted_by_one_and_reproducible(corpus: Corpus) -> None:
    one, two = (corpus.batch(4, 16, torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(one.tokens, two.tokens)
    assert torch.equal(one.tokens[:, 1:], one.targets[:, :-1])
    assert one.domains.tolist() == [0, 1, 0, 1]


def test_corpus_without_a_writable_cache(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setattr(corpus_module, "_cache_folder", lambda: blocked / "inside")
    assert len(load_corpus.__wrapped__(20_000).train["code"]) > 5_000


@pytest.mark.parametrize(
    "spoil",
    [
        lambda saved: {"train": saved["train"]},
        lambda saved: {**saved, "held_out": {"prose": saved["held_out"]["prose"]}},
        lambda saved: {**saved, "train": {**saved["train"], "code": saved["train"]["code"].long()}},
        lambda saved: {**saved, "train": {**saved["train"], "code": saved["train"]["code"][:0]}},
        lambda saved: {**saved, "train": {**saved["train"], "code": saved["train"]["code"] + 128}},
        lambda saved: [saved],
        lambda _: None,
    ],
)
def test_a_cache_that_is_no_corpus_is_made_again(spoil: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(corpus_module, "_cache_folder", lambda: tmp_path)
    made = load_corpus.__wrapped__(20_000)
    [path] = tmp_path.iterdir()
    torch.save(spoil(torch.load(path)), path)
    again = load_corpus.__wrapped__(20_000)
    assert torch.equal(again.train["code"], made.train["code"])
    assert set(torch.load(path)) == {"train", "held_out"}


def test_without_a_home_the_cache_lies_where_things_may_be_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(corpus_module.os.path, "expanduser", lambda path: path)
    assert corpus_module._cache_folder().is_absolute()


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_run_whose_loss_is_no_number_has_failed(loss: float) -> None:
    rows = ({"loss": value} for value in (1.0, loss, 1.0))
    run = BackgroundRun(rows, None, 3).start()
    with pytest.raises(RunFailed, match="after 2 steps"):
        run.wait()
    assert (run.state, len(run.history)) == ("failed", 2)


@pytest.mark.parametrize("steps", [0, -1])
def test_a_run_without_a_step_is_refused(corpus: Corpus, steps: int) -> None:
    with pytest.raises(ValueError, match=f"steps must be at least 1, not {steps}"):
        train(build_model(ToyConfig(d_model=16, n_layers=1, d_ff=16)), corpus.sampler(2, 16), steps=steps)


def test_a_run_that_is_ended_from_within_does_not_stay_running() -> None:
    def ends() -> Iterator[dict[str, float]]:
        yield {"loss": 1.0}
        raise SystemExit(3)

    run = BackgroundRun(ends(), None, 3).start()
    with pytest.raises(RunFailed, match="SystemExit"):
        run.wait()
    assert run.state == "failed"


def test_a_python_without_sources_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus_module, "_sources", tuple)
    with pytest.raises(RuntimeError, match="no readable standard library"):
        corpus_module._build(1_000)


def test_a_corpus_too_small_to_hold_anything_out_is_refused() -> None:
    with pytest.raises(ValueError, match=r"bytes_per_domain = 5,000; allowed: 20,000"):
        load_corpus(5_000)


def test_encode_round_trip_and_foreign_characters() -> None:
    assert decode(encode("def f(x): return 1")) == "def f(x): return 1"
    assert decode(encode("é")) == "?"
    types = [character_type(ord(c)) for c in "a A1,"]
    assert types == ["small letter", "white space", "capital", "digit", "punctuation"]


# --- model


def test_the_future_cannot_be_seen() -> None:
    model = build_model(ToyConfig(d_model=16, n_heads=2, n_kv_heads=1, d_ff=16))
    torch.nn.init.normal_(model.head.weight)
    tokens = torch.randint(VOCABULARY, (1, 12))
    changed = tokens.clone()
    changed[0, -1] = (changed[0, -1] + 1) % VOCABULARY
    torch.testing.assert_close(model(tokens)[:, :-1], model(changed)[:, :-1])


def test_positions_matter_only_relative_to_each_other() -> None:
    rotary = build_model(TINY).blocks[0].attention.rotary
    q, k = torch.randn(2, 1, 1, 1, 8)
    at = rotary(q.expand(1, 1, 10, 8)), rotary(k.expand(1, 1, 10, 8))
    scores = at[0][0, 0] @ at[1][0, 0].T
    torch.testing.assert_close(scores[3, 1], scores[9, 7], rtol=1e-4, atol=1e-5)


def test_gqa_equals_mha_with_repeated_heads() -> None:
    shared = build_model(ToyConfig(d_model=16, n_layers=1, n_heads=4, n_kv_heads=2, d_ff=16)).blocks[0].attention
    full = build_model(ToyConfig(d_model=16, n_layers=1, n_heads=4, n_kv_heads=4, d_ff=16)).blocks[0].attention
    with torch.no_grad():
        for name in ("key", "value"):
            weight = getattr(shared, name).weight.view(2, 4, 16).repeat_interleave(2, 0).reshape(16, 16)
            getattr(full, name).weight.copy_(weight)
        full.query.weight.copy_(shared.query.weight)
        full.out.weight.copy_(shared.out.weight)
    x = torch.randn(2, 5, 16)
    torch.testing.assert_close(shared(x), full(x), rtol=1e-4, atol=1e-5)


def test_parameters_of_a_mixture_and_of_its_dense_twin() -> None:
    moe, twin = count_parameters(build_model(TINY)), count_parameters(build_model(TINY.dense_twin))
    assert moe.total - moe.active == 2 * 2 * 16 * 16, "two idle experts of two matrices"
    assert moe.active - twin.active == 4 * 16, "the router alone"
    assert twin.total == twin.active


@pytest.mark.parametrize("wrong", [{"top_k": 3}, {"n_heads": 3}, {"n_kv_heads": 3}, {"d_ff": 10}])
def test_impossible_shapes_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        ToyConfig(**wrong)


def test_sample_continues_the_prompt() -> None:
    model = build_model(TINY)
    assert sample(model, "def ", 5, seed=1) == sample(model, "def ", 5, seed=1)
    assert len(sample(model, "def ", 5)) == 9


def test_newton_schulz_makes_singular_values_about_one() -> None:
    torch.manual_seed(0)
    for shape in ((3, 8, 20), (3, 20, 8)):
        singular = torch.linalg.svdvals(orthogonalise(torch.randn(shape)))
        assert float(singular.min()) > 0.6
        assert float(singular.max()) < 1.3


# --- training


def test_same_seed_same_curve(corpus: Corpus) -> None:
    assert curve(corpus, 1) == curve(corpus, 1)
    assert curve(corpus, 1) != curve(corpus, 2)


def test_training_lowers_the_loss_on_held_out_text(corpus: Corpus) -> None:
    model = build_model(TINY)
    before = evaluate(model, corpus, rows=16, context=32)
    run = train(model, corpus.sampler(8, 32), steps=60).wait()
    after = evaluate(model, corpus, rows=16, context=32)
    assert before["all"] == pytest.approx(7.0), "128 equally likely bytes"
    assert all(after[domain] < before[domain] - 1.5 for domain in ("all", *DOMAINS))
    assert run.state == "done"
    assert run.progress == 1
    assert run.history[-1]["tokens"] == 60 * 8 * 32


def test_stop_keeps_curve_and_model(corpus: Corpus) -> None:
    reached = threading.Event()
    run = train(build_model(TINY), corpus.sampler(4, 32), steps=1_000_000)
    run.on_update(lambda run: reached.set() if len(run.history) >= 3 else None, every_s=0)
    assert reached.wait(20)
    assert run.seconds_left is None or run.seconds_left > 0
    run.stop()
    assert run.state == "stopped"
    assert 3 <= len(run.history) < 1_000_000
    assert evaluate(run.result, corpus, rows=4, context=32)["all"] > 0


def test_exception_is_kept_with_the_rows_before_it() -> None:
    def broken() -> Iterator[dict[str, float]]:
        yield {"loss": 2.0}
        raise ArithmeticError("the loss is not a number")

    run = BackgroundRun(broken(), result=None, steps=5).start()
    with pytest.raises(ArithmeticError, match="not a number"):
        run.wait()
    assert run.state == "failed"
    assert isinstance(run.error, ArithmeticError)
    assert len(run.history) == 1


def test_interrupt_while_waiting_keeps_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    run = BackgroundRun(forever(), result="model", steps=1_000_000).start()
    join = run._thread.join

    def interrupted(timeout: float | None = None) -> None:
        monkeypatch.setattr(run._thread, "join", join)
        raise KeyboardInterrupt

    monkeypatch.setattr(run._thread, "join", interrupted)
    assert run.wait().state == "stopped"
    assert run.result == "model"


def test_a_run_of_the_same_name_replaces_the_earlier_one() -> None:
    first = BackgroundRun(forever(), None, steps=1_000_000, name="same").start()
    second = BackgroundRun(forever(), None, steps=1_000_000, name="same").start()
    assert first.state == "stopped"
    assert second.state == "running"
    second.stop()


def test_updates_are_rate_limited_and_the_last_one_always_comes() -> None:
    states: list[tuple[str, int]] = []
    rows = ({"loss": float(i)} for i in range(200))
    run = BackgroundRun(rows, None, steps=200).on_update(
        lambda run: states.append((run.state, len(run.history))), every_s=60
    )
    run.start().wait()
    assert states == [("running", 1), ("done", 200)]


def test_a_broken_listener_does_not_stop_the_run() -> None:
    run = BackgroundRun(({"loss": 0.0} for _ in range(5)), None, steps=5).on_update(lambda run: 1 / 0)
    assert run.start().wait().state == "done"
    assert isinstance(run.callback_error, ZeroDivisionError)


def test_looking_at_a_model_does_not_disturb_its_training(corpus: Corpus) -> None:
    model = build_model(TINY, seed=1)
    run = train(model, corpus.sampler(4, 32), 8, seed=1).on_update(
        lambda run: evaluate(model, corpus, 4, 32), every_s=0
    )
    assert [row["loss"] for row in run.wait().history] == curve(corpus, 1)
    assert run.callback_error is None
