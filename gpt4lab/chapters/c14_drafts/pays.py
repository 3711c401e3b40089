"""Chapter 14: when a draft pays, what a batch and experts do to it, and what could have answered in 196 ms."""

from __future__ import annotations

from typing import Any

from gpt4lab import catalog
from gpt4lab.catalog.acceptance import acceptance_curves
from gpt4lab.charts import Axis
from gpt4lab.checks.speculation import published
from gpt4lab.panels.curve import Curve, Lines
from gpt4lab.panels.setting import Slide
from gpt4lab.quantities import value, values
from gpt4lab.scenario import Scenario, change, load_scenario
from gpt4lab.units import show

# --- one reader, and a machine that waits for memory ------------------------------------------------------------------


def _sped_up() -> list[catalog.Measurement]:
    """Every measured speed-up of the catalog."""
    return [entry for entry in catalog.measurements.values() if entry.topic == "speculation"]


def gain(entry: catalog.Measurement) -> float:
    """How many times faster it was, as published or as two rates say."""
    found = entry.measured
    return found["speedup"] if "speedup" in found else found["tokens_per_s"] / found["tokens_per_s_without"]


def _by_length(_: Scenario) -> dict[str, Any]:
    """All of them with a known draft length, the best of Leviathan's and the mixtures named; and where nobody gains."""
    best = max(gain(entry) for entry in published())
    points = [
        {
            "gamma": float(entry.setup["draft_tokens"]),
            "times": gain(entry),
            "label": "" if entry in published() and gain(entry) < best else entry.name.partition(" with")[0],
        }
        for entry in _sped_up()
        if "draft_tokens" in entry.setup
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
    "model. Triangles: speed-ups that others measured, each with a draft of its own. The post states no number.",
    of="speculation.speedup",
    along="speculation.draft_length",
    at=range(17),
    x=Axis("gamma", "Tokens drafted for each pass", form="plain", domain=(0, 16)),
    y=Axis("times", "Times faster than one token a pass", domain=(0, 5)),
    series="draft",
    lines={"your draft": {}, "if drafting took no time": {"speculation.draft_cost": 0}},
    post=None,
    also=_by_length,
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
    tour=(
        ({}, "A good draft, four guesses ahead: text comes {speculation.speedup} as fast."),
        ({"speculation.draft_cost": 0.3}, "As good, but dear: {speculation.speedup}."),
        ({"speculation.draft_cost": 0.3, "speculation.draft_length": 2}, "Guess less far: {speculation.speedup}."),
    ),
    claims=("C75",),
)


# --- how many tokens a pass yields, measured --------------------------------------------------------------------------


def _curves(_: Scenario) -> dict[str, Any]:
    """Every published point; the ends of the lowest and of the highest curve are named."""
    curves = acceptance_curves()
    named = {pick(curves, key=lambda curve: curve.tokens_per_pass[-1]) for pick in (min, max)}
    return {
        "published": [
            {"gamma": gamma, "tokens": tokens, "label": curve.model if gamma == 8 and curve in named else ""}
            for curve in curves
            for gamma, tokens in enumerate(curve.tokens_per_pass, 1)
        ]
    }


def _how_it_compares(scenario: Scenario) -> str:
    gamma = scenario.speculation.draft_length
    if not 1 <= gamma <= 8:
        return "The formula says {speculation.tokens_per_pass:.2f}; the published curves have 1 to 8 drafted."
    found = [curve.tokens_per_pass[gamma - 1] for curve in acceptance_curves()]
    return (
        f"With {gamma} drafted the formula says {{speculation.tokens_per_pass:.2f}} tokens a pass; "
        f"the {len(found)} curves lie between {min(found):.2f} and {max(found):.2f}."
    )


