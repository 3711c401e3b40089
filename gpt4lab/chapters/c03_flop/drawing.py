"""Chapter 03's drawing: the run as the post's number has it, and as it is meant, on one scale of time."""

from __future__ import annotations

from collections.abc import Iterator

from gpt4lab.charts.drawing import WIDTH, Box, Scene, Shape, Stroke, Strokes, Words
from gpt4lab.claims import judge, ledger
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.units import show

WRITTEN = judge(ledger()["C12"], load_scenario("leak")).stated[0]  # FLOP a token
HIGH, LENS = 34, 1000  # px of a bar; how much larger the third bar is drawn
FIRST, SECOND, THIRD, HEIGHT = 40, 112, 190, 246  # px: where the bars begin, and the picture ends
TICKS = (1, 10, 50, 100, 500, 1_000, 10_000, 100_000, 1_000_000)  # years from tick to tick


def years(scenario: Scenario) -> tuple[float, float]:
    """The run with the post's number as it is written, and with two FLOP a weight."""
    return value("flop.training_years", scenario, {"flop.per_token": WRITTEN}), value("flop.training_years", scenario)


def runs(scenario: Scenario) -> list[Scene]:
    """As written; as computed, on the same scale; the same a thousand times larger."""
    written, meant = years(scenario)
    captions = (
        f"The post's {show(WRITTEN, 'FLOP')} for each token, taken at its word: the run lasts {_long(written)}.",
        f"With two FLOP for each weight that a token meets it lasts {_long(meant)}: the line at the left end.",
        f"The same run, drawn {LENS:,} times as long. Tera for giga is a factor of {LENS:,}: a slip of one letter.",
    )
    return [_scene(written, meant, step, caption) for step, caption in enumerate(captions)]


def _scene(written: float, meant: float, step: int, caption: str) -> Scene:
    return Scene(
        list(_bars(written, meant, step)),
        HEIGHT,
        f"Bars of time on one scale. {caption}",
        caption,
        {"what": "Operations a token", "years": "Training, years", "days": "Training, days"},
        [{"what": what, "years": found, "days": 365.25 * found}
         for what, found in (("as the post writes", written), ("two for each weight", meant))],
    )  # fmt: skip


def _bars(written: float, meant: float, step: int) -> Iterator[Shape]:
    scale = WIDTH / max(written, meant)
    every = next((tick for tick in TICKS if tick * scale > WIDTH / 8), TICKS[-1])
    ticks = [scale * every * at for at in range(1, int(WIDTH / scale / every) + 1)]
    yield Words("written-words", 0, FIRST - 9, f"As written: {_long(written)}", "vermillion bold")
    yield Box("written", 0, FIRST, scale * written, HIGH, "vermillion")
    yield Strokes("ticks", [(x, FIRST, x, FIRST + HIGH) for x in ticks], "paper")
    yield Words("every", 0, FIRST + HIGH + 16, f"a line every {every:,} year{'s' * (every > 1)}", "soft small")
    if step:
        yield Words("meant-words", 0, SECOND - 1, f"As meant, on the same scale: {_long(meant)}", "blue bold")
        yield Box("meant", 0, SECOND + 8, scale * meant, HIGH, "blue")
    if step > 1:
        wide = min(WIDTH, LENS * scale * meant)
        yield Box("large", 0, THIRD + 12, wide, HIGH, "blue")
        yield Stroke("lens", scale * meant, SECOND + 8 + HIGH, wide, THIRD + 12, "soft dashed")
        yield Words("large-words", 0, THIRD + 2, f"{LENS:,} times longer", "soft")


def _long(found: float) -> str:
    return show(found, "year") if found >= 2 else show(365.25 * found, "day")


def runs_view(scenario: Scenario) -> View:
    """How long the run would last, twice."""
    written, meant = years(scenario)
    said = (
        f"By the number as written this cluster trains for {_long(written)}, by two FLOP a weight for {_long(meant)}."
    )
    return View("Training, by the number as it is written", written, "year", said, scenes=runs(scenario))


century = Drawn(
    title="How long is 560 TFLOP a token?",
    legend="The whole training run on the post's cluster, true to scale in time. Press Next.",
    controls=(
        Slide("cluster.gpus", 1_000, 200_000),
        Slide("training.mfu", 0.1, 0.6),
        Slide("training.tokens", 1e11, 1e14),
    ),
    claims=("C12",),
    view=runs_view,
)
