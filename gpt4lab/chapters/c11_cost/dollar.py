"""Chapter 11's drawing: a dollar goes in, words come out, and where each part of the dollar goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil

from attrs import frozen

from gpt4lab.charts.drawing import WIDTH, Box, Boxes, Scene, Shape, Words
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import values
from gpt4lab.scenario import Scenario
from gpt4lab.units import show

BAR, HIGH, KEYS, PITCH, ROW = 22, 40, 88, 20, 60  # px: the dollar's top and height, its key, lines of it; boxes a row
MOST = 600  # boxes of words
LOOKS = {
    "prompts": "orange",
    "answers: weights": "blue",
    "answers: attention and the rest": "sky",
    "answers: traffic": "purple",
    "answers: launches, waiting": "green",
    "idle machines": "vermillion",
}
REST = {"margin": "wash", "lost": "faint"}
#: Of a token that is written: the seconds of the model of answering behind each look.
SECONDS = {
    "answers: weights": ("weights",),
    "answers: attention and the rest": ("attention", "between"),
    "answers: traffic": ("tensor", "expert", "pipeline", "hidden"),
    "answers: launches, waiting": ("fixed", "waiting"),
}
NAMES = (
    "answer.usd_per_million_input",
    "answer.usd_per_million_cached",
    "answer.usd_per_million_output",
    "answer.request_usd",
    "answer.usd_per_1k_blended",
    "answer.latency",
    "serving.cached_tokens",
    "serving.request_price",
    *(f"answer.{part}_s" for parts in SECONDS.values() for part in parts),
)


@frozen
class Dollar:
    """A dollar spent one way: what it is called, what a question and its answer take, and the shares of the dollar."""

    how: str
    usd: float
    shares: Mapping[str, float]
    read: float  # words of prompts
    written: float  # words of answers


def parts(scenario: Scenario) -> dict[str, float]:
    """Dollars for one question and its answer at measured rates, by what they are spent on."""
    found, serving = values(NAMES, scenario), scenario.serving
    cached, busy = found["serving.cached_tokens"], 1 - serving.idle_share
    fresh = (serving.prompt_tokens - cached) * found["answer.usd_per_million_input"]
    prompts = (fresh + cached * found["answer.usd_per_million_cached"]) / 1e6
    answers = serving.output_tokens * found["answer.usd_per_million_output"] / 1e6
    seconds = {words: sum(found[f"answer.{part}_s"] for part in names) for words, names in SECONDS.items()}
    return {
        "prompts": busy * prompts,
        **{words: busy * answers * s / found["answer.latency"] for words, s in seconds.items()},
        "idle machines": serving.idle_share * (prompts + answers),
    }


def dollars(scenario: Scenario) -> tuple[Dollar, ...]:
    """The dollar at the API's prices, at the post's figure for each token, and at what the machines cost."""
    price, blended = values(("serving.request_price", "answer.request_usd"), scenario).values()
    tokens = scenario.serving.prompt_tokens + scenario.serving.output_tokens
    stated = tokens / 1000 * scenario.serving.usd_per_1k_tokens
    ways = {"At the API’s prices": (price, "margin"), "At the stated cost": (stated, "lost"),
            "At measured rates": (blended, "lost")}  # fmt: skip
    return tuple(_spent(scenario, how, usd, rest) for how, (usd, rest) in ways.items())


def _spent(scenario: Scenario, how: str, usd: float, rest: str) -> Dollar:
    cost, per_token = parts(scenario), scenario.data.words_per_token
    left = usd - sum(cost.values())
    whole = max(usd, sum(cost.values()))
    shares = {words: one / whole for words, one in cost.items()}
    return Dollar(
        how,
        usd,
        {**shares, rest: left / usd} if left / usd > 1e-6 else shares,
        scenario.serving.prompt_tokens * per_token / usd,
        scenario.serving.output_tokens * per_token / usd,
    )


def scenes(scenario: Scenario) -> list[Scene]:
    """The same dollar three times, the words on one scale."""
    spent = dollars(scenario)
    most = max(s.read + s.written for s in spent)
    each = next(k * 10**power for power in range(30) for k in (1, 2, 5) if most / (k * 10**power) <= MOST)
    rows = [
        {"how": s.how, "usd": float(f"{s.usd:.3g}"), "read": round(s.read), "written": round(s.written)} for s in spent
    ]
    return [_scene(s, each, rows, max(map(_grid, spent, [each] * 3))) for s in spent]


def _grid(spent: Dollar, each: int) -> int:
    return ceil(ceil((spent.read + spent.written) / each) / ROW)


def _scene(spent: Dollar, each: int, rows: Sequence[Mapping[str, object]], deep: int) -> Scene:
    caption = (
        f"{spent.how} a dollar reads {show(spent.read, 'word')} of questions and writes "
        f"{show(spent.written, 'word')} of answers."
    )
    return Scene(
        [*_dollar(spent), *_words(spent, each)],
        _out() + 14 + 10 * max(deep, 1),
        f"A bar of one dollar, cut into what it is spent on; below it a box for each {each:,} words. {caption}",
        caption,
        {"how": "The dollar", "usd": "A question and its answer, $", "read": "Words read", "written": "Words written"},
        list(rows),
    )


def _out() -> int:
    """px: where the boxes of words begin; there is a line of the key for every part."""
    return KEYS + PITCH * (len(LOOKS) + 1) + 22


def _dollar(spent: Dollar) -> Iterator[Shape]:
    yield Words("dollar-words", 0, 12, f"One dollar. {spent.how}:", "bold")
    yield Box("dollar", 0, BAR, WIDTH, HIGH, "wash")
    x = 0.0
    for row, (words, look) in enumerate({**LOOKS, **REST}.items()):
        share = spent.shares.get(words, 0)
        line = min(row, len(LOOKS))
        if share:
            yield Box(f"part-{words}", x, BAR, WIDTH * share, HIGH, look, f"{words}: {share:.1%}")
        if share or words not in REST:
            yield Box(f"key-{words}", 0, KEYS + PITCH * line - 10, 14, 12, look)
            yield Words(f"key-words-{words}", 26, KEYS + PITCH * line, f"{_said(words)}: {share:.1%}", "soft small")
        x += WIDTH * share


def _said(words: str) -> str:
    return {"margin": "left to OpenAI", "lost": "more than the model of answering finds"}.get(words, words)


def _words(spent: Dollar, each: int) -> Iterator[Shape]:
    read, written = (max(0, round(words / each)) for words in (spent.read, spent.written))
    yield Words("out-words", 0, _out(), f"Words, {each:,} a box: orange read, blue written", "soft small")
    places = [(10.0 * (k % ROW), _out() + 10 + 10.0 * (k // ROW), 8.0, 8.0) for k in range(read + written)]
    yield Boxes("read", places[:read], "orange")
    yield Boxes("written", places[read:], "blue")


def dollar_view(scenario: Scenario) -> View:
    """What a dollar's worth of words is, and the largest part of it."""
    spent = dollars(scenario)
    cost = spent[-1].shares
    most = max(cost, key=lambda words: cost[words])
    rate = values(("answer.usd_per_1k_blended",), scenario)["answer.usd_per_1k_blended"]
    less = spent[0].usd / spent[-1].usd
    stated = scenario.serving.usd_per_1k_tokens / rate
    return View(
        "A question and its answer cost",
        spent[-1].usd,
        "USD",
        f"At measured rates most of it goes to {most} ({cost[most]:.0%}). The customer pays {less:.3g} times the cost. "
        f"If the stated cost counts every token alike, it is {stated:.3g} times what the model of answering finds.",
        scenes=scenes(scenario),
    )


dollar = Drawn(
    title="A dollar in, words out",
    legend="The same dollar three times: paid by a customer at OpenAI’s prices of 2023, at the post’s figure for each "
    "token, and at what the machines cost by the book’s model of answering. Scrub from one to the next.",
    controls=(
        Slide("serving.prompt_tokens", 16, 8192),
        Slide("serving.cached_share", 0.01, 0.99),
        Slide("serving.output_tokens", 16, 4096),
        Slide("serving.tokens_in_flight", 64, 8192),
        Slide("serving.idle_share", 0, 0.9),
        "serving.accelerator",
    ),
    folded=(
        Slide("serving.usd_per_gpu_hour", 0.2, 10),
        Slide("serving.usd_per_1k_tokens", 1e-5, 0.1),
        Slide("serving.bytes_per_weight", 0.5, 4),
    ),
    presets={
        "A conversation": "leak",
        "256 readers": {"serving.tokens_in_flight": 256},
        "Half of the time idle": {"serving.idle_share": 0.5},
        "A long document, a short answer": {"serving.prompt_tokens": 6000, "serving.output_tokens": 100},
    },
    claims=("C52",),
    steps="The dollar",
    view=dollar_view,
)
