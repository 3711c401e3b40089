"""Chapter 01's drawing: three models to one scale, an area for each parameter, and what one token lights."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from random import Random

from gpt4lab import catalog
from gpt4lab.charts.drawing import WIDTH, Box, Boxes, Scene, Shape, Strokes, Words
from gpt4lab.claims.prose import fill
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.units import counted, show

STAMP = catalog.constants["gpt-2"].values["params"].value
PAGE = catalog.models["gpt-3-175b"].need("params_total")
A4 = 0.21 * 0.297  # square metres of the sheet that GPT-3 is
LEFT, TOP, MOST_PAGE, MOST_WALL = 132, 44, 100, 300  # px: where the wall begins; widest page, highest wall


def px_per_param(scenario: Scenario) -> float:
    """Square pixels of a parameter: as large as page and wall have room for."""
    room = (WIDTH - LEFT) * MOST_WALL
    return min(sqrt(2) * MOST_PAGE**2 / PAGE, room / value("model.total_params", scenario))


def wall(scenario: Scenario) -> list[Scene]:
    """A stamp and a page; the wall; its parts; a token that goes through it."""
    layers = scenario.model.layers
    passed = (0, 0, 0, 1, max(1, layers // 4), layers)
    return [_scene(scenario, step, through) for step, through in enumerate(passed)]


def _scene(scenario: Scenario, step: int, passed: int) -> Scene:
    shapes = [*_sheets(scenario), *(_parts(scenario, step, passed) if step else ())]
    caption = _caption(scenario, step, passed)
    pages = value("model.total_params", scenario) / PAGE
    rows = [
        {"what": what, "params": params, "area": params / PAGE * A4}
        for what, params in (("GPT-2", STAMP), ("GPT-3", PAGE), ("this model", pages * PAGE),
                             ("of it, lit by a token", value("model.active_params", scenario)))
    ]  # fmt: skip
    titles = {"what": "Model", "params": "Parameters", "area": "Square metres, if GPT-3 is an A4 page"}
    return Scene(shapes, TOP + MOST_WALL + 24, f"Areas to one scale. {caption}", caption, titles, rows)


def _caption(scenario: Scenario, step: int, passed: int) -> str:
    pages, model = value("model.total_params", scenario) / PAGE, scenario.model
    lit = value("model.active_params", scenario) / PAGE
    return (
        f"If GPT-3 is a sheet of A4, GPT-2 is a stamp of {1e4 * A4 * STAMP / PAGE:.1f} square centimetres.",
        f"This model is a wall of {pages:.1f} such sheets, {pages * A4:.2f} square metres.",
        f"A row is a layer: {model.layers}. At the left what all tokens share; then a column for each expert.",
        f"A token comes in: of the first layer it lights what is shared, and {model.top_k} of {model.experts} experts.",
        f"After {counted(passed, 'layer')}: in each it is sent to {model.top_k}, and not to the same ones.",
        f"After all {passed}: {lit:.1f} sheets of {pages:.1f} are lit, {lit / pages:.0%} of the wall.",
    )[step]


def _sheets(scenario: Scenario) -> Iterator[Shape]:
    """GPT-2 and GPT-3, each as high as a sheet of paper is for its width."""
    scale = px_per_param(scenario)
    stamp, page = (sqrt(scale * params / sqrt(2)) for params in (STAMP, PAGE))
    yield Words("stamp-words", 0, TOP - 8, "GPT-2", "soft")
    yield Box("stamp", 0, TOP, stamp, stamp * sqrt(2), "green", show(STAMP, "param"))
    top = TOP + 60
    yield Words("page-words", 0, top - 8, "GPT-3", "soft")
    yield Box("page", 0, top, page, page * sqrt(2), "sky", show(PAGE, "param"))


def _parts(scenario: Scenario, step: int, passed: int) -> Iterator[Shape]:
    """The wall, and what is lit of it."""
    model, total = scenario.model, value("model.total_params", scenario)
    wide, high = WIDTH - LEFT, px_per_param(scenario) * total / (WIDTH - LEFT)
    shared = wide * model.shared_params / total
    column, row = (wide - shared) / model.experts, high / model.layers
    yield Words("wall-words", LEFT, TOP - 8, "this model", "bold")
    yield Boxes("wall", [(LEFT, TOP, wide, high)], "blue pale")
    if step > 1:
        edges = [LEFT + shared + column * at for at in range(model.experts)]
        yield Strokes("columns", [(x, TOP, x, TOP + high) for x in edges], "paper")
    if passed:
        yield Box("lit-shared", LEFT, TOP, shared, row * passed, "orange")
        yield Boxes("lit", list(_lit(scenario, passed, LEFT + shared, column, row)), "orange")
        yield Words("lit-words", LEFT, TOP + high + 18, "lit by one token", "orange")


def _lit(
    scenario: Scenario, passed: int, left: float, column: float, row: float
) -> Iterator[tuple[float, float, float, float]]:
    """Experts by chance, other ones in each layer: which they are the post does not say."""
    model, dice = scenario.model, Random(1)
    for layer in range(passed):
        for expert in dice.sample(range(model.experts), model.top_k):
            yield left + column * expert, TOP + row * layer, column, row


def wall_view(scenario: Scenario) -> View:
    """How much of the wall one token lights."""
    share, post = (value("model.active_params", s) / value("model.total_params", s) for s in (scenario, POST))
    return View(
        label="Lit by one token",
        value=share,
        unit="fraction",
        post=post,
        sentence=fill(
            "In {model.layers} it stores {model.total_params}, {model.size_vs_gpt3:.1f} times GPT-3; a token uses "
            "{model.active_params}, {model.active_vs_gpt3:.1f} times GPT-3.",
            scenario,
        ),
        scenes=wall(scenario),
    )


POST = load_scenario("leak")
to_scale = Drawn(
    title="A stamp, a page, a wall",
    legend="Each parameter has the same area. Which experts a token lights is drawn by lot.",
    controls=(
        Slide("model.experts", 1, 64),
        Slide("model.top_k", 1, 8),
        Slide("model.expert_params", 1e10, 4e11),
        Slide("model.shared_params", 1e9, 4e11),
        Slide("model.layers", 12, 240),
    ),
    presets={
        "The post": "leak",
        "Twice eight of 220B": "hotz-8x220b",
        "As if dense": {"model.top_k": 16},
        "64 experts, a quarter as large": {"model.experts": 64, "model.expert_params": 27.75e9, "model.top_k": 8},
    },
    claims=("C01", "C02"),
    begins=-1,
    view=wall_view,
)
