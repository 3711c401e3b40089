"""Chapter 14, live: text coloured by what became of each guess, and what lenience does to it. Needs torch."""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from gpt4lab.charts import Axis
from gpt4lab.charts.marks import pinned
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.measured import Measured
from gpt4lab.panels.reading import Attempt, Reading
from gpt4lab.panels.setting import Pull, Slide
from gpt4lab.panels.training import LiveTraining, Training
from gpt4lab.panels.view import View
from gpt4lab.quantities.topics.speculation import batch_speedup, speedup, tokens_per_pass
from gpt4lab.scenario import Scenario

if TYPE_CHECKING:
    from gpt4lab.rows import Row
    from gpt4lab.toys.core.background import BackgroundRun
    from gpt4lab.toys.decoding.cached import CachedDecoder
    from gpt4lab.toys.drafting.drafts import Draft
    from gpt4lab.toys.drafting.speculation import Settings

CONTEXT, LENGTH = 256, 128  # bytes that the models were trained on, and that are written here


@cache
def target() -> CachedDecoder:
    """The large model of the cells and of the first panel. A run in the background has one of its own."""
    return decoder("target")


@cache
def draft(name: str) -> Draft:
    """What guesses for them, by its name in the panel."""
    return guesser(name)


def decoder(name: str) -> CachedDecoder:
    """A shipped model with an empty cache: two threads must not share one."""
    from gpt4lab.toys.decoding.cached import CachedDecoder
    from gpt4lab.toys.drafting.train_target import load_shipped

    return CachedDecoder(load_shipped(name), CONTEXT)


def guesser(name: str) -> Draft:
    """Counts of the training text, a model of one layer, or the large model once more."""
    from gpt4lab.toys.drafting.drafts import load_ngram

    if name.endswith("gram"):
        return load_ngram(int(name[0]))
    return decoder("draft" if name == "small transformer" else "target")


# --- watch it guess ---------------------------------------------------------------------------------------------------

DRAFTED = Axis("gamma", "Tokens drafted for each pass", form="plain", domain=(0, 12))
TIMES = Axis("times", "Times faster than plain decoding", domain=(0, 3))
THEOREM, PAID = "formula: checking is free", "formula: checking as measured"


def decode(scenario: Scenario) -> tuple[Row, list[Row]]:
    """The comparison with plain decoding of the same prompt, and a row a token."""
    from gpt4lab.toys.drafting.measured import compared, in_turns

    guesses, chosen, prompts = draft(scenario.drafting.draft), settings(scenario), [scenario.drafting.prompt + " "]
    plain, fast = in_turns(target(), guesses, chosen, LENGTH, prompts, scenario.luck.seed)
    return compared(plain, fast), fast.rows


def settings(scenario: Scenario) -> Settings:
    """The sliders as the toy takes them."""
    from gpt4lab.toys.drafting.speculation import Settings

    return Settings(scenario.speculation.draft_length, scenario.drafting.temperature, scenario.drafting.lenience)


def watch_view(scenario: Scenario, decoded: tuple[Row, list[Row]], earlier: Sequence[tuple[Row, list[Row]]]) -> View:
    """How much sooner the text was written; squares for other lengths that were tried."""
    found, text = decoded
    tried = [row for row, _ in earlier]
    squares = [{"gamma": row["gamma"], "times": row["speedup_cpu"], "label": ""} for row in tried]
    return View(
        label="Times faster than plain decoding, measured here",
        value=found["speedup_cpu"],
        unit="x",
        sentence=_what_was_kept(found, text),
        rows={
            "data": _formulas(found, _slope([found, *tried])),
            "measured": squares,
            "you": [pinned({"gamma": found["gamma"], "times": found["speedup_cpu"]}, DRAFTED, TIMES)],
        },
        alt="Speed-up against draft length: two lines from the formulas, and what was measured here.",
    )


def _what_was_kept(found: Row, text: Sequence[Row]) -> str:
    share = sum(row["label"] == "accepted" for row in text) / len(text)
    return (
        f"{found['acceptance']:.0%} of the judged guesses were kept: {found['tokens_per_pass']:.2f} bytes a pass, "
        f"where the formula says {found['formula']:.2f}. A guess takes {found['c']:.2f} plain passes, a checking pass "
        f"{found['r']:.2f}: that makes {found['predicted']:.2f}×. {share:.0%} of this text is the draft's."
    )


def _formulas(found: Row, slope: float) -> list[dict[str, Any]]:
    """Theorem 3.8 with what was measured here; and with a checking pass that grows with what it checks."""
    alpha, c, rows = min(found["acceptance"], 0.999), found["c"], []
    for gamma in range(13):
        n = tokens_per_pass(alpha, gamma)
        rows.append({"gamma": gamma, "times": float(speedup(n, gamma, c)), "line": THEOREM})
        rows.append({"gamma": gamma, "times": float(batch_speedup(n, gamma, c, 1 + slope * gamma)), "line": PAID})
    return rows


def _slope(tried: Sequence[Row]) -> float:
    """What each checked guess adds to a pass, in plain passes: a straight line through 1 and all lengths tried."""
    return sum(row["gamma"] * (row["r"] - 1) for row in tried) / sum(row["gamma"] ** 2 for row in tried)


