"""Chapter 16: layers dragged between the stages of a pipeline that answers, with time and memory of each stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gpt4lab.charts.drawing import Box, Boxes, Scene, Shape, Stroke, Words
from gpt4lab.models.decode.line import StageLine, line
from gpt4lab.models.in_scenario import chip_in, cutting_in, deployment_in, served_in
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.units import counted, show

LEAK = load_scenario("leak")
LEFT, MIDDLE, MEMORY, RIGHT, TOP = 34, 384, 404, 612, 66  # px: time from LEFT to MIDDLE, memory from MEMORY to RIGHT
ROW, TALL = 20, 440  # px: a stage at most, and all of them
SOLVE = "solve"
#: Fifteen nodes of eight layers; what they leave, nothing, is the sixteenth's.
FIFTEEN = " ".join(["8"] * 15)


def line_of(scenario: Scenario, beside: int = 0) -> StageLine:
    """The stages of a scenario's serving machines, with so many micro-batches more than stages with layers."""
    return line(served_in(scenario), deployment_in(scenario), chip_in(scenario), cutting_in(scenario), beside=beside)


# --- what a hand does -------------------------------------------------------------------------------------------------


def moved(cut: Sequence[int], giver: int, taker: int) -> tuple[int, ...]:
    """A layer of one stage given to another; the same cut where there is no such stage, or none to give."""
    known = range(len(cut))
    if giver == taker or giver not in known or taker not in known or not cut[giver]:
        return tuple(cut)
    return tuple(layers + (stage == taker) - (stage == giver) for stage, layers in enumerate(cut))


def pressing(scenario: Scenario, key: str) -> Mapping[str, str]:
    """A stage that is pressed takes a layer from the slowest; dragged, it gives one to where it is dropped."""
    here, (place, _, more) = line_of(scenario), key.partition(" ")
    if place == SOLVE:
        return {"stages.cut": _words(here.best_cut)}
    stage = _stage(place)
    giver, taker = {"U": (stage, stage - 1), "D": (stage, stage + 1), "": _from_slowest(here, stage)}.get(
        more, (stage, _stage(more.removeprefix(">")))
    )
    before = [one.layers for one in here.stages]
    after = moved(before, giver, taker)
    return {"stages.cut": _words(after)} if list(after) != before else {}


def _stage(place: str) -> int:
    """stage-3 -> 2; what is no stage -> one that does not exist."""
    number = place.removeprefix("stage-")
    return int(number) - 1 if number.isdecimal() else -1


def _from_slowest(here: StageLine, stage: int) -> tuple[int, int]:
    seconds = here.seconds
    slowest, quickest = (pick(range(len(seconds)), key=seconds.__getitem__) for pick in (max, min))
    return (stage, quickest) if stage == slowest else (slowest, stage)


def _words(cut: Sequence[int]) -> str:
    return " ".join(map(str, cut))


# --- what is drawn ----------------------------------------------------------------------------------------------------


def picture(here: StageLine) -> Scene:
    """A row a stage: its layers along time, its bytes beside them."""
    pitch = min(ROW, TALL / len(here.stages))
    scale = (MIDDLE - LEFT) / (1.06 * max(here.slowest_s, here.best_s))
    bytes_ = (RIGHT - MEMORY) / (1.1 * max(here.fullest_bytes, here.room_bytes))
    floor = TOP + pitch * len(here.stages)
    return Scene(
        [*_times(here, pitch, scale), *_memory(here, pitch, bytes_), *_frame(here, pitch, floor, scale, bytes_)],
        floor + 56,
        f"{counted(len(here.stages), 'stage')}, a row each: layers and output along time, bytes beside them. Arrows "
        "go from stage to stage; Space takes a layer from the slowest; U and D hand one up and down.",
        titles={"stage": "Stage", "layers": "Layers", "ms": "Time, ms", "gb": "On a GPU, GB"},
        rows=list(_table(here)),
        keys="UD>",
    )


