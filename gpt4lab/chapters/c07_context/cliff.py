"""Chapter 07: published models and the toy on one axis, scaled by what each was trained on."""

from __future__ import annotations

from functools import cache
from math import inf, log
from statistics import mean, stdev
from typing import Any

import altair as alt

from gpt4lab import catalog
from gpt4lab.catalog.stretched import Stretched, stretched_models
from gpt4lab.charts import Axis, axes
from gpt4lab.charts.compose import added
from gpt4lab.charts.marks import data
from gpt4lab.checks.check import Check, Checks
from gpt4lab.claims.prose import fill
from gpt4lab.formulas.rotary import frequencies, leaving
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.panel import Panel, Slide
from gpt4lab.panels.view import View
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.toys.core.recordings import load_recorded

AT = Axis("at", "Position, over the context that it was made for", log=True, domain=(0.1, 8.5))
LOSS = Axis("loss", "Loss there over loss at the edge of that context", log=True, domain=(0.5, 20))
LINES = {
    "Llama-2-70b-hf": "Llama 2 70B, 4k",
    "Mistral-7B-v0.1": "Mistral 7B, 8k",
    "Yarn-Llama-2-13b-64k": "13B, YaRN to 64k",
    "CodeLlama-13b-hf": "Code Llama 13B, 16k",
}
UNBENT = ("Llama-2-70b-hf", "Mistral-7B-v0.1")
CONTROL = "long from the start"


def model(name: str) -> Stretched:
    """One of the sixteen."""
    return next(its for its in stretched_models() if its.name == name)


@cache
def published() -> tuple[Row, ...]:
    """The four lines: position over trained context, loss over the loss at its edge."""
    return tuple(
        {"at": at / its.reach, "loss": loss / its.at_the_edge, "model": words}
        for name, words in LINES.items()
        for its in [model(name)]
        for at, loss in its.by_position()
    )


@cache
def toy() -> dict[tuple[str, bool], list[tuple[float, list[float]]]]:
    """Recorded: (way, fine-tuned) -> position over trained context, and the bits a byte there by seed."""
    run, found = load_recorded("context"), dict[tuple[str, bool], dict[float, list[float]]]()
    for row in run["results"]:
        by = found.setdefault((row["way"], row["fine_tuned"]), {})
        by.setdefault(row["position"] / run["settings"]["short"], []).append(row["bpb"])
    return {key: sorted(by.items()) for key, by in found.items()}


@cache
def toy_points() -> tuple[Row, ...]:
    """The unbent toy: mean over the seeds of its loss over that at the edge, with one deviation.

    Beyond two trained contexts, where the axis is narrow, one point a context.
    """
    points = toy()["none", False]
    inside = [bpb for at, bpb in points if 0.5 < at < 1]
    edge, parts = [mean(seed) for seed in zip(*inside, strict=True)], dict[float, list[list[float]]]()
    for at, bpb in points:
        relative = [one / e for one, e in zip(bpb, edge, strict=True)]
        parts.setdefault(at if at < 2 else int(at) + 0.5, []).append(relative)
    rows = [(at, [mean(seed) for seed in zip(*part, strict=True)]) for at, part in parts.items()]
    return tuple({"at": at, **_spread(ratios), "label": "the toy" if at == rows[-1][0] else ""} for at, ratios in rows)


def _spread(found: list[float]) -> Row:
    """Mean, and one deviation on either side."""
    return {"loss": mean(found), "low": mean(found) - stdev(found), "high": mean(found) + stdev(found)}


def fallen(name: str, times: float) -> float | None:
    """A model's loss at so many trained contexts, over that at the edge; None where it was not measured."""
    its = model(name)
    longest = max(its.perplexity) / its.reach
    near = min(its.by_position(), key=lambda found: abs(found[0] / its.reach - times))
    return near[1] / its.at_the_edge if times <= longest else None


def cliff_view(scenario: Scenario) -> View:
    """What unbent models lose at the scenario's stretch."""
    times, post = scenario.model.long_context / scenario.model.context, load_scenario("leak")
    theirs = post.model.long_context / post.model.context
    held = [{"at": times}] if 0.1 <= times <= 8.5 else []
    return View(
        label="Loss of unbent Mistral 7B there, over that at its edge",
        value=fallen("Mistral-7B-v0.1", times) or "not measured",
        unit="x",
        post=fallen("Mistral-7B-v0.1", theirs),
        whose="at the post's four times",
        sentence=fill("{model.long_context} are {context.times} the trained context. ", scenario) + _told(times),
        rows={"data": list(published()), "measured": list(toy_points()), "post": [{"at": theirs}], "you": held},
        alt="Loss by position over the loss at the edge: flat or falling up to one, then a cliff in every curve.",
    )


