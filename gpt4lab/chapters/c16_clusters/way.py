"""Chapter 16's drawing: a token's way through the nodes, and where it waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from gpt4lab.chapters.c16_clusters.balancer import FIFTEEN, line_of
from gpt4lab.charts.drawing import Boxes, Scene, Shape, Stroke, Words
from gpt4lab.models.decode.line import StageLine
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.simulate.pipeline.ring import Visit, lap, ring
from gpt4lab.units import counted, show

LEFT, RIGHT, TOP = 34, 608, 40  # px
ROW, TALL = 19, 400  # px: a stage at most, and all of them
MOST_SCENES = 40
TICKS = (1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 50, 1e9)  # s


@lru_cache(maxsize=64)
def _played(seconds: tuple[float, ...], micro_batches: int) -> tuple[tuple[Visit, ...], tuple[Visit, ...]]:
    """All visits, and those of one round of one micro-batch."""
    every = ring(seconds, micro_batches)
    return tuple(every), tuple(lap(every))


def scenes(here: StageLine) -> list[Scene]:
    """The round, a scene for each stage that has been passed; of many stages only some."""
    every, own = _played(here.seconds, here.micro_batches)
    begin, end = own[0].came_s, own[-1].end_s
    pitch = min(ROW, TALL / len(own))
    scale = (RIGHT - LEFT) / (end - begin)
    others = [v for v in every if v.micro_batch and v.end_s > begin and v.start_s < end]
    behind = list(_places([(v.stage, max(v.start_s, begin), min(v.end_s, end)) for v in others], begin, pitch, scale))
    step = -(-len(own) // MOST_SCENES)
    return [_scene(here, own[:passed], behind, pitch, scale) for passed in _passed(len(own), step)]


def _passed(stages: int, step: int) -> list[int]:
    return [*range(1, stages, step), stages]


def _places(
    spans: Sequence[tuple[int, float, float]], begin: float, pitch: float, scale: float
) -> Iterator[tuple[float, float, float, float]]:
    """(stage, from, to) as boxes."""
    for stage, start, end in spans:
        wide = (end - start) * scale
        yield LEFT + (start - begin) * scale, TOP + pitch * stage + 2, max(wide - 0.5, 0.4), pitch - 4


def _scene(
    here: StageLine, own: Sequence[Visit], behind: list[tuple[float, float, float, float]], pitch: float, scale: float
) -> Scene:
    begin, last = own[0].came_s, own[-1]
    floor, now = TOP + pitch * len(here.stages), LEFT + (last.end_s - begin) * scale
    waits = [(v.stage, v.came_s, v.start_s) for v in own if v.waited_s > 1e-9]
    ends = [(v, here.stages[v.stage].output_s) for v in own]
    work = [(v.stage, v.start_s, v.end_s - output_s) for v, output_s in ends]
    outputs = [(v.stage, v.end_s - output_s, v.end_s) for v, output_s in ends if output_s]
    shapes = [
        Boxes("others", behind, "faint pale"),
        Boxes("waits", list(_places(waits, begin, pitch, scale)), "vermillion"),
        Boxes("work", list(_places(work, begin, pitch, scale)), "blue"),
        Boxes("outputs", list(_places(outputs, begin, pitch, scale)), "orange"),
        Stroke("now", now, TOP - 4, now, floor + 4, "ink thick"),
        *_words(here, floor, scale, pitch),
    ]
    return Scene(
        shapes,
        floor + 66,
        f"Stages down, time across: a stair of {counted(len(here.stages), 'step')}. {_caption(here, own)}",
        _caption(here, own),
        {"stage": "Node", "came": "Came, ms", "waited": "Waited, ms", "worked": "Worked, ms"},
        list(_table(own)),
    )


def _caption(here: StageLine, own: Sequence[Visit]) -> str:
    last, waited = own[-1], sum(v.waited_s for v in own)
    stage = here.stages[last.stage]
    output = " and the output" if stage.output_s else ""
    return (
        f"Node {last.stage + 1} of {len(here.stages)}, {stage.layers} of {sum(s.layers for s in here.stages)} layers"
        f"{output}: {show(stage.seconds, 's')}. Since the token before, {show(last.end_s - own[0].came_s, 's')}; of "
        f"these {show(waited, 's') if waited > 1e-9 else 'nothing'} was waiting."
    )


def _words(here: StageLine, floor: float, scale: float, pitch: float) -> Iterator[Shape]:
    for at in range(len(here.stages)):
        if pitch >= 11:
            yield Words(f"name-{at}", LEFT - 8, TOP + pitch * at + pitch / 2 + 4, f"{at + 1}", "small soft", "end")
    step = next(s for s in TICKS if (RIGHT - LEFT) / scale / s <= 9)
    for k in range(int((RIGHT - LEFT) / scale / step) + 1):
        x = LEFT + k * step * scale
        yield Stroke(f"tick-{k}", x, floor, x, floor + 4, "soft")
        yield Words(f"tick-words-{k}", x, floor + 17, f"{1e3 * k * step:g}{' ms' * (k == 0)}", "small soft", "middle")
    for name, x, below, words, look in (
        ("waits", 0, 40, "waiting", "vermillion"),
        ("head", 130, 40, "output", "orange"),
        ("other", 260, 40, "other micro-batches", "soft"),
        ("works", 0, 56, "this token’s layers", "blue"),
    ):
        yield Words(f"key-{name}", LEFT + x, floor + below, words, f"small {look}")


def _table(own: Sequence[Visit]) -> Iterator[Row]:
    for v in own:
        came, worked = 1e3 * (v.came_s - own[0].came_s), 1e3 * (v.end_s - v.start_s)
        waited = round(1e3 * v.waited_s, 1)
        yield {"stage": v.stage + 1, "came": round(came, 1), "waited": waited, "worked": round(worked, 1)}


def way_view(scenario: Scenario) -> View:
    """Time of a token, and how much of it is waiting."""
    here = line_of(scenario)
    floor = value("decode.latency_floor", scenario)
    _, own = _played(here.seconds, here.micro_batches)
    at = max(own, key=lambda visit: visit.waited_s)
    where = (
        f"It waits {show(at.waited_s, 's')}, in front of node {at.stage + 1}: the first of the slowest."
        if at.waited_s > 1e-6
        else "It waits nowhere."
    )
    return View(
        "From one token of an answer to the next",
        here.round_s,
        "s",
        f"{where} Reading the weights alone, node after node, takes {show(floor, 's')}; no cut changes that.",
        post=value("stages.latency", load_scenario("leak")),
        whose="sixteen even stages of the post",
        scenes=scenes(here),
    )


way = Drawn(
    title="A token’s way",
    legend="A row is a node. One micro-batch is followed from the end of its last token to the end of the next; the "
    "others that go round with it are pale. Scrub along its way.",
    controls=(
        Slide("serving.pipeline", 8, 24),
        "stages.cut",
        Slide("serving.tokens_in_flight", 1, 16_384),
        "stages.output",
        "serving.accelerator",
        "serving.bytes_per_weight",
    ),
    folded=("stages.counts", Slide("serving.mean_context", 128, 8_192)),
    presets={
        "Sixteen nodes": {},
        "Fifteen": {"serving.pipeline": 15},
        "Fifteen, and one for the output": {"stages.cut": FIFTEEN},
        "A bad cut": {"stages.cut": "7 7 7 7 7 7 12 8 8 7 7 7 7 7 7 8"},
        "One answer alone": {"serving.tokens_in_flight": 1},
    },
    claims=("C80", "C83"),
    steps="Node",
    begins=-1,
    view=way_view,
)
