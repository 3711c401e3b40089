"""Sizes that are counted from the shape follow it: change the layers, and the parameters change with them.

The post states its sizes, and its shape is a guess; they stay apart. A public model, or one's own, has one shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpt4lab.formulas.arith import where
from gpt4lab.formulas.parts import SHAPE as FIELDS_OF_SHAPE
from gpt4lab.formulas.parts import parts, stated_sizes
from gpt4lab.scenario.field import ScenarioError
from gpt4lab.scenario.records import Model
from gpt4lab.units import show

SIZES = ("model.expert_params", "model.shared_params")
#: The fields that both sizes follow from.
SHAPE = frozenset(f"model.{name}" for name in FIELDS_OF_SHAPE)
#: What both sizes change with, where they are counted.
MOVES = SHAPE | {"model.counted"}

#: How far stated sizes may be from the shape: the post's own are 2% and less apart.
NEAR = 0.05


class _Over:
    """A model with some fields put over it: numbers, or arrays."""

    def __init__(self, model: Model, over: Mapping[str, Any]) -> None:
        self._model = model
        self.__dict__.update(over)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


def sizes_of(model: Any) -> dict[str, Any]:
    """The two sizes of a shape, by path."""
    return dict(zip(SIZES, stated_sizes(model), strict=True))


def sizes_with(model: Model, given: Mapping[str, Any]) -> dict[str, Any]:
    """The two sizes of a model whose sizes are counted, if some paths had other values; none that are given."""
    counted = given.get("model.counted", model.counted) == 1
    if counted is False or MOVES.isdisjoint(given):
        return {}
    moved = {path.partition(".")[2]: value for path, value in given.items() if path in SHAPE}
    sizes = sizes_of(_Over(model, moved)).items()
    return {
        path: where(counted, size, getattr(model, path.partition(".")[2])) for path, size in sizes if path not in given
    }


def two_weights(model: Model) -> str:
    """A sentence where the stated sizes and the shape are two models; empty where they are within `NEAR` of each other.

    What is computed from sizes (`memory.*`) and from the shape (`step.*`) then differs by as much.
    """
    stated, found = model.experts * model.expert_params + model.shared_params, parts(model)
    shape = found.total - (0 if model.counted else found.embedding + found.head + found.routers)
    if abs(stated / shape - 1) <= NEAR:
        return ""
    return (
        f"Sizes and shape are two models here: the stated sizes have {show(stated, 'param')}, the shape has "
        f"{show(shape, 'param')}. With model.counted = 1 the sizes follow the shape."
    )


def refuse_no_attention(model: Model) -> None:
    """Raise ScenarioError where the shared size holds no more than what the shape has beside attention."""
    found = parts(model)
    beside = found.shared + found.dense * (model.experts > 1)
    beside += model.counted * (found.embedding + found.head + found.routers)
    if model.shared_params <= beside:
        raise ScenarioError(
            f"model.shared_params = {model.shared_params:,.6g} leaves nothing for attention: shared experts, layers "
            f"without experts, tables and routers that it holds have {beside:,.6g} parameters. More would do."
        )
