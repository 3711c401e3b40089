"""The noise scale: its estimator on a quadratic with known gradient and noise, the fit, and both runs at tiny sizes."""

from __future__ import annotations

import math
import threading
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from gpt4lab.formulas.fit import line  # noqa: E402
from gpt4lab.formulas.noise import NoTradeOff, fit_trade_off, gradient_noise, gradient_signal  # noqa: E402
from gpt4lab.quantities.topics.batch import extra_steps, extra_tokens  # noqa: E402
from gpt4lab.toys.batch import noise_scale as toy  # noqa: E402
from gpt4lab.toys.batch import trade_off as trade  # noqa: E402
from gpt4lab.toys.core.corpus import Batch, Corpus  # noqa: E402
from gpt4lab.toys.core.recordings import load_recorded  # noqa: E402
from gpt4lab.toys.core.transformer import Loss, build_model  # noqa: E402


class Quadratic(torch.nn.Module):
    """Half the squared distance to a point drawn around 0: the gradient is theta, its noise that of the points."""

    def __init__(self, theta: torch.Tensor) -> None:
        super().__init__()
        self.theta = torch.nn.Parameter(theta)

    def loss(self, tokens: torch.Tensor, targets: torch.Tensor) -> Loss:
        return Loss(((self.theta - tokens) ** 2).sum(1).mean() / 2, torch.zeros(()))


# --- the estimator


def test_two_batch_sizes_give_signal_and_noise_back() -> None:
    G, sigma, b, B = 3.0, 40.0, 4, 64
    lengths = (G + sigma / b, G + sigma / B, b, B)
    assert gradient_signal(*lengths) == pytest.approx(G)
    assert gradient_noise(*lengths) == pytest.approx(sigma)


def test_the_estimator_is_unbiased_on_a_quadratic() -> None:
    torch.set_num_threads(1)
    generator, theta = torch.Generator().manual_seed(0), torch.full((10,), 0.3)
    spread = torch.linspace(0.5, 1.5, 10)
    G, sigma = theta.square().sum().item(), spread.square().sum().item()
    model, signals, noises = Quadratic(theta), [], []
    for _ in range(300):
        points = torch.randn(32, 10, generator=generator) * spread
        _, small, big = toy.squared_norms(model, Batch(points, points, torch.zeros(32)), micro=4)  # type: ignore[arg-type]
        signals.append(gradient_signal(small, big, 4, 32))
        noises.append(gradient_noise(small, big, 4, 32))
    for estimates, true in ((signals, G), (noises, sigma)):
        found = torch.tensor(estimates)
        assert found.mean().item() == pytest.approx(true, abs=4 * found.std().item() / math.sqrt(len(found)))
    naive = G + sigma / 32
    assert abs(torch.tensor(signals).mean().item() - G) < abs(naive - G) / 4, "the plain square would be far off"


def test_squared_norms_leave_the_gradient_of_the_whole_batch(corpus: Corpus) -> None:
    model, batch = build_model(trade.CONFIG), corpus.batch(16, 32, torch.Generator().manual_seed(0))
    torch.nn.init.normal_(model.head.weight, std=0.1)
    loss, small, big = toy.squared_norms(model, batch)
    pieces = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    model.zero_grad()
    whole = model.loss(batch.tokens, batch.targets).tokens
    whole.backward()
    assert loss == pytest.approx(whole.item(), rel=1e-5)
    assert small > big > 0
    for piece, p in zip(pieces, model.parameters(), strict=True):
        assert torch.allclose(piece, p.grad, rtol=1e-3, atol=1e-6)


# --- the fit


def test_the_fit_gives_the_trade_off_back_and_agrees_with_the_quantities() -> None:
    batches = (4, 16, 64, 256)
    fit = fit_trade_off(batches, [50 * extra_steps(b, 30) for b in batches])
    assert fit.S_min == pytest.approx(50)
    assert fit.B_crit == pytest.approx(30)
    assert fit.r_squared == pytest.approx(1)
    for b in batches:
        S, E = fit.S_min * extra_steps(b, fit.B_crit), fit.E_min * extra_tokens(b, fit.B_crit)
        assert b * S == pytest.approx(E)
        assert (S / fit.S_min - 1) * (E / fit.E_min - 1) == pytest.approx(1)


