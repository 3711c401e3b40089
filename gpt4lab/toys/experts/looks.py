"""What the experts of a trained toy do: who gets which tokens, who gets none, and what a batch must read.

All functions return rows (lists of dicts) that a chart can draw as they are. They look at held-out text through a
snapshot of the model, so they may be called while it trains.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor

from gpt4lab.checks.check import Check
from gpt4lab.quantities.topics.moe import idle, idle_per_token, touched
from gpt4lab.rows import Row
from gpt4lab.toys.core.corpus import DOMAINS, VOCABULARY, Batch, Corpus, character_type, decode, encode
from gpt4lab.toys.core.moe import Routing
from gpt4lab.toys.core.optim import Optimizer
from gpt4lab.toys.core.transformer import ToyConfig, Transformer, build_model, snapshot

CHARACTER_TYPES = tuple(sorted({character_type(token) for token in range(VOCABULARY)}))
DEAD_BELOW = 0.1  # of the even share: an expert with less load counts as dead
GROUPS = {"domain": DOMAINS, "character": CHARACTER_TYPES}
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)


def route(model: Transformer, tokens: Tensor) -> list[Routing]:
    """What each mixture layer decides for these tokens (batch, time)."""
    observed = snapshot(model)
    with torch.no_grad():
        observed(tokens)
    return observed.routings()


def load_rows(model: Transformer, corpus: Corpus, rows: int = 64, context: int = 128) -> list[Row]:
    """Heat map: share of the assignments for each layer and expert; `times_even` is 1 when the load is balanced."""
    routings = route(model, _held_out(corpus, rows, context).tokens)
    return [
        {"layer": layer, "expert": e, "share": load / (n := r.experts.numel()), "times_even": load * _experts(r) / n}
        for layer, r in enumerate(routings)
        for e, load in enumerate(r.load.tolist())
    ]


def dead_experts(load: list[Row]) -> int:
    """How many rows of `load_rows` have less than a tenth of the even share."""
    return sum(row["times_even"] < DEAD_BELOW for row in load)


def coloured_text(model: Transformer, text: str, layer: int = 0) -> list[Row]:
    """One row for each character: its first expert in one layer, and the probability that the router gave it."""
    tokens = encode(text).long()
    routing = route(model, tokens[None])[layer]
    best = routing.probabilities.gather(1, routing.experts)[:, 0]
    pairs = zip(decode(tokens), routing.experts[:, 0].tolist(), best.tolist(), strict=True)
    return [{"position": i, "text": c, "expert": e, "probability": p} for i, (c, e, p) in enumerate(pairs)]


def expert_table(model: Transformer, corpus: Corpus, by: str = "domain", rows: int = 128) -> list[Row]:
    """Share of each group's tokens whose first choice is this expert. by: "domain" or "character" (type)."""
    shares = [counts / counts.sum(0, keepdim=True).clamp(min=1) for counts in _first_choices(model, corpus, by, rows)]
    return [
        {"layer": layer, "expert": e, by: group, "share": share[e, g].item()}
        for layer, share in enumerate(shares)
        for e in range(len(share))
        for g, group in enumerate(GROUPS[by])
    ]


def specialisation(model: Transformer, corpus: Corpus, rows: int = 128) -> list[Row]:
    """Mutual information between a token's first expert and its domain or character type, in bits, by layer."""
    return [
        {"layer": layer, "by": by, "bits": mutual_information(counts)}
        for by in GROUPS
        for layer, counts in enumerate(_first_choices(model, corpus, by, rows))
    ]


def mutual_information(counts: Tensor) -> float:
    """I(row; column) of a table of counts, in bits."""
    joint = counts.double() / counts.sum()
    independent = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    return (
        torch.special.xlogy(joint, joint / independent.clamp(min=1e-300)).sum().item()
        / torch.log(torch.tensor(2.0)).item()
    )


