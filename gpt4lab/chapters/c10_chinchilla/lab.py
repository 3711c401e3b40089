"""Chapter 10: the published points, fitted again as they are dropped; and every way to drop them at once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from math import log
from typing import Any

from gpt4lab.catalog.chinchilla import TrainedPoint, trained_points
from gpt4lab.chapters.c10_chinchilla.needle import claimed
from gpt4lab.charts import Axis
from gpt4lab.charts.drawing import Box, Dot, Scene, Shape, Stroke, Strokes, Words
from gpt4lab.charts.marks import pinned
from gpt4lab.models.chinchilla import Choice, Law, bootstrap, left_out, misfit, refit
from gpt4lab.models.in_scenario import choice_in
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.panel import Panel, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value, values
from gpt4lab.quantities.topics.scaling import balance, best_tokens, loss, tokens_of
from gpt4lab.scenario import Scenario, change
from gpt4lab.scenario.live import ORDERS
from gpt4lab.units import show

OURS = "chinchilla.law"
DRAWS = 60


def ours(scenario: Scenario) -> Scenario:
    """The scenario, with the law that is fitted here."""
    return change(scenario, {OURS: "fitted here"})


def ratio_by(law: Law, scenario: Scenario) -> float:
    """Best tokens for the chosen size over the stated ones."""
    size, stated = values(("chinchilla.size", "training.tokens"), scenario).values()
    return best_tokens(size, balance(law.alpha, law.beta, law.A, law.B), law.alpha, law.beta) / stated


@lru_cache(maxsize=64)
def _drawn(choice: Choice, seed: int) -> list[Law]:
    return bootstrap(choice, DRAWS, seed)


def band(scenario: Scenario) -> tuple[float, float]:
    """What the middle four fifths of the draws say of the ratio."""
    found = sorted(ratio_by(law, scenario) for law in _drawn(choice_in(ours(scenario)), scenario.luck.seed))
    return found[DRAWS // 10], found[-1 - DRAWS // 10]


def word(ratio: float) -> str:
    """What the needle says of the post's sentence."""
    low, high = claimed()
    if low <= ratio <= high:
        return "The post is right: twice the tokens would have been best."
    if ratio < 1:
        return f"The post is wrong: the model saw {1 / ratio:.2g} times more than was best."
    return f"The post is wrong: {show(ratio, 'x')} the tokens would have been best."


# --- the points -------------------------------------------------------------------------------------------------------

LEFT, RIGHT, TOP, FLOOR = 40, 600, 14, 236  # px of the picture of the points
SIZES, LOSSES = (4e7, 2.5e10), (1.95, 5.4)
RULER, SCALE = 306, (0.1, 30.0)  # px from the top, and the ends of the ruler
BUDGETS = {1e19: "10¹⁹ FLOP", 1e20: "10²⁰", 1e21: "10²¹", 1e22: "10²²"}


def _x(N: float) -> float:
    return LEFT + (RIGHT - LEFT) * log(N / SIZES[0]) / log(SIZES[1] / SIZES[0])


def _y(L: float) -> float:
    return FLOOR - (FLOOR - TOP) * log(L / LOSSES[0]) / log(LOSSES[1] / LOSSES[0])


def _on_ruler(ratio: float) -> float:
    held = min(max(ratio, SCALE[0]), SCALE[1])
    return LEFT + (RIGHT - LEFT) * log(held / SCALE[0]) / log(SCALE[1] / SCALE[0])


def picture(scenario: Scenario) -> Scene:
    """Points with the law's valleys through them, and what the law says below, on a ruler."""
    choice = choice_in(ours(scenario))
    law, out = refit(choice), left_out(choice)
    worst = sorted(trained_points(), key=lambda point: -point.loss)[:12]
    listed = [point for point in trained_points() if point.number in out or point in worst]
    return Scene(
        [*_frame(), *_valleys(law), *_points(law, out), *_ruler(scenario)],
        RULER + 48,
        f"{len(trained_points())} trainings by size and loss, {len(out)} of them left out, with the fitted law; below, "
        "on a ruler, how many times the stated tokens are best.",
        titles={
            "number": "Training", "N": "Parameters", "D": "Tokens", "loss": "Loss, nats a token",
            "off": "Law over loss, %", "kept": "In the fit",
        },
        rows=[_row(law, point, out) for point in listed],
    )  # fmt: skip


