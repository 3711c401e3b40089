"""More experts at equal active FLOP: the question behind "64 to 128 experts achieves better loss than 16".

The same small model is trained with 1, 4, 16 ... experts on the same batches, several seeds each. At the size where 64
and 16 differ this takes many minutes (25 of one core), so the book ships a recorded run; smaller ones run live.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import ClassVar

from attrs import frozen

from gpt4lab.rows import Row
from gpt4lab.toys.core.background import timed
from gpt4lab.toys.core.corpus import Corpus
from gpt4lab.toys.core.study import Found, Study, Trained, columns
from gpt4lab.toys.core.training import evaluate, training_rows
from gpt4lab.toys.core.transformer import ToyConfig, build_model, count_parameters

BASE = ToyConfig(d_ff=64, n_experts=64, top_k=2)  # every case has the active width of this one
CHECKPOINTS = 12  # held-out losses along each curve


@frozen
class Scaling(Study):
    """Each number of experts with each seed, seed by seed, so that a stopped run is balanced.

    bpb is held out; the curve has it at a dozen points, with the learning rate still high except at the last. The time
    of these looks does not count.
    """

    name = "experts"
    columns = columns(
        "experts expert, seed 1, tokens token, cpu_s s, bpb bit/byte, parameters param, active param",
        curve=columns("tokens token, cpu_s s, bpb bit/byte"),
    )
    # A larger corpus than the live one: fewer repeats.
    recorded: ClassVar = {"experts": (1, 4, 16, 64), "seeds": 3, "steps": 2000, "bytes_per_domain": 1_200_000}
    fixed: ClassVar = {"config": asdict(BASE)}

    corpus: Corpus
    experts: Sequence[int] = (1, 16)
    seeds: int = 1
    steps: int = 200
    batch: int = 16
    context: int = 128

    def cases(self) -> list[Row]:
        """By seed and number of experts."""
        return [{"experts": e, "seed": seed} for seed in range(self.seeds) for e in self.experts]

    def train(self, case: Row) -> Trained:
        """A row with loss, case_step and cpu_s; one found."""
        model, curve = build_model(with_experts(BASE, case["experts"]), case["seed"]), []
        every = max(100, self.steps // CHECKPOINTS)  # a short run spends no time on a curve
        rows = training_rows(model, self.corpus.sampler(self.batch, self.context), self.steps, case["seed"])
        for step, row in enumerate(timed(rows), 1):
            if step % every == 0 or step == self.steps:
                bpb = evaluate(model, self.corpus, rows=256, context=self.context)["all"]
                curve.append({"tokens": row["tokens"], "cpu_s": round(row["cpu_s"], 2), "bpb": round(bpb, 4)})
            yield {"loss": row["loss"], "case_step": step, "cpu_s": row["cpu_s"]}
        count = count_parameters(model)
        yield Found([{**curve[-1], "parameters": count.total, "active": count.active, "curve": curve}])


def with_experts(base: ToyConfig, experts: int) -> ToyConfig:
    """The same active width from this many experts; one expert is the dense twin."""
    return base.dense_twin if experts == 1 else replace(base, n_experts=experts)
