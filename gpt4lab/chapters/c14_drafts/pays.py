"""Chapter 14: when a draft pays, what a batch and experts do to it, and what could have answered in 196 ms."""

from __future__ import annotations

from typing import Any

from gpt4lab import catalog
from gpt4lab.charts import Axis, line
from gpt4lab.charts.compose import added
from gpt4lab.charts.marks import pinned, ticks
from gpt4lab.checks.speculation import published
from gpt4lab.panels.panel import Panel, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value, values
from gpt4lab.scenario import Scenario, change, load_scenario
from gpt4lab.units import show

# --- one reader, and a machine that waits for memory ------------------------------------------------------------------

LENGTHS = range(17)
DRAFTED = Axis("gamma", "Tokens drafted for each pass", form="plain", domain=(0, 16))
TIMES = Axis("times", "Times faster than one token a pass", domain=(0, 6))
YOURS, FREE = "your draft", "if drafting took no time"


def pays_view(scenario: Scenario) -> View:
    """Speed-up by draft length: with the draft's own cost, and without."""
    speculation = scenario.speculation
    here = value("speculation.speedup", scenario)
    return View(
        label="Times faster than one token a pass",
        value=here,
        unit="x",
        sentence=_pays(scenario),
        rows={
            "data": [*_by_length(scenario, YOURS), *_by_length(change(scenario, {"speculation.draft_cost": 0}), FREE)],
            "you": [pinned({"gamma": speculation.draft_length, "times": here, "label": "you"}, DRAFTED, TIMES)],
            "published": [_measured(entry) for entry in published()],
            "ticks": [{"gamma": 10, "times": 1, "label": "below this line: slower"}],
        },
        alt="Speed-up against draft length: with the draft's cost it rises, then falls; without, it levels off.",
    )


def _by_length(scenario: Scenario, line_: str) -> list[dict[str, Any]]:
    return [
        {"gamma": g, "times": value("speculation.speedup", scenario, {"speculation.draft_length": g}), "draft": line_}
        for g in LENGTHS
    ]


def _measured(entry: Any) -> dict[str, Any]:
    """One of Leviathan's rows; only the fastest is named."""
    best = max(found.measured["speedup"] for found in published())
    faster = entry.measured["speedup"]
    return {
        "gamma": float(entry.setup["draft_tokens"]),
        "times": faster,
        "label": "T5-XXL, measured 2023" if faster == best else "",
    }


def best_length(scenario: Scenario) -> int:
    """The draft length with the largest speed-up by the theorem."""
    return max(range(65), key=lambda g: value("speculation.speedup", scenario, {"speculation.draft_length": g}))


def _pays(scenario: Scenario) -> str:
    alpha, gamma, cost = (getattr(scenario.speculation, n) for n in ("acceptance", "draft_length", "draft_cost"))
    if best_length(scenario) == 0:
        return (
            f"No draft length pays: guessing a token costs {cost:.0%} of a pass and is right in {alpha:.0%} of the "
            f"cases. A draft must be right more often than it is dear (Corollary 3.9)."
        )
    yields, flop = values(("speculation.tokens_per_pass", "speculation.extra_flop"), scenario).values()
    return (
        f"A pass yields {yields:.2f} of at most {gamma + 1} tokens, and drafting takes {gamma * cost:.2f} passes. A "
        f"token costs {show(flop, 'x')} the FLOP of plain decoding: time is bought with arithmetic."
    )


def pays_chart(view: View) -> Any:
    """Two lines, the published measurements, the reader."""
    rows = view.datasets
    chart = line(
        rows["data"], DRAFTED, TIMES, series="draft", order=[YOURS, FREE], you=rows["you"], published=rows["published"]
    )
    return added(chart, *ticks(DRAFTED, TIMES), ticks=rows["ticks"])


