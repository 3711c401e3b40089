"""Real images of digits, and captions that nobody can write without seeing the image.

The images are the 1,797 digits of 8 x 8 pixels, 0 (paper) to 16 (ink), that scikit-learn ships: the test part of
Alpaydin and Kaynak's set of 1998, by 13 writers. A caption says three things: which digit it is; thick or thin, by
whether it has more ink than half of the training images; and whether it leans right or left, by whether its top is
further to the right than in half of the training images of the same digit.

The writers' names are lost, but the file keeps the images of a writer together. Its last 252 images are held out: two
writers, by the borders that scikit-learn's course has guessed, whose hands are not seen in training. And of each digit
one of its four captions is never shown with an image, though the language model has read it: digits alone are too easy.
"""

from __future__ import annotations

import gzip
import importlib.util
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from numbers import Real
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from gpt4lab import place
from gpt4lab.toys.core.corpus import Batch, Corpus, Sampler, encode

SIDE, INK = 8, 16  # pixels of a side, the darkest value
TRAINED = 1545  # the images before are for training, those behind are held out
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PARTS = {"weight": 1, "digit": 2, "side": 4}  # what a caption says -> which of its words says it
IMAGE, END = "\x01", "\n"  # before a caption, like Flamingo's <image>; and behind it
CAPTION_SHARE = 4  # one row in so many of the text for training is captions
KINDS = tuple(f"a {weight} {{}} leaning {side}" for weight in ("thick", "thin") for side in ("right", "left"))
CAPTIONS = tuple(kind.format(name) for name in NAMES for kind in KINDS)  # all forty
#: Captions whose images are not trained on: one of each digit, a fourth of all.
WITHHELD = frozenset(KINDS[digit % len(KINDS)].format(name) for digit, name in enumerate(NAMES))


@dataclass(frozen=True, repr=False)
class Pictures:
    """Images (n, 64), and their captions as text and as tokens to read and to predict, (n, T); -100 behind the end."""

    images: Tensor
    captions: tuple[str, ...]
    tokens: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.captions)

    def __repr__(self) -> str:
        return f"Pictures({len(self)} images, {len(set(self.captions))} different captions)"

    @property
    def words(self) -> Tensor:
        """Which word of its caption each target belongs to, (n, T); a space counts to the word in front of it."""
        return (self.tokens == ord(" ")).cumsum(1)


class Sets(NamedTuple):
    """Images to train on; of writers that training never sees; of captions whose images it never shows."""

    train: Pictures
    writers: Pictures
    combinations: Pictures


@cache
def load_pictures() -> Sets:
    """All images with their captions: to train on, of new writers, and of new combinations by the same writers."""
    images, captions = _all()
    known, new = (
        [i for i, caption in enumerate(captions) if (caption in WITHHELD) == withheld] for withheld in (False, True)
    )
    sets = [i for i in known if i < TRAINED], [i for i in known if i >= TRAINED], [i for i in new if i < TRAINED]
    return Sets(*(_pictures(images[chosen], [captions[i] for i in chosen]) for chosen in sets))


def as_image(image: Sequence[float] | Tensor) -> Tensor:
    """An image of one's own, (64,): 64 numbers from 0 (paper) to 16 (ink), row by row from the top. ValueError else."""
    numbers = image.tolist() if isinstance(image, Tensor) else list(image)
    if len(numbers) != SIDE**2:
        raise ValueError(f"image must have {SIDE**2} numbers, row by row, not {len(numbers)}")
    for i, number in enumerate(numbers):
        if not (isinstance(number, Real) and 0 <= number <= INK):
            raise ValueError(f"image[{i}] must be a number from 0 (paper) to {INK} (ink), not {number!r}")
    return torch.tensor(numbers, dtype=torch.float)


def prior_bits(train: Pictures, held_out: Pictures) -> float:
    """Bits that a held-out caption costs one who knows how often each is used in training, and sees no image.

    Each count is raised by one, so that a caption which never came is not impossible.
    """
    counts = Counter(train.captions)
    kinds = len(counts.keys() | set(held_out.captions))
    shares = [(counts[caption] + 1) / (len(train) + kinds) for caption in held_out.captions]
    return -sum(map(math.log2, shares)) / len(shares)


def text_sampler(corpus: Corpus, rows: int = 16, context: int = 64) -> Sampler:
    """Windows of the corpus, and in every fourth row captions one after the other, drawn without their images."""
    captions = [encode(f"{IMAGE}{caption}{END}") for caption in _all()[1][:TRAINED]]
    shortest = min(map(len, captions))

    def sampler(generator: torch.Generator) -> Batch:
        batch = corpus.batch(rows, context, generator)
        drawn = torch.randint(len(captions), (rows // CAPTION_SHARE, context // shortest + 1), generator=generator)
        lines = [torch.cat([captions[i] for i in row])[: context + 1] for row in drawn.tolist()]
        both = torch.cat([batch.tokens, batch.targets[:, -1:]], 1)  # (rows, context + 1)
        both[CAPTION_SHARE - 1 :: CAPTION_SHARE] = torch.stack(lines).long()
        return Batch(both[:, :-1], both[:, 1:], batch.domains)

    return sampler


@cache
def _all() -> tuple[Tensor, list[str]]:
    table = torch.tensor(_read())
    images, digits = table[:, :-1], table[:, -1].long()
    return images, _captions(images, digits)


def _read() -> list[list[float]]:
    """The file itself: importing scikit-learn to read it takes seconds."""
    found = importlib.util.find_spec("sklearn")
    if found is None or found.origin is None:
        raise RuntimeError(place.needs("sklearn", "The file of digits"))
    with gzip.open(Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz", "rt") as file:
        return [[float(number) for number in line.split(",")] for line in file]


def _captions(images: Tensor, digits: Tensor) -> list[str]:
    """Medians are those of the training images."""
    ink, lean, seen = images.sum(1), _lean(images), torch.arange(len(digits)) < TRAINED
    usual = torch.stack([lean[seen & (digits == digit)].median() for digit in range(len(NAMES))])
    thick, right = ink > ink[seen].median(), lean > usual[digits]
    return [
        f"a {'thick' if t else 'thin'} {NAMES[digit]} leaning {'right' if r else 'left'}"
        for t, digit, r in zip(thick.tolist(), digits.tolist(), right.tolist(), strict=True)
    ]


def _lean(images: Tensor) -> Tensor:
    """Pixels to the right for each pixel upwards: the slope of the line through the ink, (n,)."""
    share = (images / images.sum(1, keepdim=True)).unflatten(1, (SIDE, SIDE))  # (n, y, x)
    place = torch.arange(SIDE, dtype=torch.float)
    x = place - (share.sum(1) @ place)[:, None]  # (n, x), from the centre of the ink
    y = (share.sum(2) @ place)[:, None] - place  # (n, y), upwards
    return torch.einsum("nyx,ny,nx->n", share, y, x) / torch.einsum("nyx,ny,ny->n", share, y, y)


def _pictures(images: Tensor, captions: list[str]) -> Pictures:
    texts = [encode(f"{IMAGE}{caption}{END}").long() for caption in captions]
    tokens = torch.nn.utils.rnn.pad_sequence([text[:-1] for text in texts], batch_first=True)
    targets = torch.nn.utils.rnn.pad_sequence([text[1:] for text in texts], batch_first=True, padding_value=-100)
    return Pictures(images, tuple(captions), tokens, targets)
