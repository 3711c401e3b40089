"""What cannot go together although each of it is in range: one set of rules for inputs, quantities, models, simulators.

A rule is declared once, in symbols, with a sentence that names what would work. Whoever has the numbers says under
which names (`rules_for`) and asks (`check`): a scenario by its paths, a model by the fields of its records, a simulator
by its arguments. Single numbers and arrays alike.

Symbols as in the formulas: a query heads, n key-value heads, E experts, k of them per token, L layers, p stages, v
chunks of layers a stage, m micro-batches, t tensor-parallel ranks, G GPUs, e groups that share the experts, d replicas,
B sequences in a batch, b in a micro-batch, C ranks that share a sequence, D layers of one kind, N without experts and
f the width of their feed-forward, W with a window and w its length, s tokens seen, S tokens that can be seen, r and q
the ranks of latent attention, x and y the parts of its heads.

What is uneven but possible breaks no rule: it takes as long, and as much memory, as the fullest rank or stage needs.
`uneven` says so.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Container, Iterable, Mapping
from functools import cache
from math import ceil, isqrt
from types import SimpleNamespace
from typing import Any

from attrs import frozen

from gpt4lab.scenario.field import ScenarioError

Numbers = Callable[..., Any]
Get = Callable[[str], Any]


class LayoutError(ScenarioError):
    """Numbers that cannot go together, such as a layout that no cluster can run; or one that is not a positive number.

    `words` is the sentence for a reader; the error as text also names the fields.
    """

    def __init__(self, words: str, fields: str = "") -> None:
        super().__init__(words, fields)
        self.words = words
        self.fields = fields

    def __str__(self) -> str:
        return f"{self.words} ({self.fields})" if self.fields else self.words


@frozen
class Rule:
    """What must hold between numbers that `symbols` stand for, and what to say where it does not.

    divides: it asks whether whole numbers divide, and says nothing of the numbers between them.
    """

    symbols: tuple[str, ...]
    holds: Numbers
    says: Callable[..., str]
    divides: bool = False


@frozen
class Held:
    """A rule and the name of each of its numbers, where somebody holds it; `place` is how its sentence begins."""

    rule: Rule
    paths: tuple[str, ...]
    place: str = ""

    def holds(self, get: Get) -> Any:
        """Whether it holds for the numbers that `get` gives; array in, array out."""
        numbers = [get(path) for path in self.paths]
        ok = self.rule.holds(*numbers)
        if ok is True or not self.rule.divides:
            return ok
        for number in numbers:
            ok = ok | (number % 1 != 0)
        return ok

    def words(self, get: Get) -> str:
        """What to say of single numbers for which it does not hold."""
        return self.place + self.rule.says(*map(get, self.paths))


#: All rules, by name; and what is uneven but possible.
RULES: dict[str, Rule] = {}
UNEVEN: dict[str, Rule] = {}


def rules_for(names: Mapping[str, str], place: str = "", among: Mapping[str, Rule] = RULES) -> tuple[Held, ...]:
    """Every rule of which all symbols have a name here."""
    known = [rule for rule in among.values() if set(rule.symbols) <= set(names)]
    return tuple(Held(rule, tuple(names[symbol] for symbol in rule.symbols), place) for rule in known)


def check(held: Iterable[Held], get: Get) -> Any:
    """True where all rules hold; with arrays, an array that says where.

    Raises LayoutError with the first reason where single numbers break a rule.
    """
    ok: Any = True
    for one in held:
        holds = one.holds(get)
        if holds is True:
            continue
        if getattr(holds, "ndim", 0) == 0 and not holds:
            raise LayoutError(one.words(get), ", ".join(f"{path} = {_said(get(path))}" for path in one.paths))
        ok = ok & holds
    return ok


def uneven(held: Iterable[Held], get: Get) -> list[str]:
    """What is told of single numbers that are possible, but not even. For rules `among=UNEVEN`."""
    return [one.words(get) for one in held if not one.holds(get)]


# --- how a rule is declared -------------------------------------------------------------------------------------------


def _rule(
    words: str, works: Callable[[Any], str] = lambda _: "", among: dict[str, Rule] = RULES, *, divides: bool = False
) -> Any:
    """Declares what must hold; `words` may name its numbers, and as `{works}` those that would do."""

    def declare(holds: Numbers) -> Numbers:
        symbols = tuple(inspect.signature(holds).parameters)

        def says(*numbers: Any) -> str:
            said = {symbol: _said(number) for symbol, number in zip(symbols, numbers, strict=True)}
            told = words.format(**said, works=works(SimpleNamespace(**dict(zip(symbols, numbers, strict=True)))))
            return _ONE.sub(r"1 \1", told)

        among[holds.__name__] = Rule(symbols, holds, says, divides)
        return holds

    return declare


SEARCHED = 10**12  # numbers whose divisors are looked for, a million at most
#: "1 GPUs" -> "1 GPU".
_ONE = re.compile(r"(?<![\d,.])1 ([\w -]*?)(?:(?<=ch)es|s)\b")


def _said(number: Any) -> str:
    return f"{number:,.12g}"


def _divisors(of: float, wanted: float) -> str:
    """Divisors below and above: the next ones, or of what is larger than `SEARCHED` the two that all numbers have."""
    whole = int(of)
    small = [n for n in range(1, isqrt(whole if whole <= SEARCHED else 1) + 1) if whole % n == 0]
    every = {*small, *(whole // n for n in small)}  # they come in pairs, so that the root is far enough
    ends = max((n for n in every if n < wanted), default=0), min((n for n in every if n > wanted), default=0)
    return " or ".join(_said(n) for n in ends if n)


def _multiples(of: float, wanted: float) -> str:
    low = wanted // of * of
    return " or ".join(_said(n) for n in (low, low + of) if n)


# --- what cannot be ---------------------------------------------------------------------------------------------------


@_rule("{n} key-value heads do not divide {a} query heads: {works}.", lambda x: _divisors(x.a, x.n), divides=True)
def shared_heads(n: Any, a: Any) -> Any:
    """Each key-value head serves as many query heads as the next."""
    return a % n == 0


@_rule("A token cannot meet {k} experts of {E}: {E} or fewer.")
def chosen_experts(k: Any, E: Any) -> Any:
    """A token goes to no expert twice."""
    return k <= E


@_rule("{s} tokens are more than the {S} that the model can see: {S} or fewer.")
def seen_tokens(s: Any, S: Any) -> Any:
    """No sequence is longer than the model's context."""
    return s <= S


