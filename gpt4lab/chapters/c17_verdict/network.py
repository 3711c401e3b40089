"""Chapter 17's drawing: the post's numbers as one network. A number is a line across, an equation a line down.

Twice the same picture: adjusted, with strain as width; and with statements struck out, to see what can be rebuilt.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gpt4lab.book.page import table
from gpt4lab.charts.drawing import Box, Dot, Scene, Shape, Words
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.scenario import Scenario
from gpt4lab.units import counted, show
from gpt4lab.verdict.adjust import Adjusted, Adjustment, adjustment, deciding, modes, told
from gpt4lab.verdict.network import COUNTED, FREE, GPT3, MODES, PINNED, Bond, equations, numbers
from gpt4lab.verdict.rank import LOST, REBUILT, STATED, content, deleted, left

ROW, TOP = 19, 34  # px: of a number, and above the first
VALUE_AT, FIRST, LAST, PULL_AT = 326, 344, 524, 616  # px: ends of words, the equations' columns
STRAIN = 2.0  # a pull beyond which rounding alone seldom goes
VISIBLE = 0.002  # relative change below which a number is not written twice
WIDEST = 11.0  # px
LETTERS = "ABCDEFGHIJKL"
WIDTH = "model.d_model"
SCALES = ("million", "billion", "trillion")
SIGNS = {COUNTED: "", PINNED: "pinned", FREE: "free"}


def brief(value: float, unit: str) -> str:
    """A number for a drawing: "280B", "$63M", "560G", "34%"."""
    number, *words = show(value, unit).split()
    word = words[0] if words else ""
    return number + (word[0].upper() if word in SCALES else word[0] if word.endswith("FLOP") and len(word) == 5 else "")


def _places(bound: tuple[Bond, ...]) -> dict[str, float]:
    """Where the column of each equation stands."""
    step = (LAST - FIRST) / (len(bound) - 1)
    return {one.title: FIRST + step * k for k, one in enumerate(bound)}


def _y(path: str) -> float:
    return TOP + ROW * (list(numbers()).index(path) + 0.5)


def _network(
    bound: tuple[Bond, ...], line: Callable[[str], tuple[float, str]], wide: Mapping[str, float]
) -> Iterator[Shape]:
    """Lines of all numbers and equations, and a dot where they meet; line: a number's width and look."""
    at = _places(bound)
    for path in numbers():
        mine = [at[one.title] for one in bound if path in one.members()]
        if mine:
            thick, look = line(path)
            yield Box(f"line-{path}", FIRST - 10, _y(path) - thick / 2, max(mine) - FIRST + 10, thick, look)
    for letter, one in zip(LETTERS, bound, strict=False):
        ends, miss = [_y(path) for path in one.members()], wide.get(one.title, 0.0)
        thick, look = 1.5 + min(WIDEST, 2 * abs(miss)), "vermillion pale" if abs(miss) > STRAIN else "faint"
        place = (at[one.title] - thick / 2, min(ends), thick, max(ends) - min(ends))
        yield Box(f"bond-{one.title}", *place, look, f"{letter}: {one.text}")
        yield Words(f"letter-{one.title}", at[one.title], TOP - 12, letter, "soft small", "middle")
        yield from (Dot(f"dot-{one.title}-{path}", at[one.title], _y(path), 3.5, "ink") for path in one.members())


def _label(path: str, stated: str, tip: str, look: str = "ink") -> Iterator[Shape]:
    place = list(numbers()).index(path) + 1
    yield Box(f"press-{place}", 0, _y(path) - 8.5, VALUE_AT + 4, 17, "wash press", tip)
    yield Words(f"name-{place}", 4, _y(path) + 4, f"{place} {numbers()[path].short}", f"{look} small")
    yield Words(f"stated-{place}", VALUE_AT, _y(path) + 4, stated, f"{look} small", "end")


# --- adjusted -----------------------------------------------------------------------------------------------------


def _heads(values: str, last: str) -> Iterator[Shape]:
    yield Words("head-stated", VALUE_AT, TOP - 12, values, "soft small", "end")
    yield Words("head-pull", PULL_AT, TOP - 12, last, "soft small", "end")


def _adjusted_row(path: str, row: Adjusted) -> Iterator[Shape]:
    place, claim = list(numbers()).index(path) + 1, row.number.claim
    loud = abs(row.pull or 0) > STRAIN
    tip = f"{f'{claim}: ' if claim else 'Nobody states it. '}{row}. {SIGNS[row.mode]}"
    yield from _label(path, _both(row), tip, "bold" if loud else "ink")
    words = SIGNS[row.mode] or ("–" if row.pull is None else _signed(row.pull))
    yield Words(f"pull-{place}", PULL_AT, _y(path) + 4, words, "vermillion bold small" if loud else "soft small", "end")


