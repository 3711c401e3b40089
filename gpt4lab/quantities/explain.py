"""How a number is made: the formula, the same with numbers, and where each number comes from, as deep as asked."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import attrs

from gpt4lab.quantities import leaf
from gpt4lab.quantities.formula import Formula
from gpt4lab.quantities.leaf import Leaf
from gpt4lab.quantities.registry import QUANTITIES, Quantity, find, read_by, unit_of, values
from gpt4lab.scenario import FIELDS, RENAMED, Scenario, change
from gpt4lab.scenario.counted import SHAPE, SIZES, two_weights
from gpt4lab.units import show

#: What weighs a model: its sizes where they are stated, the width of its feed-forward where the shape is counted.
FEELS = {*SIZES, "model.d_ff"}


@attrs.frozen
class Input:
    """One symbol of a formula: its path, value and unit, and its own explanation where it is computed."""

    symbol: str
    path: str
    value: Any
    unit: str
    origin: str
    made_of: Explanation | None


@attrs.frozen
class Explanation:
    """A quantity with its value and inputs. Prints as text; JupyterLab shows it as formulas."""

    quantity: Quantity
    value: Any
    inputs: tuple[Input, ...]
    note: str = ""

    @property
    def declared(self) -> str:
        """File and line of the declaration."""
        return self.quantity.declared

    @property
    def numbers(self) -> dict[str, Any]:
        """symbol -> value, as they enter the formula."""
        return {item.symbol: item.value for item in self.inputs}

    def text(self) -> str:
        """Formula, numbers and inputs as indented lines."""
        return "\n".join(self._lines(0))

    __str__ = text

    def _lines(self, depth: int) -> Iterator[str]:
        pad = "    " * depth
        yield f"{pad}{self.quantity.name} = {show(self.value, self.quantity.unit)}: {self.quantity.meaning}"
        yield "\n".join(f"{pad}  = {line}" for line in self._formula("text")) + f"    [{self.quantity.source}]"
        for item in self.inputs:
            yield f"{pad}  {item.symbol} = {show(item.value, item.unit)}  {item.path}  ({item.origin})"
            if item.made_of:
                yield from item.made_of._lines(depth + 1)
        if self.note:
            yield f"{pad}  {self.note}"

    def steps(self) -> list[str]:
        """The formula with symbols, then with numbers, as text."""
        return self._formula("text")

    def _formula(self, kind: str, **more: Any) -> list[str]:
        """The formula as text or latex: with symbols, and with numbers where it has any."""
        write = getattr(self.quantity.formula, kind)
        return list(dict.fromkeys((write(**more), write(self.numbers, **more))))

    def latex(self) -> str:
        r"""The formula and the numbers as one aligned block of LaTeX."""
        name = self.quantity.name.replace("_", r"\_")
        result = show(self.value, self.quantity.unit).replace("%", r"\%").replace("$", r"\$")
        rows = [*self._formula("latex"), rf"\text{{{result}}}"]
        body = r" \\ ".join(f"&= {row}" for row in rows)
        return rf"\begin{{aligned}}\text{{{name}}} {body}\end{{aligned}}"

    def html(self) -> str:
        """Nested HTML: the formula and the numbers as mathematics; each computed input unfolds into its own."""
        result = html.escape(show(self.value, self.quantity.unit))
        marks = {item.symbol: mark for item in self.inputs if (mark := _mark(item.path))}
        rows = r" \\ ".join(f"&= {row}" for row in self._formula("latex", marks=marks))
        lines = rf"\begin{{aligned}}{rows}\end{{aligned}}"
        inputs = "".join(f"<li>{_html_input(item)}</li>" for item in self.inputs)
        return (
            f'<div class="g4l-explain mathjax_ignore"><p>{html.escape(self.quantity.meaning)}</p>'
            f"<p><code>{html.escape(self.quantity.name)}</code></p>"
            f'<div class="mathjax_process">$${html.escape(lines)}$$</div><p><strong>= {result}</strong></p>'
            f"<ul>{inputs}</ul>{f'<p>{html.escape(self.note)}</p>' if self.note else ''}</div>"
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": self.html(), "text/latex": f"$${self.latex()}$$"}


def _mark(path: str) -> str:
    """The class of a symbol with one input behind it, whose slider it lights; MathJax lets only such names pass."""
    fields = _fields_behind(path)
    return f"mjx-g4l-{leaf.on_page(*fields)}" if len(fields) == 1 else ""


@cache
def _fields_behind(path: str) -> frozenset[str]:
    inputs = QUANTITIES[path].inputs.values() if path in QUANTITIES else ()
    return frozenset({path}) if path in FIELDS else frozenset[str]().union(*map(_fields_behind, inputs))


def _html_input(item: Input) -> str:
    mark = _mark(item.path)
    more, stop = (f" {mark}", ' tabindex="0"') if mark else ("", "")
    symbol = f'<span class="mathjax_process{more}"{stop}>${html.escape(Formula.symbol(item.symbol))}$</span>'
    line = symbol + html.escape(f" = {show(item.value, item.unit)} · {item.path} · {item.origin}")
    return f"<details><summary>{line}</summary>{item.made_of.html()}</details>" if item.made_of else line


def explain(
    name: str, scenario: Scenario, *, depth: int = 1, given: Mapping[str, Any] | None = None
) -> Explanation | Leaf:
    """How the quantity `name` comes about under a scenario, `depth` levels of formulas down.

    A field or a fact of the catalog is not computed: its value, range, meaning and source are told.

    Raises UnknownQuantity for an unknown name, ScenarioError for what a field cannot be.
    """
    name, given = RENAMED.get(name, name), given or {}
    scenario = change(scenario, {path: word for path, word in given.items() if isinstance(word, str)})
    if name not in QUANTITIES and leaf.is_one(name):
        return leaf.read(name, scenario, given)
    values((find(name).name,), scenario, given)  # what is given for parts that are only shown is refused here
    return attrs.evolve(_computed(name, scenario, depth, given), note=_note(name, scenario))


def _note(name: str, scenario: Scenario) -> str:
    """What is said of a weight, and all that follows from it, where the scenario has two."""
    known = scenario.unknown.isdisjoint({*SHAPE, *SIZES})
    return two_weights(scenario.model) if known and FEELS.intersection(read_by((name,), ())) else ""


def _computed(name: str, scenario: Scenario, depth: int, given: Mapping[str, Any]) -> Explanation:
    quantity = find(name)
    paths = (*quantity.parts.items(), *quantity.inputs.items())
    found = values((name, *(path for _, path in paths)), scenario, given)
    inputs = tuple(
        _input(symbol, path, found[path], scenario, 1 if path in quantity.parts.values() else depth, given)
        for symbol, path in paths
    )
    return Explanation(quantity, found[name], inputs)


def _read_by(path: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Of what is given, that which a quantity is computed from."""
    read = read_by((path,), tuple(given))
    return {name: number for name, number in given.items() if name in read}


def _input(symbol: str, path: str, value: Any, scenario: Scenario, depth: int, given: Mapping[str, Any]) -> Input:
    deeper = depth > 1 and path in QUANTITIES and path not in given
    made_of = _computed(path, scenario, depth - 1, _read_by(path, given)) if deeper else None
    computed = path in QUANTITIES and path not in given
    origin = "computed" if computed else leaf.origin(path, scenario, given)
    return Input(symbol, path, value, unit_of(path), origin, made_of)
