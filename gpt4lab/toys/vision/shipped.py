"""The eyes that the book brings, so that a reader can draw at once; `python -m gpt4lab.toys.vision.shipped` makes them.

They are those of the study's first seed, as in Flamingo, in bf16.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch

from gpt4lab.toys.core.transformer import build_model
from gpt4lab.toys.vision.model import PLAN, Seeing, build_seeing
from gpt4lab.toys.vision.training import LANGUAGE, see

FILE = Path(__file__).parent / "weights" / "eyes.pt"


@cache
def load_shipped() -> Seeing:
    """In fp32. FileNotFoundError if this copy of the book came without its weights."""
    model = build_seeing(build_model(LANGUAGE), PLAN)
    saved = torch.load(FILE, weights_only=True)
    model.load_state_dict({key: weight.float() for key, weight in saved.items()})
    return model.eval()


def make() -> None:
    """Train them, and write them down."""
    model = see(PLAN, name="").wait().result
    FILE.parent.mkdir(exist_ok=True)
    torch.save({key: weight.bfloat16() for key, weight in model.state_dict().items()}, FILE)


if __name__ == "__main__":
    make()
