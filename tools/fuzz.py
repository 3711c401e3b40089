"""Throw odd inputs at every door of the book and count what comes out unforeseen.

    python -m tools.fuzz                 10,000 cases
    python -m tools.fuzz 3000 --seed 6 --doors models runs
    for seed in 1 2 3 4; do python -m tools.fuzz 250000 --seed $seed & done    a million, in four shards

A door is a function of a random generator: it makes one input, and passes it through. Foreseen is a result, or one
error in the reader's words: short, of a kind that says what is wrong. All else is a finding and is printed at once with
its input: any other exception, an error longer than a paragraph, a single number that is not finite.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import pkgutil
import string
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import attrs

from gpt4lab.catalog import MissingFact, UnknownName
from gpt4lab.claims import audit
from gpt4lab.claims.prose import fill
from gpt4lab.quantities import QUANTITIES, UnknownQuantity, explain, value
from gpt4lab.scenario import (
    FIELDS,
    PRODUCTS,
    RENAMED,
    Scenario,
    ScenarioError,
    change,
    from_json,
    load_scenario,
    names,
    share,
    to_json,
)
from gpt4lab.scenario.config import from_config
from gpt4lab.scenario.numbers import from_text
from gpt4lab.units import UnitError

#: What a door may answer instead of a result.
FORESEEN = (ScenarioError, UnknownQuantity, UnknownName, MissingFact, UnitError)
LONGEST = 600  # characters of an error
SHOWN = 200  # characters of an input in a finding
Door = Callable[[Random], Iterator[Any]]  # yields the input first, so that a finding can show it


# --- odd things -------------------------------------------------------------------------------------------------------


def number(dice: Random) -> Any:
    """A number as a program may have it: ordinary, extreme, of the wrong kind."""
    return dice.choice([
        0, 1, -1, 2, 7, 64, 1000, 0.5, 1e-308, 5e-324, 1e308, -1e308, math.inf, -math.inf, math.nan, 10**400, True,
        None, "12", 1j, [1], {}, b"1", dice.random(), 10 ** dice.uniform(-12, 20), dice.randrange(10**12),
    ])  # fmt: skip


def text(dice: Random) -> str:
    """A number as a reader may type it, and what is none."""
    digits = "".join(dice.choice(string.digits) for _ in range(dice.choice([1, 2, 3, 7, 20, 400])))
    parts = ["-", "−", "+", ".", ",", " ", "e", "E", "%", "k", "M", "T", "$", "×10^", "million", "GPUs", "_", "nan"]
    parts += ["inf", "0x", "１", "\0", "\n", "é", "=", "&", "?", "/", "**", "9", digits, digits]
    return "".join(dice.choice(parts) for _ in range(dice.choice([0, 1, 2, 3, 4, 5, 12, 300])))


def path(dice: Random) -> str:
    """A name: of a field, of a quantity, an old one, or nearly one."""
    name = dice.choice(list(dice.choice([FIELDS, QUANTITIES, RENAMED, PRODUCTS])))
    cut = dice.randrange(len(name))
    return dice.choice([name] * 8 + [name[:cut], name + dice.choice("._x0"), name.replace(".", "/"), text(dice)])


def inside(field: Any, dice: Random) -> Any:
    """A value that a field may have: anywhere in its range, or at an end."""
    if field.choices or field.catalog:
        return dice.choice(field.choices or list(getattr(importlib.import_module("gpt4lab.catalog"), field.catalog)))
    at = dice.choice([0, 1, dice.random(), dice.random()])
    by_ratio = field.log and field.lo > 0
    found = field.lo * (field.hi / field.lo) ** at if by_ratio else field.lo + at * (field.hi - field.lo)
    return round(found) if field.whole else min(max(found, field.lo), field.hi)


def legal(dice: Random) -> Scenario:
    """A named scenario with a few fields changed to values that they may have."""
    found = load_scenario(dice.choice(names()))
    for name in dice.sample(list(FIELDS), dice.randrange(5)):
        try:
            found = change(found, {name: inside(FIELDS[name], dice)})
        except ScenarioError:  # what cannot go together
            continue
    return found


def tree(dice: Random, deep: int = 0) -> Any:
    """Something that JSON can hold."""
    if deep > 3 or dice.random() < 0.4:
        return dice.choice([None, True, 5, -1e300, "x", "", "leak", text(dice), 10**400, dice.random()])
    if dice.random() < 0.3:
        return [tree(dice, deep + 1) for _ in range(dice.randrange(4))]
    keys = [*("name", "title", "sources", "unknown", "training", "model", "mfu", "layers", "cluster"), text(dice)]
    return {dice.choice(keys): tree(dice, deep + 1) for _ in range(dice.randrange(5))}


def damaged(whole: str, dice: Random) -> str:
    """A text with a piece cut out, doubled, or put elsewhere."""
    low, high = sorted(dice.randrange(len(whole) + 1) for _ in range(2))
    piece = whole[low:high]
    return dice.choice([whole[:low] + whole[high:], whole[:high] + piece + whole[high:], whole[:low], piece + whole])


# --- the doors --------------------------------------------------------------------------------------------------------


def numbers(dice: Random) -> Iterator[Any]:
    """A typed number."""
    found = text(dice)
    yield found
    yield from_text(found)


def lines(dice: Random) -> Iterator[Any]:
    """A shared line, ours or damaged."""
    whole = share(legal(dice)) + dice.choice(["", f"&{path(dice)}={text(dice)}", f"?{path(dice)}", "?", "&", "&&"])
    found = dice.choice([whole, damaged(whole, dice), text(dice)])
    yield found
    yield load_scenario(found)


def files(dice: Random) -> Iterator[Any]:
    """A scenario as JSON, ours or damaged."""
    found = dice.choice([json.dumps(tree(dice)), damaged(to_json(legal(dice)), dice)])
    yield found
    yield from_json(found)


def changes(dice: Random) -> Iterator[Any]:
    """Fields set to anything."""
    found = {path(dice): dice.choice([number(dice), text(dice)]) for _ in range(dice.randrange(1, 4))}
    yield found
    yield change(load_scenario(dice.choice(names())), found)


def round_trips(dice: Random) -> Iterator[Any]:
    """A legal scenario, shared and written, comes back the same."""
    found = legal(dice)
    yield share(found)
    if not load_scenario(share(found)) == found == from_json(to_json(found)):
        raise AssertionError("another scenario comes back")


def looks(dice: Random) -> Iterator[Any]:
    """A quantity under a legal scenario, with anything given."""
    name, given = path(dice), {path(dice): number(dice) for _ in range(dice.randrange(3))}
    scenario = legal(dice)
    yield name, given, share(scenario)
    found = value(name, scenario, given)
    if isinstance(found, (int, float)) and not math.isfinite(found):
        raise AssertionError(f"{found} came out")
    yield found


def arrays(dice: Random) -> Iterator[Any]:
    """A quantity over an array of any type."""
    import numpy

    kind = dice.choice(["int8", "int16", "int32", "int64", "float16", "float32", "float64", "bool", "complex64", "U3"])
    with numpy.errstate(all="ignore"):
        entries = numpy.array([dice.choice([0, 1, 3, 100, -1, 120]) for _ in range(dice.randrange(4))]).astype(kind)
    name, given = path(dice), {path(dice): entries}
    yield name, given
    yield value(name, load_scenario("leak"), given)


def explanations(dice: Random) -> Iterator[Any]:
    """A name explained, in text and in HTML, two formulas deep."""
    name, scenario = path(dice), legal(dice)
    yield name, share(scenario)
    found = explain(name, scenario, depth=2)
    yield found.text(), found.html()


def audits(dice: Random) -> Iterator[Any]:
    """Every claim under a legal scenario."""
    scenario = legal(dice)
    yield share(scenario)
    yield [result.shown() for result in audit(scenario)]


def templates(dice: Random) -> Iterator[Any]:
    """A text with names in braces."""
    name = path(dice)
    found = dice.choice(["{%s}", "{%s:.2f}", "{%s|leak}", "{%s?training.mfu=0.4}", "{%s", "%s}", "{ %s }", "{C33.%s}"])
    yield found % name
    yield fill(found % name, legal(dice))


def configs(dice: Random) -> Iterator[Any]:
    """A model's config.json, damaged, and then asked."""
    sizes = {key: dice.choice([number(dice), dice.randrange(1, 8192)]) for key in CONFIG}
    found = {"model_type": dice.choice([*FAMILIES, text(dice)]), **sizes, text(dice): number(dice)}
    for key in dice.sample(list(found), dice.randrange(4)):
        del found[key]
    yield found
    scenario = from_config(found)
    yield value("kv.bytes_per_token", scenario), value("model.total_params", scenario), share(scenario)


