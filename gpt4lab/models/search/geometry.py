"""Back from sums to shapes: every geometry that has the parameters which somebody stated.

    found = search({"shared": 55e9, "expert": 111e9}, Allowed(layers=120, experts=16, top_k=2))
    found.fits[0].shape, found.fits[0].errors, found.text()

`geometry` goes from a shape to its sums; this goes back. Sums are `shared` (attention: what every token uses), `expert`
(one, over all layers), `total` and `active`, each with a tolerance. What nobody stated is searched among the sizes of
real models: widths in multiples of 128, as matrix units want them, and heads that together are as wide as the model.

Hardly anything is tried in vain. The sums bound each other, which leaves an interval for attention and one for an
expert; both grow with the width, so bisection finds the few widths; and the width of an expert is solved for. Routers,
norms and biases are left out, as in `geometry`: below 0.1%.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice, product
from math import inf, sqrt
from typing import Any, NamedTuple

from attrs import Factory, evolve, fields, frozen

from gpt4lab import catalog
from gpt4lab.catalog import PublishedModel
from gpt4lab.formulas import layer
from gpt4lab.formulas.answering_layer import latent_weights
from gpt4lab.models.inputs import Network
from gpt4lab.models.search import parameters
from gpt4lab.models.search.geometry_inputs import Allowed, GeometryError, Span, Stated
from gpt4lab.quantities.registry import values
from gpt4lab.quantities.topics import geometry
from gpt4lab.quantities.topics.model import active_params, total_params
from gpt4lab.scenario import Scenario

__all__ = ["Allowed", "Fit", "Fits", "GeometryError", "Stated", "facts_in", "judge", "search", "stated_in", "sums_of"]

SUMS = ("shared", "expert", "total", "active")
SIZES = ("layers", "d_model", "heads", "head_dim", "kv_heads", "d_ff", "gated", "experts", "top_k")
#: More fits than this say nothing about the shape.
MOST = 10_000
#: As many shapes that a single statement rules out are counted.
COUNTED = 1_000
#: Numbers of heads that are tried for MLA, whose heads are wider together than the model.
LATENT_HEADS = (32, 64, 128)

Sums = Mapping[str, float | Stated]


@frozen
class Fit:
    """One shape, its sums, by what share each stated one is missed, and how far in all (1: at the tolerance)."""

    shape: Network
    embedding: bool
    sums: Mapping[str, float]
    errors: Mapping[str, float]
    misfit: float

    @property
    def attention(self) -> str:
        """Its kind, by the key-value heads."""
        n = self.shape
        return "MLA" if n.kv_rank else "MHA" if n.kv_heads == n.heads else "MQA" if n.kv_heads == 1 else "GQA"

    @property
    def expert_ratio(self) -> float:
        """Width of an expert over the model's."""
        return round(self.shape.d_ff / self.shape.d_model, 2)


@frozen
class Fits:
    """Every shape that fits, the nearest first; where none does, `without` counts those that one statement excludes."""

    fits: tuple[Fit, ...]
    without: Mapping[str, int] = Factory(dict[str, int])

    def spread(self) -> dict[str, tuple[Any, ...]]:
        """For each size the values that occur; where it is one, all shapes have it in common."""
        sizes = {name: {getattr(fit.shape, name) for fit in self.fits} for name in SIZES}
        others = ("attention", "expert_ratio", "embedding")
        sizes |= {name: {getattr(fit, name) for fit in self.fits} for name in others}
        return {name: tuple(sorted(found)) for name, found in sizes.items()}

    def text(self) -> str:
        """How many shapes fit and what they have in common, or why none does."""
        if not self.fits:
            return self._reason()
        same = [f"{name} {found[0]}" for name, found in self.spread().items() if len(found) == 1]
        rest = [f"{name} {_some(found)}" for name, found in self.spread().items() if len(found) > 1]
        many = "1 shape fits" if len(self.fits) == 1 else f"{len(self.fits):,} shapes fit"
        words = f"{many}. In common: {', '.join(same) or 'nothing'}."
        return f"{words} They differ in {'; '.join(rest)}." if rest else words

    def _reason(self) -> str:
        ruled = sorted(((n, name) for name, n in self.without.items() if n), reverse=True)
        if not ruled:
            return "No shape fits, nor would any if one statement were dropped."
        words = (f"without {name} {n:,}{' or more' if n == COUNTED else ''} would" for n, name in ruled)
        return f"No shape fits; {', '.join(words)}."


def search(sums: Sums, allowed: Allowed | None = None) -> Fits:
    """All shapes that fit the stated sums and the facts.

    Raises GeometryError for an unknown or senseless sum or fact, and where more than `MOST` shapes fit.
    """
    stated, allowed = _stated(sums), allowed or Allowed()
    shapes = list(islice(_shapes(stated, allowed), MOST + 1))
    if len(shapes) > MOST:
        raise GeometryError(f"More than {MOST:,} shapes fit: state another sum, or a fact such as layers=120.")
    fits = sorted((judge(_network(allowed, *shape), stated, shape[0]) for shape in shapes), key=lambda fit: fit.misfit)
    return Fits(tuple(fits), {} if fits else _without(stated, allowed))


