"""Sourced facts: every number that somebody published and this book uses, each in one place.

>>> from gpt4lab import catalog
>>> catalog.accelerators["A100 SXM 80GB"].peak_bf16_flop_per_s
312000000000000.0
>>> catalog.models["deepseek-v3"].source_of("mfu").reference
'epoch-models-2025'
>>> catalog.constants["hoffmann2022-tex"].alpha
0.3392
>>> catalog.references["kaplan2020"].cite()
'Kaplan et al. (2020)'

Tables are read-only mappings from a slug to a record, parsed on first use from the TOML files beside this module. A
lookup takes the slug or the display name, whatever the case; an unknown name raises `UnknownName` with near matches.
A number that nobody published is `None`, and `entry.need(field)` raises `MissingFact` for it: it is never zero.
`entry.source_of(field)` says where a number comes from, `entry.unit(field)` in which unit it is.
"""

# pyright: reportUnusedImport=false

from functools import partial
from typing import TypeVar

from gpt4lab.catalog.entry import Entry, Reference, Source, build, references
from gpt4lab.catalog.records import (
    Accelerator,
    Constant,
    Constants,
    Dataset,
    Evidence,
    Latency,
    MeasuredKey,
    Measurement,
    Price,
    PrintedBatch,
    PrintedBatches,
    PublishedModel,
    Ramp,
    Rental,
    Term,
    Utilisation,
    describe,
)
from gpt4lab.catalog.table import CatalogError, MissingFact, Table, UnknownName

T = TypeVar("T")


def _table(file: str, record: type[T]) -> Table[T]:
    return Table(file, partial(build, record))


accelerators = _table("accelerators", Accelerator)
models = _table("models", PublishedModel)
utilisations = _table("mfu", Utilisation)
ramps = _table("ramps", Ramp)
prices = _table("prices", Price)
latencies = _table("latency", Latency)
datasets = _table("datasets", Dataset)
constants = _table("constants", Constants)
epoch = _table("epoch", Constants)
measurements = _table("measurements", Measurement)
static_batches = _table("static_batches", PrintedBatches)
measured_keys = _table("measured_keys", MeasuredKey)
evidence = _table("evidence", Evidence)
glossary = _table("glossary", Term)


def published_mfu() -> list[PublishedModel | Utilisation]:
    """Every published run with a utilisation, by date: the models' own, and those known for it alone."""
    runs: list[PublishedModel | Utilisation] = [*models.values(), *utilisations.values()]
    return sorted((run for run in runs if run.mfu is not None), key=lambda run: run.released)