def _times(here: StageLine, pitch: float, scale: float) -> Iterator[Shape]:
    """Layers as boxes of equal width, then the output, then the way to the next stage."""
    each, layers, outputs, hops = here.pace.layer_s * scale, [], [], []
    for at, stage in enumerate(here.stages):
        y, high = TOP + pitch * at + 2, pitch - 4
        layers += [(LEFT + each * k, y, max(each - 1, 0.5), high) for k in range(stage.layers)]
        end = LEFT + each * stage.layers
        outputs += [(end, y, stage.output_s * scale, high)] if stage.output_s else []
        hops += [(end + stage.output_s * scale, y, stage.hop_s * scale, high)] if stage.hop_s else []
    yield Boxes("layers", layers, "blue")
    yield Boxes("outputs", outputs, "orange")
    yield Boxes("hops", hops, "purple")


def _memory(here: StageLine, pitch: float, scale: float) -> Iterator[Shape]:
    kinds = {"weights": "green", "cache": "sky", "overhead": "faint"}
    found: dict[str, list[tuple[float, float, float, float]]] = {kind: [] for kind in kinds}
    for at, stage in enumerate(here.stages):
        x = float(MEMORY)
        for kind in kinds:
            wide = getattr(stage.memory, kind) * scale
            found[kind].append((x, TOP + pitch * at + 2, wide, pitch - 4))
            x += wide
    for kind, look in kinds.items():
        yield Boxes(f"memory-{kind}", found[kind], look)


def _frame(here: StageLine, pitch: float, floor: float, scale: float, bytes_: float) -> Iterator[Shape]:
    seconds = here.seconds
    slowest = seconds.index(here.slowest_s)
    yield Words("time-words", LEFT, TOP - 28, "layer", "small blue")
    yield Words("output-words", LEFT + 90, TOP - 28, "output", "small orange")
    yield Words("hop-words", LEFT + 190, TOP - 28, "handing on", "small purple")
    yield Words("weights-words", MEMORY, TOP - 28, "weights", "small green")
    yield Words("cache-words", MEMORY + 118, TOP - 28, "cache", "small sky")
    yield Words("rest-words", MEMORY, TOP - 14, "other", "small soft")
    for at, stage in enumerate(here.stages):
        y = TOP + pitch * at
        bold = " bold vermillion" if at == slowest else " soft"
        if pitch >= 11:
            yield Words(f"name-{at}", LEFT - 8, y + pitch / 2 + 4, f"{at + 1}", f"small{bold}", "end")
        tip, held = f"Stage {at + 1}: {counted(stage.layers, 'layer')}, {show(stage.seconds, 's')}", stage.memory.total
        yield Box(f"stage-{at + 1}", 0, y, MIDDLE, pitch, "none press drag", f"{tip}, {show(held, 'byte')}")
    yield Box(SOLVE, MIDDLE - 118, 2, 118, 24, "wash press", "Solve: the cut whose slowest stage is quickest")
    yield Words("solve-words", MIDDLE - 59, 18, "Solve", "small bold", "middle")
    end, room = LEFT + here.slowest_s * scale, MEMORY + here.room_bytes * bytes_
    yield Stroke("slowest", end, TOP - 8, end, floor + 4, "vermillion dashed")
    yield Words("slowest-words", end, floor + 18, f"slowest: {show(here.slowest_s, 's')}", "small vermillion", "end")
    best = LEFT + here.best_s * scale
    yield Stroke("best", best, TOP - 8, best, floor + 4, "ink")
    yield Words("best-words", best, floor + 34, f"best cut: {show(here.best_s, 's')}", "small", "end")
    yield Stroke("room", room, TOP - 8, room, floor + 4, "ink dashed")
    yield Words("room-words", room, floor + 50, f"a GPU has {show(here.room_bytes, 'byte')}", "small", "end")


