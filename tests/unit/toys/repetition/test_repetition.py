"""Repeated text: what is read how often, the run at tiny sizes, and the law on numbers that obey it exactly."""

from __future__ import annotations

import math
import threading
from datetime import date
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from gpt4lab.quantities.topics.data import effective  # noqa: E402
from gpt4lab.toys.core.corpus import Corpus  # noqa: E402
from gpt4lab.toys.core.recordings import load_recorded, summary  # noqa: E402
from gpt4lab.toys.repetition import study as module  # noqa: E402
from gpt4lab.toys.repetition.law import fit_rows, published_r_star, worth_rows  # noqa: E402
from gpt4lab.toys.repetition.study import CONTEXT, Repetition, readings, unique_text  # noqa: E402

Row = dict[str, Any]
STEPS, BATCH = 160, 8  # of the recorded run: those of a live one
TEXTS = ("prose", "code")
EPOCHS, WIDTHS = Repetition.recorded["epochs"], Repetition.recorded["widths"]
TINY: Row = {"epochs": (2,), "steps": 4, "batch": 4, "widths": (8,), "texts": ("code",)}


@pytest.fixture(autouse=True)
def few_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each loss from a little text, to be quick."""
    monkeypatch.setattr(module, "ROWS", 16)


def lawful(r_star: float, seeds: int = 2, d_model: int = 32, tokens: int = 1 << 20) -> list[Row]:
    """Rows whose loss falls by 0.3 bits with each doubling of D', and whose D' follows the law."""

    def row(seed: int, epochs: int, seen: int, d: float) -> Row:
        loss = 10 - 0.3 * math.log2(d)
        same = {"text": "prose", "d_model": d_model, "params": 9_000, "seed": seed, "epochs": epochs}
        return {**same, "unique_bytes": seen // epochs, "tokens": seen, "held_out_bpb": loss, "train_bpb": loss}

    fresh = [(1, tokens >> k, tokens >> k) for k in range(0, 8, 2)]
    repeated = [(e, tokens, effective(tokens / e, e, r_star)) for e in (2, 4, 16, 64)]
    return [row(seed, *case) for seed in range(seeds) for case in [*repeated, *fresh]]


# --- text -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["prose", "code"])
def test_unique_text_is_of_one_kind_and_less_is_the_beginning_of_more(corpus: Corpus, kind: str) -> None:
    more, less = unique_text(corpus, kind, 40, seed=3), unique_text(corpus, kind, 10, seed=3)
    assert more.shape == (40, CONTEXT + 1)
    assert torch.equal(more[:10], less)
    assert not torch.equal(unique_text(corpus, kind, 10, seed=4), less)
    text = bytes(corpus.train[kind].tolist())
    assert all(bytes(window.tolist()) in text for window in less)


def test_each_reading_meets_every_window_once(corpus: Corpus) -> None:
    text, generator = unique_text(corpus, "prose", 12, seed=0), torch.Generator().manual_seed(0)
    read = readings(text, batch=4)
    for _ in range(3):
        seen = torch.cat([read(generator).tokens for _ in range(3)])
        assert sorted(seen.tolist()) == sorted(text[:, :-1].tolist())


def test_a_batch_may_be_more_than_the_text(corpus: Corpus) -> None:
    batch = readings(unique_text(corpus, "code", 2, seed=0), batch=7)(torch.Generator())
    assert batch.tokens.shape == (7, CONTEXT)
    assert torch.equal(batch.tokens[:, 1:], batch.targets[:, :-1])


# --- the run ----------------------------------------------------------------------------------------------------------


def test_rows_of_a_run(corpus: Corpus) -> None:
    run = Repetition(corpus, **TINY, seeds=2).start(name="").wait()
    found = [(row["seed"], row["epochs"], row["unique_bytes"], row["tokens"]) for row in run.result]
    one, half = 16 * CONTEXT, 8 * CONTEXT
    assert found == [(s, e, u, t) for s in (0, 1) for e, u, t in ((1, one, one), (2, half, one), (1, half, half))]
    assert run.progress == 1
    assert all(row["curve"][-1]["held_out_bpb"] == row["held_out_bpb"] for row in run.result)
    assert [row["seeds"] for row in summary(run.result, by="epochs", of="held_out_bpb")] == [4, 2]


def test_a_text_read_very_often_is_learnt_by_heart(corpus: Corpus) -> None:
    run = Repetition(corpus, epochs=(70,), steps=70, batch=4, texts=("prose",)).start(name="").wait()
    fresh, repeated, _ = run.result
    assert fresh["tokens"] == repeated["tokens"]
    assert repeated["train_bpb"] < fresh["train_bpb"] - 1
    assert repeated["held_out_bpb"] > fresh["held_out_bpb"] + 0.3


def test_same_seed_same_numbers(corpus: Corpus) -> None:
    a, b = (Repetition(corpus, **TINY).start(name="").wait().result for _ in range(2))
    assert [row["held_out_bpb"] for row in a] == [row["held_out_bpb"] for row in b]
    other = Repetition(corpus, **TINY, seeds=2).start(name="").wait().result[len(a) :]
    assert [row["held_out_bpb"] for row in a] != [row["held_out_bpb"] for row in other]


def test_stop_keeps_what_is_finished(corpus: Corpus) -> None:
    finished = threading.Event()
    run = Repetition(corpus, **TINY, seeds=10_000).start(name="")
    run.on_update(lambda run: finished.set() if run.result else None, every_s=0)
    assert finished.wait(20)
    run.stop()
    assert run.state == "stopped"
    assert 1 <= len(run.result) < 30_000
    assert run.result[0]["held_out_bpb"] > 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"epochs": (0,)}, "epochs must be a whole number of at least 1, not 0"),
        ({"epochs": (1.5,)}, "epochs must be a"),
        ({"epochs": (9,)}, "epochs must be at most steps, not 9 with 4"),
        ({"texts": ("prose", "verse")}, "texts must be prose or code, not prose, verse"),
        ({"epochs": (2, -1)}, "epochs must be a"),
        ({"widths": (0,)}, "width must be a"),
        ({"seeds": 0}, "seeds must be a"),
        ({"steps": math.nan}, "steps must"),
        ({"batch": 10_000}, "windows of this corpus, not 40,000"),
        ({"widths": (6,)}, "d_model must be a multiple"),
    ],
)
def test_impossible_numbers_are_refused(corpus: Corpus, wrong: Row, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Repetition(corpus, **{**TINY, **wrong}).cases()


# --- the law ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("r_star", [2.0, 15.0])
def test_worth_and_fit_of_rows_that_obey_the_law(r_star: float) -> None:
    results = lawful(r_star)
    fit = fit_rows(results)[0]
    assert fit["R_star"] == pytest.approx(r_star, rel=0.03)
    assert fit["low"] == fit["high"] == fit["R_star"]
    assert fit["rms"] < 0.01
    assert fit["epochs"] == [2, 4, 16]
    for row in worth_rows(results):
        assert row["worth"] * row["tokens"] == pytest.approx(effective(row["unique_bytes"], row["epochs"], r_star))
        assert row["fitted"] == pytest.approx(row["worth"], abs=0.01)
        assert row["within"]


def test_the_published_law_stands_beside_each_row() -> None:
    assert published_r_star() == pytest.approx(15.4, abs=0.05)
    shares = {row["epochs"]: row["law"] for row in worth_rows(lawful(3.0))}
    assert shares[4] == pytest.approx(0.931, abs=0.001)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)


def test_what_the_law_cannot_say_is_said_to_be_outside_and_not_fitted() -> None:
    """Worse than one reading of the same text, and worse than every fresh model."""
    results = lawful(15.0)
    for row in results:
        row["held_out_bpb"] += {16: 1.5, 64: 5}.get(row["epochs"], 0)
    rows = {row["epochs"]: row for row in worth_rows(results)}
    assert [rows[e]["within"] for e in (2, 4, 16, 64)] == [True, True, False, False]
    assert 0 < rows[16]["worth"] < 1 / 16
    assert rows[64]["worth"] is None
    fit = fit_rows(results, up_to=64)[0]
    assert fit["epochs"] == [2, 4]
    assert fit["R_star"] == pytest.approx(15.0, rel=0.03)


def test_each_width_has_its_own_law() -> None:
    found = fit_rows([*lawful(2.0, d_model=16), *lawful(20.0, d_model=64)])
    assert [row["d_model"] for row in found] == [16, 64]
    assert [row["R_star"] for row in found] == pytest.approx([2, 20], rel=0.03)


def test_one_fresh_model_is_not_enough() -> None:
    with pytest.raises(ValueError, match="two lengths or more, not of 1"):
        worth_rows([row for row in lawful(2.0) if row["epochs"] > 1 or row["tokens"] == 1 << 20])


@pytest.mark.parametrize("by", [0, 1e-15, 1e-12, 1e-9, 1e-6])
def test_fresh_models_that_are_all_alike_measure_nothing(by: float) -> None:
    level = [{**row, "held_out_bpb": 4 + by * i} for i, row in enumerate(lawful(2.0))]
    with pytest.raises(ValueError, match="fresh models of different losses"):
        fit_rows(level)


@pytest.mark.parametrize("by", [0, 1e-15, 1e-12, 1e-9, 1e-6])
def test_no_number_is_given_where_no_r_star_fits_better_than_another(by: float) -> None:
    """The losses move among the shortest fresh models and the longest; the repetitions lie where they do not."""
    results = lawful(2.0)
    for i, row in enumerate(results):
        row["held_out_bpb"] = 5 + by * i if row["tokens"] > 1 << 14 or row["epochs"] > 1 else 6.0
    results += [{**row, "tokens": 1 << 40, "held_out_bpb": 4.0} for row in results if row["tokens"] == 1 << 20]
    assert [math.isnan(row["R_star"]) for row in fit_rows(results)] == [True]


# --- the recorded run -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded() -> Row:
    return load_recorded("repetition")


def test_recorded_run_says_how_it_was_made(recorded: Row) -> None:
    assert recorded["script"] == "python -m gpt4lab.toys record repetition"
    assert date.fromisoformat(recorded["date"]) <= date.today()
    assert all(recorded[key] for key in ("machine", "torch", "python"))
    assert recorded["settings"]["steps"] == STEPS
    found = {(row["text"], row["d_model"], row["seed"], row["epochs"]) for row in recorded["results"]}
    assert found == {(t, w, s, e) for t in TEXTS for w in WIDTHS for s in range(3) for e in (1, *EPOCHS)}


def test_recorded_run_has_the_same_bytes_in_every_repetition(recorded: Row) -> None:
    windows = STEPS * BATCH
    for row in recorded["results"]:
        if row["epochs"] > 1:
            assert row["tokens"] == windows * CONTEXT == row["epochs"] * row["unique_bytes"]


@pytest.mark.parametrize("text", TEXTS)
def test_recorded_run_shows_that_size_decides(recorded: Row, text: str) -> None:
    found = {(row["text"], row["d_model"], row["epochs"]): row for row in worth_rows(recorded["results"])}
    worth = {(width, epochs): row for (kind, width, epochs), row in found.items() if kind == text}
    at_16 = [worth[width, 16]["worth"] for width in WIDTHS]
    assert at_16 == sorted(at_16, reverse=True)
    assert at_16[0] > 0.8
    assert at_16[-1] < 0.3
    assert all(worth[width, 2]["worth"] > 0.9 for width in WIDTHS)
    assert not worth[64, 64]["within"]
    assert all(row["low"] <= (row["worth"] or 0) <= row["high"] for row in worth.values())
    r_stars = [row["R_star"] for row in fit_rows(recorded["results"]) if row["text"] == text]
    assert r_stars == sorted(r_stars, reverse=True)
    for width in WIDTHS:
        train = [worth[width, e]["train_bpb"] for e in (4, 16, 64)]
        assert train == sorted(train, reverse=True), "the more often, the better it knows it"