CONFIG = (
    *("hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "intermediate_size"),
    *("vocab_size", "max_position_embeddings", "head_dim", "num_local_experts", "num_experts_per_tok"),
    "sliding_window",
)
FAMILIES = ("llama", "mistral", "mixtral", "qwen2", "qwen3_moe", "deepseek_v3", "gpt_oss", "gemma2", "olmo2", "phi3")


def models(dice: Random) -> Iterator[Any]:
    """A training step or an answer of records that hold odd numbers."""
    from gpt4lab.models.decode.deployment import Deployment
    from gpt4lab.models.decode.report import decode
    from gpt4lab.models.inputs import Network, chip
    from gpt4lab.models.step.layout import Layout
    from gpt4lab.models.step.report import step

    choices: list[tuple[Any, Any]] = [(step, Layout), (decode, Deployment)]
    model, way = dice.choice(choices)
    network = {**_filled(Network, dice), "layers": dice.choice([1, 7, 61]), "d_model": 576, "heads": 9}
    for record in (network, ways := _filled(way, dice)):
        if record and dice.random() < 0.3:
            record[dice.choice(list(record))] = number(dice)
    yield model.__name__, network, ways
    found = model(Network(**network), way(**ways), chip("a100-sxm-80gb"))
    if not (math.isfinite(found.time_s) and math.isfinite(found.memory_bytes.total) and found.mfu > 0):
        raise AssertionError(f"{found.time_s} s came out")
    yield found.reason


def _filled(kind: Any, dice: Random) -> dict[str, Any]:
    """Some fields of a record, with small numbers that they may have."""
    few = dice.sample([field.name for field in attrs.fields(kind)], dice.randrange(5))
    return {name: dice.choice([0, 1, 1, 2, 3, 8]) for name in few}


def runs(dice: Random) -> Iterator[Any]:
    """Pipelines and failures played with odd numbers."""
    from gpt4lab.simulate.failures import Habits, simulate
    from gpt4lab.simulate.pipeline.play import play
    from gpt4lab.simulate.pipeline.schedules import SCHEDULES, ScheduleError, build

    odd: list[Any] = [number(dice) if dice.random() < 0.2 else dice.choice([1, 2, 7, 12]) for _ in range(6)]
    yield odd
    yield simulate(Habits(*odd[:4]), odd[4], 2)
    try:
        small: list[Any] = [7 if isinstance(found, (int, float)) and found > 12 else found for found in odd[:3]]
        yield play(build(dice.choice(SCHEDULES), *small))
    except ScheduleError as error:
        raise ScenarioError(str(error)) from error


def kept(dice: Random) -> Iterator[Any]:
    """What a reader has kept, in any state."""
    from gpt4lab.book import store

    state = {"schema": 2, "guess": {"a": {"value": 5}}, "solved": {"b": True}, "opened": {"00": "2026-01-01"}}
    whole = json.dumps(state)
    content = dice.choice([json.dumps(tree(dice)), damaged(whole, dice)]).encode(dice.choice(["utf-8", "utf-16"]))
    yield content
    (Path(store.folder() or "") / "progress.json").write_bytes(content)
    yield store.recall("guess", "a"), store.count("solved"), store.entries("opened"), store.keep("guess", "c", 1)


def panels(dice: Random) -> Iterator[Any]:
    """A panel's view of a legal scenario, all of what it shows."""
    name, panel = dice.choice(list(_panels().items()))
    scenario = legal(dice)
    yield name, share(scenario)
    found = panel.view(scenario)
    yield found.headline, found.change, found.description, found.datasets


def _panels() -> dict[str, Any]:
    """Every panel of the chapters that is a pure view."""
    if not _FOUND:
        from gpt4lab import chapters
        from gpt4lab.panels.curve import Curve
        from gpt4lab.panels.panel import Panel

        for module in pkgutil.walk_packages(chapters.__path__, "gpt4lab.chapters."):
            declared = vars(importlib.import_module(module.name)).items()
            _FOUND.update({f"{module.name}.{name}": found for name, found in declared if type(found) in (Panel, Curve)})
    return _FOUND


_FOUND: dict[str, Any] = {}

DOORS: dict[str, Door] = {
    door.__name__: door
    for door in (
        *(numbers, lines, files, changes, round_trips, looks, arrays),
        *(explanations, audits, templates, configs, models, runs, kept, panels),
    )
}


# --- counting ---------------------------------------------------------------------------------------------------------


@attrs.frozen
class Finding:
    """What came out of a door unforeseen."""

    door: str
    tried: str
    what: str
    where: str

    @property
    def kind(self) -> str:
        """What makes two findings one."""
        return f"{self.door}: {self.what.partition(':')[0]} {self.where}"

    def __str__(self) -> str:
        return f"{self.door}: {self.what}\n    {self.where}\n    {self.tried}"


def passed(name: str, dice: Random) -> Finding | None:
    """One case at a door; nothing if it ends as foreseen."""
    tried: Any = None
    try:
        steps = DOORS[name](dice)
        tried = next(steps)
        list(steps)
    except FORESEEN as error:
        said = len(str(error))
        return Finding(name, repr(tried)[:SHOWN], f"an error of {said} characters", "") if said > LONGEST else None
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__}: {str(error)[:SHOWN]}"
        return Finding(name, repr(tried)[:SHOWN], what, f"{last.filename}:{last.lineno}")
    return None


