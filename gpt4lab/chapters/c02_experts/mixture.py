"""Chapter 02, live: a mixture of experts trains on the page, and the reader looks into it.

Whatever the sliders say, the experts of one token are together as wide as the one network of the dense model: every
setting costs the same FLOP per token, so that two runs differ in what they learn and not in what they spend.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gpt4lab.charts import Axis, line
from gpt4lab.charts.compose import roomy, stacked
from gpt4lab.panels.reading import Attempt
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.training import Training
from gpt4lab.panels.view import View
from gpt4lab.scenario import Scenario
from gpt4lab.units import BITS_PER_NAT, show

if TYPE_CHECKING:
    from gpt4lab.toys.core.background import BackgroundRun
    from gpt4lab.toys.core.transformer import ToyConfig, Transformer

ACTIVE_WIDTH = 256  # of the dense feed-forward, shared out among the experts of a token
POINTS = 150  # of a curve: more cannot be seen
NOW, BEFORE = "this run", "the run before"
BUSY, IDLE = "busiest expert", "idlest expert"


def toy_config(scenario: Scenario) -> ToyConfig:
    """The toy's shape: the experts of one token share the width of the dense model."""
    from gpt4lab.toys.core.transformer import ToyConfig

    toy = scenario.mixture
    return ToyConfig(
        d_ff=ACTIVE_WIDTH // toy.top_k // 4 * 4,
        n_experts=toy.experts,
        top_k=toy.top_k,
        capacity_factor=toy.capacity,
        router_noise=toy.router_noise,
        balance_weight=toy.balance_weight,
    )


def train_mixture(scenario: Scenario) -> BackgroundRun[Transformer]:
    """Begin a run with these settings. Raises ImportError without torch."""
    from gpt4lab.toys.core.training import train
    from gpt4lab.toys.core.transformer import build_model

    steps, seed = scenario.mixture.steps, scenario.luck.seed
    return train(build_model(toy_config(scenario), seed), _texts, steps, seed, name="mixture")


def _texts(generator: Any) -> Any:
    """16 pieces of text; the corpus is read in the run's thread, since it may have to be made first."""
    from gpt4lab.toys.core.corpus import load_corpus

    return load_corpus().batch(16, 128, generator)


# --- while it trains ----------------------------------------------------------------------------------


def training_view(scenario: Scenario, attempt: Attempt | None, before: Attempt | None) -> View:
    """Loss and load by step, this run and the one before."""
    runs = [(NOW, attempt), (BEFORE, before)]
    curves = [row for name, one in runs if one for row in loss_rows(one.run, name)]
    loads = load_curve(attempt.run) if attempt else []
    loss = _latest(attempt.run) if attempt else None
    return View(
        label="Loss, bits per byte of text",
        value="–" if loss is None else f"{loss:.2f}",
        unit="",
        sentence=_state(attempt, before),
        rows={"data": [*curves, *loads]},
        alt="Loss by training step, and below it the load of the busiest and of the idlest expert.",
    )


