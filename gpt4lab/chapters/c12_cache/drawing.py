"""Chapter 12's drawing: what one token leaves behind, layer by layer, true to scale."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, log2

from gpt4lab.charts.drawing import Box, Dot, Grip, Scene, Shape, Stroke, Strokes, Words
from gpt4lab.claims.prose import fill
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.units import counted, show

FLOOR, CEILING = 250, 34  # px from the top: where the wall stands, and as high as it may be
RULER = 10_000  # bytes
POST = load_scenario("leak")


def _layer_px(layers: int) -> float:
    return min(4.25, 540 / layers)


def _in_a_layer(scenario: Scenario, kept: str = "kv.values") -> float:
    """Bytes that one layer keeps of a token."""
    return value(kept, scenario) * value("serving.bytes_per_kv", scenario)


def _px_per_byte(scenario: Scenario) -> float:
    """The post's model with all its heads fills the height; what is larger makes the scale smaller."""
    largest = max(_in_a_layer(s, kept) for s in (scenario, POST) for kept in ("kv.values", "kv.values_full"))
    return (FLOOR - CEILING) / largest


def strip(scenario: Scenario) -> Scene:
    """One token's cache: a column a layer, as high as the bytes that it keeps."""
    layers, scale = value("model.layers", scenario), _px_per_byte(scenario)
    high, full = (scale * _in_a_layer(scenario, kept) for kept in ("kv.values", "kv.values_full"))
    head = scale * 2 * value("model.head_dim", scenario) * value("serving.bytes_per_kv", scenario)
    return Scene(
        [*_wall(scenario, full, high), *_edge(scenario, high)],
        FLOOR + 26,
        f"A wall of {counted(layers, 'column')}, one a layer, as high as what a token leaves there if every "
        f"query head has keys and values of its own. {high / full:.1%} of it are filled: {_kept(scenario)}.",
        titles={"what": "Kept of one token", "layer": "Bytes in a layer", "all": "Bytes in all layers"},
        rows=_rows(scenario),
        grip=None if _latent(scenario) else Grip("model.kv_heads", (FLOOR, 0), (FLOOR - 100 * head, 100)),
    )


def _latent(scenario: Scenario) -> bool:
    return value("model.kv_rank", scenario) > 0


def _kept(scenario: Scenario) -> str:
    heads = value("model.kv_heads", scenario)
    return "one compressed vector" if _latent(scenario) else f"{heads} key-value head{'s' * (heads > 1)}"


def _wall(scenario: Scenario, full: float, high: float) -> Iterator[Shape]:
    """All that could be kept, pale; what is kept, keys below and values above."""
    layers = value("model.layers", scenario)
    each, top = _layer_px(layers), FLOOR - max(full, high)
    width, keys = each * layers, high if _latent(scenario) else high / 2
    yield Box("all", 0, FLOOR - full, width, full, "soft pale")
    yield Box("keys", 0, FLOOR - keys, width, keys, "blue")
    yield Box("values", 0, FLOOR - high, width, high - keys, "sky")
    yield Strokes("between", [(each * at, top, each * at, FLOOR) for at in range(1, layers)], "paper")
    whole = show(value("kv.bytes_per_token_full", scenario), "byte")
    yield Words("all-words", 0, FLOOR - full - 8, f"A head for each query head: {whole}", "soft")
    ruler = FLOOR - _px_per_byte(scenario) * RULER
    yield Strokes("ruler", [(width + 18, FLOOR, width + 18, ruler)], "soft")
    yield Words("ruler-words", width + 23, (FLOOR + ruler) / 2 + 4, show(float(RULER), "byte"), "soft")
    yield Words("floor-words", 0, FLOOR + 18, f"{counted(layers, 'layer')}, a column each", "soft")
    if keys > 20 and not _latent(scenario):
        yield Words("keys-words", 8, FLOOR - high / 4 + 4, "keys: what a token is about")
        yield Words("values-words", 8, FLOOR - 3 * high / 4 + 4, "values: what it says")


def _edge(scenario: Scenario, high: float) -> Iterator[Shape]:
    """The upper edge of what is kept, which can be dragged where it counts heads."""
    layers, y = value("model.layers", scenario), FLOOR - high
    width, words = (
        _layer_px(layers) * layers,
        f"{_kept(scenario)}: {show(value('kv.bytes_per_token', scenario), 'byte')}",
    )
    yield Stroke("edge", 0, y, width, y, "blue")
    yield Words("edge-words", 8, y - 9 if high < 170 else y + 24, words, "blue bold")
    if not _latent(scenario):
        yield Dot("handle", width, y, 8, "blue grip")
        yield Strokes("arrows", [(width, y - 5, width, y + 5)], "paper")
        yield Box("hold", 0, y - 14, width, 28, "none grip")


def _rows(scenario: Scenario) -> list[dict[str, str | float]]:
    cases = {_kept(scenario): "kv.values", "a head for each query head": "kv.values_full"}
    sizes = {what: _in_a_layer(scenario, kept) for what, kept in cases.items()}
    return [
        {"what": what, "layer": size, "all": value("model.layers", scenario) * size} for what, size in sizes.items()
    ]


def strip_view(scenario: Scenario) -> View:
    """The bytes of a token, and the wall that they fill."""
    here, number = value("kv.bytes_per_token", scenario), ceil(log2(value("model.vocab", scenario)) / 8)
    less = value("kv.reduction", scenario)
    of_all = f"; with keys and values for every query head it would be {less:.3g} times that" if less > 1 else ""
    sentence = (
        f"The token itself is a number below {{model.vocab:,}}: {number} bytes. What it leaves behind, for all later "
        f"tokens to look back at, is {here / number:,.0f} times as much{of_all}."
    )
    post = value("kv.bytes_per_token", POST)
    return View("Kept of one token", here, "byte", fill(sentence, scenario), post=post, scenes=[strip(scenario)])


token = Drawn(
    title="What one token leaves behind",
    legend="Keys and values of a token, true to scale: a column is a layer, its height the bytes kept there. Drag the "
    "blue edge up: that gives the model more key-value heads.",
    controls=(
        Slide("model.kv_heads", 1, 84),
        Slide("model.head_dim", 64, 256),
        Slide("serving.bytes_per_kv", 0.5, 4),
        Slide("model.layers", 1, 130),
    ),
    presets={
        "The post": "leak",
        "Every head its own": {"model.kv_heads": POST.model.heads},
        "Llama 3.1 405B": "llama-3.1-405b",
        "DeepSeek-V3": "deepseek-v3",
    },
    claims=("C59",),
    view=strip_view,
)
