"""Chapter 07: what a long context costs: in training, in each token, and as an extension."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpt4lab import catalog
from gpt4lab.charts import Axis
from gpt4lab.panels.curve import Curve
from gpt4lab.panels.panel import Slide
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario, load_scenario

CONTEXT = Axis("context", "Long context, tokens", log=True, form="count", domain=(1024, 1_048_576))
CONTEXTS = [1024 * 2 ** (step / 2) for step in range(21)]

share = Curve(
    title="What the context adds to each token",
    of="flop.long_scores_over_weights",
    along="model.long_context",
    at=CONTEXTS,
    x=CONTEXT,
    y=Axis("share", "Attention scores over the cost of the weights", log=True, domain=(1e-3, 20)),
    series="token",
    lines={"in training": {}, "generated at the end": "flop.generated_long_scores_over_weights"},
    label="Attention scores over weights, in training",
    says="At {model.long_context} the scores add {flop.long_scores_over_weights} to the weights in training, where a "
    "token sees half of the others on average; the last token sees all, {flop.generated_long_scores_over_weights}. "
    "Its sequence keeps {kv.bytes_per_long_sequence} of keys and values.",
    alt="Attention scores over weights against the context: a straight line, twice as high for the last token.",
    controls=(
        Slide("model.long_context", 1024, 1_048_576),
        Slide("model.heads", 8, 256),
        Slide("model.layers", 8, 400),
    ),
    presets={
        "The post": "leak",
        "128k": {"model.long_context": 131_072},
        "A million": {"model.long_context": 1_000_000},
    },
    claims=("C19",),
)

kept = Curve(
    title="What a sequence keeps",
    of="kv.bytes_per_long_sequence",
    along="model.long_context",
    at=CONTEXTS,
    x=CONTEXT,
    y=Axis("kept", "Keys and values of one sequence, bytes", log=True, domain=(1e7, 1e13)),
    series="heads",
    lines={"one head": {"model.kv_heads": 1}, "8 heads": {"model.kv_heads": 8}, "a head each": "kv.full_long_sequence"},
    label="Cache of one long sequence",
    says="One sequence of {model.long_context} keeps {kv.bytes_per_long_sequence}; with a head each it would be "
    "{kv.full_long_sequence}. Twice the context is twice the bytes, whatever the heads.",
    alt="Keys and values in bytes against the context: straight lines for one key-value head, eight, and one each.",
    controls=(Slide("model.long_context", 1024, 1_048_576), Slide("model.kv_heads", 1, 84)),
    claims=("C20",),
)


KNOWN = catalog.constants["context-extension"]
THOROUGH = round(KNOWN.llama3_tokens / load_scenario("leak").training.batch_tokens)  # steps of the post's batch


def _others(scenario: Scenario) -> Mapping[str, Any]:
    """What others spent: position interpolation's steps, YaRN's, and Llama 3's tokens."""
    batch = scenario.training.batch_tokens
    steps = {
        "YaRN's steps": KNOWN.yarn_steps,
        "position interpolation's": KNOWN.interpolation_steps,
        "Llama 3's tokens": KNOWN.llama3_tokens / batch,
    }
    return {
        "ticks": [
            {
                "steps": count,
                "cost": value("context.extension_cost", scenario, {"training.extension_steps": count}),
                "label": words,
            }
            for words, count in steps.items()
        ]
    }


bill = Curve(
    title="The bill of the extension",
    of="context.extension_cost",
    along="training.extension_steps",
    at=[10 ** (step / 8) for step in range(8, 41)],
    x=Axis("steps", "Steps of the extension", log=True, form="count", domain=(100, 1e5)),
    y=Axis("cost", "Rent, dollars", log=True, form="money", domain=(1e4, 1e8)),
    series="way",
    lines={"stretched after it": {}, "long from the start, extra": "context.long_from_start_cost"},
    label="Rent of the extension",
    says="{training.extension_steps} with {training.batch_tokens} are {context.extension_tokens}, "
    "{context.extension_share} of the training, for {context.extension_cost}. Training at {model.long_context} from "
    "the start would have cost {context.long_from_start_cost} more.",
    alt="Rent against steps of the extension, beside the level that long training from the start would cost more.",
    controls=(
        Slide("training.extension_steps", 100, 100_000),
        Slide("training.batch_tokens", 1e6, 3e8),
        Slide("model.long_context", 8192, 1_048_576),
        Slide("cluster.usd_per_gpu_hour", 0.5, 5),
        "training.mfu",
    ),
    presets={
        "The post, a thousand steps": "leak",
        "To 128k": {"model.long_context": 131_072},
        "Llama 3's tokens": {"training.extension_steps": THOROUGH},
    },
    claims=("C20",),
    also=_others,
)
