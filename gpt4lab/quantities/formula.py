"""The formula that a reader sees is the function that computes: both are read from the same source text.

`Formula(function).text({"N": 277e9, "D": 13e12})` gives "6 × 277×10⁹ × 13×10¹²"; with no values, the symbols.
A quantity is therefore written as one return expression; its formula can never drift from what is computed.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from gpt4lab.quantities.format import latex_number, plain_number

Values = Mapping[str, Any]

_GREEK = {
    *("alpha", "beta", "gamma", "delta", "epsilon", "eta", "kappa", "lambda", "mu", "nu", "pi", "rho", "sigma", "tau"),
    *("zeta", "omega", "phi"),
}
_ADD, _MUL, _POWER, _ATOM = 1, 2, 3, 4
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "≤",
    ast.Gt: ">",
    ast.GtE: "≥",
    ast.Eq: "=",
    ast.NotEq: "≠",
}


class Formula:
    """The return expression of a function, as text or LaTeX, with symbols or with numbers in their place.

    A function that is more than that comes with an expression to show in its place.
    """

    def __init__(self, function: Callable[..., Any], shown: str = "") -> None:
        self._function, self._shown = function, shown

    @cached_property
    def expression(self) -> ast.expr:
        """The expression behind `return`. Raises TypeError where the function is more than that."""
        if self._shown:
            return ast.parse(self._shown, mode="eval").body
        tree = ast.parse(textwrap.dedent(inspect.getsource(self._function))).body[0]
        assert isinstance(tree, ast.FunctionDef)
        body = [node for node in tree.body if not _is_docstring(node)]
        if len(body) != 1 or not isinstance(body[0], ast.Return) or body[0].value is None:
            raise TypeError(f"{self._function.__name__} is not one return expression")
        return body[0].value

    def text(self, values: Values | None = None) -> str:
        """The formula in plain characters."""
        return _Text(values or {}).render(self.expression)

    def latex(self, values: Values | None = None, marks: Mapping[str, str] | None = None) -> str:
        """The formula in LaTeX; `marks` gives symbols a class on the page."""
        return _Latex(values or {}, marks or {}).render(self.expression)

    @staticmethod
    def symbol(name: str) -> str:
        r"""A symbol in LaTeX, as a formula has it: `N_act` is N with an index, `tau` is \tau."""
        return _Latex({}).symbol(name.rstrip("_"))


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _divided(node: ast.expr) -> tuple[ast.expr, ast.expr | None]:
    """What a quotient divides, and by what: nothing, where it is none."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return node.left, node.right
    return node, None


def _product(a: ast.expr | None, b: ast.expr | None) -> ast.expr:
    """One times the other, where there are both."""
    return ast.BinOp(a, ast.Mult(), b) if a and b else a or b or ast.Constant(1)


