"""How the training is spread over the machines: replicas, pipeline, and what fills a GPU's memory.

The formulas of bubble and memory are those of the training-step model (`pipeline`, `memory`); here they get the
scenario's numbers.
"""

from __future__ import annotations

from gpt4lab.formulas import memory, pipeline
from gpt4lab.formulas.arith import Num, ceil, floor, maximum
from gpt4lab.quantities.registry import quantity


@quantity("cluster.gpus_per_replica", "GPU", source="narayanan2021",
          t="cluster.tensor", p="cluster.pipeline")
@quantity("serving.gpus_needed", "GPU", source="narayanan2021", t="serving.tensor", p="serving.pipeline",
          about="GPUs that hold one copy of the model.")
def gpus_per_replica(t: Num, p: Num) -> Num:
    """GPUs that hold one copy of the model: tensor-parallel ranks times pipeline stages."""
    return t * p


@quantity("cluster.replicas_exact", "replica", source="arithmetic",
          n="cluster.gpus", g="cluster.gpus_per_replica")
def replicas_exact(n: Num, g: Num) -> Num:
    """Copies of the model that the GPUs would hold if a copy could be cut."""
    return n / g


@quantity("cluster.replicas", "replica", source="arithmetic", r="cluster.replicas_exact")
def replicas(r: Num) -> Num:
    """Whole copies of the model that train side by side."""
    return maximum(floor(r), 1)


@quantity("cluster.idle_share", "fraction", source="arithmetic",
          n="cluster.gpus", g="cluster.gpus_per_replica", r="cluster.replicas")
def idle_share(n: Num, g: Num, r: Num) -> Num:
    """Share of the GPUs that no whole copy uses."""
    return maximum(1 - r * g / n, 0)


@quantity("cluster.layers_per_stage", "layer", source="narayanan2021", L="model.layers", p="cluster.pipeline")
@quantity("serving.layers_per_stage", "layer", source="narayanan2021", L="model.layers", p="serving.pipeline")
def layers_per_stage(L: Num, p: Num) -> Num:
    """Layers that a pipeline stage holds, on average."""
    return L / p


@quantity("cluster.stage_imbalance", "x", source="arithmetic", L="model.layers", p="cluster.pipeline")
@quantity("serving.stage_imbalance", "x", source="arithmetic", L="model.layers", p="serving.pipeline")
def stage_imbalance(L: Num, p: Num) -> Num:
    """Layers of the fullest stage over the average: the whole pipeline runs at the pace of the fullest."""
    return ceil(L / p) / (L / p)


@quantity("pipeline.micro_batches", "1", source="narayanan2021",
          S="batch.sequences_per_replica", b="training.micro_batch")
def micro_batches(S: Num, b: Num) -> Num:
    """Micro-batches that follow each other through a pipeline in one step, a whole number."""
    return maximum(floor(S / b), 1)


quantity(
    "pipeline.bubble", "fraction", source="narayanan2021",
    p="cluster.pipeline", m="pipeline.micro_batches", v="cluster.interleave",
    about="Share of a step in which a GPU waits for the pipeline to fill and to drain.",
)(pipeline.bubble_fraction)


@quantity("training.mfu_before_bubble", "fraction", source="arithmetic", MFU="training.mfu", beta="pipeline.bubble")
def mfu_before_bubble(MFU: Num, beta: Num) -> Num:
    """Utilisation while the pipeline is full: what the stated MFU would be without the bubble."""
    return MFU / (1 - beta)


@quantity("training.mfu_after_bubble", "fraction", source="arithmetic",
          MFU_full="training.best_mfu", beta="pipeline.bubble")
def mfu_after_bubble(MFU_full: Num, beta: Num) -> Num:
    """What the bubble leaves of the best credible MFU."""
    return MFU_full * (1 - beta)


@quantity("memory.params_per_gpu", "param", source="narayanan2021",
          N="model.total_params", g="cluster.gpus_per_replica")
def params_per_gpu(N: Num, g: Num) -> Num:
    """Parameters on one GPU, if tensor and pipeline parallelism cut the model evenly."""
    return N / g


quantity(
    "memory.weights", "byte", source="rajbhandari2020",
    P="memory.params_per_gpu", N_d="cluster.replicas", zero="cluster.zero",
    about="Weights on one GPU, 2 bytes each.",
)(memory.weight_bytes)
quantity(
    "memory.gradients", "byte", source="rajbhandari2020",
    P="memory.params_per_gpu", N_d="cluster.replicas", zero="cluster.zero", g="cluster.gradient_bytes",
    about="Gradients on one GPU.",
)(memory.gradient_bytes)
quantity(
    "memory.optimiser", "byte", source="rajbhandari2020",
    P="memory.params_per_gpu", N_d="cluster.replicas", zero="cluster.zero",
    about="Optimiser state on one GPU: fp32 weight, mean and variance.",
)(memory.optimiser_bytes)


@quantity("memory.states", "byte", source="rajbhandari2020",
          w="memory.weights", g="memory.gradients", o="memory.optimiser")
def states(w: Num, g: Num, o: Num) -> Num:
    """Weights, gradients and optimiser state on one GPU, before any activation."""
    return w + g + o


@quantity("memory.all_states", "byte", source="rajbhandari2020", N="model.total_params", g="cluster.gradient_bytes")
def all_states(N: Num, g: Num) -> Num:
    """Weights, gradients and optimiser state of one copy: 2 + g + 12 bytes a parameter."""
    return (2 + g + 12) * N