watch = Measured(
    title="Watch it guess",
    legend="A small transformer of eight layers continues the prompt; every byte is a token. The chart holds the time "
    "against plain decoding of the same prompt, by CPU time: the dot is this text, squares are other lengths that you "
    "tried. Each move is decoded when you make it.",
    controls=(
        Slide("speculation.draft_length", 1, 12),
        "drafting.draft",
        "drafting.temperature",
        Slide("drafting.lenience", 0.01, 1),
        "drafting.prompt",
        "luck.seed",
    ),
    presets={
        "Counts, six bytes": "leak",
        "Greedy": {"drafting.temperature": 0},
        "Wild": {"drafting.temperature": 1.3},
        "A poor draft": {"drafting.draft": "3-gram"},
        "A perfect, slow one": {"drafting.draft": "the target itself"},
        "Lenient": {"drafting.lenience": 0.02, "drafting.temperature": 1.0},
    },
    measure=decode,
    shown=watch_view,
    along="speculation.draft_length",
    first=(1, 2, 8),
    chart=lines_chart(DRAFTED, TIMES, series="line", order=[THEOREM, PAID]),
    pulls={"gamma": Pull("speculation.draft_length")},
)


# --- what lenience costs ----------------------------------------------------------------------------------------------

LENIENCES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
NAMED = {1.0: "exact", 0.5: "0.5", 0.1: "0.1", 0.01: "0.01"}  # the others lie too near
YIELD = Axis("tokens_per_pass", "Bytes for each pass of the large model", domain=(1, 6))
SURPRISE = Axis("bits", "Surprise of the large model, bits per byte")


def loosen(scenario: Scenario) -> BackgroundRun[list[Row]]:
    """Write the same prompts at each lenience, in the background. Raises ImportError without torch."""
    from gpt4lab.toys.drafting.measured import Lenience

    models, chosen = (decoder("target"), guesser(scenario.drafting.draft)), settings(scenario)
    return Lenience(*models, LENIENCES, chosen, LENGTH, seed=scenario.luck.seed).start()


def lenience_view(scenario: Scenario, attempt: Attempt | None, before: Attempt | None) -> View:
    """Surprise against bytes per pass: from exact to lenient, this run and the one before."""
    here = list(attempt.run.result) if attempt else []
    runs = [("this run", here), ("the run before", list(before.run.result) if before else [])]
    return View(
        label="Surprise added by the loosest setting so far",
        value=f"{here[-1]['bits'] - here[0]['bits']:+.2f} bits per byte".replace("-", "−") if here else "–",
        unit="",
        sentence=_what_it_costs(here),
        rows={
            "data": [{**_place(row), "run": name} for name, rows in runs for row in rows],
            "measured": [{**_place(row), "label": NAMED.get(row["lenience"], "")} for row in here],
        },
        alt="Surprise of the large model against bytes per pass; each point is a lenience, from 1 down to a hundredth.",
    )


def _place(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in ("tokens_per_pass", "bits")}


def _what_it_costs(rows: Sequence[Row]) -> str:
    if not rows:
        return "Press Run: the same eight prompts are continued at each lenience."
    exact, last = rows[0], rows[-1]
    start = f"Exact, the large model finds its own text {exact['bits']:.2f} bits per byte surprising"
    if last is exact:
        return f"{start}."
    return (
        f"{start}. At lenience {last['lenience']:g} the text surprises it by {last['bits'] - exact['bits']:.2f} bits "
        f"more, and comes with {last['tokens_per_pass']:.2f} bytes a pass instead of {exact['tokens_per_pass']:.2f}."
    )


lenience = Training(
    title="What lenience costs",
    legend="Each point is a lenience, from 1 (exact) to a hundredth: right is faster, up is worse. The surprise is how "
    "unlikely the large model itself finds the text. Run writes some 1,000 bytes for each point.",
    controls=("drafting.draft", Slide("speculation.draft_length", 1, 12), Slide("drafting.temperature", 0.3, 1.5)),
    folded=("luck.seed",),
    start="leak?drafting.temperature=1",
    presets={
        "Counts, six bytes": {},
        "A poor draft": {"drafting.draft": "3-gram"},
        "A model": {"drafting.draft": "small transformer"},
    },
    claims=("C77",),
    begin=loosen,
    watch=lenience_view,
    chart=lines_chart(YIELD, SURPRISE, series="run", order=["this run", "the run before"]),
)


def samples(lab: LiveTraining) -> Reading:
    """The first prompt as it was continued at each lenience, to judge by eye."""
    return lab.reading(
        title="The same prompt, ever more lenient",
        legend="What the model wrote after the first prompt. Exact text is on top.",
        look=lambda attempt: list(attempt.run.result),
        view=lambda rows, _: View("", "", "", "", {"data": rows}),
        html_of=_samples,
    )


def _samples(view: View) -> str:
    look = "font-family: var(--jp-code-font-family, monospace); font-size: 13px; white-space: pre-wrap"
    rows = (
        f"<dt><strong>{row['lenience']:g}</strong> ({row['bits']:.2f} bits per byte)</dt>"
        f'<dd style="{look}">{html.escape(row["text"])}</dd>'
        for row in view.rows["data"]
    )
    return f"<dl>{''.join(rows)}</dl>" if view.rows["data"] else ""