class _Text:
    """Walks an expression and writes it in plain characters; `_Latex` overrides what looks different."""

    times, minus, in_exponent = " × ", " − ", _ATOM

    def __init__(self, values: Values, marks: Mapping[str, str] | None = None) -> None:
        self.values, self.marks = values, marks or {}

    def render(self, node: ast.expr, outer: int = 0) -> str:
        """One node, in brackets if its own precedence is below the one around it."""
        text, precedence = getattr(self, f"_{type(node).__name__.lower()}")(node)
        return self.brackets(text) if precedence < outer else text

    def brackets(self, text: str) -> str:
        return f"({text})"

    def symbol(self, name: str) -> str:
        return name.rstrip("_")  # lambda_ is the paper's lambda, a word that Python keeps for itself

    def marked(self, text: str, name: str) -> str:
        return rf"\class{{{self.marks[name]}}}{{{text}}}" if name in self.marks else text

    def number(self, value: Any) -> str:
        return plain_number(value)

    def fraction(self, top: ast.expr, bottom: ast.expr) -> tuple[str, int]:
        return f"{self.render(top, _MUL)} / {self.render(bottom, _POWER)}", _MUL

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^{exponent}"

    def call(self, name: str, arguments: list[ast.expr]) -> str:
        return f"{name}({', '.join(self.render(argument) for argument in arguments)})"

    def choice(self, condition: str, then: str, otherwise: str) -> str:
        return f"{then} if {condition}, else {otherwise}"

    def _name(self, node: ast.Name) -> tuple[str, int]:
        if node.id not in self.values:
            return self.marked(self.symbol(node.id), node.id), _ATOM
        text = self.marked(self.number(self.values[node.id]), node.id)
        return text, _MUL if "×" in text or r"\times" in text else _ATOM

    def _constant(self, node: ast.Constant) -> tuple[str, int]:
        return self.number(node.value), _ATOM

    def _binop(self, node: ast.BinOp) -> tuple[str, int]:
        if isinstance(node.op, ast.Div):
            return self.fraction(node.left, node.right)
        if isinstance(node.op, ast.Pow):
            return self.power(self.render(node.left, _ATOM), self.render(node.right, self.in_exponent)), _POWER
        if isinstance(node.op, ast.Mult):
            return f"{self.render(node.left, _MUL)}{self.times}{self.render(node.right, _MUL)}", _MUL
        sign, right = (" + ", _ADD) if isinstance(node.op, ast.Add) else (self.minus, _MUL)
        return f"{self.render(node.left, _ADD)}{sign}{self.render(node.right, right)}", _ADD

    def _unaryop(self, node: ast.UnaryOp) -> tuple[str, int]:
        return f"{self.minus.strip()}{self.render(node.operand, _MUL)}", _ADD

    def _call(self, node: ast.Call) -> tuple[str, int]:
        name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
        if name == "where":
            condition, then, otherwise = (self.render(part) for part in node.args)
            return self.choice(condition, then, otherwise), 0
        return self.call({"maximum": "max", "minimum": "min"}.get(name, name), node.args), _ATOM

    def _attribute(self, node: ast.Attribute) -> tuple[str, int]:
        return f"{self.render(node.value, _ATOM)}.{self.symbol(node.attr)}", _ATOM

    def _ifexp(self, node: ast.IfExp) -> tuple[str, int]:
        return self.choice(self.render(node.test), self.render(node.body), self.render(node.orelse)), 0

    def _compare(self, node: ast.Compare) -> tuple[str, int]:
        return f"{self.render(node.left)} {_COMPARE[type(node.ops[0])]} {self.render(node.comparators[0])}", 0


class _Latex(_Text):
    times, minus, in_exponent = r" \cdot ", " - ", 0  # braces hold an exponent together

    def brackets(self, text: str) -> str:
        return rf"\left({text}\right)"

    def symbol(self, name: str) -> str:
        head, _, tail = name.partition("_")
        head = rf"\{head}" if head in _GREEK else head if len(head) == 1 else rf"\mathrm{{{head}}}"
        if tail == "hat":
            return rf"\hat{{{head}}}"
        return head + (rf"_\mathrm{{{tail.replace('_', ',')}}}" if tail else "")

    def number(self, value: Any) -> str:
        return latex_number(value)

    def fraction(self, top: ast.expr, bottom: ast.expr) -> tuple[str, int]:
        """One fraction: what divides the top goes to the bottom, what divides the bottom to the top."""
        (over, under), (low, up) = _divided(top), _divided(bottom)
        if under or up:
            return self.fraction(_product(over, up), _product(under, low))
        return rf"\frac{{{self.render(top)}}}{{{self.render(bottom)}}}", _POWER

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^{{{exponent}}}"

    def call(self, name: str, arguments: list[ast.expr]) -> str:
        inside = ", ".join(self.render(argument) for argument in arguments)
        if name == "sqrt":
            return rf"\sqrt{{{inside}}}"
        if name in ("ceil", "floor"):
            return rf"\l{name} {inside} \r{name}"
        known = rf"\{name}" if name in ("max", "min", "exp", "log") else rf"\mathrm{{{name.replace('_', ' ')}}}"
        return rf"{known}\left({inside}\right)"

    def choice(self, condition: str, then: str, otherwise: str) -> str:
        condition = condition.replace("≤", r"\le").replace("≥", r"\ge").replace("≠", r"\ne")
        return rf"\begin{{cases}}{then} & {condition}\\{otherwise} & \text{{else}}\end{{cases}}"
