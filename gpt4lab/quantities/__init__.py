"""Derived numbers. `value("training.cost", scenario)`, `explain("training.cost", scenario)`.

One module a topic; importing this package declares them all.
"""

# pyright: reportUnusedImport=false

from importlib import import_module
from pkgutil import iter_modules

from gpt4lab.quantities import topics
from gpt4lab.quantities.explain import Explanation, explain
from gpt4lab.quantities.registry import (
    QUANTITIES,
    Quantity,
    UnknownQuantity,
    crossing,
    find,
    known,
    leaves,
    quantity,
    unit_of,
    value,
    values,
)

for _topic in iter_modules(topics.__path__):
    import_module(f"{topics.__name__}.{_topic.name}")
