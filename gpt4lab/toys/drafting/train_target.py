"""The models that speculative decoding is shown with: how they were trained, and how to load them.

A target of eight layers cannot be trained while one reads, so its weights are shipped, in bf16, each with its log:

    python -m gpt4lab.toys.drafting.train_target target

The text is the corpus of the Python that trained them (the log says which); under another Python some of the held-out
text of these pages may have been trained on.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import torch

from gpt4lab.toys.core.corpus import Corpus, load_corpus
from gpt4lab.toys.core.training import evaluate, training_rows
from gpt4lab.toys.core.transformer import ToyConfig, Transformer, build_model, count_parameters

FOLDER = Path(__file__).parent / "weights"
CONTEXT, ROWS = 256, 8  # a step is 8 windows of 256 bytes
BYTES_PER_DOMAIN = 1_000_000
SHAPES = {
    "target": ToyConfig(d_model=128, n_layers=8, n_heads=4, n_kv_heads=4, d_ff=512),
    "draft": ToyConfig(d_model=64, n_layers=1, n_heads=2, n_kv_heads=2, d_ff=256),
}
STEPS = {"target": 1800, "draft": 1800}
RATES = {"target": 0.015, "draft": 0.03}  # Muon's learning rate falls with depth


def load_shipped(name: str = "target") -> Transformer:
    """A trained model, in fp32. FileNotFoundError if this copy of the book came without its weights."""
    saved = torch.load(FOLDER / f"{name}.pt", weights_only=True)
    model = build_model(ToyConfig(**saved["config"]))
    model.load_state_dict({key: weight.float() for key, weight in saved["weights"].items()})
    return model.eval()


def train_and_save(name: str, steps: int, folder: Path = FOLDER, every: int = 100) -> Transformer:
    """Train one of `SHAPES` on one thread; weights and log are written at every measurement."""
    torch.set_num_threads(1)
    corpus, model = load_corpus(BYTES_PER_DOMAIN), build_model(SHAPES[name])
    sampler, curve, begin = corpus.sampler(ROWS, CONTEXT), [], time.process_time()
    for step, row in enumerate(training_rows(model, sampler, steps, lr=RATES[name]), 1):
        if step % every == 0 or step == steps:
            point = {"step": step, "tokens": row["tokens"], "cpu_s": round(time.process_time() - begin, 1)}
            curve.append(point | _bits(model, corpus))
            print(curve[-1], flush=True)
            save(name, model, {**settings(model, corpus, steps), "curve": curve}, folder)
    return model


def save(name: str, model: Transformer, log: dict[str, Any], folder: Path = FOLDER) -> None:
    """Weights in bf16: two bytes each, and the loss moves by less than it does from seed to seed."""
    weights = {key: weight.bfloat16() for key, weight in model.state_dict().items()}
    torch.save({"config": asdict(model.config), "weights": weights}, folder / f"{name}.pt")
    (folder / f"{name}.json").write_text(json.dumps(log, indent=1) + "\n", encoding="utf-8")


def settings(model: Transformer, corpus: Corpus, steps: int) -> dict[str, Any]:
    """What one needs to train the same model again."""
    return {
        "date": date.today().isoformat(),
        "machine": f"one thread of an {platform.machine()} server CPU, two virtual cores, shared with other work",
        "versions": {"torch": torch.__version__.split("+")[0], "python": corpus.python},
        "parameters": count_parameters(model).total,
        "settings": {"steps": steps, "rows": ROWS, "context": CONTEXT, "bytes_per_domain": BYTES_PER_DOMAIN},
    }


def _bits(model: Transformer, corpus: Corpus) -> dict[str, float]:
    bits = evaluate(model, corpus, rows=32, context=CONTEXT)
    return {f"bpb_{domain}": round(value, 4) for domain, value in bits.items()}


if __name__ == "__main__":
    train_and_save(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else STEPS[sys.argv[1]])