def _row(law: Law, point: TrainedPoint, out: frozenset[int]) -> dict[str, Any]:
    off = round(100 * misfit(law, point), 1)
    kept = "left out" if point.number in out else "yes"
    return {
        "number": point.number,
        "N": point.params,
        "D": point.tokens,
        "loss": point.loss,
        "off": off,
        "kept": kept,
    }


def _frame() -> Iterator[Shape]:
    yield Stroke("floor", LEFT, FLOOR, RIGHT, FLOOR, "soft")
    for N, words in {1e8: "100M", 1e9: "1B", 1e10: "10B parameters"}.items():
        yield Words(f"size-{words}", _x(N), FLOOR + 16, words, "soft small", "middle")
    for L in (2, 3, 4, 5):
        yield Stroke(f"loss-{L}", LEFT, _y(L), RIGHT, _y(L), "faint pale")
        yield Words(f"loss-words-{L}", LEFT - 6, _y(L) + 4, f"{L}", "soft small", "end")
    yield Words("loss-words", LEFT, TOP - 2, "loss, nats a token", "soft small")


def _valleys(law: Law) -> Iterator[Shape]:
    for C, words in BUDGETS.items():
        sizes = [SIZES[0] * (SIZES[1] / SIZES[0]) ** (step / 60) for step in range(61)]
        line = [(_x(N), _y(L)) for N in sizes if (L := _loss(law, C, N)) <= LOSSES[1]]
        yield Strokes(f"valley-{C:g}", [(*here, *there) for here, there in pairwise(line)], "soft")
        yield Words(f"valley-words-{C:g}", line[0][0] + 4, line[0][1] - 5, words, "soft small")


def _loss(law: Law, C: float, N: float) -> float:
    return loss(N, tokens_of(C, N), law.E, law.A, law.alpha, law.B, law.beta)


def _points(law: Law, out: frozenset[int]) -> Iterator[Shape]:
    for point in trained_points():
        look = "vermillion outline" if point.number in out else "blue"
        state = "left out" if point.number in out else "in the fit"
        tip = f"Training {point.number}, {state}: {show(point.params, 'param')}, {show(point.tokens, 'token')}, loss "
        tip += f"{point.loss:.2f}, law {100 * misfit(law, point):+.1f}%"
        yield Dot(f"point-{point.number}", _x(point.params), _y(point.loss), 4, f"{look} press", tip)


def _ruler(scenario: Scenario) -> Iterator[Shape]:
    """The answer by both ways to count."""
    low, high = map(_on_ruler, claimed())
    yield Box("claim", low, RULER - 26, high - low, 32, "soft pale")
    yield Words("claim-words", (low + high) / 2, RULER - 32, "the post: 2×", "small bold", "middle")
    yield Stroke("ruler", LEFT, RULER, RIGHT, RULER, "ink")
    for tick in (0.1, 0.3, 1, 3, 10, 30):
        yield Stroke(f"tick-{tick}", _on_ruler(tick), RULER - 4, _on_ruler(tick), RULER + 4, "ink")
        yield Words(f"tick-words-{tick}", _on_ruler(tick), RULER + 18, f"{tick:g}×", "soft small", "middle")
    yield Words("ruler-words", LEFT, RULER + 38, "best number of tokens over the stated one", "soft small")
    for counts, look in (("active", "blue"), ("all", "orange")):
        ratio = value("chinchilla.ratio", change(ours(scenario), {"chinchilla.counts": counts}))
        x = _on_ruler(ratio)
        yield Stroke(f"answer-{counts}", x, RULER - 12, x, RULER + 8, f"{look} thick")
        yield Dot(f"answer-dot-{counts}", x, RULER - 12, 6, look)
        yield Words(f"answer-words-{counts}", x + 10, RULER - 8, f"{counts}: {show(ratio, 'x')}", f"{look} bold")


def picture_view(scenario: Scenario) -> View:
    """The answer for the chosen size, and the law behind it."""
    here = ours(scenario)
    choice = choice_in(here)
    law, ratio, out = refit(choice), value("chinchilla.ratio", here), len(left_out(choice))
    return View(
        label="Best number of tokens over the stated one",
        value=ratio,
        unit="x",
        post=2.0,
        sentence=f"{word(ratio)} {out or 'No'} {'point is' if out == 1 else 'points are'} left out; the other "
        f"{len(trained_points()) - out} give E = {law.E:.3f}, A = {law.A:.0f}, B = {law.B:,.0f}, "
        f"α = {law.alpha:.3f}, β = {law.beta:.3f}, so the best size grows with the power "
        f"{law.beta / (law.alpha + law.beta):.3f} of compute.",
        scenes=[picture(scenario)],
    )


