"""Chapter 13's drawing: one minute of real traffic in the slots of one lane, under each way to form batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil

from gpt4lab.charts.drawing import Box, Scene, Shape, Stroke, Strokes, Words
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario
from gpt4lab.scenario.live import SCHEDULES
from gpt4lab.simulate.serving.batching import Log
from gpt4lab.simulate.serving.loads import MINUTE, lanes, mean_s, minute, played, shares
from gpt4lab.simulate.serving.plain import Plain
from gpt4lab.simulate.serving.stays import ANSWER, PADDING, PROMPT, timeline
from gpt4lab.units import counted, show

LEFT, RIGHT, TOP, DEEP = 30, 612, 76, 192  # px: the plot's edges, and as deep as the slots may be
QUEUE = 22  # px: as high as the queue may be
SCENES = 12
LOOKS = {PROMPT: "orange", ANSWER: "blue", PADDING: "vermillion pale"}
SAID = {PROMPT: "prompt", ANSWER: "answer", PADDING: "padding: computed for nobody"}
TITLES = {"schedule": "Scheduler", "until": "Last token, s", "mean": "Mean time of a request, s"} | {
    kind: f"Slot time, {kind}, %" for kind in (*LOOKS, "free")
}


def scenes(scenario: Scenario) -> list[Scene]:
    """The lane from the first request to the last token, scene by scene; the axis ends with the slowest scheduler."""
    asked, logs = minute(scenario), played(scenario)
    end = max(max(log.finished_s) for log in logs.values())
    log = logs[scenario.batching.scheduler]
    rows = [_figures(scenario, asked, name, other) for name, other in logs.items()]
    until = max(log.finished_s)
    moments = [until * (step / SCENES) for step in range(1, SCENES + 1)]
    return [_scene(scenario, asked, log, at, end, rows) for at in moments]


def _figures(scenario: Scenario, asked: Plain, name: str, log: Log) -> Row:
    percent = {kind: round(100 * share, 1) for kind, share in shares(scenario, log).items()}
    return {"schedule": name, "until": round(max(log.finished_s)), "mean": round(mean_s(asked, log), 1), **percent}


def _scene(scenario: Scenario, asked: Plain, log: Log, now: float, end: float, rows: Sequence[Row]) -> Scene:
    slots = scenario.batching.slots
    pitch = min(20.0, DEEP / slots)
    floor, scale = TOP + pitch * slots, (RIGHT - LEFT) / end
    waiting = sum(asked.arrival_s[stay.request] <= now < stay.start_s for stay in log.stays)
    done = sum(end <= now for end in log.finished_s)
    caption = f"After {now:,.0f} s: {done} of {len(asked)} requests are answered, waiting for a slot: {waiting}."
    return Scene(
        [
            *frame(slots, pitch, floor, end, scale),
            *queue(asked, log, now, scale),
            *bars(asked, log, now, pitch, scale),
            *now_at(now, floor, scale),
        ],
        floor + 92,
        f"{counted(slots, 'slot')} of a lane over time, a row each, under {scenario.batching.scheduler} batching: "
        f"prompts, answers and padding as bars. {caption}",
        caption,
        TITLES,
        rows,
    )


def frame(
    slots: int, pitch: float, floor: float, end: float, scale: float, kinds: Sequence[str] = (*LOOKS,)
) -> Iterator[Shape]:
    """The slots, the seconds below them, and what the colours mean."""
    yield Box("slots", LEFT, TOP, RIGHT - LEFT, floor - TOP, "wash")
    yield Strokes("rows", [(LEFT, TOP + pitch * k, RIGHT, TOP + pitch * k) for k in range(1, slots)], "paper")
    yield Words("first", LEFT - 6, TOP + min(pitch, 14), "1", "soft small", "end")
    if slots > 1:
        yield Words("last", LEFT - 6, floor - 3, f"{slots}", "soft small", "end")
    yield Words("queue-words", LEFT, TOP - QUEUE - 10, "waiting", "soft small")
    step = next((s for s in (10, 20, 30, 60, 120, 300, 600, 1800) if end / s <= 8), 3600)
    for k in range(ceil(end / step)):
        x = LEFT + k * step * scale
        yield Stroke(f"tick-{k}", x, floor, x, floor + 4, "soft")
        yield Words(f"tick-words-{k}", x, floor + 17, f"{k * step:g}{' s' * (k == 0)}", "soft small", "middle")
    yield Stroke("minute", LEFT + MINUTE * scale, TOP - QUEUE - 8, LEFT + MINUTE * scale, floor, "soft dashed")
    yield Words("minute-words", LEFT + MINUTE * scale + 5, TOP - QUEUE - 10, "the minute ends", "soft small")
    for row, (kind, look) in enumerate((kind, LOOKS[kind]) for kind in kinds):
        thin, y = 4 if kind == PADDING else 0, floor + 32 + 20 * row
        yield Box(f"key-{kind}", LEFT, y + thin, 14, 12 - 2 * thin, look)
        yield Words(f"key-words-{kind}", LEFT + 26, y + 10, SAID[kind], "soft small")


def queue(asked: Plain, log: Log, now: float, scale: float) -> Iterator[Shape]:
    """When requests come, as ticks; above the slots, as many as wait, as a hill."""
    came = [LEFT + at * scale for at in asked.arrival_s if at <= now]
    yield Strokes("came", [(x, 15, x, 25) for x in came], "ink")
    yield Words("came-words", LEFT, 10, "asked", "soft small")
    changes = sorted(
        [(asked.arrival_s[stay.request], 1) for stay in log.stays] + [(stay.start_s, -1) for stay in log.stays]
    )
    waiting, hills = 0, []
    for (at, by), (then, _) in zip(changes, [*changes[1:], (now, 0)], strict=True):
        waiting += by
        if waiting and at < now:
            hills.append((at, min(then, now), waiting))
    high = QUEUE / max([QUEUE / 3, *(many for _, _, many in hills)])
    for k, (at, then, many) in enumerate(hills):
        place = (LEFT + at * scale, TOP - 4 - high * many, (then - at) * scale, high * many)
        yield Box(f"queue-{k}", *place, "purple", f"{many} waiting")


def bars(asked: Plain, log: Log, now: float, pitch: float, scale: float) -> Iterator[Shape]:
    """What has stood in the slots until now."""
    for row in timeline(log.stays, now):
        thin = pitch / 3 if row["kind"] == PADDING else 1
        x, y = LEFT + row["start_s"] * scale, TOP + pitch * (row["slot"] - 1)
        wide = max(0.5, (row["end_s"] - row["start_s"]) * scale - 0.5)
        i = row["request"]
        tip = f"Request {i + 1}: prompt of {asked.prompt[i]:,}, answer of {asked.output[i]:,} tokens ({row['kind']})"
        yield Box(f"{row['kind']}-{i}", x, y + thin, wide, pitch - 2 * thin, LOOKS[row["kind"]], tip)


def now_at(now: float, floor: float, scale: float) -> Iterator[Shape]:
    """The moment that is looked at."""
    x = LEFT + now * scale
    yield Stroke("now", x, TOP - 4, x, floor + 4, "ink thick")


def slots_view(scenario: Scenario) -> View:
    """How long a request takes, and what the slots do meanwhile."""
    asked, logs = minute(scenario), played(scenario)
    here = logs[scenario.batching.scheduler]
    spent, gang = shares(scenario, here), shares(scenario, logs[SCHEDULES[0]])
    others = {name: show(mean_s(asked, log), "s") for name, log in logs.items() if log is not here}
    there = ", ".join(f"{words} {name}" for name, words in others.items())
    return View(
        "A request takes, on average",
        mean_s(asked, here),
        "s",
        f"{len(asked)} requests come to this lane in the minute, one in {lanes(scenario)} of all; the last token is "
        f"there after {show(max(here.finished_s), 's')}. Of the slots’ time until then {spent[PADDING]:.0%} are "
        f"padding (static batching: {gang[PADDING]:.0%}), {spent['free']:.0%} free. The same requests under the other "
        f"schedulers: {there}.",
        scenes=scenes(scenario),
    )


slots = Drawn(
    title="A minute of real traffic",
    legend="Requests to Azure’s conversation service in November 2023, at their own times and lengths, in one lane of "
    "the post’s machines: of ten minutes the first that is as busy as the mean. A row is a slot. "
    "Scrub through time; switch the scheduler: the axis stays.",
    controls=(
        "batching.scheduler",
        Slide("batching.requests_per_s", 1, 20),
        Slide("batching.slots", 1, 24),
        Slide("batching.wait_s", 0, 60),
        "batching.traffic",
        "serving.accelerator",
    ),
    folded=(Slide("batching.chunk_tokens", 16, 4096),),
    presets={
        "Static": {"batching.scheduler": "static"},
        "Dynamic": {"batching.scheduler": "dynamic"},
        "Continuous": "leak",
        "Chunked prefill": {"batching.scheduler": "chunked prefill"},
    },
    tour=(
        (
            {"batching.scheduler": "static"},
            "Static: a gang starts when it is full, and the longest of its {batching.slots:,} answers, {gang.padding} "
            "the mean, holds all slots.",
        ),
        (
            {"batching.scheduler": "dynamic"},
            "Dynamic: after {batching.wait_s} a gang starts as it is. Nobody waits for strangers to come, but all wait "
            "for the longest.",
        ),
        ({}, "Continuous: a slot that gets free is filled at the next step, {batching.step_s} later at most."),
    ),
    claims=("C62",),
    steps="Moment",
    begins=-1,
    view=slots_view,
)
