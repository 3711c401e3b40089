"""More experts at equal active FLOP: the question behind "64 to 128 experts achieves better loss than 16".

`scaling_experts` trains the same small model with 1, 4, 16 ... experts on the same batches, several seeds each. At the
size where 64 and 16 differ this takes many minutes, so the book ships a recorded run; made anew with

    python -m gpt4lab.toys.experts.scaling

and the same function runs live at a smaller size.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import torch

from gpt4lab.rows import Row
from gpt4lab.toys.core.background import BackgroundRun, Work
from gpt4lab.toys.core.corpus import Corpus, load_corpus
from gpt4lab.toys.core.recordings import gain, load_recorded, mean_curves, summary
from gpt4lab.toys.core.training import evaluate, training_rows
from gpt4lab.toys.core.transformer import ToyConfig, build_model, count_parameters

__all__ = ["gain", "load_recorded", "mean_curves", "scaling_experts", "summary", "with_experts"]

BASE = ToyConfig(d_ff=64, n_experts=64, top_k=2)  # every case has the active width of this one
RECORDED = {"experts": (1, 4, 16, 64), "seeds": 3, "steps": 2000, "batch": 16, "context": 128}
RECORDED_BYTES = 1_200_000  # of each domain: fewer repeats than the live corpus
CHECKPOINTS = 12  # held-out losses along each curve


def scaling_experts(
    corpus: Corpus,
    experts: Sequence[int] = (1, 16),
    seeds: int = 1,
    steps: int = 200,
    batch: int = 16,
    context: int = 128,
    name: str = "scaling experts",
) -> BackgroundRun[list[Row]]:
    """Train each number of experts with each seed, in the background. The result is one row a finished training.

    Rows of the result: experts, seed, bpb (held out, bits per byte), tokens, parameters, active, cpu_s, and the curve:
    held-out bpb, tokens and cpu_s at a dozen points (with the learning rate still high, except at the last).
    """
    cases = [(seed, e) for seed in range(seeds) for e in experts]  # seed by seed, so that a stopped run is balanced
    result: list[Row] = []
    rows = _all_rows(corpus, cases, result, steps, batch, context)
    return BackgroundRun(rows, result, len(cases) * steps, name).start()


def with_experts(base: ToyConfig, experts: int) -> ToyConfig:
    """The same active width from this many experts; one expert is the dense twin."""
    return base.dense_twin if experts == 1 else replace(base, n_experts=experts)


def save_recorded(name: str, script: str, settings: Row, results: list[Row]) -> Path:
    """Write results beside the code, with what is needed to judge them."""
    made = {
        "script": script,
        "date": date.today().isoformat(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.machine()} CPU, {torch.backends.cpu.get_cpu_capability()}, one thread",
        "settings": settings,
    }
    path = Path(__file__).parents[1] / name / "recorded.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({**made, "results": results}, indent=1) + "\n", encoding="utf-8")
    return path


def _all_rows(
    corpus: Corpus, cases: list[tuple[int, int]], result: list[Row], steps: int, batch: int, context: int
) -> Work:
    for seed, experts in cases:
        case = {"experts": experts, "seed": seed}
        config = with_experts(BASE, experts)
        for row in _case_rows(config, corpus, result, case, steps, batch, context):
            yield {**case, **row, "finished": len(result)}


def _case_rows(
    config: ToyConfig, corpus: Corpus, result: list[Row], case: Row, steps: int, batch: int, context: int
) -> Work:
    """One training. The time of the evaluations along the way does not count."""
    model, curve, spent = build_model(config, case["seed"]), [], 0.0
    rows = training_rows(model, corpus.sampler(batch, context), steps, case["seed"])
    every = max(100, steps // CHECKPOINTS)  # a short run spends no time on a curve
    for step in range(1, steps + 1):
        begin = time.thread_time()
        row = next(rows)
        spent += time.thread_time() - begin
        if step % every == 0 or step == steps:
            bpb = evaluate(model, corpus, rows=256, context=context)["all"]
            curve.append({"tokens": row["tokens"], "cpu_s": round(spent, 2), "bpb": round(bpb, 4)})
        if step == steps:
            count = count_parameters(model)
            result.append({**case, **curve[-1], "parameters": count.total, "active": count.active, "curve": curve})
        yield {"loss": row["loss"], "case_step": step, "cpu_s": spent}


def record() -> None:
    """Make the recorded run of the book: about 25 minutes on one core."""
    corpus = load_corpus(RECORDED_BYTES)
    run = scaling_experts(corpus, **RECORDED).on_update(lambda run: print(run.progress, run.history[-1]), every_s=20)
    settings = {**RECORDED, "bytes_per_domain": RECORDED_BYTES, "config": asdict(BASE), "corpus": repr(corpus)}
    save_recorded("experts", "python -m gpt4lab.toys.experts.scaling", settings, run.wait().result)


if __name__ == "__main__":
    record()
