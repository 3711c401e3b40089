"""Sourced facts: every number that somebody published and this book uses, in one place each.

>>> from gpt4lab import catalog
>>> catalog.accelerators["a100-sxm-80gb"].peak_bf16_flop_per_s
312000000000000.0
>>> catalog.models["DeepSeek-V3"].source_of("mfu").reference
'epoch-models-2025'

Tables are read-only mappings from a slug to a record, parsed from the TOML files beside this module on first use. A lookup
takes the slug or the display name, whatever the case; an unknown name raises `UnknownName` with near matches. A
number that nobody published is `None`, and `entry.need(field)` raises `MissingFact` for it: never zero.
"""

from gpt4lab.catalog.entry import KINDS, Entry, Reference, Source, build, references
from gpt4lab.catalog.records import (
    Accelerator,
    Constants,
    Dataset,
    Evidence,
    Latency,
    Measurement,
    Model,
    Number,
    Price,
    Rental,
    Utilisation,
    describe,
)
from gpt4lab.catalog.table import CatalogError, MissingFact, Table, UnknownName

accelerators: Table[Accelerator] = Table("accelerators", lambda slug, entry: build(Accelerator, slug, entry))
models: Table[Model] = Table("models", lambda slug, entry: build(Model, slug, entry))
