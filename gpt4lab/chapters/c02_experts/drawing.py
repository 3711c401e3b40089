"""Chapter 02's drawing: the tokens of one step fall through doors, layer after layer."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from gpt4lab.charts.drawing import WIDTH, Boxes, Dot, Scene, Shape, Stroke, Words
from gpt4lab.claims.prose import fill
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario
from gpt4lab.units import counted

LAYERS, TOP, PITCH, DOOR = 4, 24, 82, 32  # how many are drawn; px: the first waiting row, a layer, a door
DOTS, TOKENS, FOLLOWED = 80, 40, 0  # drawn at most, so that it moves at once; the token that is told apart

#: For each layer and token, the doors that it goes through.
Ways = list[list[list[int]]]


def ways_of(scenario: Scenario) -> Ways:
    """Each token's choice in each layer, even and independent, as `moe.touched` supposes."""
    experts, top_k = value("model.experts", scenario), value("model.top_k", scenario)
    tokens = max(1, round(value("decode.micro_batch", scenario)))
    draw = Random(value("luck.seed", scenario))
    return [[draw.sample(range(experts), min(top_k, experts)) for _ in range(tokens)] for _ in range(LAYERS)]


def doors(scenario: Scenario) -> list[Scene]:
    """Before, between and in the layers: every second scene the tokens are in doors."""
    ways, experts = ways_of(scenario), value("model.experts", scenario)
    return [_scene(ways, experts, step) for step in range(2 * LAYERS + 1)]


def _scene(ways: Ways, experts: int, step: int) -> Scene:
    passed = (step + 1) // 2
    falling = f"{counted(len(ways[0]), 'token')} fall{'s' * (len(ways[0]) == 1)}"
    woken = [{door for token in layer for door in token} for layer in ways[:passed]]
    return Scene(
        [*_doors(woken, experts), *_trace(ways, experts, step), *_tokens(ways, experts, step)],
        TOP + LAYERS * PITCH + 8,
        f"{falling} through {LAYERS} layers of {counted(experts, 'door')}. {_caption(ways, experts, step)}",
        _caption(ways, experts, step),
        {"layer": "Layer", "awake": "Experts awake", "asleep": "Experts asleep"},
        [{"layer": at + 1, "awake": len(found), "asleep": experts - len(found)} for at, found in enumerate(woken)]
        or [{"layer": 1, "awake": 0, "asleep": experts}],
    )


def _caption(ways: Ways, experts: int, step: int) -> str:
    layer, tokens, inside = (step - 1) // 2, len(ways[0]), step % 2
    if step == 0:
        return f"{tokens} token{'s' * (tokens > 1)}, each of another user, before the first of these layers."
    awake, chosen = len({door for token in ways[layer] for door in token}), sorted(ways[layer][FOLLOWED])
    if inside:
        names = " and ".join(str(door + 1) for door in chosen)
        return f"Layer {layer + 1}: {awake} of {experts} doors open. The large red token goes through {names}."
    again = "The next layer has doors of its own, and chooses anew." if layer + 1 < LAYERS else "So on, for all layers."
    return f"Out of layer {layer + 1}, each token is one again: the outputs of its experts are added up. {again}"


def _doors(woken: list[set[int]], experts: int) -> Iterator[Shape]:
    """A row of doors a layer: those that somebody has gone through are awake."""
    wide = WIDTH / experts
    for layer in range(LAYERS):
        y, awake = _door_y(layer), woken[layer] if layer < len(woken) else set()
        row = [(door * wide + 1, y, wide - 2, DOOR) for door in range(experts)]
        yield Boxes(f"shut-{layer}", [place for door, place in enumerate(row) if door not in awake], "faint outline")
        yield Boxes(f"awake-{layer}", [place for door, place in enumerate(row) if door in awake], "orange pale")
        words = f"layer {layer + 1}: {len(awake)} of {experts} awake" if layer < len(woken) else f"layer {layer + 1}"
        yield Words(f"layer-{layer}", 0, y + DOOR + 15, words, "soft small")


