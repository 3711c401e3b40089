"""The parameters of networks and of catalog entries, part by part: `formulas.parts` asked about the models' records."""

from __future__ import annotations

from gpt4lab.catalog import PublishedModel
from gpt4lab.formulas import parts as per
from gpt4lab.formulas.arith import Num
from gpt4lab.formulas.parts import Parts
from gpt4lab.models.inputs import Network, described


def parts(shape: Network) -> Parts:
    """The parameters of a network, by part. Its fields may be arrays."""
    return per.parts(shape, shape.rest)


def attention(shape: Network) -> Num:
    """Projections of one layer, of whatever kind."""
    return per.attention(shape)


def published(model: PublishedModel) -> Parts:
    """The parameters that follow from a catalog entry's shape.

    Raises catalog.MissingFact where the shape is not published in full.
    """
    return parts(described(model))
