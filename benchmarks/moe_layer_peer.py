"""The mixture layer beside a mainstream library's: the Mixtral block of transformers, looped (eager) and grouped.

    python3 book.py bench moe_layer_peer

As in moe_layer.py: forward and backward, 4,096 tokens, d_model 128, top-2, one thread, in turns. The block's experts
are gated, three matrices instead of two, so they are 344 wide where the book's are 512: nearly the same FLOP. Each
mixture is divided by a dense layer of its own kind with exactly its FLOP, so that the activation function cancels out.
That both ways of the block give the same output is checked first.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from transformers import LlamaConfig, MixtralConfig
from transformers.models.llama.modeling_llama import LlamaMLP
from transformers.models.mixtral.modeling_mixtral import MixtralSparseMoeBlock

from benchmarks import moe_layer
from benchmarks._shared import keep_freed_memory, save
from benchmarks.moe_layer import EXPERTS, TOKENS, TOP_K, WIDTH, compared, passes

GATED_FF = 344  # 3 x 344 = 1,032 for 2 x 512 = 1,024, and a multiple of 8
WAYS = ("eager", "grouped_mm")


class Rows(nn.Module):
    """A layer of the library, which wants a batch, for rows (n, d)."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """(n, d) to (n, d)."""
        return self.layer(x[None])[0]


def dense() -> nn.Module:
    """The library's gated dense layer with the FLOP of the experts that a token sees."""
    return Rows(LlamaMLP(LlamaConfig(hidden_size=WIDTH, intermediate_size=TOP_K * GATED_FF)))


def blocks(experts: int) -> dict[str, nn.Module]:
    """The library's mixture, once for each way to run its experts, with the same weights."""
    torch.manual_seed(0)
    weights: dict[str, Tensor] = {}
    found: dict[str, nn.Module] = {}
    for way in WAYS:
        config = MixtralConfig(
            hidden_size=WIDTH,
            intermediate_size=GATED_FF,
            num_local_experts=experts,
            num_experts_per_tok=TOP_K,
            experts_implementation=way,
        )
        block = MixtralSparseMoeBlock(config)
        weights = weights or {name: torch.randn_like(p) / p.shape[-1] ** 0.5 for name, p in block.named_parameters()}
        block.load_state_dict(weights)
        found[way] = Rows(block)
    return found


def contestants(experts: int) -> dict[str, Callable[[], float]]:
    """Name to a function that runs one forward and backward pass and returns its CPU seconds."""
    mixtures, x = blocks(experts), torch.randn(TOKENS, WIDTH)
    torch.testing.assert_close(mixtures["eager"](x), mixtures["grouped_mm"](x), atol=1e-4, rtol=1e-4)
    return {"dense": passes(dense()), **{name: passes(block) for name, block in mixtures.items()}}


def main() -> None:
    """Print the table of both, write the JSON."""
    keep_freed_memory()
    torch.set_num_threads(1)
    rows = [compared(experts, contestants(experts) | book(experts)) for experts in EXPERTS]
    for row in rows:
        row["ratio"]["book, mixture"] = row["ms"]["book, mixture"] / row["ms"]["book, dense"]
        print(row["experts"], "  ".join(f"{name} {ratio:.2f}" for name, ratio in row["ratio"].items()))
    settings = {"tokens": TOKENS, "d_model": WIDTH, "d_ff": GATED_FF, "top_k": TOP_K, "threads": 1}
    save("moe_layer_peer", {"peer": "transformers", "settings": settings, "rows": rows}, "torch", "transformers")


def book(experts: int) -> dict[str, Callable[[], float]]:
    """The book's two, for the same turns."""
    ours = moe_layer.contestants(experts)
    return {f"book, {name}": ours[name] for name in ("dense", "mixture")}


if __name__ == "__main__":
    main()
