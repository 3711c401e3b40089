"""Chapter 10: the published points, fitted again as they are dropped; and every way to drop them at once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import log

from attrs import asdict

from gpt4lab.catalog.chinchilla import trained_points
from gpt4lab.chapters.c10_chinchilla.needle import TICKS, claimed, share
from gpt4lab.charts import Axis
from gpt4lab.charts.drawing import Box, Dot, Scene, Shape, Stroke, Strokes, Words
from gpt4lab.charts.marks import pinned
from gpt4lab.models.chinchilla import Law, band, best_for, left_out, misfit, refit
from gpt4lab.models.in_scenario import choice_in
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Pull, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value, values
from gpt4lab.quantities.topics.scaling import loss, tokens_of
from gpt4lab.scenario import Scenario, change
from gpt4lab.scenario.live import ORDERS
from gpt4lab.units import show

DRAWS = 60  # of a bootstrap
CHOICES = (Slide("chinchilla.dropped", 0, 60), "chinchilla.order", "chinchilla.counts", "chinchilla.delta")


def ours(scenario: Scenario, **more: str) -> Scenario:
    """The scenario, with the law that is fitted here."""
    return change(scenario, {"chinchilla.law": "fitted here"} | {f"chinchilla.{name}": v for name, v in more.items()})


def word(ratio: float) -> str:
    """What an answer makes of the post's sentence."""
    low, high = claimed()
    if low <= ratio <= high:
        return "By these choices the post’s sentence holds: twice the tokens would have been best."
    times = f"the model saw {1 / ratio:.2g} times more than" if ratio < 1 else f"{ratio:.2g} times the tokens"
    return f"The post is wrong: {times} {'was' if ratio < 1 else 'would have been'} best."


# --- the points -------------------------------------------------------------------------------------------------------

LEFT, RIGHT, TOP, FLOOR, RULER = 40, 545, 14, 236, 322  # px
SIZES, LOSSES = (4e7, 2.5e10), (1.95, 5.4)  # ends of the axes
LISTED = 3.2  # nats: a loss above it stands in the table
BUDGETS = {1e19: "10¹⁹", 1e20: "10²⁰", 1e21: "10²¹", 1e22: "10²²"}
TABLE = {"number": "Training", "params": "Parameters", "flop": "FLOP", "loss": "Loss", "off": "Law over loss, %"}


def _x(N: float) -> float:
    return LEFT + (RIGHT - LEFT) * log(N / SIZES[0]) / log(SIZES[1] / SIZES[0])


def _y(L: float) -> float:
    return FLOOR - (FLOOR - TOP) * log(L / LOSSES[0]) / log(LOSSES[1] / LOSSES[0])


def _frame() -> Iterator[Shape]:
    yield Stroke("floor", LEFT, FLOOR, RIGHT, FLOOR, "soft")
    for N, words in {1e8: "100M", 1e9: "1B", 1e10: "10B parameters"}.items():
        yield Words(f"size-{words}", _x(N), FLOOR + 16, words, "soft small", "middle")
    for L in (2, 3, 4, 5):
        yield Stroke(f"loss-{L}", LEFT, _y(L), RIGHT, _y(L), "faint pale")
        yield Words(f"loss-words-{L}", LEFT - 6, _y(L) + 4, f"{L}", "soft small", "end")
    yield Words("loss-words", LEFT, TOP - 2, "loss; the law at four budgets, FLOP", "soft small")


def _valleys(law: Law) -> Iterator[Shape]:
    for C, words in BUDGETS.items():
        sizes = [SIZES[0] * (SIZES[1] / SIZES[0]) ** (step / 60) for step in range(61)]
        there = ((N, loss(N, tokens_of(C, N), law.E, law.A, law.alpha, law.B, law.beta)) for N in sizes)
        line = [(_x(N), _y(L)) for N, L in there if LOSSES[1] >= L]
        yield Strokes(f"valley-{C:g}", [(*here, *on) for here, on in pairwise(line)], "soft")
        yield Words(f"valley-words-{C:g}", line[-1][0] + 4, line[-1][1] + 4, words, "soft small")