def judge(shape: Network, sums: Sums, embedding: bool = False) -> Fit:
    """How far a shape misses the stated sums, whether or not it fits."""
    stated, found = _stated(sums), sums_of(shape, embedding)
    errors = {name: one.error(found[name]) for name, one in stated.items()}
    misses = [(errors[name] / one.tolerance) ** 2 for name, one in stated.items()]
    return Fit(shape, bool(embedding), found, errors, sqrt(sum(misses) / len(misses)))


def sums_of(shape: Network, embedding: bool = False) -> dict[str, float]:
    """The four sums of a shape."""
    shared = shape.layers * parameters.attention(shape)
    expert = shape.layers * layer.feed_forward_weights(shape.d_model, shape.d_ff, shape.gated)
    always = shared + embedding * geometry.embedding_params(shape.vocab, shape.d_model)
    total = total_params(shape.experts, expert, always)
    return dict(zip(SUMS, (shared, expert, total, active_params(shape.top_k, expert, always)), strict=True))


def stated_in(scenario: Scenario, tolerance: float = 0.01) -> dict[str, Stated]:
    """The sums that a scenario states."""
    names = ("model.shared_params", "model.expert_params", "model.total_params", "model.active_params")
    return {s: Stated(n, tolerance=tolerance) for s, n in zip(SUMS, values(names, scenario).values(), strict=True)}


def facts_in(scenario: Scenario) -> Allowed:
    """What else it states: layers, experts, experts per token."""
    m = scenario.model
    return Allowed(layers=m.layers, experts=m.experts, top_k=m.top_k, vocab=m.vocab)


def _stated(sums: Sums) -> dict[str, Stated]:
    if not sums or set(sums) - set(SUMS):
        raise GeometryError(f"sums = {', '.join(sums) or 'none'}: allowed are {', '.join(SUMS)}, at least one.")
    return {name: given if isinstance(given, Stated) else Stated(given) for name, given in sums.items()}


def _some(found: Sequence[Any]) -> str:
    """A few values, or the first and the last of many."""
    return ", ".join(map(str, found)) if len(found) <= 4 else f"{found[0]} to {found[-1]}"


def _without(stated: dict[str, Stated], allowed: Allowed) -> dict[str, int]:
    """How many shapes, up to `COUNTED`, would fit if one statement alone were dropped."""
    usual = Allowed()
    facts = [one.name for one in fields(Allowed) if getattr(allowed, one.name) != getattr(usual, one.name)]
    looser = {f"the sum {name}": ({n: s for n, s in stated.items() if n != name}, allowed) for name in stated}
    looser |= {f"the fact {name}": (stated, evolve(allowed, **{name: getattr(usual, name)})) for name in facts}
    return {name: sum(1 for _ in islice(_shapes(*asked), COUNTED)) for name, asked in looser.items() if asked[0]}


class _Attention(NamedTuple):
    """One kind of attention; 0 key-value heads: as many as heads. 0 heads: as many as the width gives."""

    kind: str
    head_dim: int
    kv_heads: int = 0
    heads: int = 0

    def weights(self, d: float, a: float) -> float:
        """Parameters of a layer of width d with a heads."""
        if self.kind == "MLA":
            r = _latent()
            ranks, sizes = (r["query_rank"], r["kv_rank"]), (r["nope_dim"], r["rope_dim"], self.head_dim)
            return latent_weights(d, a, *ranks, *sizes, 1)
        return layer.attention_weights(d, a, self.kv_heads or a, self.head_dim, 1)

    def shares(self, a: int) -> bool:
        """Whether a heads can share the key-value heads; as many of them as heads would be MHA."""
        return not self.kv_heads or (a > self.kv_heads and a % self.kv_heads == 0)


@cache
def _latent() -> dict[str, int]:
    """Ranks and head sizes of MLA: the same in every model of the catalog that has it."""
    facts = {"query_rank": "q_lora_rank", "kv_rank": "kv_lora_rank", "nope_dim": "nope_head_dim"}
    return {name: _deepseek().need(fact) for name, fact in {**facts, "rope_dim": "rope_head_dim"}.items()}


def _deepseek() -> PublishedModel:
    return catalog.models["deepseek-v3"]


def _kinds(allowed: Allowed) -> Iterator[_Attention]:
    sizes = {"MHA": (0,), "MQA": (1,), "GQA": tuple(n for n in allowed.kv_heads if n > 1)}
    for kind in allowed.attention:
        if kind == "MLA":
            width = _deepseek().need("v_head_dim")
            yield from (_Attention(kind, width, heads=a) for a in LATENT_HEADS if a in allowed.heads)
        else:
            yield from (_Attention(kind, width, n) for width, n in product(allowed.head_dim, sizes[kind]))


