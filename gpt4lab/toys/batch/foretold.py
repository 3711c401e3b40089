"""First the noise of the gradient, then the steps: what is found before any batch but one has been tried, and after.

A training with 64 sequences a step is watched until it reaches a loss: how many steps it took, and the noise scale when
it was there. From these two numbers the steps with every other batch follow (`formulas.noise.foretold_steps`). Then
they are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
from attrs import frozen

from gpt4lab.rows import Row
from gpt4lab.toys.batch.noise_scale import BATCHES, noise_rows
from gpt4lab.toys.batch.trade_off import CONFIG, CONTEXT, ROWS, BatchSweep, check
from gpt4lab.toys.core.corpus import Corpus
from gpt4lab.toys.core.recordings import load_recorded
from gpt4lab.toys.core.study import Found, Study, Trained, columns
from gpt4lab.toys.core.training import bits
from gpt4lab.toys.core.transformer import build_model

NOISE, STEPS = "noise", "steps"
LAG = 12  # steps by which the averages of the noise are behind


@frozen
class Foretold(Study):
    """For each seed a training whose noise is watched; then for each batch and seed the steps to the same loss.

    level: held-out bits per byte. A training that has not reached it after half as many steps again as the recorded
    ones took is given up, and finds nothing.
    """

    name = "foretold"
    columns = columns("kind, seed 1, batch sequence, steps step, signal 1, noise 1")

    corpus: Corpus
    optimizer: str = "adamw"
    level: float = 4.2
    batches: Sequence[int] = ()
    seeds: int = 3

    def cases(self) -> list[Row]:
        """All noise first: the curve stands before anything is counted."""
        batches = self.batches or [batch for batch in BATCHES[self.optimizer] if batch != ROWS]
        check(self.optimizer, batches, (1.0,), seeds=self.seeds)
        watched = [{"kind": NOISE, "seed": seed, "batch": ROWS} for seed in range(self.seeds)]
        return watched + [{"kind": STEPS, "seed": s, "batch": b} for b in batches for s in range(self.seeds)]

    def train(self, case: Row) -> Trained:
        """One training in one step, since nobody knows how long it will be."""
        found = self._watched(case) if case["kind"] == NOISE else self._counted(case)
        if found:
            yield Found([found])
        yield {}

    def most(self, case: Row) -> int:
        """Half as many steps again as the recorded trainings took, if there were such."""
        usual = recorded_steps(self.optimizer).get((case["batch"], self.level), 20)
        return round(1.5 * usual) + (LAG if case["kind"] == NOISE else 0)

    def _watched(self, case: Row) -> Row | None:
        model, steps, look = build_model(CONFIG, case["seed"]), 0, 1
        held_out = self.corpus.batch(ROWS, CONTEXT, torch.Generator().manual_seed(0), "held-out")
        rows = noise_rows(model, self.optimizer, self.corpus, self.most(case), case["seed"])
        for i, row in enumerate(rows, 1):
            if not steps and i >= look:
                look = max(i + 1, round(1.1 * i))
                steps = i if bits(model, held_out).mean().item() <= self.level else 0
            if steps and row["bpb"] <= self.level:
                return {"steps": steps, "signal": row["signal"], "noise": row["noise"]}
        return None

    def _counted(self, case: Row) -> Row | None:
        given = {"optimizer": self.optimizer, "seed": case["seed"], "batch": case["batch"], "factor": 1.0}
        for row in BatchSweep(self.corpus, self.optimizer).train(given):
            if isinstance(row, Found):
                if row[0]["bpb"] <= self.level:
                    return {"steps": row[0]["steps"], "signal": None, "noise": None}
            elif row["case_step"] >= self.most(case):
                return None
        return None


@cache
def recorded_steps(optimizer: str) -> dict[tuple[int, float], int]:
    """(batch, level) -> the most steps that a seed of the recorded run took."""
    found: dict[tuple[int, float], int] = {}
    for one in load_recorded("batch")["results"]:
        for row in one["trade_off"] if one["optimizer"] == optimizer else ():
            at = row["batch"], row["bpb"]
            found[at] = max(found.get(at, 0), row["steps"])
    return found