def _points(law: Law, out: frozenset[int]) -> Iterator[Shape]:
    for point in trained_points():
        look, state = ("vermillion outline", "left out") if point.number in out else ("blue", "in the fit")
        tip = f"Training {point.number}, {state}: {show(point.params, 'param')}, {show(point.tokens, 'token')}, loss "
        tip += f"{point.loss:.2f}, law {100 * misfit(law, point):+.1f}%"
        yield Dot(f"point-{point.number}", _x(point.params), _y(point.loss), 4, f"{look} press", tip)


def _on_ruler(ratio: float) -> float:
    return LEFT + (RIGHT - LEFT) * share(ratio)


def _ruler(scenario: Scenario) -> Iterator[Shape]:
    """The answer by both ways to count."""
    low, high = map(_on_ruler, claimed())
    yield Box("claim", low, RULER - 40, high - low, 46, "soft pale")
    yield Words("claim-words", (low + high) / 2, RULER - 46, "the post: 2×", "small bold", "middle")
    yield Stroke("ruler", LEFT, RULER, RIGHT, RULER, "ink")
    for tick in TICKS:
        yield Stroke(f"tick-{tick}", _on_ruler(tick), RULER - 4, _on_ruler(tick), RULER + 4, "ink")
        yield Words(f"tick-words-{tick}", _on_ruler(tick), RULER + 18, f"{tick:g}×", "soft small", "middle")
    yield Words("ruler-words", LEFT, RULER + 38, "best number of tokens over the stated one", "soft small")
    for counts, look, up in (("active", "blue", 12), ("all", "orange", 28)):
        ratio = value("chinchilla.ratio", ours(scenario, counts=counts))
        x, back = _on_ruler(ratio), ratio > TICKS[-2] / 3
        yield Stroke(f"answer-{counts}", x, RULER - up, x, RULER + 8, f"{look} thick")
        yield Dot(f"answer-dot-{counts}", x, RULER - up, 6, look)
        words, side = f"{counts}: {show(ratio, 'x')}", "end" if back else "start"
        yield Words(f"answer-words-{counts}", x + (-10 if back else 10), RULER - up + 4, words, f"{look} bold", side)


def picture(scenario: Scenario, law: Law, out: frozenset[int]) -> Scene:
    """Points with the law's valleys through them, and what the law says below, on a ruler."""
    listed = [point for point in trained_points() if point.number in out or point.loss > LISTED]
    rows = [{**asdict(point), "off": round(100 * misfit(law, point), 1)} for point in listed]
    return Scene(
        [*_frame(), *_valleys(law), *_points(law, out), *_ruler(scenario)],
        RULER + 48,
        f"{len(trained_points())} trainings by size and loss, {len(out)} of them left out, with the fitted law; below, "
        "on a ruler, how many times the stated tokens are best.",
        titles=TABLE,
        rows=rows,
    )


def picture_view(scenario: Scenario) -> View:
    """The answer for the chosen size, and the law behind it."""
    here = ours(scenario)
    choice, ratio = choice_in(here), value("chinchilla.ratio", here)
    law, out = refit(choice), left_out(choice)
    return View(
        label="Best number of tokens over the stated one",
        value=ratio,
        unit="x",
        post=2.0,
        sentence=f"{word(ratio)} {len(out) or 'No'} {'point is' if len(out) == 1 else 'points are'} left out; the "
        f"other {len(trained_points()) - len(out)} give E = {law.E:.3f}, A = {law.A:.0f}, B = {law.B:,.0f}, α = "
        f"{law.alpha:.3f}, β = {law.beta:.3f}: the best size grows with the power "
        f"{value('chinchilla.exponent', here):.3f} of compute.",
        scenes=[picture(scenario, law, out)],
    )


def pressing(scenario: Scenario, key: str) -> dict[str, str]:
    """A point that is pressed leaves the fit, or comes back."""
    number, out = key.partition("-")[2], set(scenario.chinchilla.without.split())
    return {"chinchilla.without": " ".join(sorted(out ^ {number}, key=int))}


