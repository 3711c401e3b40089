"""Derived numbers. `value("training.cost", scenario)`, `explain("training.cost", scenario)`.

One module a topic; importing this package declares them all.
"""

from importlib import import_module

from gpt4lab.quantities.explain import Explanation, explain
from gpt4lab.quantities.registry import (
    QUANTITIES,
    Quantity,
    UnknownQuantity,
    find,
    known,
    leaves,
    quantity,
    unit_of,
    value,
    values,
)

__all__ = [
    "QUANTITIES",
    "Explanation",
    "Quantity",
    "UnknownQuantity",
    "explain",
    "find",
    "known",
    "leaves",
    "quantity",
    "unit_of",
    "value",
    "values",
]

for _topic in (
    "geometry",
    "compute",
    "moe",
    "training",
    "batch",
    "parallel",
    "goodput",
    "prices",
    "budget",
    "scaling",
    "lifetime",
    "data",
    "stretch",
    "kv",
    "serving",
    "speculation",
    "vision",
):
    import_module(f"gpt4lab.quantities.topics.{_topic}")