@_rule("{D} layers of one kind are more than all {L}: {L} or fewer.")
def some_layers(D: Any, L: Any) -> Any:
    """Layers without experts, or with a window, are some of the layers."""
    return D <= L


@_rule("{N} layers without experts leave none of {L} with them: {works}.", lambda x: f"{_said(x.L - 1)} or fewer")
def some_experts(N: Any, L: Any) -> Any:
    """Where some layers have no experts, others have them."""
    return (N == 0) | (N < L)


@_rule("{N} layers without experts need the width of their feed-forward, and it is {f}: 1 or more.")
def dense_width(N: Any, f: Any) -> Any:
    """A layer without experts has a feed-forward."""
    return (N == 0) | (f > 0)


@_rule("{W} layers with a window need its length, and it is {w}: 1 or more.")
def window_length(W: Any, w: Any) -> Any:
    """A layer with a window sees something."""
    return (W == 0) | (w > 0)


@_rule("Latent attention of rank {r} needs the size of a query, and its parts have {x} and {y}: 1 or more of either.")
def latent_head(r: Any, x: Any, y: Any) -> Any:
    """A head of latent attention has a rotary part or another one."""
    return (r == 0) | (x + y > 0)


@_rule(
    "Queries of rank {q} need latent attention, and the rank of keys and values is {r}: 1 or more; or no query rank."
)
def latent_queries(q: Any, r: Any) -> Any:
    """Only latent attention has a rank of queries."""
    return (q == 0) | (r > 0)


@_rule("{L} layers cannot fill {p} stages: {L} or fewer.")
def filled_stages(L: Any, p: Any) -> Any:
    """No stage is without a layer."""
    return p <= L