def _table(here: StageLine) -> Iterator[Row]:
    for at, stage in enumerate(here.stages, 1):
        ms, gb = round(1e3 * stage.seconds, 2), round(stage.memory.total / 1e9, 2)
        yield {"stage": at, "layers": stage.layers, "ms": ms, "gb": gb}


def balancer_view(scenario: Scenario) -> View:
    """How long the slowest stage takes, and what that costs."""
    here = line_of(scenario)
    return View(
        "The slowest stage takes",
        here.slowest_s,
        "s",
        said(here) + _left_out(scenario, len(here.stages)),
        post=value("stages.slowest_s", LEAK, {"stages.counts": scenario.stages.counts}),
        whose="sixteen even stages of the post",
        scenes=[picture(here)],
    )


def _left_out(scenario: Scenario, stages: int) -> str:
    """Whether more is written than there are layers, or stages for them."""
    written, layers = [int(word) for word in scenario.stages.cut.split()], int(scenario.model.layers)
    if sum(written) <= layers and len(written) <= stages:
        return ""
    return f" Of what is written, all beyond {counted(layers, 'layer')} and {counted(stages, 'stage')} is left out."


def said(here: StageLine) -> str:
    """What the slowest stage does to a token, and whether another cut would be better."""
    slowest = here.seconds.index(here.slowest_s) + 1
    better = (
        f"The best cut would need {show(here.best_s, 's')}: {here.behind / (1 + here.behind):.1%} less."
        if here.behind > 1e-6
        else "No cut of these layers is quicker."
    )
    waits = f", {here.waiting:.1%} of it waiting for that stage" if here.waiting > 5e-4 else ", and waits nowhere"
    room = (
        "" if here.fits else f" It does not fit: a GPU of the fullest stage needs {show(here.fullest_bytes, 'byte')}."
    )
    return (
        f"The pace is that of stage {slowest}, with {counted(here.stages[slowest - 1].layers, 'layer')}. A token goes "
        f"round in {show(here.round_s, 's')}{waits}. The output takes as long as {here.output_in_layers:.2g} of a "
        f"layer. {better}{room}"
    )


balancer = Drawn(
    title="The stage balancer",
    legend="Each row is a stage, which is a node of eight GPUs. Drag a stage onto another: it gives a layer away. "
    "Press a stage: it takes one from the slowest (and the slowest itself gives one to the quickest). Keys: arrows, "
    "Space, U and D. On the right, what one of its GPUs holds.",
    controls=(
        "stages.cut",
        Slide("serving.pipeline", 8, 24),
        "stages.counts",
        "stages.output",
        Slide("serving.tokens_in_flight", 64, 16_384),
        Slide("model.d_model", 8_192, 16_384),
    ),
    folded=("serving.accelerator", Slide("serving.mean_context", 128, 8_192), "serving.bytes_per_weight"),
    presets={
        "Sixteen, as even as can be": {},
        "Fifteen nodes": {"serving.pipeline": 15},
        "Fifteen, and one for the output": {"stages.cut": FIFTEEN},
        "Fifteen nodes, computing alone": {"serving.pipeline": 15, "stages.counts": "computing alone"},
        "Eighteen": {"serving.pipeline": 18},
        "A bad cut": {"stages.cut": "12 8 8 8 8 8 8 8 8 8 8 4 4 8 4 8"},
    },
    tour=(
        ({}, "Sixteen stages: the fullest has eight layers all the same. A round takes {stages.latency}."),
        ({"serving.pipeline": 15}, "Fifteen: eight each, and a round takes {stages.latency}."),
        (
            {"serving.pipeline": 15, "stages.counts": "computing alone"},
            "Count computing alone: the output is {stages.output_in_layers} of a layer, and the last stage is slowest.",
        ),
    ),
    claims=("C80", "C83", "C84"),
    view=balancer_view,
    pressing=pressing,
)