@pytest.mark.parametrize(
    ("batches", "steps", "says"),
    [
        ((8, 16), (9, 5), "three or more"),
        ((8, 16, 32), (9, 5, 0), "positive"),
        ((8, 16, 0), (9, 5, 4), "positive"),
        ((8, 16, 32), (9, 5, math.nan), "positive"),
        ((8, 16, 32), (5, 6, 9), "no trade-off"),
        ((8, 8, 8), (5, 6, 9), "two different"),
    ],
)
def test_points_without_a_trade_off_are_refused(batches: Any, steps: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        fit_trade_off(batches, steps)
    assert issubclass(NoTradeOff, ValueError)


@pytest.mark.parametrize("by", [0, 1e-16, 1e-14, 1e-12])
def test_steps_that_determine_no_trade_off_are_refused_however_they_are_rounded(by: float) -> None:
    batches, shaken = (8, 16, 24, 48, 96), [1 + by, 1 - by, 1 + 3 * by, 1 - 2 * by, 1]
    for steps in ([5.0 / 3] * 5, [100 / 3 / b for b in batches]):
        for sign in (1, -1):
            with pytest.raises(NoTradeOff):
                fit_trade_off(batches, [s * x**sign for s, x in zip(steps, shaken, strict=True)])


@pytest.mark.parametrize("by", [1e-16, 1e-13, 1e-10])
def test_a_line_does_not_hang_on_rounding(by: float) -> None:
    near = [0.1 * (1 + k * by) for k in (0, 1, -2, 3)]
    with pytest.raises(ValueError, match="two different x"):
        line(near, [1, 2, 4, 3])
    assert line([1, 2, 3, 4], near).r_squared == 0, "nothing varies: nothing is explained"


def test_a_line_through_points() -> None:
    assert line([0, 1, 2], [1, 3, 5]) == pytest.approx((2, 1, 1))
    assert line([0, 1, 2], [4, 4, 4]) == pytest.approx((0, 4, 0)), "nothing varies: nothing is explained"
    assert line([0, 1, 2], [0, 1, 9], weights=[1, 1, 1e-12]).slope == pytest.approx(1, rel=1e-3)
    assert 0 < line([0, 1, 2, 3], [0, 2, 1, 3]).r_squared < 1
    for wrong in (([1, 2], [1]), ([1, math.nan], [1, 2]), ([1, 1], [1, 2]), ([], []), ([1, 2], [1, 2], [0, 1])):
        with pytest.raises(ValueError, match="a line needs"):
            line(*wrong)


# --- the runs


def noise_curve(corpus: Corpus, seed: int) -> list[dict[str, Any]]:
    rows = toy.measure_noise(corpus, steps=4, seed=seed, name="").wait().history
    return [{key: value for key, value in row.items() if key != "elapsed_s"} for row in rows]


def test_the_noise_scale_is_watched_and_repeats_itself(corpus: Corpus) -> None:
    rows = noise_curve(corpus, seed=1)
    assert rows == noise_curve(corpus, seed=1)
    assert rows != noise_curve(corpus, seed=2)
    assert rows[-1]["tokens"] == 4 * trade.ROWS * trade.CONTEXT
    for row in rows:
        assert row["b_simple"] == pytest.approx(row["noise"] / row["signal"])
        assert row["b_simple_tokens"] == pytest.approx(row["b_simple"] * trade.CONTEXT)


def test_a_first_gradient_that_was_mostly_signal(corpus: Corpus) -> None:
    assert noise_curve(corpus, seed=0)[0]["b_simple"] < 10, "before training all sequences pull the same way"


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "muon"])
def test_trade_off_counts_steps_to_each_loss(corpus: Corpus, optimizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trade.BatchSweep, "length", lambda study, case: 12)
    monkeypatch.setattr(trade, "LEVELS", (6.9, 6.5, 0.1))
    run = trade.BatchSweep(corpus, optimizer, batches=(4, 16), factors=(0.5, 1.0)).start(name="").wait()
    assert run.progress == 1
    assert len(run.history) == 2 * 2 * 12
    quickest = trade.best(run.result)
    assert {(row["batch"], row["bpb"]) for row in quickest} >= {(4, 6.9), (16, 6.9), (16, 6.5)}
    assert all(row["bpb"] > 0.1 and 1 <= row["steps"] <= 12 for row in quickest)
    assert all(row["tokens"] == row["steps"] * row["batch"] * trade.CONTEXT for row in quickest)