def _both(row: Adjusted) -> str:
    """As written, and what it becomes where that differs; of a number that nobody states only the latter."""
    written = brief(row.stated, row.number.unit) if row.number.claim else ""
    if not row.known:
        return "?"
    after = brief(row.value, row.number.unit) if not written or abs(row.shift) >= VISIBLE else ""
    return written if written == after else " → ".join(filter(None, (written, after)))


def _signed(pull: float) -> str:
    return f"{pull:+.1f}".replace("-", "−") if abs(pull) >= 0.05 else "0"


def _line(found: Adjustment) -> Callable[[str], tuple[float, str]]:
    def line(path: str) -> tuple[float, str]:
        pull = abs(found.rows[path].pull or 0)
        look = {PINNED: "ink", FREE: "sky"}.get(found.rows[path].mode, "vermillion" if pull > STRAIN else "blue")
        return 1.5 + min(WIDEST, 1.6 * pull), look

    return line


def _bound(scenario: Scenario) -> tuple[Bond, ...]:
    return equations(scenario.adjust.block == GPT3)


def _fits(found: Adjustment) -> str:
    """What the sum of squares says, with what it cannot say."""
    sizes = f"χ² = {found.chi2:.1f} for {counted(found.freedom, 'free equation')}" if found.freedom else ""
    if found.broken:
        title, by = max(found.broken.items(), key=lambda item: abs(item[1]))
        return (
            f"What is pinned contradicts itself: “{title}” is missed by {abs(math.expm1(by)):.1%}. Set one number free."
        )
    if not found.freedom:
        return "Nothing is left that two ways could disagree about."
    if found.chance < 0.01:
        often = f"once in {1 / found.chance:,.0f} times" if found.chance > 1e-6 else "practically never"
        return f"They do not fit: {sizes}; rounding alone would do that {often}."
    return f"They fit: {sizes}, as rounding alone would leave. So would an invention that was computed with care."


def adjusted_view(scenario: Scenario) -> View:
    """The network, adjusted: which number must give."""
    found, bound, worst = adjustment(scenario), _bound(scenario), adjustment(scenario).worst
    best, share = next(iter(deciding(found)), (None, 0.0))
    rent, mfu = found.rows["cluster.usd_per_gpu_hour"], found.rows["rerun.mfu"]
    price = show(rent.value, rent.number.unit)
    measure = f" To know the {best.label} exactly would take away {share:.0%} of what is left open." if best else ""
    shapes = [*_network(bound, _line(found), found.misfit), *_heads("written → adjusted", "pull")]
    for path, row in found.rows.items():
        shapes += _adjusted_row(path, row)
    words = (
        f"{_fits(found)} The rent of an A100 comes to {price}, the MFU on H100 to {mfu.value:.0%}. Pulled most: "
        f"{worst.number.label}.{measure}"
    )
    return View(
        "Largest pull, in its own standard deviations",
        round(found.strain, 1),
        "1",
        words,
        text=bound_table(bound, found),
        scenes=[
            Scene(
                shapes,
                TOP + ROW * len(numbers()) + 8,
                "The post’s numbers as lines across and its equations as lines down, a dot where one binds the other; "
                f"as wide as they are strained. {words}",
                titles={name: name.capitalize() for name in told(found)[0]},
                rows=told(found),
            )
        ],
    )


def bound_table(bound: tuple[Bond, ...], found: Adjustment) -> str:
    """What the letters mean, and by how much the stated numbers miss."""
    rows = [
        (letter, one.title, one.text, _signed(miss) if (miss := found.misfit.get(one.title)) is not None else "–")
        for letter, one in zip(LETTERS, bound, strict=False)
    ]
    return table("The equations; missed by, in standard deviations", ("Line", "Equation", "Says", "Missed by"), rows)


def pressing(scenario: Scenario, key: str) -> dict[str, str]:
    """A number that is pressed goes on from counted to pinned to free; or to what the letter says."""
    name, _, letter = key.partition(" ")
    place = name.partition("-")[2]
    path = list(numbers())[int(place) - 1]
    mode = MODES[(MODES.index(modes(scenario)[path]) + 1) % 3]
    mode = {"C": COUNTED, "P": PINNED, "F": FREE}.get(letter.upper(), mode)
    at, fields = scenario.adjust, {"counted": COUNTED, "pinned": PINNED, "freed": FREE}
    lists = {name: {word for word in getattr(at, name).split() if word != place} for name in fields}
    lists = {name: words | {place} if fields[name] == mode != numbers()[path].at_first else words
             for name, words in lists.items()}  # fmt: skip
    return {f"adjust.{name}": " ".join(sorted(words, key=int)) for name, words in lists.items()}