def loss_rows(run: BackgroundRun[Any], name: str) -> list[dict[str, Any]]:
    """The loss of a run in bits per byte, smoothed over some steps."""
    history = list(run.history)
    stride = max(1, len(history) // POINTS)
    return [
        {"step": row["step"], "loss": BITS_PER_NAT * _mean_loss(history[max(0, i - 9) : i + 1]), "run": name}
        for i, row in enumerate(history)
        if i % stride == 0 or i == len(history) - 1
    ]


def load_curve(run: BackgroundRun[Any]) -> list[dict[str, Any]]:
    """Load of the busiest and the idlest expert of any layer by step, 1 being an even share."""
    history = [row for row in list(run.history) if row.get("load")]
    stride = max(1, len(history) // POINTS)
    return [
        {"step": row["step"], "load": pick(times_even(row["load"])), "expert": name}
        for row in history[::stride]
        for name, pick in ((BUSY, max), (IDLE, min))
    ]


def times_even(load: Sequence[Sequence[float]]) -> list[float]:
    """The shares of all experts of all layers, in even shares."""
    return [share * len(layer) for layer in load for share in layer]


def _state(attempt: Attempt | None, before: Attempt | None) -> str:
    if attempt is None:
        return "Press Run for yours: it takes a few seconds, and Stop keeps what was reached."
    return " ".join(filter(None, (_shape(attempt), _balance(attempt.run), _compared(attempt, before))))


def _shape(attempt: Attempt) -> str:
    from gpt4lab.toys.core.transformer import count_parameters

    toy, count = attempt.scenario.mixture, count_parameters(attempt.run.result)
    if toy.experts == 1:
        return f"The dense model: {show(count.total, 'param')}, all of them active."
    return (
        f"{toy.experts} experts, {toy.top_k} for each byte: {show(count.total, 'param')}, of which a byte meets "
        f"{count.active:,}."
    )


def _balance(run: BackgroundRun[Any]) -> str:
    last = run.history[-1] if run.history else {}
    if not last.get("load"):
        return ""
    loads = times_even(last["load"])
    dropped = f" {last['dropped']:.0%} of the choices found their expert full and were dropped."
    words = f"The busiest expert has {max(loads):.1f} even shares, the idlest {min(loads):.2f}."
    return words + (dropped if last["dropped"] else "")


def _compared(attempt: Attempt, before: Attempt | None) -> str:
    here, there = _latest(attempt.run), _latest(before.run) if before else None
    if here is None or there is None or before is None:
        return ""
    shared = min(len(attempt.run.history), len(before.run.history))
    here, there = _latest(attempt.run, shared) or here, _latest(before.run, shared) or there
    return f"At step {shared}: {here:.2f} bits here, {there:.2f} in the run before ({_settings(before.scenario)})."


def _settings(scenario: Scenario) -> str:
    toy = scenario.mixture
    return f"{toy.top_k} of {toy.experts} experts, balance loss {toy.balance_weight:g}, noise {toy.router_noise:g}"


def _latest(run: BackgroundRun[Any], at: int | None = None) -> float | None:
    """Mean loss of the last twenty steps (up to step `at`), in bits per byte."""
    recent = run.history[:at][-20:]
    return BITS_PER_NAT * _mean_loss(recent) if recent else None


def training_chart(view: View) -> Any:
    """Loss above, load below, by step."""
    rows, steps = view.rows["data"], Axis("step", "Training step", form="count")
    bits, shares = Axis("loss", "Loss, bits per byte"), Axis("load", "Load, in even shares", zero=True)
    look: Any = {"recorded": view.rows.get("recorded")}
    loss = line(rows, steps, bits, "run", order=[NOW, BEFORE], last_value=".2f", height=190, **look)
    load = line(rows, steps, shares, "expert", order=[BUSY, IDLE], last_value=".1f", height=110, **look)
    return roomy(stacked(loss, load), right=134, bottom=30)


mixture = Training(
    title="Train a mixture of experts",
    legend="A two-layer transformer learns to predict the next byte of English prose and Python code that came with "
    "your Python. Run starts it, Stop ends it early and keeps what it learned. Above: the loss, fewer bits are better. "
    "Below: how much more than an even share the busiest expert gets, and the idlest.",
    controls=(
        "mixture.experts",
        "mixture.top_k",
        Slide("mixture.capacity", 0.25, 8),
        "mixture.balance_weight",
        "mixture.router_noise",
    ),
    folded=(Slide("mixture.steps", 5, 1000), "luck.seed"),
    presets={
        "2 of 16": "leak",
        "Dense": {"mixture.experts": 1, "mixture.top_k": 1},
        "1 of 16": {"mixture.top_k": 1},
        "8 experts, no balance loss": {"mixture.experts": 8, "mixture.balance_weight": 0.0},
        "Little room": {"mixture.capacity": 1.0, "mixture.balance_weight": 0.0},
    },
    begin=train_mixture,
    watch=training_view,
    chart=training_chart,
)


def _mean_loss(rows: Sequence[Mapping[str, Any]]) -> float:
    return sum(row["loss"] for row in rows) / len(rows)
