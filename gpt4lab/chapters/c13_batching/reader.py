"""Chapter 13's game: for a minute of real traffic the reader is the scheduler, move by move, and is compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from gpt4lab.chapters.c13_batching import slots as drawn
from gpt4lab.charts.drawing import WIDTH, Box, Scene, Shape, Words
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.simulate.serving.by_hand import HOLD, ByHand, ShortestFirst, moves
from gpt4lab.simulate.serving.loads import mean_s, minute, played
from gpt4lab.simulate.serving.pace import lane
from gpt4lab.simulate.serving.plain import Plain, rules_in
from gpt4lab.simulate.serving.stays import ANSWER, PROMPT
from gpt4lab.units import counted, show

IN_A_ROW, WIDE, HIGH = 10, 62, 34  # waiting requests in a row; px of each
BUSY = "leak?batching.slots=4&batching.requests_per_s=6"


@lru_cache(64)
def game(scenario: Scenario) -> ByHand:
    """The minute, as far as the reader has decided."""
    wanted = moves(scenario.batching.moves)
    return ByHand(minute(scenario), lane(scenario), rules_in(scenario, "continuous"), wanted).play()


def shortest_first(scenario: Scenario) -> ByHand:
    """The minute, if the one with the shortest answer always went first."""
    return ShortestFirst(minute(scenario), lane(scenario), rules_in(scenario, "continuous")).play()


def in_order(scenario: Scenario) -> str:
    """The moves of continuous batching: whoever came first."""
    return " ".join(f"{i + 1}" for i in range(len(minute(scenario))))


def game_view(scenario: Scenario) -> View:
    """The lane at the next decision; when all are answered, the comparison."""
    asked, here = minute(scenario), game(scenario)
    logs = {name: mean_s(asked, log) for name, log in played(scenario).items()}
    best = mean_s(asked, shortest_first(scenario).log)
    return View(
        "A request takes, on average, with you" if here.done else "Requests let in so far",
        mean_s(asked, here.log) if here.done else len(here.inside),
        "s" if here.done else "1",
        _compared(here, logs, best) if here.done else _asked(here, asked),
        post=logs["continuous"] if here.done else None,
        whose="continuous batching",
        scenes=[_scene(scenario, asked, here, {"you": mean_s(asked, here.log), **logs, "shortest first": best})],
    )


def _compared(here: ByHand, logs: Mapping[str, float], best: float) -> str:
    others = ", ".join(f"{show(logs[name], 's')} {name}" for name in ("static", "dynamic"))
    return (
        f"All {len(here.arrival)} are answered, the last after {show(here.now, 's')}. Continuous batching lets in "
        f"whoever came first and needs {show(logs['continuous'], 's')} for a request, {others}. The shortest answer "
        f"first would need {show(best, 's')}: but only you can see how long an answer will be."
    )


def _asked(here: ByHand, asked: Plain) -> str:
    if here.fault:
        return f"{here.fault} What follows is left out."
    free, waits = here.slots - here.batch, len(here.waiting())
    return (
        f"After {here.now:.1f} s {counted(free, 'slot')} {'is' if free == 1 else 'are'} free, and "
        f"{counted(waits, 'request')} {'waits' if waits == 1 else 'wait'}; {len(asked) - waits - len(here.inside)} "
        "more will come. Press one to let it in, or hold until something happens."
    )


def _scene(scenario: Scenario, asked: Plain, here: ByHand, means: Mapping[str, float]) -> Scene:
    many, so_far = scenario.batching.slots, here.log_so_far()
    pitch = min(20.0, drawn.DEEP / many)
    end = max(max(log.finished_s) for log in (*played(scenario).values(), here.log))
    floor, scale = drawn.TOP + pitch * many, (drawn.RIGHT - drawn.LEFT) / end
    below = floor + 104
    rows = -(-max(1, len(here.waiting())) // IN_A_ROW)
    words = "Everybody is answered." if here.done else f"{counted(len(here.waiting()), 'request')} waiting."
    return Scene(
        [
            *drawn.frame(many, pitch, floor, end, scale, (PROMPT, ANSWER)),
            *drawn.queue(asked, so_far, here.now, scale),
            *drawn.bars(asked, so_far, here.now, pitch, scale),
            *drawn.now_at(here.now, floor, scale),
            *_choices(asked, here, below),
        ],
        below + 62 + (HIGH + 4) * rows,
        f"{counted(many, 'slot')} of a lane after {here.now:,.0f} s, and below them who waits, each to be pressed. "
        f"{words} Arrows go from one to the next, Space or Enter lets in, Delete takes the last move back.",
        titles={"who": "Scheduler", "mean": "Mean time of a request, s"},
        rows=_table(here, means),
        keys="-",
    )


def _table(here: ByHand, means: Mapping[str, float]) -> list[Row]:
    return [{"who": who, "mean": round(mean, 1)} for who, mean in means.items() if who != "you" or here.done]


def _choices(asked: Plain, here: ByHand, below: float) -> Iterator[Shape]:
    """Who waits, the earliest first: number above, tokens of the answer below; then the two other moves."""
    yield Words("waiting-words", 0, below - 8, "waiting: number, and tokens of its answer", "soft small")
    for at, i in enumerate(here.waiting()):
        row, column = divmod(at, IN_A_ROW)
        x, y = column * WIDE, below + (HIGH + 4) * row
        tip = f"Let in request {i + 1}: prompt of {asked.prompt[i]:,}, answer of {asked.output[i]:,} tokens"
        yield Box(f"let-{at}", x, y, WIDE - 4, HIGH, "sky press", tip)
        yield Words(f"let-{at}-number", x + WIDE / 2 - 2, y + 14, f"{i + 1}", "small bold", "middle")
        yield Words(f"let-{at}-tokens", x + WIDE / 2 - 2, y + 28, f"{asked.output[i]}", "small", "middle")
    y = below + (HIGH + 4) * -(-max(1, len(here.waiting())) // IN_A_ROW) + 6
    others = {"hold": "hold", "back": "take back"}
    for at, (key, words) in enumerate(others.items()):
        if here.taken if key == "back" else not here.done:
            tip = {"hold": "Hold until something happens", "back": "Take the last move back"}[key]
            yield Box(key, at * 3 * WIDE, y, 3 * WIDE - 8, HIGH - 6, "wash press", tip)
            yield Words(f"{key}-words", at * 3 * WIDE + 1.5 * WIDE - 4, y + 18, words, "small", "middle")
    yield Words("end", WIDTH, y + 18, f"{len(here.inside)} of {len(asked)} let in", "soft small", "end")


def pressing(scenario: Scenario, key: str) -> Mapping[str, str]:
    """One more move, or one less; moves that could not be made are forgotten."""
    here = game(scenario)
    taken = here.taken
    if key.endswith(" -") or key == "back":
        return {"batching.moves": " ".join(taken[:-1])}
    move = HOLD if key == "hold" else f"{here.waiting()[int(key.removeprefix('let-'))] + 1}"
    return {"batching.moves": " ".join([*taken, move])}


reader = Drawn(
    title="You are the scheduler",
    legend="A busy minute of the same traffic in one lane. Whenever a slot is free and somebody waits, it is your "
    "move: press a request to let it in, or hold. Below each number stands how long its answer will be, which no "
    "scheduler knows. Keys: arrows, Space, Delete.",
    controls=("batching.moves", Slide("batching.requests_per_s", 1, 12), Slide("batching.slots", 1, 12)),
    start=BUSY,
    presets={
        "From the beginning": {},
        "Whoever came first": {"batching.moves": in_order(load_scenario(BUSY))},
        "The shortest first": {"batching.moves": " ".join(shortest_first(load_scenario(BUSY)).taken)},
    },
    claims=("C62",),
    view=game_view,
    pressing=pressing,
)
