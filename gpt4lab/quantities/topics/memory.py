"""What fills a GPU's memory in training, before any activation."""

from __future__ import annotations

from gpt4lab.formulas import memory
from gpt4lab.formulas.arith import Num
from gpt4lab.quantities.registry import quantity


@quantity("memory.params_per_gpu", "param", source="narayanan2021", N="model.total_params",
          t="cluster.tensor", p="cluster.even_stages")
def params_per_gpu(N: Num, t: Num, p: Num) -> Num:
    """Parameters on a GPU of the fullest stage, if its ranks share each layer evenly."""
    return N / (t * p)


quantity("memory.weights", "byte", source="rajbhandari2020", P="memory.params_per_gpu", N_d="cluster.replicas",
         zero="cluster.zero", about="Weights on one GPU, 2 bytes each.")(memory.weight_bytes)
quantity("memory.gradients", "byte", source="rajbhandari2020", P="memory.params_per_gpu", N_d="cluster.replicas",
         zero="cluster.zero", g="cluster.gradient_bytes", about="Gradients on one GPU.")(memory.gradient_bytes)
quantity("memory.optimiser", "byte", source="rajbhandari2020", P="memory.params_per_gpu", N_d="cluster.replicas",
         zero="cluster.zero",
         about="Optimiser state on one GPU: fp32 weight, mean and variance.")(memory.optimiser_bytes)


@quantity("memory.states", "byte", source="rajbhandari2020", w="memory.weights", g="memory.gradients",
          o="memory.optimiser")
def states(w: Num, g: Num, o: Num) -> Num:
    """Weights, gradients and optimiser state on one GPU, before any activation."""
    return w + g + o


@quantity("memory.all_states", "byte", source="rajbhandari2020", N="model.total_params", g="cluster.gradient_bytes")
def all_states(N: Num, g: Num) -> Num:
    """Weights, gradients and optimiser state of one copy: 2 + g + 12 bytes a parameter."""
    return (2 + g + 12) * N


@quantity("memory.checkpoint", "byte", source="rajbhandari2020", N="model.total_params")
def checkpoint(N: Num) -> Num:
    """Weights and optimiser state of one copy, 2 + 12 bytes a parameter: gradients are not saved."""
    return (2 + 12) * N
