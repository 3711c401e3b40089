"""Chapter 11: as fast as one reads, by batch and machine; and what davinci would cost on the same machines."""

from __future__ import annotations

from typing import Any

from gpt4lab import catalog
from gpt4lab.charts import Axis
from gpt4lab.panels.curve import Curve
from gpt4lab.panels.setting import Slide
from gpt4lab.quantities import value
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario, change, load_scenario
from gpt4lab.units import show

DAVINCI = "gpt-3-175b"
ONE_NODE = {"serving.tensor": 8, "serving.pipeline": 1}


def _seen(scenario: Scenario) -> dict[str, Any]:
    """GPT-4 as a user timed it, and readers."""
    needed = value("serving.reading_speed", scenario)
    quick = value("serving.reading_speed", scenario, {"serving.words_per_minute": 1000})
    times = {"GPT-4, as timed in 2023": "gpt-4-first", "GPT-4, timed later": "gpt-4-later"}
    return {
        "published": [
            {"speed": 1000 / catalog.latencies[slug].need("ms_per_token"), "label": words}
            for words, slug in times.items()
        ],
        "ticks": [
            {"batch": 16, "speed": needed, "label": "your reader"},
            {"batch": 16, "speed": quick, "label": "1,000 words a minute"},
        ],
    }


def _keeps_up(scenario: Scenario) -> str:
    here, needed = (value(name, scenario) for name in ("decode.reader_tokens_per_s", "serving.reading_speed"))
    end = "It keeps up." if here >= needed else "It does not keep up, on machines that lose nothing."
    return (
        "A reader of {serving.words_per_minute:,.0f} words a minute takes {serving.reading_speed}; one of this batch "
        f"gets {{decode.reader_tokens_per_s}} at most. {end}"
    )


speed = Curve(
    title="As fast as one reads",
    legend="Tokens a second that one reader sees on the roofline, by how many are served at once. The levels are times "
    "that a user measured for GPT-4. Stages add throughput, not speed: a token goes through all of them.",
    of="decode.reader_tokens_per_s",
    along="serving.tokens_in_flight",
    at=[2**power for power in range(4, 17, 2)],
    x=Axis("batch", "Sequences in flight, on all stages together", log=True, form="count", domain=(16, 65_536)),
    y=Axis("speed", "Tokens a second, for one reader", log=True, domain=(1, 100)),
    series="machine",
    lines={"yours": {}, "8 bits": {"serving.bytes_per_weight": 1}, "4 bits": {"serving.bytes_per_weight": 0.5}},
    post=None,
    also=_seen,
    label="Tokens a second that one reader sees",
    says=_keeps_up,
    alt="Tokens a second of one reader against the batch: falling lines, and levels for what a user measured.",
    controls=(
        Slide("serving.tokens_in_flight", 16, 65_536),
        Slide("serving.words_per_minute", 100, 1000),
        Slide("data.words_per_token", 0.4, 1),
        "serving.accelerator",
        Slide("serving.bytes_per_weight", 0.5, 4),
        Slide("serving.tensor", 1, 64),
    ),
    presets={
        "The post": "leak",
        "H100, 8 bits": {"serving.accelerator": "h100-sxm-80gb", "serving.bytes_per_weight": 1},
        "64 readers": {"serving.tokens_in_flight": 64},
        "The source’s two tokens a word": {"data.words_per_token": 0.5},
    },
    claims=("S02", "S07", "S08"),
    speed="debounced",
)


# --- davinci ----------------------------------------------------------------------------------------------------------


def against(context: float) -> tuple[float, float, float]:
    """Dollars for 1,000 tokens of answers at measured rates, by davinci and by GPT-4; and davinci's batch.

    All sequences are so long. Davinci is as full as one node of eight A100 gets, GPT-4 at its source's batch.
    """
    there = {"serving.mean_context": context}
    davinci, mixture = change(load_scenario(DAVINCI), {**ONE_NODE, **there}), change(load_scenario("leak"), there)
    most = int(value("answer.batch_that_fits", davinci))
    full = change(davinci, {"serving.tokens_in_flight": most})
    return value("answer.usd_per_1k", full), value("answer.usd_per_1k", mixture), most


def costs(contexts: tuple[int, ...] = (256, 512, 1024, 2048)) -> list[Row]:
    """Both models' costs by the length of their sequences, and how many times the one is of the other."""
    found = {context: against(context) for context in contexts}
    return [
        {
            "mean context": f"{context:,} tokens",
            "davinci’s batch": f"{most:,}",
            "davinci": show(davinci, "USD"),
            "GPT-4, source’s batch": show(mixture, "USD"),
            "times": mixture / davinci,
        }
        for context, (davinci, mixture, most) in found.items()
    ]
