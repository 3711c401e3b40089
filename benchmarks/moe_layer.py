"""The mixture layer of the toys against a dense layer of equal active FLOP, and against a naive loop over experts.

Forward and backward of one layer on one thread: 4,096 tokens, d_model 128, experts 512 wide, top-2; the dense layer is
1,024 wide. The contestants take turns, so that a busy machine slows all of them; the medians' ratios are the result.
Bar: the mixture takes at most 1.2 times the dense layer at 4, 16 and 64 experts.

    python benchmarks/moe_layer.py
"""

from __future__ import annotations

import ctypes
import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gpt4lab.toys import moe

TOKENS, WIDTH, FF, TOP_K = 4096, 128, 512, 2
EXPERTS = (4, 16, 64)
ROUNDS, WARM_UP = 30, 4
BAR = 1.2
RESULT = Path(__file__).parent / "results" / "moe_layer.json"


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
            begin = time.process_time()
            layer(x).backward(grad)
            spent = time.process_time() - begin
        layer.zero_grad()
        x.grad = None
        return spent

    return once


def race(experts: int) -> dict[str, float]:
    """Median milliseconds of each contestant, taking turns."""
    runners = contestants(experts)
    times: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(ROUNDS):
        for name, once in runners.items():
            times[name].append(1000 * once())
    return {name: median(found[WARM_UP:]) for name, found in times.items()}


def keep_freed_memory() -> None:
    """On glibc, stop returning freed blocks to the system: page faults would drown the differences."""
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        libc.mallopt(-1, (1 << 31) - 1)  # M_TRIM_THRESHOLD


def main() -> int:
    """Print the table, write the JSON; the exit status says whether the bar holds."""
    keep_freed_memory()
    torch.set_num_threads(1)
    rows = []
    print(f"{'experts':>8}  " + "  ".join(f"{name:>18}" for name in contestants(4)))
    for experts in EXPERTS:
        ms = race(experts)
        rows.append({"experts": experts, "ms": ms, "ratio": {name: t / ms["dense"] for name, t in ms.items()}})
        print(f"{experts:>8}  " + "  ".join(f"{t:8.1f} ms {t / ms['dense']:6.2f}" for t in ms.values()), flush=True)
    holds = all(row["ratio"]["mixture"] <= BAR for row in rows)
    settings = {
        "tokens": TOKENS,
        "d_model": WIDTH,
        "d_ff": FF,
        "top_k": TOP_K,
        "threads": 1,
        "torch": torch.__version__,
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps({"bar": BAR, "holds": holds, "settings": settings, "rows": rows}, indent=1) + "\n")
    print(f"bar {BAR}: {'holds' if holds else 'missed'}")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
