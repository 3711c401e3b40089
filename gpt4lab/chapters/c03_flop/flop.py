"""Chapter 03: what one token costs, by part and by context."""

from __future__ import annotations

from typing import Any

from gpt4lab.charts import Axis
from gpt4lab.claims import judge, ledger
from gpt4lab.panels.curve import Curve
from gpt4lab.panels.setting import Slide
from gpt4lab.scenario import Scenario, load_scenario

CONTEXTS = [2**power for power in range(10, 21)]  # 1,024 to 1,048,576


def stated_flop(_: Scenario) -> Any:
    """The post's FLOP per token, in the unit that the audit finds it must mean."""
    return judge(ledger()["C12"], load_scenario("leak")).meant


token = Curve(
    title="What one token costs",
    legend="The level is two FLOP for each weight that the token meets. The curves add what has no weights: a token is "
    "compared with the tokens before it. One that is generated at the end of a context sees all of it; one of a "
    "sequence that is trained on, on average, half.",
    of="flop.generated_per_token",
    along="model.context",
    at=CONTEXTS,
    x=Axis("context", "Context, tokens", log=True, form="count", domain=(CONTEXTS[0], CONTEXTS[-1])),
    y=Axis("flop", "FLOP per token, forward", log=True, domain=(3e11, 1e13)),
    series="part",
    lines={
        "weights only: 2N": "flop.per_token",
        "trained on, on average": "flop.with_context_per_token",
        "generated at the end": {},
    },
    post=stated_flop,
    label="FLOP for one token generated at the end of the context, all parts",
    unit="FLOP",
    says="The weights cost {flop.per_token}. At a context of {model.context:,} tokens the attention scores add "
    "{flop.generated_scores_over_weights} of that to a token generated at its end, and {flop.scores_over_weights} to a "
    "token that is trained on, on average over the sequence.",
    alt="FLOP per token against context length: the weights alone, and with attention scores for a token that is "
    "trained on and for one that is generated.",
    claims=("C11", "C12", "C13"),
    controls=(
        Slide("model.context", 1024, 1_048_576),
        Slide("model.top_k", 1, 16),
        Slide("model.expert_params", 1e9, 1e12),
        Slide("model.shared_params", 1e9, 1e12),
    ),
    folded=(Slide("model.experts", 1, 512), Slide("model.heads", 8, 256), "model.layers"),
    tour=(
        ({}, "A token meets {model.active_params}, two FLOP each: {flop.per_token}."),
        ({"model.top_k": 16}, "If it met all sixteen experts, it would cost {flop.per_token}."),
        (
            {"model.context": 131_072},
            "At the end of a long context its scores add {flop.generated_scores_over_weights}.",
        ),
    ),
    presets={
        "The post": "leak",
        "The 32k model": {"model.context": 32_768},
        "NVIDIA's 1.8T": "nvidia-proxy",
        "All sixteen experts": {"model.top_k": 16},
    },
)
