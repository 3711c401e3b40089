"""Chapter 11: a question and its answer, what they are sold for and what they cost, by kind of token."""

from __future__ import annotations

from gpt4lab.charts import Axis, bars
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import values
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario
from gpt4lab.units import show

USD = Axis("usd", "Dollars for a question and its answer", form="money", domain=(0, 0.08))
FRESH, CACHED, ANSWER = KINDS = ("prompt", "cached prompt", "answer")
NAMES = (
    "serving.cached_tokens",
    "serving.request_price",
    "answer.usd_per_million_input",
    "answer.usd_per_million_cached",
    "answer.usd_per_million_output",
    "answer.request_usd",
    "answer.margin",
    "answer.markup",
)


def _rows(scenario: Scenario) -> list[Row]:
    serving, found = scenario.serving, values(NAMES, scenario)
    cached = found["serving.cached_tokens"]
    tokens = dict(zip(KINDS, (serving.prompt_tokens - cached, cached, serving.output_tokens), strict=True))
    price = dict(zip(KINDS, (serving.price_per_1k_input,) * 2 + (serving.price_per_1k_tokens,), strict=True))
    cost = dict(zip(KINDS, (found[name] / 1000 for name in NAMES[2:5]), strict=True))
    lanes = {
        "sold for": price,
        "stated cost, all alike": dict.fromkeys(KINDS, serving.usd_per_1k_tokens),
        "cost, measured rates": cost,
    }
    return [
        {"bill": words, "kind": kind, "usd": tokens[kind] * each[kind] / 1000}
        for words, each in lanes.items()
        for kind in KINDS
    ]


def bill_view(scenario: Scenario) -> View:
    """Margin and mark-up of a question and its answer."""
    found = values(NAMES, scenario)
    price, cost, margin, markup = (found[name] for name in (NAMES[1], *NAMES[5:]))
    stated = (
        scenario.serving.usd_per_1k_tokens * (scenario.serving.prompt_tokens + scenario.serving.output_tokens) / 1000
    )
    kept = f"a margin of {margin:.1%}, which is a mark-up of {markup:.3g} times the cost" if margin > 0 else "a loss"
    return View(
        "Margin at measured rates",
        margin,
        "fraction",
        f"Sold for {show(price, 'USD')}, it costs {show(cost, 'USD')}: {kept}. At the stated cost for every token it "
        f"would cost {show(stated, 'USD')}, {f'a margin of {1 - stated / price:.1%}' if stated < price else 'a loss'}.",
        rows={"data": _rows(scenario)},
        alt="Three bars for a question and its answer, cut by kind of token: what it is sold for, what it costs by the "
        "stated figure, and at measured rates.",
    )


bill = Panel(
    title="What is sold, and what it costs",
    legend="One question with its answer. In 2023 a prompt had one price, whether its keys and values were still there "
    "or not; to the machines that is all the difference. Idle hours are paid for by the others.",
    controls=(
        Slide("serving.prompt_tokens", 16, 8192),
        Slide("serving.cached_share", 0.01, 0.99),
        Slide("serving.output_tokens", 16, 4096),
        Slide("serving.price_per_1k_tokens", 1e-4, 0.1),
        Slide("serving.price_per_1k_input", 1e-4, 0.1),
        Slide("serving.idle_share", 0, 0.9),
    ),
    folded=(
        Slide("serving.tokens_in_flight", 64, 8192),
        Slide("serving.usd_per_1k_tokens", 1e-5, 0.1),
        "serving.accelerator",
        Slide("serving.usd_per_gpu_hour", 0.2, 10),
    ),
    presets={
        "GPT-4, 2023": "leak",
        "GPT-4o’s prices": {"serving.price_per_1k_tokens": 0.01, "serving.price_per_1k_input": 0.0025},
        "128 readers": {"serving.tokens_in_flight": 128},
        "128 readers, GPT-4o’s prices": {"serving.tokens_in_flight": 128, "serving.price_per_1k_tokens": 0.01,
                                         "serving.price_per_1k_input": 0.0025},
    },
    claims=("C50", "C52"),
    view=bill_view,
    chart=lambda view: bars(view.rows["data"], USD, "bill", "kind", order=KINDS),
)  # fmt: skip
