"""A language model learns text, is frozen, and is given eyes: the two trainings, and what became of both skills.

The language model reads captions too, but without their images. So it knows all about captions that can be known
without seeing, and what the eyes bring on top can only come from the image: a caption's bits fall below its prior.
Half of the images are shown in black and white, as somebody draws who has no grey.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gpt4lab.rows import Row
from gpt4lab.toys.core.background import BackgroundRun, StepRows, timed
from gpt4lab.toys.core.corpus import Corpus, load_corpus
from gpt4lab.toys.core.optim import Optimizer
from gpt4lab.toys.core.training import train, training_rows
from gpt4lab.toys.core.transformer import ToyConfig, Transformer, build_model
from gpt4lab.toys.vision.captions import INK, PARTS, SIDE, Pictures, load_pictures, text_sampler
from gpt4lab.toys.vision.model import PLAN, Plan, Seeing, build_seeing
from gpt4lab.units import BITS_PER_NAT

LANGUAGE = ToyConfig(d_model=48, n_layers=4, n_heads=2, n_kv_heads=2, d_ff=192)
LANGUAGE_STEPS = 250
MEASUREMENTS = 10  # of the held-out captions, along the training
SHARP = 0.5  # share of the images that are shown in black and white
LR, ADAM_LR = 0.02, 0.01
GATES = ("attention", "feed_forward")


def learn_language(
    corpus: Corpus, steps: int = LANGUAGE_STEPS, config: ToyConfig = LANGUAGE, seed: int = 0, name: str = "language"
) -> BackgroundRun[Transformer]:
    """Train the model that will be frozen, on text and on captions without images, in the background."""
    return train(build_model(config, seed), text_sampler(corpus), steps, seed, name)


def open_eyes(language: Transformer, plan: Plan = PLAN, seed: int = 0, name: str = "eyes") -> BackgroundRun[Seeing]:
    """Give eyes to a copy of the language model and train them on captions, in the background.

    Rows of the history: loss (nats a byte) and bits (a caption) of the batch before its step, gates (`Seeing.gates`),
    cpu_s; ten times also held_out: what `score` finds of new writers, and new: of new combinations.
    """
    model = build_seeing(language, plan, seed)
    return BackgroundRun(timed(eyes_rows(model, plan, seed)), model, plan.steps, name).start()


@cache
def language_model(seed: int = 0, steps: int = LANGUAGE_STEPS) -> Transformer:
    """The model that is given eyes, trained on the spot where this kernel has none of the seed yet; some seconds."""
    model = build_model(LANGUAGE, seed)
    for _ in training_rows(model, text_sampler(load_corpus()), steps, seed):
        pass
    return model


def see(
    plan: Plan = PLAN, seed: int = 0, name: str = "eyes", language_steps: int = LANGUAGE_STEPS
) -> BackgroundRun[Seeing]:
    """`open_eyes` of `language_model`, which is trained in the background too."""
    model = build_seeing(build_model(LANGUAGE, seed), plan, seed)

    def rows() -> StepRows:
        if plan.language != "scratch":
            model.language.load_state_dict(language_model(seed, language_steps).state_dict())
        yield from eyes_rows(model, plan, seed)

    return BackgroundRun(timed(rows()), model, plan.steps, name).start()


@torch.no_grad()
def score(model: nn.Module, pictures: Pictures, images: Tensor | None) -> Row:
    """Bits a caption, and the shares of exact captions and of each of their `PARTS` right, shown these images.

    Writing the likeliest character each time gives the caption exactly if every character is the likeliest behind the
    true ones before it, so one pass over the true captions is enough. A part is judged behind the true words before.
    """
    logits, targets = model(pictures.tokens, images), pictures.targets
    right = (logits.argmax(-1) == targets) | (targets < 0)  # (n, T)
    parts = {part: right | (pictures.words != word) for part, word in PARTS.items()}
    shares = {part: found.all(1).float().mean().item() for part, found in {"exact": right, **parts}.items()}
    return {"bits": _caption_bits(logits, targets).item(), **shares}


def case_rows(model: Seeing, pictures: Pictures) -> list[Row]:
    """`score` of the same captions shown their image, another's, a blank one; and their own with gates shut again."""
    own, shuffled = pictures.images, torch.randperm(len(pictures), generator=torch.Generator().manual_seed(0))
    cases = {
        "its own image": (model, own),
        "another's image": (model, own[shuffled]),
        "a blank image": (model, torch.zeros_like(own)),
        "attention gates shut": (shut(model, ["attention"]), own),
        "feed-forward gates shut": (shut(model, ["feed_forward"]), own),
        "all gates shut": (shut(model), own),
        "no image": (model, None),
    }
    return [{"case": case, **score(shown, pictures, images)} for case, (shown, images) in cases.items()]


