"""Chapter 09's drawing: one failure, its day, its month with every failure and checkpoint, and months of other luck."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from gpt4lab import place
from gpt4lab.chapters.c09_money.failures import MONTH_H, QUICK, SMALL_CLUSTER, habits_of, shares_of_months, young
from gpt4lab.charts.drawing import WIDTH, Box, Boxes, Dot, Scene, Shape, Stroke, Strokes, Words
from gpt4lab.checks.logs import as_in
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value, values
from gpt4lab.scenario import Scenario
from gpt4lab.simulate.one_run import CHECKPOINT, KEPT, KINDS, LOST, RESTART, Piece, gaps, hours_of, pieces
from gpt4lab.units import show

HEIGHT, TOP, PITCH, BAR = 304, 14, 9, 7  # px: of all scenes; the first day, from day to day, of a day
LANE, LANE_BAR = 170, 44  # px: a single bar, where not the whole month is seen
DAYS = round(MONTH_H / 24)
LOOKS = {KEPT: "blue", LOST: "vermillion", CHECKPOINT: "green", RESTART: "orange"}
MOST_PIECES = 200_000  # more could not be seen, and would take long
MOST_NOTCHES = 2_500
PIXEL_H = 24 / WIDTH
ANCHORS = ("start", "middle", "middle", "middle", "end")


@frozen
class Month:
    """A month in pieces, the hours of its failures and of its finished checkpoints, and the share that was kept.

    lost: the work that one failure takes, which is followed; it is piece number `at`. pause: the restart after it.
    """

    scenario: Scenario
    pieces: list[Piece]
    failures: list[float]
    saved: list[float]
    kept: float
    at: int
    lost: Piece
    pause: Piece | None


def month_of(scenario: Scenario) -> Month | None:
    """The month of a scenario's habits and luck; None where there are too many pieces, or no failure takes work."""
    habits = habits_of(scenario)
    if MONTH_H / habits.mtbf_h + 2 * MONTH_H / habits.round_h > MOST_PIECES:
        return None
    run = list(pieces(gaps(habits.mtbf_h, scenario.luck.seed), habits, MONTH_H))
    losses = [at for at, piece in enumerate(run) if piece.failed and piece.kind == LOST]
    large = [at for at in losses if run[at].hours > 0.4 * habits.interval_h]
    clear = [at for at in large if at > 3 and not any(piece.failed for piece in run[at - 4 : at])]
    at = next(iter(clear or large or losses), None)
    if at is None:
        return None
    failures = [piece.end for piece in run if piece.failed]
    saved = [piece.end for piece in run if piece.kind == CHECKPOINT and not piece.failed]
    pause = next((piece for piece in run[at + 1 : at + 2] if piece.kind == RESTART), None)
    return Month(scenario, run, failures, saved, hours_of(run, KEPT) / MONTH_H, at, run[at], pause)


def _near(month: Month, step: int) -> Iterator[Shape]:
    """What the time went to, as a bar; above it a line of the work that is done, which falls back at the failure."""
    first = next(at for at in range(month.at, -1, -1) if at in (0, month.at - 4) or month.pieces[at - 1].failed)
    shown = month.pieces[first : month.at + 1 + 2 * (step == 2)]
    habits = habits_of(month.scenario)
    start, end = shown[0].start, month.lost.end + habits.restart_h + 0.6 * habits.interval_h
    rise = 90 / sum(piece.hours for piece in month.pieces[first : month.at + 1])
    path, y = list[tuple[float, float, float, float]](), 130.0
    for at, piece in enumerate(shown, first - month.at):
        left, right = (WIDTH * min((hour - start) / (end - start), 1) for hour in (piece.start, piece.end))
        name, look = _named(at, piece.kind, step)
        yield Box({0: "lost", 1: "pause"}.get(at, f"piece-{at}"), left, LANE, right - left, LANE_BAR, look)
        if right - left > 6.5 * len(name):
            yield Words(f"named-{at}", (left + right) / 2, LANE + LANE_BAR + 17, name, "soft", "middle")
        up = rise * (end - start) * (right - left) / WIDTH * (piece.kind in (KEPT, LOST))
        path += [(left, y, right, y - up), *([(right, y - up, right, y)] if at == 0 and step else [])]
        y -= 0 if at == 0 and step else up
    yield Strokes("progress", path, "ink thick")
    yield Words("progress-words", 0, 18, "Work that is done", "soft")
    if step:
        failed = WIDTH * (month.lost.end - start) / (end - start)
        yield Stroke("failure", failed, 30, failed, LANE + LANE_BAR + 4, "ink")
        yield Words("failed", failed - 6, 26, "failure", "bold", "end")


def _named(after: int, kind: int, step: int) -> tuple[str, str]:
    """What a piece is called and how it looks, `after` so many since the work that is lost."""
    if after == 0:
        return ("lost", LOOKS[LOST]) if step else ("not saved yet", "sky")
    if kind in (KEPT, LOST):
        return ("work", "sky") if after > 0 else ("work, saved", LOOKS[KEPT])
    return KINDS[kind], LOOKS[kind]


