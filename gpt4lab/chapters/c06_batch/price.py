"""Chapter 06: the batch that the noise allows, and the batch that the pipeline needs."""

from __future__ import annotations

from gpt4lab.charts import Axis
from gpt4lab.panels.curve import Curve
from gpt4lab.panels.panel import Slide

price = Curve(
    title="What a batch costs",
    legend="GPU hours until the same loss, over those of the fewest tokens in a pipeline without waits. A large batch "
    "averages away noise that is gone already, a small one lets stages wait. Where the bottom lies depends on whose "
    "batch is taken as the critical one.",
    of="batch.dearer_kaplan",
    along="training.batch_tokens",
    at=[1e6 * 10 ** (step / 20) for step in range(61)],
    x=Axis("batch", "Batch, tokens", log=True, form="count", domain=(1e6, 1e9)),
    y=Axis("dearer", "GPU hours, over the fewest", log=True, domain=(1, 100)),
    series="critical",
    lines={
        "critical by Kaplan": {},
        "by the Step Law": "batch.dearer_step",
        "by DeepSeek's law": "batch.dearer_deepseek",
        "waiting alone": "batch.extra_time",
    },
    label="GPU hours with Kaplan's critical batch, over the fewest",
    says="The pipeline alone would like far more than {batch.critical_pipeline}. With the noise, the cheapest batch is "
    "{batch.cheapest_kaplan}, {batch.cheapest_step} or {batch.cheapest_deepseek}: by Kaplan's critical batch, by the "
    "Step Law's, by DeepSeek's.",
    alt="GPU hours against batch: three valleys, one for each law, and the waiting alone, which only falls.",
    controls=(
        Slide("training.batch_tokens", 1e6, 1e9),
        Slide("cluster.pipeline", 2, 60),
        Slide("cluster.gpus", 1_000, 100_000),
        Slide("training.micro_batch", 1, 16),
        Slide("model.context", 512, 131_072),
        Slide("training.tokens", 1e12, 1e14),
    ),
    folded=(Slide("cluster.tensor", 1, 16),),
    presets={
        "The post": "leak",
        "Early in the ramp: 4M tokens": {"training.batch_tokens": 4e6},
        "A quarter of the GPUs": {"cluster.gpus": 6_250},
        "4 stages": {"cluster.pipeline": 4},
    },
    tour=(
        ({}, "The post's {training.batch_tokens} cost {batch.dearer_kaplan} the fewest GPU hours, by Kaplan's law."),
        (
            {"training.batch_tokens": 4e6},
            "A small batch saves tokens; its pipelines wait, and it costs {batch.dearer_kaplan}.",
        ),
        (
            {"cluster.gpus": 6_250},
            "A quarter of the GPUs: now half the time is lost only at {batch.critical_pipeline}.",
        ),
    ),
    claims=("C22", "C25"),
)
