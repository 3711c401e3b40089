"""What each part of Flamingo's recipe is worth to the toy: it is left out, and the same eyes learn again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from attrs import frozen

from gpt4lab.rows import Row
from gpt4lab.scenario.live import SWITCHES
from gpt4lab.toys.core.background import timed
from gpt4lab.toys.core.corpus import Corpus
from gpt4lab.toys.core.study import Found, Study, Trained, columns
from gpt4lab.toys.core.training import bits
from gpt4lab.toys.vision.captions import Pictures, load_pictures
from gpt4lab.toys.vision.model import Plan, Seeing, build_seeing, write
from gpt4lab.toys.vision.training import LANGUAGE_STEPS, SHARP, eyes_rows, language_model, score

_THAWED = {"language": "learns"}
#: What is changed, in the words of the page -> how the plan differs from Flamingo's. Slowly: at a tenth of the rate.
CHANGES: Mapping[str, Mapping[str, Any]] = dict(
    zip(
        SWITCHES,
        ({}, {"gated": False}, _THAWED, {**_THAWED, "pace": 0.1}, {"language": "scratch"}, {"every": 2}, {"every": 4}),
        strict=True,
    )
)
SHOWN = (0, 50, 90, 120)  # of the new writers' images: those whose captions are kept


def plan_of(switch: str, steps: int) -> Plan:
    """How eyes are added under a switch. ValueError for an unknown one."""
    if switch not in CHANGES:
        raise ValueError(f"switch must be one of {', '.join(CHANGES)}, not {switch!r}")
    return Plan(steps=steps, **CHANGES[switch])


@frozen
class Captions(Study):
    """Eyes for the same language models, as in Flamingo and with one thing changed at a time.

    bits, exact, digit: of new writers' captions; new_bits, new_exact: of combinations that were never shown. text: bits
    a byte of plain held-out text without an image. gates: how far each stands open. captions: of four images.
    """

    name = "vision"
    columns = columns(
        "switch, seed 1, steps step, step step, bits bit, exact fraction, digit fraction, new_bits bit, "
        "new_exact fraction, text bit/byte, cpu_s s",
        gates=columns("insertion 1, attention 1, feed_forward 1"),
        captions=columns("image 1, caption"),
    )
    recorded: ClassVar = {"switches": SWITCHES, "seeds": 3}  # five minutes of one core
    fixed: ClassVar = {"black_and_white": SHARP}

    corpus: Corpus
    switches: Sequence[str] = SWITCHES[:1]
    seeds: int = 1
    steps: int = 160
    language_steps: int = LANGUAGE_STEPS

    def cases(self) -> list[Row]:
        """By seed, then by switch: the models of a seed begin with the same language model."""
        for switch in self.switches:
            plan_of(switch, 1)
        return [
            {"switch": switch, "seed": seed, "steps": self.steps}
            for seed in range(self.seeds)
            for switch in self.switches
        ]

    def train(self, case: Row) -> Trained:
        """Before the first step, and ten times along the way."""
        plan = plan_of(case["switch"], case["steps"])
        model = build_seeing(language_model(case["seed"], self.language_steps), plan, case["seed"])
        _, writers, new = load_pictures()
        yield self._found(model, 0, score(model, writers, writers.images), score(model, new, new.images), 0.0)
        for step, row in enumerate(timed(eyes_rows(model, plan, case["seed"])), 1):
            if "new" in row:
                yield self._found(model, step, row["held_out"], row["new"], row["cpu_s"])
            yield {"loss": row["loss"]}

    def _found(self, model: Seeing, step: int, writers: Row, new: Row, cpu_s: float) -> Found:
        batch = self.corpus.batch(64, 128, torch.Generator().manual_seed(0), "held-out")
        return Found(
            [
                {
                    "step": step,
                    **{key: writers[key] for key in ("bits", "exact", "digit")},
                    **{f"new_{key}": new[key] for key in ("bits", "exact")},
                    "text": bits(model.language, batch).mean().item(),
                    "cpu_s": cpu_s,
                    "gates": model.gates(),
                    "captions": _captions(model, load_pictures().writers),
                }
            ]
        )


def _captions(model: Seeing, pictures: Pictures) -> list[Row]:
    written = write(model, pictures.images[list(SHOWN)])
    return [{"image": image, "caption": caption} for image, caption in zip(SHOWN, written, strict=True)]
