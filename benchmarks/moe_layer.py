"""The mixture layer of the toys against a dense layer of equal active FLOP, and against a naive loop over experts.

Forward and backward of one layer on one thread: 4,096 tokens, d_model 128, experts 512 wide, top-2; the dense layer is
1,024 wide. The contestants take turns, so that a busy machine slows all of them; the medians' ratios are the result.
Bar: the mixture takes at most 1.2 times the dense layer at 4, 16 and 64 experts.

    python -m benchmarks.moe_layer
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks._shared import keep_freed_memory, save, timed, turns
from gpt4lab.toys.core import moe

TOKENS, WIDTH, FF, TOP_K = 4096, 128, 512, 2
EXPERTS = (4, 16, 64)
ROUNDS = 26
BAR = 1.2


class PlainDense(nn.Module):
    """The dense layer as one writes it with autograd: the reference of every ratio."""

    def __init__(self) -> None:
        super().__init__()
        self.w_in = nn.Parameter(torch.randn(WIDTH, TOP_K * FF) / WIDTH**0.5)
        self.w_out = nn.Parameter(torch.randn(TOP_K * FF, WIDTH) / (TOP_K * FF) ** 0.5)

    def forward(self, x: Tensor) -> Tensor:
        """(n, d) to (n, d)."""
        return F.relu(x @ self.w_in).square() @ self.w_out


def contestants(experts: int) -> dict[str, Callable[[], float]]:
    """Name to a function that runs one forward and backward pass and returns its CPU seconds."""
    torch.manual_seed(0)
    mixture = moe.MoE(WIDTH, FF, experts, TOP_K)
    return {
        "dense": passes(PlainDense()),
        "dense, same code": passes(moe.FeedForward(WIDTH, TOP_K * FF)),
        "mixture": passes(mixture),
        "grouped_mm": passes(mixture, moe.grouped_mlp),
        "naive loop": passes(mixture, moe.naive_mlp),
    }


def passes(layer: nn.Module, expert_mlp: Callable[..., Tensor] = moe.expert_mlp) -> Callable[[], float]:
    """One forward and backward pass of a layer, with this way to run the experts."""
    x, grad = torch.randn(TOKENS, WIDTH, requires_grad=True), torch.randn(TOKENS, WIDTH)

    def once() -> float:
        with patch.object(moe, "expert_mlp", expert_mlp):
            spent = timed(lambda: layer(x).backward(grad))
        layer.zero_grad()
        x.grad = None
        return spent

    return once


def main() -> int:
    """Print the table, write the JSON; the exit status says whether the bar holds."""
    keep_freed_memory()
    torch.set_num_threads(1)
    rows = []
    print(f"{'experts':>8}  " + "  ".join(f"{name:>18}" for name in contestants(4)))
    for experts in EXPERTS:
        rows.append(compared(experts, contestants(experts)))
        cells = zip(rows[-1]["ms"].values(), rows[-1]["ratio"].values(), strict=True)
        print(f"{experts:>8}  " + "  ".join(f"{ms:8.1f} ms {ratio:6.2f}" for ms, ratio in cells), flush=True)
    holds = all(row["ratio"]["mixture"] <= BAR for row in rows)
    settings = {"tokens": TOKENS, "d_model": WIDTH, "d_ff": FF, "top_k": TOP_K, "threads": 1}
    print(f"bar {BAR}: {'holds' if holds else 'missed'}")
    return save("moe_layer", {"bar": BAR, "holds": holds, "settings": settings, "rows": rows}, "torch")


def compared(experts: int, runners: dict[str, Callable[[], float]]) -> dict[str, Any]:
    """Median milliseconds of each contestant, and its ratio to the dense layer."""
    ms = {name: 1000 * seconds for name, seconds in turns(runners, ROUNDS).items()}
    return {"experts": experts, "ms": ms, "ratio": {name: t / ms["dense"] for name, t in ms.items()}}


if __name__ == "__main__":
    sys.exit(main())