pays = Panel(
    title="When does a draft pay?",
    legend=(
        "How many times faster text comes, by the number of tokens that the draft guesses ahead (Theorem 3.8). "
        "Acceptance is the chance that a guess is kept; draft cost is the time of one guess, in passes of the large "
        "model. Triangles: what Leviathan and colleagues measured, with drafts of their own. The post states no number."
    ),
    controls=(
        Slide("speculation.acceptance", 0, 0.99),
        Slide("speculation.draft_length", 0, 16),
        Slide("speculation.draft_cost", 0, 0.5),
    ),
    presets={
        "A good draft": "leak",
        "Counts of words": {"speculation.acceptance": 0.5, "speculation.draft_cost": 0.0},
        "A dear draft": {"speculation.draft_cost": 0.3, "speculation.draft_length": 7},
        "A hopeless one": {"speculation.acceptance": 0.1, "speculation.draft_cost": 0.2},
    },
    claims=("C75",),
    view=pays_view,
    chart=pays_chart,
)


# --- many readers, and experts ----------------------------------------------------------------------------------------

BATCHES = [2 ** (power / 2) for power in range(8, 33)]
IN_FLIGHT = Axis("batch", "Sequences in flight, on all stages together", log=True, form="count", domain=(16, 65_536))
GAIN = Axis("times", "Times faster with speculation", domain=(0, 4))
EXPERTS, DENSE = "with experts", "dense, as many active weights"
PASS = (
    "speculation.batch_speedup",
    "speculation.check_cost",
    "speculation.checked_tokens",
    "moe.experts_touched",
    "speculation.experts_touched",
    "speculation.compute_s",
    "speculation.pass_s",
)


def crowd_view(scenario: Scenario) -> View:
    """Speed-up by batch: the reader's mixture, and a dense model with its active parameters."""
    found, post = values(PASS, scenario), load_scenario("leak")
    here, batch = found["speculation.batch_speedup"], scenario.serving.tokens_in_flight
    stated = value("speculation.batch_speedup", post)
    return View(
        label="Times faster with speculation",
        value=here,
        unit="x",
        sentence=_crowd(scenario, found),
        rows={
            "data": [*_by_batch(scenario, EXPERTS), *_by_batch(dense_twin(scenario), DENSE)],
            "you": [pinned({"batch": batch, "times": here, "label": "you"}, IN_FLIGHT, GAIN)],
            "post": [
                {
                    "batch": post.serving.tokens_in_flight,
                    "times": stated,
                    "label": "the post’s model, its source’s batch",
                }
            ],
            "ticks": [{"batch": 100, "times": 1, "label": "below this line: slower"}],
        },
        alt="Speed-up against batch: with experts a hump in the middle, dense a plateau that falls early.",
    )


def dense_twin(scenario: Scenario) -> Scenario:
    """One expert with as many parameters as a token's experts have together."""
    model = scenario.model
    one = {"model.experts": 1, "model.top_k": 1, "model.other_experts": 1}
    return change(scenario, {**one, "model.expert_params": model.top_k * model.expert_params})


def _by_batch(scenario: Scenario, line_: str) -> list[dict[str, Any]]:
    name = "speculation.batch_speedup"
    return [
        {"batch": b, "times": value(name, scenario, {"serving.tokens_in_flight": b}), "model": line_} for b in BATCHES
    ]


def _crowd(scenario: Scenario, found: dict[str, float]) -> str:
    checked, cost, gain = (found[f"speculation.{name}"] for name in ("checked_tokens", "check_cost", "batch_speedup"))
    before, after = found["moe.experts_touched"], found["speculation.experts_touched"]
    end = "Speculation pays." if gain > 1.05 else "Speculation slows it down." if gain < 0.95 else "Nothing is gained."
    return (
        f"A checking pass reads {checked:,.0f} tokens at each stage; it wakes {after:.1f} of {scenario.model.experts} "
        f"experts where a plain one wakes {before:.1f}, and lasts {show(cost, 'x')} as long{_why(found)}. {end}"
    )


