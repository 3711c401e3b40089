"""The book on the command line.

gpt4lab claims [--scenario leak] [--set training.mfu=0.4] [--chapter 09] [--verdict unit-error] [--json]
gpt4lab explain training.cost --set training.mfu=0.4 [--depth 3] [--json]
gpt4lab scenario list | show NAME | diff NAME OTHER  [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import attrs

from gpt4lab import claims
from gpt4lab import scenario as scenarios
from gpt4lab.quantities import Explanation, UnknownQuantity, explain
from gpt4lab.quantities.leaf import Leaf
from gpt4lab.scenario import FIELDS, Scenario, ScenarioError
from gpt4lab.scenario.origin import origin
from gpt4lab.units import show


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 is success, 2 an input that cannot be used, said in one line."""
    options = _parser().parse_args(arguments)
    try:
        data, lines = options.run(options)
    except (ScenarioError, UnknownQuantity, KeyError) as error:
        print(f"gpt4lab: {error}", file=sys.stderr)
        return 2
    for line in [json.dumps(data, indent=2, ensure_ascii=False)] if options.json else lines:
        print(line)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("gpt4lab", description="Rebuild and judge the numbers of the GPT-4 leak.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _claims_command(commands)
    _explain_command(commands)
    _scenario_command(commands)
    return parser


def _claims_command(commands: Any) -> None:
    command = _command(commands, "claims", _claims, "judge every claim of the post")
    command.add_argument("--chapter", help="only this chapter, for example 09")
    command.add_argument("--verdict", choices=claims.VERDICTS, help="only claims with this verdict")
    _assumptions(command)


def _explain_command(commands: Any) -> None:
    command = _command(commands, "explain", _explain, "show how a number is made")
    command.add_argument("name", help="a quantity, for example training.cost")
    command.add_argument("--depth", type=int, default=2, help="how many formulas deep (default 2)")
    _assumptions(command)


def _scenario_command(commands: Any) -> None:
    group = commands.add_parser("scenario", help="list, show or compare scenarios").add_subparsers(
        required=True, metavar="ACTION"
    )
    _command(group, "list", _list, "all named scenarios")
    _command(group, "show", _show, "every field of one").add_argument("name")
    compare = _command(group, "diff", _diff, "the fields in which two differ")
    compare.add_argument("name")
    compare.add_argument("other")


def _command(group: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = group.add_parser(name, help=text, description=text)
    command.add_argument("--json", action="store_true", help="as JSON")
    command.set_defaults(run=run)
    return command


def _assumptions(command: argparse.ArgumentParser) -> None:
    command.add_argument("--scenario", default="leak", help="a named or shared scenario (default: leak)")
    command.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help="change a field")


def _scenario(options: argparse.Namespace) -> Scenario:
    """The scenario that --scenario and --set describe."""
    changes: dict[str, Any] = {}
    for setting in options.set:
        path, equals, text = setting.partition("=")
        if not equals:
            raise ScenarioError(f"--set {setting!r}: write PATH=VALUE, for example training.mfu=0.4.")
        changes[path] = scenarios.parse(path, text)
    return scenarios.change(scenarios.load_scenario(options.scenario), changes)


# --- what the commands answer: as data, and in lines --------------------------------------------------

Answer = tuple[Any, Iterable[str]]


def _claims(options: argparse.Namespace) -> Answer:
    everything = claims.audit(_scenario(options))
    results = [
        result
        for result in everything
        if options.chapter in (None, result.claim.chapter) and options.verdict in (None, result.verdict)
    ]
    lines = (f"{r.claim.id:5}{r.claim.chapter}  {r.verdict:27}{r.shown():32}{r.claim.quote}" for r in results)
    tally = "Under these assumptions {} of {} checkable claims hold.".format(*claims.tally(everything))
    return [_claim_record(result) for result in results], [*lines, tally]


def _claim_record(result: claims.Result) -> dict[str, Any]:
    claim = result.claim
    return {
        "id": claim.id,
        "chapter": claim.chapter,
        "quote": claim.quote,
        "stated": _one_or_many(claim.stated),
        "stated_unit": claim.stated_unit,
        "recomputed": _one_or_many(result.recomputed),
        "unit": _one_or_many(tuple(dict.fromkeys(result.units))) or "",
        "residual": result.residual,
        "verdict": result.verdict,
    }


def _one_or_many(values: Sequence[Any]) -> Any:
    return None if not values else values[0] if len(values) == 1 else list(values)


def _explain(options: argparse.Namespace) -> Answer:
    found = explain(options.name, _scenario(options), depth=options.depth)
    data = attrs.asdict(found) if isinstance(found, Leaf) else _explanation_record(found)
    return data, [found.text(), f"declared in {found.declared}"]


def _explanation_record(explanation: Explanation) -> dict[str, Any]:
    inputs = [
        {"symbol": item.symbol, "path": item.path, "value": item.value, "unit": item.unit, "origin": item.origin}
        | ({"made_of": _explanation_record(item.made_of)} if item.made_of else {})
        for item in explanation.inputs
    ]
    quantity = explanation.quantity
    return {
        "name": quantity.name,
        "value": explanation.value,
        "unit": quantity.unit,
        "formula": quantity.formula.text(),
        "meaning": quantity.meaning,
        "source": quantity.source,
        "inputs": inputs,
    }


def _list(options: argparse.Namespace) -> Answer:
    found = [scenarios.load_scenario(name) for name in scenarios.names()]
    data = [{"name": s.name, "title": s.title, "description": s.description} for s in found]
    return data, columns((s.name, s.title) for s in found)


def _show(options: argparse.Namespace) -> Answer:
    scenario = scenarios.load_scenario(options.name)
    sources = {path: origin(scenario, path) for path in FIELDS}
    rows = ((path, show(scenarios.get(scenario, path), FIELDS[path].unit), sources[path]) for path in FIELDS)
    return attrs.asdict(scenario) | {"sources": sources}, columns(rows)


def _diff(options: argparse.Namespace) -> Answer:
    names = (options.name, options.other)
    found = scenarios.differences(*map(scenarios.load_scenario, names))
    data = {path: dict(zip(names, pair, strict=True)) for path, pair in found.items()}
    return data, columns((path, *(show(v, FIELDS[path].unit) for v in pair)) for path, pair in found.items())


def columns(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Lines of a table, each column as wide as its widest cell."""
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ("  ".join(map(str.ljust, row, widths)).rstrip() for row in table)


if __name__ == "__main__":
    raise SystemExit(main())