def touched_rows(
    model: Transformer, corpus: Corpus, sizes: tuple[int, ...] = BATCH_SIZES, draws: int = 300
) -> list[Row]:
    """Share of a layer's experts that b tokens need, averaged over layers: predicted and measured.

    even: 1 - (1 - k/E)^b, every expert equally likely. skewed: the same with the load of this router. mixed: measured,
    tokens from all over the held-out text, as a server's batch. one_text: measured, b tokens in a row of one text.
    """
    batch, generator = _held_out(corpus, 128, 128), torch.Generator().manual_seed(0)
    routings, config = route(model, batch.tokens), model.config
    return [
        {
            "tokens": b,
            "even": touched(idle(idle_per_token(config.top_k, config.n_experts), b)),
            "skewed": _mean([_skewed(r, b) for r in routings]),
            "mixed": _mean([_measured(r, _anywhere(len(r.experts), b, draws, generator)) for r in routings]),
            "one_text": _mean([_measured(r, _in_a_row(batch, b, draws, generator)) for r in routings]),
        }
        for b in sizes
    ]


def step_check(config: ToyConfig, corpus: Corpus, repeats: int = 12, rows: int = 16) -> Check:
    """CPU time of a training step of the mixture, against its dense twin's; medians, taking turns."""
    steps = {name: _stepper(c, corpus, rows) for name, c in (("mixture", config), ("dense twin", config.dense_twin))}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(repeats):
        for name, step in steps.items():
            begin = time.thread_time()
            step()
            times[name].append(time.thread_time() - begin)
    mixture, dense = (median(times[name][2:]) for name in ("mixture", "dense twin"))
    what = "Time of a training step against the dense model of equal FLOP"
    return Check(what, dense, mixture, "s", "CPU time, medians, taking turns")


def _held_out(corpus: Corpus, rows: int, context: int) -> Batch:
    return corpus.batch(rows, context, torch.Generator().manual_seed(0), "held-out")


def _experts(routing: Routing) -> int:
    return routing.probabilities.shape[1]


def _first_choices(model: Transformer, corpus: Corpus, by: str, texts: int) -> list[Tensor]:
    """For each layer, how often each expert (row) is the first choice of a token of each group (column)."""
    batch = _held_out(corpus, texts, 128)
    groups = _group(batch, by).flatten()  # (n,)
    columns = len(GROUPS[by])
    cells = [(r.experts[:, 0] * columns + groups, _experts(r)) for r in route(model, batch.tokens)]
    return [torch.bincount(cell, minlength=rows * columns).view(rows, columns) for cell, rows in cells]


def _group(batch: Batch, by: str) -> Tensor:
    if by == "domain":
        return batch.domains[:, None].expand_as(batch.tokens)
    types = torch.tensor([CHARACTER_TYPES.index(character_type(token)) for token in range(VOCABULARY)])
    return types[batch.tokens]


def _skewed(routing: Routing, b: int) -> float:
    per_token = routing.load / len(routing.experts)  # (E,) chance that one token chooses it; sums to k
    return float((1 - (1 - per_token) ** b).mean())


def _measured(routing: Routing, tokens: Tensor) -> float:
    """Mean share of experts that each batch of tokens (draws, b) needs."""
    chosen = routing.experts[tokens].flatten(1)  # (draws, b k)
    return float(torch.zeros(len(tokens), _experts(routing)).scatter(1, chosen, 1.0).mean())


def _anywhere(n: int, b: int, draws: int, generator: torch.Generator) -> Tensor:
    return torch.randint(n, (draws, b), generator=generator)


def _in_a_row(batch: Batch, b: int, draws: int, generator: torch.Generator) -> Tensor:
    texts, length = batch.tokens.shape
    text = torch.randint(texts, (draws, 1), generator=generator)
    start = torch.randint(length - b + 1, (draws, 1), generator=generator)
    return text * length + start + torch.arange(b)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _stepper(config: ToyConfig, corpus: Corpus, rows: int) -> Callable[[], None]:
    model = build_model(config)
    optimizer, generator = Optimizer(model), torch.Generator().manual_seed(0)

    def step() -> None:
        batch = corpus.batch(rows, 128, generator)
        model.loss(batch.tokens, batch.targets).tokens.backward()
        optimizer.step()

    return step