points = Drawn(
    title="Fit Chinchilla again",
    legend="Each dot is a training of the paper, by size and loss; lines are what the law gives at four budgets. Click "
    "a dot to leave it out, and again to bring it back, or write its number. Rings are left out. Below: the answer, "
    "counting what a token meets and counting all.",
    controls=(*CHOICES, "chinchilla.without"),
    folded=(Slide("training.tokens", 1e12, 1e14),),
    start="leak?chinchilla.counts=all",
    presets={
        "None dropped": {"chinchilla.dropped": 0},
        "Epoch: five": {},
        "The twenty of highest loss": {"chinchilla.dropped": 20},
        "The twenty that fit worst": {"chinchilla.dropped": 20, "chinchilla.order": ORDERS[2]},
    },
    tour=(
        ({"chinchilla.dropped": 0}, "All points: {chinchilla.ratio} the stated tokens was best. It saw too many."),
        ({}, "The five of highest loss are out, and the best is {chinchilla.ratio}. So chosen, the sentence holds."),
        ({"chinchilla.dropped": 20}, "Twenty are out: {chinchilla.ratio}. The post asked for too little."),
    ),
    claims=("C85", "C87"),
    view=picture_view,
    pressing=pressing,
    speed="debounced",
)


# --- every way to drop them -------------------------------------------------------------------------------------------

TRIED = (0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40, 60)
DROPPED = Axis("dropped", "Points dropped", domain=(0, 60))
RATIO = Axis("ratio", "Best number of tokens over the stated one", log=True, domain=(0.03, 100))


def ways_view(scenario: Scenario) -> View:
    """The answer against the number dropped, for each order, with the band of the draws where the reader stands."""
    here = ours(scenario)
    names = ("chinchilla.size", "training.tokens", "chinchilla.ratio")
    choice, (size, stated, ratio) = choice_in(here), values(names, here).values()
    low, high = (tokens / stated for tokens in band(choice, size, DRAWS, scenario.luck.seed))
    tried = [(k, order, refit(choice._replace(dropped=k, order=order))) for order in ORDERS for k in TRIED]
    ends = {low: "a tenth of the draws below", high: "a tenth above"}
    both = f"{show(low, 'x')} and {show(high, 'x')}"
    return View(
        label="Four in five draws lie between",
        value=both,
        sentence=f"{word(ratio)} Draw the points that stay anew, {DRAWS} times, with replacement: four fifths of the "
        f"answers lie between {both}{_holds(low, high)}.",
        rows={
            "data": [{"dropped": k, "ratio": best_for(law, size) / stated, "order": order} for k, order, law in tried],
            "you": [pinned({"dropped": choice.dropped, "ratio": ratio}, DROPPED, RATIO)],
            "post": [{"ratio": 2.0, "label": "the post: 2×"}],
            "ticks": [{"dropped": choice.dropped, "ratio": end, "label": label} for end, label in ends.items()],
        },
        alt="Best tokens over stated against the number of points dropped, one line for each order of dropping.",
    )


def _holds(low: float, high: float) -> str:
    return ", which holds both “it saw just enough” and “twice as many”" if low <= 1 and high >= 2 else ""


ways = Panel(
    title="Every way to drop them",
    legend="Each line drops the points in another order. Your dot is your own choice; the two small ones are the ends "
    "of what chance alone would make of it (a bootstrap).",
    controls=CHOICES,
    folded=("luck.seed", "chinchilla.without", Slide("training.tokens", 1e12, 1e14)),
    start="leak?chinchilla.counts=all",
    presets={"All parameters": {}, "What a token meets": "leak", "Squares, not Huber": {"chinchilla.delta": 0.3}},
    claims=("C85",),
    view=ways_view,
    chart=lines_chart(DROPPED, RATIO, series="order", order=ORDERS, right=170),
    speed="debounced",
    pulls={"dropped": Pull("chinchilla.dropped")},
)