def pressing(scenario: Scenario, key: str) -> dict[str, str]:
    """A point that is pressed leaves the fit, or comes back."""
    number, out = key.partition("-")[2], set(scenario.chinchilla.without.split())
    return {"chinchilla.without": " ".join(sorted(out ^ {number}, key=int))}


points = Drawn(
    title="Fit Chinchilla again",
    legend="Each dot is a training of the paper, by size and loss; lines are what the fitted law gives at four budgets. "
    "Click a dot to leave it out, and again to bring it back; or write its number. Red rings are left out. Below: the "
    "answer, counting what a token meets and counting all.",
    controls=(
        Slide("chinchilla.dropped", 0, 30),
        "chinchilla.order",
        "chinchilla.counts",
        "chinchilla.delta",
        "chinchilla.without",
    ),
    folded=(Slide("training.tokens", 1e12, 1e14),),
    start="leak?chinchilla.counts=all",
    presets={
        "None dropped": {"chinchilla.dropped": 0},
        "Epoch: five": {},
        "The twenty of highest loss": {"chinchilla.dropped": 20},
        "The twenty that fit worst": {"chinchilla.dropped": 20, "chinchilla.order": ORDERS[2]},
        "What a token meets": "leak",
    },
    claims=("C85",),
    view=picture_view,
    pressing=pressing,
    speed="debounced",
)


# --- every way to drop them ---------------------------------------------------------------------------------------

TRIED = (0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40, 60)
DROPPED = Axis("dropped", "Points dropped", domain=(0, 60))
RATIO = Axis("ratio", "Best number of tokens over the stated one", log=True, domain=(0.03, 100))


def ways_view(scenario: Scenario) -> View:
    """The answer against the number dropped, for each order, with the band of the draws where the reader stands."""
    here = ours(scenario)
    choice, ratio, (low, high) = choice_in(here), value("chinchilla.ratio", here), band(scenario)
    rows = [
        {"dropped": k, "ratio": ratio_by(refit(choice._replace(dropped=k, order=order)), here), "order": order}
        for order in ORDERS
        for k in TRIED
    ]
    ends = [{"dropped": choice.dropped, "ratio": there, "label": words} for there, words in ((low, "10% lie below"), (high, "10% lie above"))]
    return View(
        label="Four in five draws lie between",
        value=f"{show(low, 'x')} and {show(high, 'x')}",
        sentence=f"{word(ratio)} Draw the points that stay anew, {DRAWS} times, with replacement: four fifths of the "
        f"answers lie between {show(low, 'x')} and {show(high, 'x')}{_holds(low, high)}.",
        rows={
            "data": rows,
            "you": [pinned({"dropped": choice.dropped, "ratio": ratio}, DROPPED, RATIO)],
            "post": [{"ratio": 2.0, "label": "the post: 2×"}],
            "ticks": ends,
        },
        alt="Best tokens over stated against the number of points dropped, one line for each order of dropping.",
    )


def _holds(low: float, high: float) -> str:
    words = [text for at, text in ((1, "“it saw just enough”"), (2, "“it should have seen twice as many”")) if low <= at <= high]
    return f", which holds {' and '.join(words)}" if words else ""


ways = Panel(
    title="Every way to drop them",
    legend="Each line drops points in another order. Your dot is your own choice, the two small ones are the ends of "
    "what chance alone would make of it (a bootstrap).",
    controls=("chinchilla.order", Slide("chinchilla.dropped", 0, 60), "chinchilla.counts", "chinchilla.delta", "luck.seed"),
    folded=(Slide("training.tokens", 1e12, 1e14), "chinchilla.without"),
    start="leak?chinchilla.counts=all",
    presets={"All parameters": {}, "What a token meets": "leak", "Squares instead of Huber": {"chinchilla.delta": 0.3}},
    claims=("C85",),
    view=ways_view,
    chart=lines_chart(DROPPED, RATIO, series="order", order=ORDERS, right=150),
    speed="debounced",
)
