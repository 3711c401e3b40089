"""Chapter 14: when a draft pays, what a batch and experts do to it, and what could have answered in 196 ms."""

from __future__ import annotations

from typing import Any

from gpt4lab import catalog
from gpt4lab.charts import Axis
from gpt4lab.checks.speculation import published
from gpt4lab.panels.curve import Curve, Lines
from gpt4lab.panels.panel import Slide
from gpt4lab.quantities import value, values
from gpt4lab.scenario import Scenario, change, load_scenario
from gpt4lab.units import show

# --- one reader, and a machine that waits for memory ------------------------------------------------------------------


def _measured_by_leviathan(_: Scenario) -> dict[str, Any]:
    """Their rows, of which only the fastest is named; and the line that nobody wants to fall below."""
    best = max(entry.measured["speedup"] for entry in published())
    points = [
        {
            "gamma": float(entry.setup["draft_tokens"]),
            "times": entry.measured["speedup"],
            "label": "T5-XXL, measured 2023" if entry.measured["speedup"] == best else "",
        }
        for entry in published()
    ]
    return {"published": points, "ticks": [{"gamma": 10, "times": 1, "label": "below this line: slower"}]}


def best_length(scenario: Scenario) -> int:
    """The draft length with the largest speed-up by the theorem."""
    return max(range(65), key=lambda g: value("speculation.speedup", scenario, {"speculation.draft_length": g}))


def _whether_it_pays(scenario: Scenario) -> str:
    if best_length(scenario) == 0:
        return (
            "No draft length pays: guessing a token costs {speculation.draft_cost:.0%} of a pass and is right in "
            "{speculation.acceptance:.0%} of the cases. A draft must be right more often than it is dear "
            "(Corollary 3.9)."
        )
    gamma, cost = scenario.speculation.draft_length, scenario.speculation.draft_cost
    return (
        f"A pass yields {{speculation.tokens_per_pass:.2f}} of at most {gamma + 1} tokens, and drafting takes "
        f"{gamma * cost:.2f} passes. A token costs {{speculation.extra_flop}} the FLOP of plain decoding: time is "
        "bought with arithmetic."
    )


pays = Curve(
    title="When does a draft pay?",
    legend="How many times faster text comes, by the number of tokens that the draft guesses ahead (Theorem 3.8). "
    "Acceptance is the chance that a guess is kept; draft cost is the time of one guess, in passes of the large "
    "model. Triangles: what Leviathan and colleagues measured, with drafts of their own. The post states no number.",
    of="speculation.speedup",
    along="speculation.draft_length",
    at=range(17),
    x=Axis("gamma", "Tokens drafted for each pass", form="plain", domain=(0, 16)),
    y=Axis("times", "Times faster than one token a pass", domain=(0, 6)),
    series="draft",
    lines={"your draft": {}, "if drafting took no time": {"speculation.draft_cost": 0}},
    post=None,
    also=_measured_by_leviathan,
    label="Times faster than one token a pass",
    says=_whether_it_pays,
    alt="Speed-up against draft length: with the draft's cost it rises, then falls; without, it levels off.",
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
)


# --- many readers, and experts ----------------------------------------------------------------------------------------


def dense_twin(scenario: Scenario) -> dict[str, float]:
    """What makes the model dense: one expert with as many parameters as a token's experts have together."""
    model = scenario.model
    one = {"model.experts": 1, "model.top_k": 1, "model.other_experts": 1}
    return {**one, "model.expert_params": model.top_k * model.expert_params}


def _mixture_and_dense(scenario: Scenario) -> Lines:
    return {"with experts": {}, "dense, as many active weights": dense_twin(scenario)}


def _post_and_level(_: Scenario) -> dict[str, Any]:
    post = load_scenario("leak")
    batch, times = post.serving.tokens_in_flight, value("speculation.batch_speedup", post)
    return {
        "post": [{"batch": batch, "times": times, "label": "the post’s model, its source’s batch"}],
        "ticks": [{"batch": 100, "times": 1, "label": "below this line: slower"}],
    }


def _what_the_batch_does(scenario: Scenario) -> str:
    gain = value("speculation.batch_speedup", scenario)
    end = "Speculation pays." if gain > 1.05 else "Speculation slows it down." if gain < 0.95 else "Nothing is gained."
    return (
        "A checking pass reads {speculation.checked_tokens:,.0f} tokens at each stage; it wakes "
        "{speculation.experts_touched:.1f} of {model.experts:d} experts where a plain one wakes "
        f"{{moe.experts_touched:.1f}}, and lasts {{speculation.check_cost}} as long{_why(scenario)}. {end}"
    )


def _why(scenario: Scenario) -> str:
    """What makes a checking pass longer than a plain one."""
    names = ("speculation.check_cost", "speculation.compute_s", "speculation.pass_s")
    cost, computing, whole = values(names, scenario).values()
    if cost < 1.02:
        return ": checking is free here"
    return ", because it has more to compute" if computing >= whole else ", because it has more experts to read"


crowd = Curve(
    title="What a batch and experts do to it",
    legend="The same speed-up when many sequences are decoded together, on the roofline of the machines: a pass reads "
    "the experts that its tokens need, or computes, whichever takes longer. One line is the mixture, the other a "
    "dense model with as many active weights. The diamond is the post's model at its source's batch, with a good "
    "draft of four tokens assumed.",
    of="speculation.batch_speedup",
    along="serving.tokens_in_flight",
    at=[2 ** (power / 2) for power in range(8, 33)],
    x=Axis("batch", "Sequences in flight, on all stages together", log=True, form="count", domain=(16, 65_536)),
    y=Axis("times", "Times faster with speculation", domain=(0, 4)),
    series="model",
    lines=_mixture_and_dense,
    post=None,
    also=_post_and_level,
    label="Times faster with speculation",
    says=_what_the_batch_does,
    alt="Speed-up against batch: with experts a hump in the middle, dense a plateau that falls early.",
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
