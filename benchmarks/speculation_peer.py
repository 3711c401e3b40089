"""The shipped models in a mainstream library, transformers, beside the book's own decoder.

The same weights are put into its Llama classes, with the feed-forward layer replaced; that both give the same logits is
checked first. Then each way continues the same prompts at temperature 0.7, gamma 4, on one thread, taking turns.

    python3 book.py bench speculation_peer
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch
import transformers
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM

from benchmarks._shared import save
from gpt4lab.toys.core.corpus import encode
from gpt4lab.toys.decoding.cached import CachedDecoder
from gpt4lab.toys.drafting.drafts import Draft, load_ngram
from gpt4lab.toys.drafting.measured import PROMPTS
from gpt4lab.toys.drafting.speculation import Settings, speculate
from gpt4lab.toys.drafting.train_target import load_shipped

LENGTH, GAMMA, TEMPERATURE = 128, 4, 0.7


class SquaredReLU(nn.Module):
    """The toys' feed-forward layer."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.w_in, self.w_out = layer.w_in[0].detach(), layer.w_out[0].detach()

    def forward(self, x: Tensor) -> Tensor:
        """(..., d) to (..., d)."""
        return torch.relu(x @ self.w_in).square() @ self.w_out


@torch.no_grad()
def as_llama(model: Any) -> LlamaForCausalLM:
    """The same function. Llama turns coordinate i with i + D/2, the toys turn neighbours: rows are sorted so."""
    c, width = model.config, model.config.head_width
    pairs = torch.arange(width).view(-1, 2).t().flatten()
    rows = torch.cat([pairs + head * width for head in range(c.n_heads)])
    peer = LlamaForCausalLM(llama_config(c)).eval()
    peer.model.embed_tokens.weight.copy_(model.embedding.weight)
    peer.lm_head.weight.copy_(model.head.weight)
    for theirs, ours in zip(peer.model.layers, model.blocks, strict=True):
        theirs.self_attn.q_proj.weight.copy_(ours.attention.query.weight[rows])
        theirs.self_attn.k_proj.weight.copy_(ours.attention.key.weight[rows])
        theirs.self_attn.v_proj.weight.copy_(ours.attention.value.weight)
        theirs.self_attn.o_proj.weight.copy_(ours.attention.out.weight)
        theirs.mlp = SquaredReLU(ours.feed_forward)
    peer.generation_config.pad_token_id = 0
    peer.generation_config.num_assistant_tokens = GAMMA
    peer.generation_config.num_assistant_tokens_schedule = "constant"
    peer.generation_config.assistant_confidence_threshold = 0.0
    return peer


def llama_config(c: Any) -> LlamaConfig:
    """Its names for the shape."""
    return LlamaConfig(
        vocab_size=c.vocabulary,
        hidden_size=c.d_model,
        intermediate_size=c.d_ff,
        num_hidden_layers=c.n_layers,
        num_attention_heads=c.n_heads,
        num_key_value_heads=c.n_kv_heads,
        rms_norm_eps=torch.finfo(torch.float).eps,
        max_position_embeddings=512,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=None,
    )


def check(model: Any, peer: LlamaForCausalLM) -> None:
    """Both give the same logits, or the comparison means nothing."""
    tokens = encode(PROMPTS[0]).long()[None]
    with torch.no_grad():
        torch.testing.assert_close(peer(tokens).logits, model(tokens), atol=1e-3, rtol=1e-3)


def generate(peer: LlamaForCausalLM, **options: Any) -> Callable[[str], int]:
    """The library's way to continue a prompt; says how many tokens came."""
    chosen = {"max_new_tokens": LENGTH, "do_sample": True, "temperature": TEMPERATURE, "top_k": 0, **options}

    def run(prompt: str) -> int:
        tokens = encode(prompt).long()[None]
        found = peer.generate(tokens, attention_mask=torch.ones_like(tokens), **chosen)
        return found.shape[1] - tokens.shape[1]

    return run


def own(target: CachedDecoder, draft: Draft, gamma: int) -> Callable[[str], int]:
    """The book's way, the reading of the prompt included."""
    return lambda prompt: len(speculate(target, draft, prompt, LENGTH, Settings(gamma, TEMPERATURE)).rows)


def contestants() -> dict[str, Callable[[str], int]]:
    """Name to a function that continues a prompt."""
    target, draft = load_shipped("target"), load_shipped("draft")
    peer, peer_draft = as_llama(target), as_llama(draft)
    check(target, peer)
    check(draft, peer_draft)
    fast, small, table = CachedDecoder(target), CachedDecoder(draft), load_ngram()
    return {
        "library, plain": generate(peer),
        "library, neural draft": generate(peer, assistant_model=peer_draft),
        "library, prompt lookup": generate(peer, prompt_lookup_num_tokens=GAMMA),
        "book, plain": own(fast, table, 0),
        "book, neural draft": own(fast, small, GAMMA),
        "book, 6-gram draft": own(fast, table, GAMMA),
    }


def main() -> None:
    """Print milliseconds a token of each way, and write them down."""
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    ways = contestants()
    times: dict[str, list[float]] = {name: [] for name in ways}
    for prompt in (PROMPTS[0], *PROMPTS):  # the first one warms up
        for name, run in ways.items():
            begin = time.perf_counter()
            tokens = run(prompt)
            times[name].append(1000 * (time.perf_counter() - begin) / tokens)
    ms = {name: round(median(found[1:]), 3) for name, found in times.items()}
    print("\n".join(f"{name:>24} {t:8.3f} ms a token" for name, t in ms.items()))
    settings = {"length": LENGTH, "gamma": GAMMA, "temperature": TEMPERATURE, "threads": 1}
    save("speculation_peer", {"peer": "transformers", "settings": settings, "ms": ms}, "torch", "transformers")


if __name__ == "__main__":
    main()