strained = Drawn(
    title="Which number must give?",
    legend="Each number a line across, each equation a line down. Wide is strained: a number by its pull, an equation "
    "by how far the written numbers miss it. Press a number to pin it, again to set it free, and again to count it "
    "(keys: P, F, C); or write its place in the list.",
    controls=("adjust.pinned", "adjust.freed", "adjust.counted", "adjust.block"),
    folded=("adjust.weighed", "adjust.weight", Slide("cluster.days", 60, 150), Slide("cluster.gpus", 10_000, 50_000)),
    presets={
        "As written": "leak",
        "Exactly one dollar": {"adjust.pinned": "14"},
        "H100 as others ran it": {"adjust.counted": "18"},
        "Layers of GPT-3": {"adjust.block": GPT3},
    },
    tour=(
        ({}, "Everything counts as finely as it is written, and fits. A rent that is written with one digit gives: to "
             "{verdict.rent}."),
        ({"adjust.pinned": "14"}, "Hold the rent at a dollar, and days, machines, MFU and cost are all pulled, the "
                                  "worst by {verdict.strain:.1f}."),
        ({"adjust.counted": "18"}, "Let the second run’s MFU be one that others have published: now {rerun.days} and "
                                   "{rerun.gpus} cannot stand, by {verdict.strain:.0f} standard deviations."),
    ),
    claims=("F01", "F02"),
    html_of=lambda view: str(view.text or ""),
    view=adjusted_view,
    pressing=pressing,
)  # fmt: skip


# --- struck out ---------------------------------------------------------------------------------------------------

LOOKS: dict[str, tuple[float, str]] = {STATED: (3.0, "blue"), REBUILT: (3.0, "green pale"), LOST: (1.0, "vermillion")}


def struck_view(scenario: Scenario) -> View:
    """The post without some statements: what can be rebuilt, and what is lost."""
    gone, found, bound = deleted(scenario), left(scenario), _bound(scenario)
    told_of = [path for path in numbers() if path != WIDTH or scenario.adjust.block == GPT3]
    shapes: list[Shape] = [*_network(bound, lambda path: LOOKS[found.kinds[path]], {}), *_heads("written", "")]
    for path in told_of:
        one = numbers()[path]
        kind, said = found.kinds[path], path in gone or not one.claim
        stated = "–" if said else brief(one.value(scenario), one.unit)
        shapes += _label(
            path, stated, f"{one.claim or 'Nobody states it'}: {one.label}, {kind}", "soft" if said else "ink"
        )
        word = "" if kind == STATED else kind
        look = "vermillion bold small" if kind == LOST else "green small"
        shapes.append(Words(f"after-{path}", PULL_AT, _y(path) + 4, word, look, "end"))
    lost = [numbers()[path].label for path in found.lost if path in told_of]
    words = (
        f"The post states {found.stated} of these numbers; {found.independent} of them are not decided by the others. "
        + (f"Lost: {', '.join(lost)}." if lost else "All that is struck out can be rebuilt from the rest.")
    )
    return View(
        "Independent numbers",
        found.independent,
        "1",
        words,
        post=content().independent,
        whose="the whole post",
        scenes=[
            Scene(
                shapes,
                TOP + ROW * len(told_of) + 8,
                f"The same network: what is stated, what can be rebuilt, what is lost. {words}",
                titles={"number": "Number", "claim": "Claim", "is": "Is"},
                rows=_kinds({path: found.kinds[path] for path in told_of}),
            )
        ],
    )


def _kinds(kinds: Mapping[str, str]) -> list[dict[str, Any]]:
    found = [(numbers()[path], kind) for path, kind in kinds.items()]
    return [{"number": one.label, "claim": one.claim or "nobody", "is": kind} for one, kind in found]


def strike(scenario: Scenario, key: str) -> dict[str, str]:
    """A statement that is pressed is struck out, or comes back."""
    place, out = key.partition(" ")[0].partition("-")[2], set(scenario.adjust.deleted.split())
    return {"adjust.deleted": " ".join(sorted(out ^ {place}, key=int))}


struck = Drawn(
    title="Strike out until something is lost",
    legend="Press a number to strike out its statement, again to bring it back, or write its place. Green can be "
    "rebuilt from what is left; thin and red is lost.",
    controls=("adjust.deleted", "adjust.block"),
    presets={
        "The whole post": "leak",
        "Without compute and MFU": {"adjust.deleted": "10 13"},
        "Without rent and cost": {"adjust.deleted": "14 15"},
    },
    claims=("F06",),
    view=struck_view,
    pressing=strike,
)