def _told(times: float) -> str:
    if times <= 1:
        return "That is within it: nothing falls, and more context helps a little."
    found = {LINES[name].partition(",")[0]: fallen(name, times) for name in UNBENT}
    said = [f"{words} loses {loss:.1f} times as much there" for words, loss in found.items() if loss]
    far = f"{'; '.join(said)}." if said else "No unbent model was measured so far out."
    return far + " A blind guess among 32,000 tokens would lose about ten times as much."


def cliff_chart(view: View) -> Any:
    """Lines, and the toy's squares with their bars."""
    chart = lines_chart(AT, LOSS, series="model", order=list(LINES.values()))(view)
    low, high = axes.y(LOSS.at("low", " (low)")), alt.Y2("high", title=f"{LOSS.title} (high)")
    bars = data("measured").mark_rule(strokeWidth=1.5, opacity=0.7).encode(axes.x(AT), low, high)
    return added(chart, bars)


cliff = Panel(
    title="One cliff",
    legend="The loss at each position alone, over the loss at the end of what the model was made for. Lines: worked "
    "out from the perplexities that YaRN's authors published, which are means up to each position. Squares: our toy, "
    "recorded, three seeds with one deviation. A loss over a loss needs no unit.",
    controls=(Slide("model.context", 1024, 131_072), Slide("model.long_context", 1024, 524_288)),
    presets={"The post's 8k to 32k": "leak", "Just 10k": {"model.long_context": 10_240}, "GPT-3's 2k": "gpt-3-175b"},
    claims=("C19", "C20"),
    view=cliff_view,
    chart=cliff_chart,
)


def table() -> list[Row]:
    """Every model that was measured, and where it falls; none left out."""
    return [
        {
            "model": its.name,
            "made by": {"none": "nothing: as trained", "base": "a higher base"}.get(its.way, its.way),
            "made for": its.reach,
            "longest text seen": its.seen,
            "measured up to": max(its.perplexity) / its.reach,
            "loss at its edge": its.at_the_edge,
            "twice that at": _fall(its),
        }
        for its in stretched_models()
    ]


def _fall(its: Stretched) -> str:
    if falls := its.falls():
        return f"{falls:.2f}"
    if its.at_the_edge > 2 * log(min(its.perplexity.values())):
        return "before its edge"
    return "nowhere" if max(its.perplexity) > its.reach else "not measured behind it"


def healed() -> list[Row]:
    """The recorded toy in each way: bits a byte within, and at three to four times, before and after fine-tuning."""
    return [
        {
            "way": key[0],
            "fine-tuned": "yes" if key[1] else "no",
            "within": _over(key, 0, 1),
            "at 3 to 4 times": _over(key, 3, 4),
            "at 7 to 8 times": _over(key, 7, 8),
        }
        for key in toy()
    ]


def _over(key: tuple[str, bool], low: float, high: float) -> str:
    seeds = [mean(one) for one in zip(*(bpb for at, bpb in toy()[key] if low <= at < high), strict=True)]
    return f"{mean(seeds):.2f} ± {stdev(seeds):.2f}"


def checks() -> Checks:
    """That a model falls where its trained context ends: predicted 1, found where the loss has doubled."""
    rows = ((its.name, its.falls()) for its in stretched_models())
    return Checks(Check("cliff", 1.0, falls, "x", "yarn-code", name) for name, falls in rows if falls)


def last_loss(name: str) -> float:
    """What a model loses at the last positions that were measured, in nats a token."""
    return list(model(name).by_position())[-1][1]


def perplexity(name: str, context: int) -> float:
    """What was published of a model: over all positions up to a context."""
    return model(name).perplexity[context]


def leaves(first: str, base: float) -> list[float]:
    """With a raised base: after how many tokens the hands leave what the *first* training let them see, in order."""
    width, trained = load_scenario("llama-2-70b").model.head_dim, model(first).reach  # as wide in Mistral
    return sorted(at for at in leaving(frequencies(width, base), width, trained) if at < inf)


def beside(chunk: int = 16_384) -> list[Row]:
    """Code Llama's loss by position, over that of YaRN's model of the same size and reach, on the same texts."""
    pairs = {"7B": ("CodeLlama-7b-hf", "Yarn-Llama-2-7b-128k"), "13B": ("CodeLlama-13b-hf", "Yarn-Llama-2-13b-128k")}
    found = {size: [dict(model(name).by_position()) for name in names] for size, names in pairs.items()}
    hands = leaves("Llama-2-70b-hf", catalog.constants["raised-base"].code_llama)
    return [
        {
            "positions": f"{begin:,} to {begin + chunk:,}",
            "hands that have left": sum(at < begin + chunk for at in hands),
            **{f"{size}, ratio": _ratio(its, yarn, begin, begin + chunk) for size, (its, yarn) in found.items()},
        }
        for begin in range(0, 131_072, chunk)
    ]


def _ratio(ours: dict[float, float], theirs: dict[float, float], begin: int, end: int) -> float:
    shared = [at for at in ours.keys() & theirs.keys() if begin <= at < end]
    return sum(ours[at] for at in shared) / sum(theirs[at] for at in shared)