def _place(hour: float, day: int | None) -> tuple[float, float]:
    """Where an hour lies: in the lane of its one day, or in its row of the month."""
    row, rest = divmod(hour, 24)
    return WIDTH * rest / 24, LANE if day is not None else TOP + PITCH * row


def _rows_of(month: Month, kind: int, day: int | None) -> list[tuple[float, float, float, float]]:
    """Boxes of one kind; cut at midnight, and what is nearer than a pixel joined."""
    high, found = LANE_BAR if day is not None else BAR, list[list[float]]()
    for piece in month.pieces:
        if piece.kind != kind:
            continue
        for row in range(int(piece.start // 24), min(int(piece.end // 24), DAYS - 1) + 1):
            start, end = max(piece.start, 24 * row), min(piece.end, 24 * (row + 1))
            if end <= start or day not in (None, row):
                continue
            if found and found[-1][0] == row and start - found[-1][2] < PIXEL_H:
                found[-1][2] = end
            else:
                found.append([row, start, end])
    return [(*_place(start, day), WIDTH * (end - start) / 24, high) for _, start, end in found]


def _notches(ends: list[float], day: int | None) -> list[tuple[float, float, float, float]]:
    """A short line at each hour; none where there are too many to be told apart."""
    high = LANE_BAR if day is not None else BAR
    inside = [end for end in ends if end < MONTH_H and day in (None, int(end // 24))]
    places = [_place(end, day) for end in inside] if len(inside) <= MOST_NOTCHES else []
    return [(x, y, x, y + high) for x, y in places]


def _seen(month: Month, day: int | None) -> Iterator[Shape]:
    """A day or the month: work, what was lost, restarts; a white notch a checkpoint, a black one a failure."""
    for kind in (KEPT, LOST, RESTART):
        yield Boxes(f"all-{kind}", _rows_of(month, kind, day), LOOKS[kind])
    yield Strokes("checkpoints", _notches(month.saved, day), "paper")
    yield Strokes("failures", _notches(month.failures, day), "ink")
    yield from _followed(month, day)
    yield from _ticks("0 h, 6 h, 12 h, 18 h, 24 h", LANE + LANE_BAR + 17 if day is not None else HEIGHT - 2)


def _ticks(words: str, y: float) -> Iterator[Shape]:
    """Five words below a bar or a floor, from its beginning to its end."""
    for at, (text, anchor) in enumerate(zip(words.split(", "), ANCHORS, strict=True)):
        yield Words(f"tick-{at}", WIDTH * at / 4, y, text, "soft small", anchor)


def _followed(month: Month, day: int | None) -> Iterator[Shape]:
    """The failure of the first steps, where it lies now."""
    high = LANE_BAR if day is not None else BAR
    for key, piece in (("lost", month.lost), ("pause", month.pause)):
        if piece is not None:
            x, y = _place(piece.start, day)
            yield Box(key, x, y, min(WIDTH * piece.hours / 24, WIDTH - x), high, LOOKS[piece.kind])
    x, y = _place(min(month.lost.end, MONTH_H - 0.01), day)
    yield Stroke("failure", x, y - 9, x, y + high, "ink thick")
    yield Dot("failed-dot", x, y - 9, 4, "ink")


def _histogram(month: Month, shares: list[float]) -> Iterator[Shape]:
    """How many months fall into each percent, the one that was drawn, and what the formula says."""
    counts = _counted(shares)
    tall, floor = 170 / max(counts.values(), default=1), HEIGHT - 40
    yield Boxes("months", [(WIDTH * p / 100, floor - tall * n, WIDTH / 100 - 1, tall * n) for p, n in counts.items()])
    yield Stroke("floor", 0, floor, WIDTH, floor, "soft")
    yield from _ticks("0%, 25%, 50%, 75%, 100%", floor + 17)
    formula, here = (WIDTH * share for share in (value("goodput.share", month.scenario), month.kept))
    anchor = "end" if formula > WIDTH / 2 else "start"
    yield Stroke("formula", formula, 40, formula, floor, "ink dashed")
    yield Words("formula-words", formula - 6 if anchor == "end" else formula + 6, 46, "the formula", "ink", anchor)
    yield Dot("this", here, floor, 5, "vermillion")
    yield Words("this-words", here, floor + 34, "the month above", "vermillion", "end" if here > WIDTH / 2 else "start")


def _counted(shares: list[float]) -> dict[int, int]:
    places = [min(int(100 * share), 99) for share in shares]
    return {place: places.count(place) for place in sorted(set(places))}


def scenes(month: Month, shares: list[float]) -> list[Scene]:
    """One failure in three steps; its day; its month; other months."""
    day = int(month.lost.end // 24)
    drawn = [*(_near(month, step) for step in range(3)), _seen(month, day), _seen(month, None)]
    spans = [*[(24.0 * day, 24.0 * day + 24)] * 4, (0, MONTH_H)]
    told = captions(month, shares, day)
    heads, months = {"what": "Spent on", "hours": "Hours"}, {"share": "Useful share from, %", "months": "Months"}
    counted = _counted(shares) or _counted([month.kept])
    return [
        *[Scene([*shapes], HEIGHT, f"{what} {words}", words, heads,
               [{"what": name, "hours": hours_of(month.pieces, kind, *span)} for kind, name in enumerate(KINDS)])
          for shapes, what, words, span in zip(drawn, WHAT, told, spans, strict=False)],
        Scene([*_histogram(month, shares)], HEIGHT, f"{WHAT[-1]} {told[-1]}", told[-1], months,
              [{"share": percent, "months": count} for percent, count in counted.items()]),
    ]  # fmt: skip


WHAT = (
    *["A bar of time: work, checkpoints, a restart. Above it a line of the work that is done."] * 3,
    "One day as a bar, with a notch for each checkpoint and each failure.",
    f"{DAYS} rows, a day each, with a notch for each checkpoint and each failure.",
    "A histogram of months by the share that became useful work.",
)


def captions(month: Month, shares: list[float], day: int) -> list[str]:
    """What happens, step by step."""
    gpus, price = values(("cluster.gpus", "cluster.usd_per_gpu_hour"), month.scenario).values()
    lost, paused = month.lost.hours, month.pause.hours if month.pause else 0
    cost, all_of_it = (show(hours * gpus * price, "USD") for hours in (lost, lost + paused))
    today = sum(24 * day <= failure < 24 * day + 24 for failure in month.failures)
    wasted = (f"{hours_of(month.pieces, kind) / MONTH_H:.1%}" for kind in (LOST, RESTART, CHECKPOINT))
    return [
        "Work and checkpoints take turns. What came after the last checkpoint is safe nowhere yet.",
        f"One of {gpus:,} GPUs fails, and all of them fall back to the last checkpoint. {_time(lost)} of work are "
        f"lost: {cost}.",
        f"{_time(paused)} later all of them work again. With the pause this failure has cost {all_of_it}.",
        f"Day {day + 1} has {_many(today, 'failure')}, each a black line: red before it is lost, orange after it the "
        "restart. A white line is a checkpoint.",
        f"{DAYS} days, a row each: {_many(len(month.failures), 'failure')}, {_many(len(month.saved), 'checkpoint')}. "
        f"{month.kept:.1%} of the hours became useful work; {next(wasted)} were lost, {next(wasted)} went to "
        f"restarts, {next(wasted)} to checkpoints.",
        f"Other luck, the same habits: {len(shares)} months, from {min(shares):.1%} to {max(shares):.1%} useful, "
        f"{sum(shares) / len(shares):.1%} in the mean." if shares else place.needs("numpy", "To play other months"),
    ]  # fmt: skip


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def _time(hours: float) -> str:
    return show(hours, "hour") if hours >= 1 else show(hours * 60, "minute")


def month_view(scenario: Scenario) -> View:
    """The share that the formula leaves, and a month of it."""
    names = ("goodput.share", "goodput.mtbf", "goodput.best_share", "goodput.young_interval")
    share, mtbf, best, interval = values(names, scenario).values()
    found = month_of(scenario)
    seen = "In such a month there is nothing to draw: no failure, or more than could be seen."
    if found:
        seen = (
            f"The month drawn has {_many(len(found.failures), 'failure')}, and {found.kept:.1%} of it is useful work."
        )
    return View(
        "Share of the time that becomes useful work, by the formula",
        share,
        "fraction",
        f"A failure every {_time(mtbf)}. {seen} With a checkpoint every {_time(interval)}, Young's interval, the share "
        f"would be {show(best, 'fraction')}.",
        scenes=scenes(found, shares_of_months(scenario)) if found else (),
    )


month = Drawn(
    title="A month of failures",
    legend="One failure up close, then its day, its month, and other months. Press Next, or move the slider under the "
    "picture; then change the habits.",
    controls=(
        Slide("reliability.gpu_mtbf_years", 0.2, 100),
        Slide("reliability.checkpoint_interval_hours", 0.02, 24),
        Slide("reliability.checkpoint_minutes", 0.05, 60),
        Slide("reliability.restart_minutes", 0.5, 480),
        Slide("cluster.gpus", 1_000, 100_000),
        "luck.seed",
    ),
    presets={
        "Assumed": "leak",
        "Habits of a small cluster": SMALL_CLUSTER,
        "The same at Young's interval": young(SMALL_CLUSTER),
        "Quick restarts": QUICK,
        "Failures as in OPT-175B's log": as_in("OPT-175B, A100, 2021"),
    },
    speed="debounced",
    view=month_view,
    begins=1,
)