def _shapes(stated: dict[str, Stated], allowed: Allowed) -> Iterator[tuple[Any, ...]]:
    """The shapes that fit, as `_network` takes them."""
    spans = {name: stated[name].span if name in stated else Span(0, inf) for name in SUMS}
    for embedding, E, k in product(allowed.embedding, allowed.experts, allowed.top_k):
        table = geometry.embedding_params(embedding * allowed.vocab, 1)
        if k > E:
            continue
        shared, expert = _narrowed(spans, E, k, table * allowed.d_model[-1])
        if shared.low > shared.high or expert.low > expert.high:
            continue
        for kind in _kinds(allowed):
            for L in allowed.layers:
                for d, a in _widths(shared, expert, kind, L, allowed):
                    always = L * kind.weights(d, a) + table * d
                    near = _left(_left(expert, spans["total"], always, E), spans["active"], always, k)
                    yield from ((embedding, E, k, kind, L, d, a, *rest) for rest in _experts(near, L, d, allowed))


def _narrowed(spans: Mapping[str, Span], E: int, k: int, table: float) -> tuple[Span, Span]:
    """Intervals of attention and of an expert, which bound each other; `table` is the most that an embedding adds."""
    shared, expert, total, active = (spans[name] for name in SUMS)
    if idle := E - k:
        expert = expert.meet((total.low - active.high) / idle, (total.high - active.low) / idle)
    for n, whole in ((E, total), (k, active), (E, total)):
        expert = expert.meet((whole.low - shared.high - table) / n, (whole.high - shared.low) / n)
        shared = shared.meet(whole.low - n * expert.high - table, whole.high - n * expert.low)
    return shared, expert


def _left(expert: Span, whole: Span, always: float, n: int) -> Span:
    """What a sum of n experts and all that is always used leaves for an expert."""
    return expert.meet(*(geometry.expert_from_total(end, always, n) for end in whole))


def _widths(shared: Span, expert: Span, kind: _Attention, L: int, allowed: Allowed) -> Iterator[tuple[int, int]]:
    """Widths and heads whose attention fits, and for which an expert of a usual width can."""
    fewest, most = (ratio / kind.head_dim for ratio in allowed.heads_ratio)
    narrow, wide = allowed.expert_ratio
    plain, gated = allowed.gated[0], allowed.gated[-1]
    widths = _growing(
        allowed.d_model,
        shared,
        lambda d: L * kind.weights(d, kind.heads or fewest * d),
        lambda d: L * kind.weights(d, kind.heads or most * d),
    )
    widths = _growing(
        widths,
        expert,
        lambda d: L * layer.feed_forward_weights(d, narrow * d, plain),
        lambda d: L * layer.feed_forward_weights(d, wide * d, gated),
    )
    for d in widths:
        for a in (kind.heads,) if kind.heads else _between(allowed.heads, fewest * d, most * d):
            fits = shared.low <= L * kind.weights(d, a) <= shared.high
            if fits and kind.shares(a) and not any(a % ranks for ranks in allowed.tensor):
                yield d, a


def _experts(expert: Span, L: int, d: int, allowed: Allowed) -> Iterator[tuple[int, int]]:
    """Widths of an expert, with and without a gate, that give it parameters in the interval."""
    narrow, wide = allowed.expert_ratio
    for gated in allowed.gated:
        each = L * layer.feed_forward_weights(d, 1, gated)
        span = Span(narrow * d, wide * d).meet(expert.low / each, expert.high / each)
        yield from ((f, gated) for f in _between(allowed.d_ff, *span))


def _between(choices: Sequence[int], low: float, high: float) -> Sequence[int]:
    """The choices from low to high."""
    return choices[bisect_left(choices, low) : bisect_right(choices, high)]


def _growing(
    choices: Sequence[int], span: Span, least: Callable[[int], float], most: Callable[[int], float]
) -> Sequence[int]:
    """The choices for which something from `least` to `most`, both growing with the choice, can be in the interval."""
    return choices[bisect_left(choices, span.low, key=most) : bisect_right(choices, span.high, key=least)]


def _network(
    allowed: Allowed, embedding: int, E: int, k: int, kind: _Attention, L: int, d: int, a: int, f: int, gated: int
) -> Network:
    latent = {**_latent(), "kv_heads": 1} if kind.kind == "MLA" else {"kv_heads": kind.kv_heads or a}
    return Network(
        layers=L,
        d_model=d,
        heads=a,
        head_dim=kind.head_dim,
        d_ff=f,
        gated=gated,
        experts=E,
        top_k=k,
        vocab=allowed.vocab,
        **latent,
    )
