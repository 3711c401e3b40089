"""The machines of the training: what they could compute and cost, and how the model is spread over them."""

from __future__ import annotations

from gpt4lab.formulas.arith import Num, ceil, floor, maximum
from gpt4lab.quantities.registry import again, quantity


@quantity("cluster.flop_per_s", "FLOP/s", source="nvidia2020a100", n="cluster.gpus",
          F="cluster.accelerator.peak_bf16_flop_per_s")
def flop_per_s(n: Num, F: Num) -> Num:
    """Peak of all GPUs together, dense bf16."""
    return n * F


@quantity("cluster.flop_available", "FLOP", source="arithmetic", F="cluster.flop_per_s", t="cluster.days")
def flop_available(F: Num, t: Num) -> Num:
    """What the GPUs could compute in the stated days at 100% of their peak."""
    return F * 86_400 * t


@quantity("cluster.power", "W", source="epoch2026", n="cluster.gpus", w="cluster.watts_per_gpu")
def power(n: Num, w: Num) -> Num:
    """Power of the whole cluster."""
    return n * w


again({
    "training.cost": ("cluster.rental", "Rent of the cluster for the stated days."),
    "training.energy": ("cluster.energy", "Electricity of the run in the stated days."),
}, instead={"training.days": "cluster.days"})


@quantity("cluster.gpus_per_replica", "GPU", source="narayanan2021", t="cluster.tensor", p="cluster.pipeline")
def gpus_per_replica(t: Num, p: Num) -> Num:
    """GPUs that hold one copy of the model: tensor-parallel ranks times pipeline stages."""
    return t * p


@quantity("cluster.replicas_exact", "replica", source="arithmetic", n="cluster.gpus", g="cluster.gpus_per_replica")
def replicas_exact(n: Num, g: Num) -> Num:
    """Copies of the model that the GPUs would hold if a copy could be cut."""
    return n / g


@quantity("cluster.replicas", "replica", source="arithmetic", r="cluster.replicas_exact")
def replicas(r: Num) -> Num:
    """Whole copies of the model that train side by side; one at least, which the rules of a scenario demand."""
    return maximum(floor(r), 1)


@quantity("cluster.idle_share", "fraction", source="arithmetic", n="cluster.gpus", g="cluster.gpus_per_replica",
          r="cluster.replicas")
def idle_share(n: Num, g: Num, r: Num) -> Num:
    """Share of the GPUs that no whole copy uses."""
    return maximum(1 - r * g / n, 0)


@quantity("cluster.layers_per_stage", "layer", source="narayanan2021", L="model.layers", p="cluster.pipeline")
def layers_per_stage(L: Num, p: Num) -> Num:
    """Layers that a pipeline stage holds, on average."""
    return L / p


@quantity("cluster.even_stages", "stage", source="arithmetic", L="model.layers", p="cluster.pipeline")
def even_stages(L: Num, p: Num) -> Num:
    """Stages that share out the layers, each as many as the fullest: no layer can be cut."""
    return L / ceil(L / p)


@quantity("cluster.stage_imbalance", "x", source="arithmetic", L="model.layers", p="cluster.pipeline")
def stage_imbalance(L: Num, p: Num) -> Num:
    """Layers of the fullest stage over the average: the whole pipeline runs at the pace of the fullest."""
    return ceil(L / p) / (L / p)
