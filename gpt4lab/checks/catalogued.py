"""Published numbers of the catalog as checks: the book's number beside the published one, with its reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from gpt4lab import catalog
from gpt4lab.catalog import Measurement, PublishedModel
from gpt4lab.checks.check import Check


def entries(prefix: str = "", **same: str) -> list[Measurement]:
    """The measurements whose slug begins so, and whose set-up has these values."""
    found = [entry for slug, entry in catalog.measurements.items() if slug.startswith(prefix)]
    return [entry for entry in found if all(entry.setup.get(key) == value for key, value in same.items())]


def setup(entry: Measurement) -> dict[str, Any]:
    """How it was measured."""
    return dict(cast("Mapping[str, Any]", entry.setup))


def measured(entry: Measurement, key: str, predicted: float, assumed: str = "", *, unit: str = "") -> Check:
    """A measurement beside what a model of the book says; `unit` where a reader should see another than its own."""
    known, where = catalog.measured_keys[key], entry.sources[0].reference
    return Check(known.label, predicted, entry.measured[key], unit or known.unit, where, entry.name, assumed)


def stated(
    model: PublishedModel, fact: str, predicted: float, assumed: str = "", *, by: str = "", unit: str = ""
) -> Check:
    """A fact of a public model beside what follows from others; `by` is the fact whose source is cited instead."""
    label, known = catalog.describe(PublishedModel)[fact]
    where = model.source_of(by or fact).reference
    return Check(label, predicted, model.need(fact), unit or str(known), where, model.name, assumed)