def _why(found: dict[str, float]) -> str:
    """What makes a checking pass longer than a plain one."""
    if found["speculation.check_cost"] < 1.02:
        return ": checking is free here"
    computes = found["speculation.compute_s"] >= found["speculation.pass_s"]
    return ", because it has more to compute" if computes else ", because it has more experts to read"


def crowd_chart(view: View) -> Any:
    """Two lines by batch, the post's model and batch, the reader."""
    rows = view.datasets
    chart = line(
        rows["data"], IN_FLIGHT, GAIN, series="model", order=[EXPERTS, DENSE], you=rows["you"], post=rows["post"]
    )
    return added(chart, *ticks(IN_FLIGHT, GAIN), ticks=rows["ticks"])


crowd = Panel(
    title="What a batch and experts do to it",
    legend=(
        "The same speed-up when many sequences are decoded together, on the roofline of the machines: a pass reads "
        "the experts that its tokens need, or computes, whichever takes longer. One line is the mixture, the other a "
        "dense model with as many active weights. The diamond is the post's model at its source's batch, with a good "
        "draft of four tokens assumed."
    ),
    controls=(
        Slide("serving.tokens_in_flight", 16, 65_536),
        Slide("model.experts", 2, 128),
        Slide("speculation.draft_length", 0, 16),
        Slide("speculation.acceptance", 0, 0.99),
        "serving.accelerator",
        Slide("speculation.draft_cost", 0, 0.5),
    ),
    folded=(
        "model.top_k",
        Slide("serving.pipeline", 1, 60),
        Slide("serving.bytes_per_weight", 0.5, 4),
        Slide("serving.mean_context", 1, 131_072),
    ),
    presets={
        "The source's batch": "leak",
        "One reader a stage": {"serving.tokens_in_flight": 16},
        "A thousand": {"serving.tokens_in_flight": 1024},
        "Very full": {"serving.tokens_in_flight": 16_384},
        "64 experts, one reader": {"model.experts": 64, "serving.tokens_in_flight": 16},
    },
    claims=("C73", "C75"),
    view=crowd_view,
    chart=crowd_chart,
)


# --- what was measured from outside -----------------------------------------------------------------------------------

OBSERVED = ("gpt-4-2023-spring", "gpt-4-2023-later")


def explanations() -> list[dict[str, Any]]:
    """Time per token on the post's machines under one change or two, beside what users measured."""
    eight, newer = {"serving.bytes_per_weight": 1}, {"serving.accelerator": "h100-sxm-80gb"}
    few, small = {"serving.tokens_in_flight": 64}, {"model.expert_params": 55.5e9, "model.shared_params": 27.5e9}
    changes: dict[str, tuple[str, dict[str, Any]]] = {
        "as the post and its source have it": ("decode.latency", {}),
        "four tokens drafted, 80% kept": ("speculation.token_s", {}),
        "64 sequences in flight": ("decode.latency", few),
        "weights in 8 bits": ("decode.latency", eight),
        "H100 instead of A100": ("decode.latency", newer),
        "a model of half the size": ("decode.latency", small),
        "8 bits on H100": ("decode.latency", {**eight, **newer}),
        "8 bits, 64 in flight": ("decode.latency", {**eight, **few}),
        "64 in flight, drafts": ("speculation.token_s", few),
    }
    return [_explained(words, name, changed) for words, (name, changed) in changes.items()]


def _explained(words: str, name: str, changed: dict[str, Any]) -> dict[str, Any]:
    least = float(value(name, change(load_scenario("leak"), changed)))
    row: dict[str, Any] = {"if": words, "least time a token": show(least, "s")}
    for key in OBSERVED:
        seen = float(catalog.latencies[key].need("ms_per_token"))
        row[f"{seen:.0f} ms measured"] = "possible" if 1e3 * least <= seen else "too slow"
    return row