def text_rows(before: Transformer, model: Seeing, corpus: Corpus, rows: int = 64, context: int = 128) -> list[Row]:
    """Held-out bits per byte of plain text: of the language model before, and of the one with eyes, shown what."""
    batch = corpus.batch(rows, context, torch.Generator().manual_seed(0), "held-out")
    blank, digit = torch.zeros(1, SIDE**2), load_pictures().writers.images[:1]
    cases = {
        "before": (before, None),
        "no image": (model, None),
        "blank image": (model, blank),
        "digit": (model, digit),
    }
    found = {case: _text_bits(shown, batch.tokens, batch.targets, image) for case, (shown, image) in cases.items()}
    return [{"case": case, "bpb": bpb, "lost": bpb - found["before"]} for case, bpb in found.items()]


def curve_rows(history: Sequence[Row]) -> list[Row]:
    """Bits a caption along the training: step, images ("training", "new writers", "new combinations"), bits."""
    training = [{"step": row["step"], "images": "training", "bits": row["bits"]} for row in history]
    kinds = {"held_out": "new writers", "new": "new combinations"}
    return training + [
        {"step": row["step"], "images": words, "bits": row[key]["bits"]}
        for key, words in kinds.items()
        for row in history
        if key in row
    ]


def gate_rows(history: Sequence[Row]) -> list[Row]:
    """Both gates of every insertion, as they open: step, insertion, gate, opening (0 shut, 1 open; sign left out)."""
    return [
        {"step": row["step"], "insertion": gates["insertion"], "gate": gate, "opening": abs(gates[gate])}
        for row in history
        for gates in row["gates"]
        for gate in GATES
    ]


def shut(model: Seeing, gates: Sequence[str] = GATES) -> Seeing:
    """A copy with these gates at 0 in every inserted layer. ValueError for an unknown gate."""
    copy = deepcopy(model)
    for gate in gates:
        if gate not in GATES:
            raise ValueError(f"gate must be one of {', '.join(GATES)}, not {gate!r}")
        for layer in copy.eyes.inserted:
            nn.init.zeros_(getattr(layer, f"{gate}_gate"))
    return copy


def eyes_rows(model: Seeing, plan: Plan, seed: int) -> StepRows:
    """The training loop of the eyes, and of whatever else learns; each `next` is one step."""
    seen, generator = load_pictures().train, torch.Generator().manual_seed(seed)
    optimizers = [Optimizer(model.eyes, LR, ADAM_LR)]
    if plan.language != "frozen":
        optimizers.append(Optimizer(model.language, plan.pace * LR, plan.pace * ADAM_LR))
    for step in range(plan.steps):
        pick = torch.randint(len(seen), (plan.batch,), generator=generator)
        images = _sharpened(seen.images[pick], generator)
        gates, logits = model.gates(), model(seen.tokens[pick], images)
        loss, bits = _byte_loss(logits, seen.targets[pick]), _caption_bits(logits.detach(), seen.targets[pick])
        loss.backward()
        for optimizer in optimizers:
            optimizer.step(scale=min(1.0, 2 * (1 - step / plan.steps)))
        yield {"loss": loss.item(), "bits": bits.item(), "gates": gates, **_measured(model, step + 1, plan)}


def _sharpened(images: Tensor, generator: torch.Generator) -> Tensor:
    """Some of the images, by chance, without grey."""
    sharp = torch.rand(len(images), 1, generator=generator) < SHARP
    return torch.where(sharp, INK * (images >= INK / 2), images)


def _measured(model: Seeing, step: int, plan: Plan) -> Row:
    due = step == plan.steps or step % max(1, plan.steps // MEASUREMENTS) == 0
    _, writers, new = load_pictures()
    return {"held_out": score(model, writers, writers.images), "new": score(model, new, new.images)} if due else {}


def _byte_loss(logits: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def _caption_bits(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean over the captions of the sum over their bytes."""
    return BITS_PER_NAT * F.cross_entropy(logits.mT, targets, reduction="none").sum(1).mean()


@torch.no_grad()
def _text_bits(model: nn.Module, tokens: Tensor, targets: Tensor, image: Tensor | None) -> float:
    logits = model(tokens) if image is None else model(tokens, image.expand(len(tokens), -1))
    return (BITS_PER_NAT * _byte_loss(logits, targets)).item()
