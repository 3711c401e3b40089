"""Exercises in code: three lines of the reader's own, held against the book's, case by case.

They are declared in the chapter's exercises.toml; [rent] there is the exercise "09-rent":

    [rent]
    unit = "USD"                                  # of what it returns
    cases = [[277e9, 13e12, 312e12, 0.34, 1.0]]   # what it is called with
    solution = '''
    def rent(params, tokens, peak, mfu, price):
        return 6 * params * tokens / (peak * mfu) / 3600 * price
    '''

A test holds each solution against the book's quantities: tests/unit/book/exercises/test_code.py.
"""

from __future__ import annotations

import ast
import math
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import attrs

from gpt4lab import place
from gpt4lab.book.exercises import limited
from gpt4lab.book.exercises.tasks import Feedback
from gpt4lab.book.page import shortened
from gpt4lab.units import counted, show

MOST_SOURCE = 10_000  # characters, as way.py keeps of a text
MUCH = 2_000  # characters printed
LONGEST = 1024  # bits of a whole number: more than a float holds


@attrs.frozen
class Code:
    """Write a function: its name, its arguments and what is right in each case are those of the solution."""

    solution: str = attrs.field(converter=lambda text: text.strip() + "\n")
    cases: Sequence[Sequence[Any]]
    unit: str = "1"
    tolerance: float = 1e-3

    def truth(self, *case: Any) -> Any:
        """What our own function gives."""
        known: dict[str, Any] = {}
        exec(self.solution, known)
        return known[self.name](*case)

    @property
    def _asked(self) -> ast.FunctionDef:
        return next(part for part in ast.parse(self.solution).body if isinstance(part, ast.FunctionDef))

    @property
    def name(self) -> str:
        """What the function is called."""
        return self._asked.name

    @property
    def start(self) -> str:
        """The function without a body."""
        return f"def {self.name}({', '.join(_arguments(self._asked.args))}):\n    ...\n"

    def solved(self) -> str:
        """The first case, and what is right there."""
        return f"{self._call(self.cases[0])} is {self._said(self.truth(*self.cases[0]))}"

    # --- how an answer is judged ----------------------------------------------------------------------

    def check(self, answer: Any) -> Feedback:
        """Judge the text of a function: as far as it can be read, then as it runs, in the limited process."""
        source = answer if isinstance(answer, str) else ""
        if unready := self._unready(source):
            return unready
        if not limited.possible():
            return Feedback("missing", place.how_to_code())
        ran = limited.run(source, self.name, self.cases)
        lines = [self._wrong(case, record) for case, record in zip(self.cases, ran.found, strict=False)]
        if not any(lines) and not ran.ended:
            lines.append(self._unfinished(self.cases[len(ran.found)], ran.timed))
        return self._summed_up(lines, ran.found)

    def _summed_up(self, lines: list[str], found: list[dict[str, Any]]) -> Feedback:
        """The first case that went wrong; how many went right; how much was printed."""
        right, count = lines.count(""), len(self.cases)
        printed: Any = found[-1].get("printed") if found else 0
        much = _is_number(printed) and printed > MUCH
        note = f" It also prints {printed:,} characters: a function need print nothing." if much else ""
        if right == count:
            every = f"All {count} cases come" if count > 1 else "The one case comes"
            return Feedback("right", f"{every} out as in the book.{note}")
        some = f" {right} of {counted(count, 'case')} come{'s' * (right == 1)} out right." if right else ""
        return Feedback("almost" if right else "wrong", f"{next(filter(None, lines))}{some}{note}")

    def _unready(self, source: str) -> Feedback | None:
        """What can be said without running it."""
        if not source.strip():
            return Feedback("missing", f"Write {self.name} in the cell below, then run the cell.")
        if len(source) > MOST_SOURCE:
            return Feedback("wrong", f"This is longer than {MOST_SOURCE:,} characters; a few lines are enough.")
        try:
            made = [part for part in ast.parse(source).body if _binds(part, self.name)]
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            return Feedback("wrong", _unread(error))
        if not made:
            return Feedback("wrong", f"{self.name} is not defined yet: the cell must say “def {self.name}(…)”.")
        return self._not_so(made[-1]) if isinstance(made[-1], ast.FunctionDef) else None

    def _not_so(self, written: ast.FunctionDef) -> Feedback | None:
        """A function without a body, or that takes something else."""
        if all(isinstance(part, ast.Pass) or _is_constant(part) for part in written.body):
            return Feedback("missing", f"Write the body of {self.name} in place of the dots, then run the cell.")
        arguments, taken = _arguments(self._asked.args), written.args
        most = math.inf if taken.vararg else len(_arguments(taken))
        least = len(_arguments(taken)) - len(taken.defaults)
        if least <= len(arguments) <= most and not _needed_by_name(taken):
            return None
        takes = f"{len(arguments)} argument{'s' * (len(arguments) > 1)} ({', '.join(arguments)})"
        yours = ", ".join([*_arguments(taken), *(f"{each.arg} by name" for each in taken.kwonlyargs)])
        return Feedback("wrong", f"{self.name} must take {takes}; yours takes {shortened(yours) or 'none'}.")

    def _wrong(self, case: Sequence[Any], record: Mapping[str, Any]) -> str:
        """What is wrong with a case, in a sentence; "" where it came out right."""
        call = self._call(case)
        if "error" in record:
            return _stopped("The cell" if record.get("cell") else call, record)
        if "value" not in record:
            return f"{call} returns something of type {shortened(str(record.get('type')))}: that is no answer."
        value, right = record["value"], self.truth(*case)
        if value is None:
            instead = f" It prints {shortened(str(record.get('begins')))!r} instead." * bool(record.get("begins"))
            return f"{call} returns nothing: its last line should begin with “return”.{instead}"
        if _same(value, right, self.tolerance):
            return ""
        return f"{call} gives {self._said(value)}; it should be {self._said(right)}.{_slip(value, right)}"

    def _unfinished(self, case: Sequence[Any], timed: bool) -> str:
        call = self._call(case)
        if timed:
            return f"{call} does not come to an end: it was stopped after some seconds."
        return f"{call} ends Python itself, and returns nothing."

    def _call(self, case: Sequence[Any]) -> str:
        return f"{self.name}({', '.join(map(_short, case))})"

    def _said(self, value: Any) -> str:
        return show(value, self.unit) if _is_number(value) and math.isfinite(value) else shortened(_short(value))