yields = Curve(
    title="How many tokens does a pass yield?",
    legend="The line is the formula, with one acceptance for every guess. Triangles: what InferenceX measured in 2026 "
    "with nine pairs of a model and its draft, some of them with and without thinking, on questions about code. The "
    "post states no number.",
    of="speculation.tokens_per_pass",
    along="speculation.draft_length",
    at=range(9),
    x=Axis("gamma", "Tokens drafted for each pass", form="plain", domain=(0, 8)),
    y=Axis("tokens", "Tokens that a pass yields", domain=(0, 7)),
    post=None,
    also=_curves,
    label="Tokens that a pass yields, by the formula",
    says=_how_it_compares,
    alt="Tokens per pass against draft length: the formula's line, and measured points that level off sooner.",
    controls=(Slide("speculation.acceptance", 0, 0.99), Slide("speculation.draft_length", 0, 8)),
    presets={
        "A good draft": "leak",
        "As often as the best first guess": {"speculation.acceptance": 0.93, "speculation.draft_length": 8},
        "As often as the worst first guess": {"speculation.acceptance": 0.78, "speculation.draft_length": 8},
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
    return {
        "with experts": {},
        "with experts, at measured rates": "answer.speedup",
        "dense, as many active weights": dense_twin(scenario),
    }


def _post_and_others(scenario: Scenario) -> dict[str, Any]:
    """The post's model, the mixtures that others measured with so many readers a stage, and where nobody gains."""
    post = load_scenario("leak")
    batch, times = post.serving.tokens_in_flight, value("speculation.batch_speedup", post)
    return {
        "post": [{"batch": batch, "times": times, "label": "the post’s model, its source’s batch"}],
        "published": [
            {
                "batch": float(entry.setup["batch"]) * scenario.serving.pipeline,
                "times": gain(entry),
                "label": _who(entry),
            }
            for entry in crowds()
        ],
        "ticks": [{"batch": 100, "times": 1, "label": "below this line: slower"}],
    }


def crowds() -> list[catalog.Measurement]:
    """The mixtures that were measured with a known number of readers."""
    return [entry for entry in _sped_up() if "batch" in entry.setup]


def _who(entry: catalog.Measurement) -> str:
    return catalog.references[entry.sources[0].reference].cite()


def _what_the_batch_does(scenario: Scenario) -> str:
    gain = value("speculation.batch_speedup", scenario)
    end = "Speculation pays." if gain > 1.05 else "Speculation slows it down." if gain < 1 else "It hardly pays."
    return (
        "A checking pass reads {speculation.checked_tokens:,.0f} tokens at each stage; it wakes "
        "{speculation.experts_touched:.1f} of {model.experts:d} experts where a plain one wakes "
        f"{{moe.experts_touched:.1f}}, and lasts {{speculation.check_cost}} as long{_why(scenario)}. {end}"
    )


def _why(scenario: Scenario) -> str:
    """What makes a checking pass longer than a plain one: mostly more weights to read, or more to compute."""
    names = (
        "speculation.check_cost",
        "speculation.pass_s",
        "decode.latency",
        "speculation.read_s",
        "decode.latency_floor",
    )
    cost, checking, plain, read, floor = values(names, scenario).values()
    if cost < 1.05:
        return ": checking is all but free here"
    return (
        ", because it has more experts to read"
        if read - floor > (checking - plain) / 2
        else ", because it has more to compute"
    )


crowd = Curve(
    title="What a batch and experts do to it",
    legend="The same speed-up when many sequences are decoded together. On the roofline each kind of work, that of the "
    "experts, of what all tokens share and of the attention, reads or computes, whichever takes longer. At measured "
    "rates traffic, launches and waiting are counted too. The dense model has as many active weights. The diamond is "
    "the post's model at its source's batch, with a good draft of four tokens assumed. Triangles: other mixtures on "
    "other machines, measured, placed by readers a stage.",
    of="speculation.batch_speedup",
    along="serving.tokens_in_flight",
    at=[2 ** (power / 2) for power in range(8, 33)],
    x=Axis("batch", "Sequences in flight, on all stages together", log=True, form="count", domain=(16, 65_536)),
    y=Axis("times", "Times faster with speculation", domain=(0, 3)),
    series="model",
    lines=_mixture_and_dense,
    post=None,
    also=_post_and_others,
    label="Times faster with speculation, on the roofline",
    says=_what_the_batch_does,
    alt="Speed-up against batch: with experts a hump in the middle, lower at measured rates; dense a plateau that "
    "falls early; triangles of other mixtures on both sides of 1 at one reader.",
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

OBSERVED = ("gpt-4-first", "gpt-4-later")


def seen_twice() -> list[dict[str, Any]]:
    """Time of a token by model and service, in both versions of the page, in s, and how many times faster it became."""
    times = {
        (seen.model, seen.service, seen.version): seen.need("ms_per_token") / 1e3 for seen in catalog.latencies.values()
    }
    return [
        {
            "model": model,
            "asked of": service,
            "first version": first,
            "later version": (later := times[model, service, "later"]),
            "faster": first / later,
        }
        for (model, service, version), first in times.items()
        if version == "first"
    ]


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