def _tokens(ways: Ways, experts: int, step: int) -> Iterator[Shape]:
    """A dot for each choice of each token; between the layers the dots of one token lie on each other."""
    layer, room = step // 2, dict[int, int]()
    for token in range(_shown(ways)):
        for choice, door in enumerate(ways[min(layer, LAYERS - 1)][token]):
            x, y = _waiting(ways, token, layer)
            if step % 2:
                x, y = _in_door(door, experts, layer, room.get(door, 0))
                room[door] = room.get(door, 0) + 1
            look = "vermillion" if token == FOLLOWED else "blue"
            yield Dot(f"token-{token}-{choice}", x, y, 5 if token == FOLLOWED else 3.2, look)


def _trace(ways: Ways, experts: int, step: int) -> Iterator[Shape]:
    """The way of the token that is followed, as far as it has come."""
    for layer in range((step + 1) // 2):
        start, end = _waiting(ways, FOLLOWED, layer), _waiting(ways, FOLLOWED, layer + 1)
        for choice, door in enumerate(ways[layer][FOLLOWED]):
            at = (door + 0.5) * WIDTH / experts, _door_y(layer) + DOOR - 6
            yield Stroke(f"in-{layer}-{choice}", *start, *at, "vermillion")
            if step > 2 * layer + 1:
                yield Stroke(f"out-{layer}-{choice}", *at, *end, "vermillion")


def _door_y(layer: int) -> float:
    return TOP + layer * PITCH + 18


def _shown(ways: Ways) -> int:
    """How many of the tokens are drawn."""
    return min(len(ways[0]), TOKENS, DOTS // len(ways[0][0]))


def _waiting(ways: Ways, token: int, layer: int) -> tuple[float, float]:
    """Where a token waits: in a row above the layer, the followed one in the middle."""
    shown = _shown(ways)
    place = (token + shown // 2) % shown
    return WIDTH * (place + 0.5) / shown, TOP + layer * PITCH


def _in_door(door: int, experts: int, layer: int, before: int) -> tuple[float, float]:
    """Where the next token stands in a door: rows of three from the floor, as far as there is room."""
    wide, row, column = WIDTH / experts, before // 3 % 4, before % 3
    return (door + 0.5 + (0, -0.28, 0.28)[column]) * wide, _door_y(layer) + DOOR - 6 - row * 7


def doors_view(scenario: Scenario) -> View:
    """The share of doors that opened, beside what the formula expects."""
    experts, ways = value("model.experts", scenario), ways_of(scenario)
    awake = sum(len({door for token in layer for door in token}) for layer in ways)
    said = (
        f"In these {LAYERS} layers {awake} of {LAYERS * experts} doors opened, {awake / LAYERS / experts:.0%}. With "
        "other luck it is another number; {moe.touched} is the mean."
    )
    touched = value("moe.touched", scenario)
    return View(
        "Experts that one step wakes, by the formula", touched, "fraction", fill(said, scenario), scenes=doors(scenario)
    )


falling = Drawn(
    title="Falling through doors",
    legend="A row of doors is a layer, a door an expert. It opens where a token goes through. Move the slider under "
    "the picture, or press Next: the tokens fall.",
    controls=(
        Slide("serving.tokens_in_flight", 1, 64),
        Slide("model.experts", 2, 32),
        Slide("model.top_k", 1, 8),
        "luck.seed",
    ),
    start="leak?serving.tokens_in_flight=8&serving.pipeline=1",  # eight tokens in one step
    presets={"8 tokens": {}, "One token": {"serving.tokens_in_flight": 1}, "32": {"serving.tokens_in_flight": 32}},
    claims=("C43",),
    view=doors_view,
    steps="The tokens' way",
    begins=1,
)