@_rule("{L} layers in {p} stages cannot be cut into {v} chunks a stage: {works}.",
       lambda x: _divisors(1 if x.L % x.p else x.L // x.p, x.v), divides=True)  # fmt: skip
def even_chunks(L: Any, p: Any, v: Any) -> Any:
    """Interleaving needs chunks of equal length; without it, stages may differ by a layer."""
    return (v == 1) | (L % (p * v) == 0)


@_rule(
    "{m} micro-batches cannot be interleaved over {p} stages: {works}.", lambda x: _multiples(x.p, x.m), divides=True
)
def whole_rounds(m: Any, p: Any, v: Any) -> Any:
    """Interleaving goes in rounds of as many micro-batches as there are stages."""
    return (v == 1) | (m % p == 0)


@_rule("{G} GPUs cannot hold a copy of the model, which is {t} ranks × {p} stages: {works} or more.",
       lambda x: _said(x.t * x.p))  # fmt: skip
def whole_copy(G: Any, t: Any, p: Any) -> Any:
    """One copy, at the least, is whole; GPUs beyond whole copies are idle."""
    return t * p <= G


@_rule("{E} experts cannot be dealt out to {e} groups: {E} or fewer.")
def filled_groups(E: Any, e: Any) -> Any:
    """No group is without an expert."""
    return e <= E


@_rule(
    "{d} replicas cannot be divided into groups of {e} that share the experts: {works}.",
    lambda x: _divisors(x.d, x.e),
    divides=True,
)
def whole_groups(d: Any, e: Any) -> Any:
    """Experts are shared among replicas, and each group has all of them."""
    return d % e == 0


@_rule("{B} sequences cannot be divided into {d} replicas and micro-batches of {b}: {works}.",
       lambda x: _multiples(x.d * x.b, x.B), divides=True)  # fmt: skip
def whole_micro_batches(B: Any, d: Any, b: Any) -> Any:
    """Every replica works through as many whole micro-batches."""
    return B % (d * b) == 0


@_rule("{s} tokens cannot be shared by {C} ranks: {s} or fewer.")
def shared_sequence(s: Any, C: Any) -> Any:
    """No rank is without a token."""
    return s >= C


# --- what is uneven, and possible -------------------------------------------------------------------------------------


@_rule("{a} query heads on {t} ranks are filled up to {works}.", lambda x: _said(ceil(x.a / x.t) * x.t), UNEVEN)
def even_heads(a: Any, t: Any) -> Any:
    """Each rank has as many query heads as the next (Pope 2022 fills up PaLM's)."""
    return a % t == 0


@_rule("Of {n} key-value heads on {t} ranks, the fullest has {works}.", lambda x: _said(ceil(x.n / x.t)), UNEVEN)
def even_shared_heads(n: Any, t: Any) -> Any:
    """Fewer heads than ranks are copied; more are dealt out, none cut."""
    return (n <= t) | (n % t == 0)


@_rule("Of {L} layers in {p} stages, the fullest has {works}.", lambda x: _said(ceil(x.L / x.p)), UNEVEN)
def even_stages(L: Any, p: Any) -> Any:
    """Each stage has as many layers as the next."""
    return L % p == 0


@_rule("Of {E} experts in {e} groups, the fullest has {works}.", lambda x: _said(ceil(x.E / x.e)), UNEVEN)
def even_groups(E: Any, e: Any) -> Any:
    """Each group has as many experts as the next."""
    return E % e == 0


@_rule("{G} GPUs are {works}.", lambda x: f"{_said(x.G // (x.t * x.p))} whole copies of {_said(x.t * x.p)}; "
       f"{_said(x.G % (x.t * x.p))} are idle", UNEVEN)  # fmt: skip
def even_copies(G: Any, t: Any, p: Any) -> Any:
    """All GPUs are in a copy."""
    return G % (t * p) == 0


# --- where a scenario holds them --------------------------------------------------------------------------------------

_MODEL = {"a": "model.heads", "n": "model.kv_heads", "E": "model.experts", "k": "model.top_k", "L": "model.layers",
          "N": "model.dense_layers", "f": "model.dense_d_ff", "D": "model.window_layers", "W": "model.window_layers",
          "w": "model.window", "r": "model.kv_rank", "q": "model.query_rank", "x": "model.rope_dim",
          "y": "model.nope_dim"}  # fmt: skip
_TRAINING = {"L": "model.layers", "p": "cluster.pipeline", "v": "cluster.interleave", "m": "pipeline.micro_batches",
             "G": "cluster.gpus", "t": "cluster.tensor"}  # fmt: skip
_SERVING = {"L": "model.layers", "p": "serving.pipeline", "s": "serving.mean_context", "S": "answer.max_context"}
_STUDY = {"k": "mixture.top_k", "E": "mixture.experts"}

_COMPUTED = ("pipeline.", "answer.")

#: The rules of a scenario. A path may be a quantity: such a rule holds where that is computed.
SCENARIO_RULES = (*rules_for(_MODEL), *rules_for(_TRAINING), *rules_for(_SERVING, "In serving, "), *rules_for(_STUDY))
_DEALT = {
    "a": "model.heads",
    "n": "model.kv_heads",
    "L": "model.layers",
    "t": "serving.tensor",
    "p": "serving.pipeline",
}
#: What may be uneven of a scenario's machines, those that train and those that answer.
TRAINING_UNEVEN = rules_for({**_TRAINING, "a": "model.heads"}, among=UNEVEN)
SERVING_UNEVEN = rules_for(_DEALT, among=UNEVEN)


def within(group: Any) -> None:
    """Refuse what cannot go together in one group of a scenario. For its `__attrs_post_init__`."""
    name = group.__class__.__name__.lower()
    check(_of_group(name), lambda path: getattr(group, path.removeprefix(f"{name}.")))


@cache
def _of_group(name: str) -> tuple[Held, ...]:
    return tuple(held for held in SCENARIO_RULES if all(path.startswith(f"{name}.") for path in held.paths))


def refuse(changed: Container[str], get: Get) -> None:
    """Raise LayoutError where machines that are being changed cannot hold the model.

    A change of the model alone is not held against the machines, which stand where they stood: whoever asks about
    both is told (`judged`).
    """
    fields = [held for held in SCENARIO_RULES if not any(path.startswith(_COMPUTED) for path in held.paths)]
    check((held for held in fields if any(p in changed and not p.startswith("model.") for p in held.paths)), get)


def judged(read: Container[str]) -> tuple[Held, ...]:
    """The rules of a scenario that concern a number which depends on these paths: on two or more of a rule's.

    What depends on a single one says nothing about how it goes with the others.
    """
    return tuple(held for held in SCENARIO_RULES if sum(path in read for path in held.paths) > 1)