def fuzz(cases: int, seed: int = 0, doors: tuple[str, ...] = tuple(DOORS)) -> Iterator[Finding | None]:
    """So many cases, evenly over the doors; each case has a generator of its own and can be repeated alone."""
    for case in range(cases):
        yield passed(doors[case % len(doors)], Random(f"{seed} {case}"))


def told(found: Iterable[Finding | None], every: int) -> Counter[str]:
    """Findings by kind; the first of a kind is printed as it comes, and to stderr how far it is."""
    kinds: Counter[str] = Counter()
    for case, finding in enumerate(found, 1):
        if finding:
            kinds[finding.kind] += 1
            if kinds[finding.kind] == 1:
                print(finding, flush=True)
        if case % every == 0:
            print(f"{case:,} cases, {kinds.total():,} unforeseen", file=sys.stderr, flush=True)
    return kinds


def main() -> int:
    """Print each kind of finding once, as it comes, and how often at the end; 1 if there is one."""
    parser = argparse.ArgumentParser("python -m tools.fuzz", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("cases", type=int, nargs="?", default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="another seed, other cases: a shard of a longer run")
    parser.add_argument("--doors", nargs="*", choices=DOORS, default=list(DOORS))
    parser.add_argument("--every", type=int, default=1000, help="cases between two lines of progress")
    options = parser.parse_args()
    kinds = told(fuzz(options.cases, options.seed, tuple(options.doors)), max(1, options.every))
    for kind, often in kinds.most_common():
        print(f"{often:,} times: {kind}")
    print(f"{options.cases:,} cases, {kinds.total():,} unforeseen, {len(kinds)} kinds")
    return int(bool(kinds))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        import os

        os.environ["GPT4LAB_STATE"] = place
        sys.exit(main())
