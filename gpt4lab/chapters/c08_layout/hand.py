"""Chapter 08's drawing: an assembly line of stages and micro-batches that the reader schedules block by block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gpt4lab.charts.drawing import WIDTH, Box, Boxes, Scene, Shape, Stroke, Words
from gpt4lab.models.board import EMPTY, END, KINDS, HandMade, Placed, fewest_slots
from gpt4lab.models.in_scenario import board_in
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.view import View
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario
from gpt4lab.simulate.pipeline.play import Durations, play
from gpt4lab.simulate.pipeline.schedules import FORWARD, WEIGHT, build
from gpt4lab.units import counted, show

LEFT, TOP, CELL, GAP, FLOOR = 56, 42, 32, 3, 34  # px: of the slots; of the first stage; a slot; between; a curve
LOOKS = {"F": "blue", "B": "orange", "W": "green"}
LEAST_SLOTS = 12  # drawn; more where there are blocks
#: The board that is first seen has so many.
STAGES, MICRO_BATCHES = 3, 4
#: Found by trying every schedule (a test does): kept at most on every stage -> the fewest slots.
SHORTEST = {1: 28, 2: 17, 3: 14}


def built(name: str, stages: int = STAGES, micro_batches: int = MICRO_BATCHES) -> str:
    """One of the schedules of the literature as blocks: where it does both at once, B is followed by its W."""
    ran = play(build(name, stages, micro_batches), Durations()).stages
    rows: list[str] = []
    for stage in ran:
        row: dict[int, str] = {}
        for step, start, end in stage:
            m = step.micro_batch + 1
            row[int(start)] = f"{step.kind}{m}"
            if step.kind not in (FORWARD, WEIGHT) and end - start > 1:
                row[int(start) + 1] = f"{WEIGHT}{m}"
        rows.append(" ".join(row.get(slot, EMPTY) for slot in range(max(row) + 1)))
    return f" {END} ".join(rows)


def columns(board: HandMade) -> int:
    """Slots that are drawn: as many as plain 1F1B takes, and one to spare behind the last block."""
    plain = 3 * (board.micro_batches + board.stages - 1)
    return max(LEAST_SLOTS, plain, board.slots + 1)


def _left(board: HandMade, slot: int) -> float:
    return LEFT + (WIDTH - LEFT) * (slot - 1) / columns(board)


def _top(stage: int) -> float:
    return TOP + (CELL + GAP) * (stage - 1)


def _cells(board: HandMade) -> Iterator[Shape]:
    """A cell for every slot of every stage, each with its name; what stands in it on top."""
    there = {(block.stage, block.slot): block for block in board.placed}
    wide = (WIDTH - LEFT) / columns(board) - 2
    for stage in range(1, board.stages + 1):
        yield Words(f"stage-{stage}", 4, _top(stage) + 21, f"{stage}", "soft")
        for slot in range(1, columns(board) + 1):
            block, x = there.get((stage, slot)), _left(board, slot)
            tip = f"Stage {stage}, slot {slot}: {_told(block)}"
            look = LOOKS[block.kind] if block else "wash"
            yield Box(f"cell-{stage}-{slot}", x, _top(stage), wide, CELL, f"{look} press", tip)
            if block:
                for below, words in ((14, block.kind), (27, f"{block.micro_batch}")):  # narrow, for a narrow page
                    yield Words(
                        f"word-{stage}-{slot}-{below}", x + wide / 2, _top(stage) + below, words, "small bold", "middle"
                    )


def _told(block: Placed | None) -> str:
    return f"{block.name}, {KINDS[block.kind]} of micro-batch {block.micro_batch}" if block else "empty"


def _frame(board: HandMade) -> Iterator[Shape]:
    """The slots by number, the shortest end that there is, and the block that breaks the first rule."""
    yield Words("axes-words", 0, 12, "stages down, slots across", "soft")
    for slot in range(1, columns(board) + 1):
        if slot == 1 or slot % 3 == 0:
            yield Words(f"slot-{slot}", _left(board, slot) + 2, TOP - 8, f"{slot}", "soft small")
    end = _left(board, int(fewest_slots(board.stages, board.micro_batches)) + 1) - 1
    below = _top(board.stages + 1)
    yield Stroke("fewest", end, TOP - 18, end, below + 2, "ink dashed")
    yield Words("fewest-words", end, below + 14, "no schedule ends before this", "soft small", "end")
    for block, _ in board.faults[:1]:
        wide, x = (WIDTH - LEFT) / columns(board), _left(board, block.slot) - 2
        yield Box("fault", x, _top(block.stage) - 2, wide + 2, CELL + 4, "outline thick vermillion")


def _curves(board: HandMade) -> Iterator[Shape]:
    """Below: micro-batches that each stage keeps, slot by slot."""
    wide, start = (WIDTH - LEFT) / columns(board), _top(board.stages + 1) + 46
    yield Words("kept-words", 0, start - 14, "stage: most kept, and slot by slot", "soft")
    for stage, row in enumerate(board.kept, 1):
        base = start + FLOOR * stage - 6
        each = FLOOR * 0.7 / max(board.micro_batches, 1)
        bars = [(_left(board, slot), base - each * kept, wide, each * kept) for slot, kept in enumerate(row, 1) if kept]
        most = max(row, default=0)
        yield Words(f"kept-{stage}", 0, base - 2, f"{stage}: {most}", "soft small")
        yield Stroke(f"base-{stage}", LEFT, base, WIDTH, base, "faint")
        yield Boxes(f"bars-{stage}", bars, "purple" if most <= board.stages else "vermillion")


def picture(board: HandMade) -> Scene:
    """The board, its faults, and what the stages keep."""
    height = _top(board.stages + 1) + 46 + FLOOR * board.stages + 4
    return Scene(
        [*_cells(board), *_frame(board), *_curves(board)],
        height,
        f"A board of {board.stages} stages and {columns(board)} slots with {len(board.placed)} blocks. Arrows go from "
        "slot to slot; Space goes through the blocks that can stand there; F, B and W place one; Delete takes it away.",
        titles={"slot": "Slot"} | {f"stage_{s}": f"Stage {s}" for s in range(1, board.stages + 1)},
        rows=list(_table(board)),
        keys="FBW-",
    )


def _table(board: HandMade) -> Iterator[Row]:
    there = {(block.stage, block.slot): block.name for block in board.placed}
    for slot in range(1, max(board.slots, 1) + 1):
        yield {"slot": slot} | {f"stage_{s}": there.get((s, slot), "") for s in range(1, board.stages + 1)}


def board_view(scenario: Scenario) -> View:
    """How long the schedule is, and what it breaks."""
    board = board_in(scenario)
    return View(
        label="Slots to the last block" if not board.missing else "Slots so far",
        value=board.slots,
        unit="1",
        sentence=said(board),
        scenes=[picture(board)],
    )


def said(board: HandMade) -> str:
    """The first rule that is broken; else what is missing; else what the schedule costs, and what it could."""
    for _, words in board.faults[:1]:
        more = len(board.faults) - 1
        return f"{words} ({more} more break{'s' * (more == 1)} a rule.)" if more else words
    keeps = f"keep{'s' * bool(board.missing)} up to {counted(board.held, 'micro-batch')}"
    if board.missing:
        left = f"{counted(board.missing, 'block')} {'is' if board.missing == 1 else 'are'} missing"
        return f"No rule is broken. {left}; the fullest stage {keeps}."
    least = fewest_slots(board.stages, board.micro_batches)
    longer = f"{board.slots - least} more than any schedule needs" if board.slots > least else "the fewest there can be"
    wait = f"Stages wait {show(board.waiting, 'fraction')} of the time and {keeps}."
    return f"Complete, and legal: {counted(board.slots, 'slot')}, {longer}. {wait}"


def pressing(scenario: Scenario, key: str) -> Mapping[str, str]:
    """A slot that is pressed goes on to the next block that can stand there; a letter places its own kind."""
    place, _, letter = key.partition(" ")
    _, stage, slot = place.split("-")
    board, at = board_in(scenario), (int(stage), int(slot))
    if letter == "-":
        return {"assembly.blocks": board.with_word(*at, EMPTY).blocks}
    return {"assembly.blocks": board.pressed(*at, letter)}


hand = Drawn(
    title="Your own schedule",
    legend="Each row is a stage, each column a slot. Press a slot: it takes the next block that can stand there (F "
    "forward, B backward, W gradients of the weights), and another press the one after. Keys: arrows, Space, F, B, W, "
    "Delete. Below, what each stage keeps.",
    controls=("assembly.micro_batches", "assembly.stages", "assembly.blocks"),
    start=f"leak?assembly.blocks={built('1f1b')}",
    presets={
        "1F1B": {},
        "An empty board": {"assembly.blocks": ""},
        "GPipe": {"assembly.blocks": built("gpipe")},
        "Forward passes alone": {"assembly.blocks": "F1 F2 F3 F4 / . F1 F2 F3 F4 / . . F1 F2 F3 F4"},
        "Breaks a rule": {"assembly.blocks": "F1 F2 F3 F4 B1 / . F1 F2 B1 / . . F1 B1"},
    },
    view=board_view,
    pressing=pressing,
)
