"""Chapter 01: steal the width. Needs torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gpt4lab.charts import Axis
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.measured import Measured
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.scenario import Scenario

if TYPE_CHECKING:
    from gpt4lab.toys.counting.width import Spectrum

INDEX = Axis("index", "Singular value, by size", domain=(0, 130))
SIZE = Axis("size", "Singular value of the answers", log=True, domain=(1e-6, 3000))
ANSWERS, LEVEL = "answers", "noise or rounding alone"


def steal(scenario: Scenario) -> Spectrum:
    """Ask, average, decompose."""
    from gpt4lab.toys.counting import width

    chosen = scenario.logits
    return width.read(int(chosen.width), chosen.prompts, chosen.noise, chosen.repeats, scenario.luck.seed)


def steal_view(scenario: Scenario, found: Spectrum, earlier: Sequence[Spectrum]) -> View:
    """Singular values, and where they drop."""
    low, high = SIZE.domain or (0, 1)
    rows = [
        {"index": at, "size": size, "line": ANSWERS} for at, size in enumerate(found.values, 1) if low <= size <= high
    ]
    rows += [{"index": at, "size": min(max(found.level, low), high), "line": LEVEL} for at in (1, len(found.values))]
    return View(
        label="Width, read off the answers",
        value=float(found.width),
        unit="1",
        sentence=_sentence(scenario, found),
        rows={
            "data": rows,
            "measured": [{**_place(one), "label": f"noise {one.noise:g}: {one.width}"} for one in earlier],
            "you": [{**_place(found), "label": f"read off: {found.width}"}],
        },
        alt="Singular values of the answers, largest first, and the level that noise alone would reach.",
    )


def _place(found: Spectrum) -> dict[str, float]:
    """Where the singular values fall below the level."""
    low, high = SIZE.domain or (0, 1)
    return {"index": found.width, "size": min(max(found.level, low), high)}


def _sentence(scenario: Scenario, found: Spectrum) -> str:
    chosen, true = scenario.logits, int(scenario.logits.width)
    cost = found.bits - found.exact_bits
    read = "That is its width" if found.width == true else f"It is {true} wide"
    blur = f" The noise costs an honest reader {cost:.3f} bits a byte." if chosen.noise else ""
    if chosen.prompts <= true:
        why = f": {chosen.prompts} answers cannot span more than {chosen.prompts} dimensions."
    elif found.width < true:
        why = ": the rest is hidden, and what is read is a least width."
    else:
        why = "."
    return f"{found.width} singular values of {chosen.prompts:,} answers stand above the level. {read}{why}{blur}"


theft = Measured(
    title="Steal the width",
    legend="The toy is asked for its scores of all 128 bytes, once or more for each prompt. Drawn are the singular "
    "values of the table of answers, and the level that noise alone, or the rounding of 32-bit numbers, would reach.",
    controls=(
        "logits.width",
        Slide("logits.prompts", 4, 2048),
        Slide("logits.noise", 0, 0.3),
        Slide("logits.repeats", 1, 1024),
    ),
    folded=("luck.seed",),
    presets={
        "No defence": "leak",
        "A little noise": {"logits.noise": 0.01, "logits.prompts": 1024},
        "More noise": {"logits.noise": 0.1, "logits.prompts": 1024},
        "The same, asked 256 times": {"logits.noise": 0.1, "logits.prompts": 1024, "logits.repeats": 256},
        "Too few prompts": {"logits.prompts": 20},
    },
    claims=("C03",),
    measure=steal,
    shown=steal_view,
    along="logits.noise",
    first=(0.0, 0.01, 0.1),
    chart=lines_chart(INDEX, SIZE, series="line", order=[ANSWERS, LEVEL], right=130),
)
