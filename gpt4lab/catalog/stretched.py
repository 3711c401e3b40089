"""What extended models lose behind the context that they were trained on, as YaRN's authors measured it.

From `references["yarn-code"]`, under MIT: ten texts of the Proof-pile, each cut to the first `context` tokens and read
in one piece, so that a perplexity is over all positions up to there. What is lost at the positions between two contexts
is therefore their difference, and that is what falls off the cliff; a mean over all positions hides it. (The paper
speaks of a sliding window. But eval.sh asks for texts cut short, and only so do all models rise and fall together.)
The four Mistral models read other texts than those of Llama's kind, with the window of their attention opened wide.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import pairwise
from math import log

import attrs

KEY = ("model", "of", "way", "reach", "seen")


@attrs.frozen
class Stretched:
    """One model: what it was made of, by which way, and the mean perplexity up to each context.

    reach: tokens that it was made for, where it was bent as far; seen: the longest texts that it was trained on, as
    train.sh has them, or the owners say. YaRN's larger models saw no text as long as they reach.
    """

    model: str
    of: str
    way: str
    reach: int
    seen: int
    perplexity: dict[int, float]

    @property
    def name(self) -> str:
        """The model without its owner."""
        return self.model.rpartition("/")[2]

    def by_position(self) -> Iterator[tuple[float, float]]:
        """Middle of each stretch of positions, in tokens, and the loss there, in nats a token."""
        total = {0: 0.0} | {context: context * log(found) for context, found in self.perplexity.items()}
        for (begin, before), (end, all_of_it) in pairwise(total.items()):
            yield (begin + end) / 2, (all_of_it - before) / (end - begin)

    @property
    def at_the_edge(self) -> float:
        """Loss in the second half of its reach, as far as that was measured; in nats a token."""
        contexts = [context for context in self.perplexity if context <= self.reach]
        half = max((context for context in contexts if context <= contexts[-1] / 2), default=0)
        total = [context * log(self.perplexity[context]) if context else 0.0 for context in (half, contexts[-1])]
        return (total[1] - total[0]) / (contexts[-1] - half)

    def falls(self, times: float = 2) -> float | None:
        """Where the loss is first `times` that at the edge, over its reach; None where it never is."""
        lost = (at for at, loss in self.by_position() if at > self.reach and loss > times * self.at_the_edge)
        return next((at / self.reach for at in lost), None)


@cache
def stretched_models() -> tuple[Stretched, ...]:
    """All models that were measured, in the order of the files."""
    import csv
    from itertools import groupby

    text = files("gpt4lab.catalog").joinpath("stretched_models.csv").read_text("utf-8")
    of = groupby(csv.DictReader(text.splitlines()), key=lambda row: [row[k] for k in KEY])
    return tuple(
        Stretched(model, made_of, way, int(reach), int(seen), {int(r["context"]): float(r["perplexity"]) for r in its})
        for (model, made_of, way, reach, seen), its in of
    )
