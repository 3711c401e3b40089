"""Micro-batches that follow each other through the stages, and how long a stage waits for them."""

from __future__ import annotations

from gpt4lab.formulas.arith import Num, floor, maximum
from gpt4lab.formulas.pipeline import bubble_fraction
from gpt4lab.quantities.registry import quantity


@quantity("pipeline.micro_batches", "1", source="narayanan2021", S="batch.sequences_per_replica",
          b="training.micro_batch")
def micro_batches(S: Num, b: Num) -> Num:
    """Micro-batches that follow each other through a pipeline in one step, a whole number."""
    return maximum(floor(S / b), 1)


quantity("pipeline.bubble", "fraction", source="narayanan2021", p="cluster.pipeline", m="pipeline.micro_batches",
         v="cluster.interleave",
         about="Share of a step in which a GPU waits for the pipeline to fill and to drain.")(bubble_fraction)