def _stopped(call: str, record: Mapping[str, Any]) -> str:
    if record["error"] == "MemoryError":
        return f"{call} asks for more memory than the {limited.MEMORY_MB} MB that it may have."
    line = f" in line {record['line']}" if isinstance(record.get("line"), int) else ""
    says = f": {record.get('says')}" if record.get("says") else ""
    alone = " Only what comes with Python is there." * (record["error"] == "ModuleNotFoundError")
    return shortened(f"{call} stops with {record['error']}{line}{says}.") + alone


def _unread(error: Exception) -> str:
    """Why a text is no Python."""
    line = f"Line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else "This"
    why = getattr(error, "msg", str(error) if isinstance(error, ValueError) else "too deep")
    return shortened(f"{line} cannot be read as Python: {why}.")


def _arguments(arguments: ast.arguments) -> list[str]:
    return [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]


def _needed_by_name(arguments: ast.arguments) -> bool:
    return None in arguments.kw_defaults


def _binds(part: ast.stmt, name: str) -> bool:
    """Whether a statement at the top makes this name."""
    if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return part.name == name
    inner = [node for node in ast.iter_child_nodes(part) if isinstance(node, (ast.stmt, ast.ExceptHandler))]
    if inner:  # within "if", "try", "with"
        return any(_binds(node, name) for node in inner)  # type: ignore[arg-type]
    stored = (node for node in ast.walk(part) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    imported = part.names if isinstance(part, (ast.Import, ast.ImportFrom)) else []
    return name in {*(node.id for node in stored), *(alias.asname or alias.name for alias in imported)}


def _is_constant(part: ast.stmt) -> bool:
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)


def _is_number(value: Any) -> bool:
    """Whether it is a number that a float can hold."""
    return isinstance(value, float) or (type(value) is int and value.bit_length() < LONGEST)


def _same(value: Any, right: Any, tolerance: float) -> bool:
    """Whether an answer is right: numbers nearly, words and yes or no exactly, lists item by item."""
    if _is_number(right):
        return _is_number(value) and math.isclose(value, right, rel_tol=tolerance, abs_tol=1e-12)
    if isinstance(right, (list, tuple)):
        alike = isinstance(value, list) and len(value) == len(right)
        return alike and all(_same(*pair, tolerance) for pair in zip(value, right, strict=True))
    return type(value) is type(right) and value == right


def _slip(value: Any, right: Any) -> str:
    """A wrong power of ten is named as one."""
    if not (_is_number(value) and _is_number(right) and min(value, right) > 0 and max(value, right) < math.inf):
        return ""
    off = math.log10(value) - math.log10(right)
    return f" The power of ten is off by {round(off):+d}." * bool(round(off) and abs(off - round(off)) < 0.01)


def _short(value: Any) -> str:
    """A value as somebody would write it in Python."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_short, value))}]"
    long = isinstance(value, float) or (_is_number(value) and abs(value) >= 1e6)
    return f"{value:.6g}".replace("e+", "e") if long else repr(value)


@cache
def codes() -> Mapping[str, Code]:
    """Every exercise in code, by key: [rent] of exercises.toml in the folder of chapter 09 is "09-rent"."""
    folders = sorted(files("gpt4lab.chapters").iterdir(), key=lambda folder: folder.name)
    found = [(folder.name[1:3], folder.joinpath("exercises.toml")) for folder in folders if folder.is_dir()]
    tables = [(number, tomllib.loads(file.read_text("utf-8"))) for number, file in found if file.is_file()]
    return {f"{number}-{name}": Code(**words) for number, table in tables for name, words in table.items()}