def test_stopping_keeps_the_losses_that_were_reached(corpus: Corpus) -> None:
    reached = threading.Event()
    run = (
        trade.BatchSweep(corpus, batches=(32, 64, 128))
        .start(name="")
        .on_update(lambda run: reached.set() if run.result else None, every_s=0)
    )
    assert reached.wait(30)
    run.stop()
    assert run.state == "stopped"
    assert run.progress < 1
    assert run.result[0]["bpb"] == trade.LEVELS[0]


def synthetic(batches: tuple[int, ...] = (8, 32, 128), B_crit: float = 40.0) -> list[dict[str, Any]]:
    case = {"optimizer": "adamw", "seed": 0, "tokens": 0}
    return [
        {**case, "batch": b, "factor": f, "bpb": 4.0, "steps": 100 * f * extra_steps(b, B_crit)}
        for b in batches
        for f in (1.0, 2.0)
    ]


def test_noise_and_trade_off_are_compared_at_the_same_loss() -> None:
    noise = [{"bpb": 4.5, "b_simple": 5.0}, {"bpb": 3.9, "b_simple": 20.0}, {"bpb": 3.8, "b_simple": 99.0}]
    unfinished = {"optimizer": "adamw", "seed": 0, "batch": 8, "factor": 1.0, "bpb": 3.8, "steps": 500}
    (row,) = toy.trade_offs([*synthetic(), unfinished])
    assert (row["optimizer"], row["seed"], row["bpb"]) == ("adamw", 0, 4.0)
    assert row["b_crit"] == pytest.approx(40)
    assert row["s_min"] == pytest.approx(100)
    (check,) = toy.noise_checks([*synthetic(), unfinished], noise)
    assert (check.predicted, check.ratio) == (20.0, pytest.approx(2))
    assert toy.noise_checks(synthetic(), []) == (), "the training did not come so far"
    with pytest.raises(ValueError, match="three or more"):
        toy.noise_checks(synthetic((8, 32)), noise)


def test_the_recorded_run_holds_the_noise_scale_against_steps_saved() -> None:
    recorded = load_recorded("batch")
    for key in ("script", "date", "torch", "machine", "settings"):
        assert recorded[key]
    rows = [row for case in recorded["results"] for row in toy.trade_offs(case["trade_off"])]
    assert {(row["optimizer"], row["seed"]) for row in rows} == {(o, s) for o in trade.OPTIMIZERS for s in range(3)}
    for case in recorded["results"]:
        first, last = case["noise"][0], case["noise"][-1]
        assert last["bpb"] < first["bpb"]
        assert last["b_simple"] > first["b_simple"], "the scale rises as the loss falls"
    critical = {
        name: [row["b_crit"] for row in rows if row["optimizer"] == name and row["bpb"] == 4.0]
        for name in trade.OPTIMIZERS
    }
    assert max(critical["sgd"]) < min(critical["adamw"]) < min(critical["muon"])
    late = [
        check
        for case in recorded["results"]
        if case["optimizer"] == "adamw"
        for check in toy.noise_checks([row for row in case["trade_off"] if row["bpb"] <= 4.4], case["noise"])
    ]
    assert late
    assert all(0.5 < check.ratio < 2 for check in late), "within a factor of two, where the steps are more than a few"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"optimizer": "adam"}, "sgd, adamw, muon"),
        ({"batches": (8, 7)}, "even"),
        ({"batches": (0,)}, "batch"),
        ({"factors": (0.0,)}, "factor"),
        ({"factors": (math.nan,)}, "factor"),
        ({"seeds": 0}, "seeds"),
    ],
)
def test_bad_input_is_named(corpus: Corpus, wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        trade.BatchSweep(corpus, **wrong).cases()
    if "optimizer" in wrong:
        with pytest.raises(ValueError, match="steps"):
            toy.measure_noise(corpus, steps=0)
