"""Small dense linear algebra, in plain Python, so that the verdict needs no arrays."""

from __future__ import annotations

from collections.abc import Sequence

Matrix = Sequence[Sequence[float]]
#: A pivot below this share of the largest number is nothing but rounding.
TINY = 1e-9


class Singular(ArithmeticError):
    """The equations leave something open."""


def solve(a: Matrix, b: Matrix) -> list[list[float]]:
    """x with a x = b, for a square (n × n) and b of n rows; Gauss with the largest pivot of each column.

    Raises Singular where a has no inverse.
    """
    rows = [[*left, *right] for left, right in zip(a, b, strict=True)]
    size, scale = len(rows), _largest(a)
    for column in range(size):
        pivot = max(range(column, size), key=lambda k: abs(rows[k][column]))
        if abs(rows[pivot][column]) <= TINY * scale:
            raise Singular(f"equation {column} of {size} says nothing new")
        rows[column], rows[pivot] = rows[pivot], rows[column]
        _clear(rows, column, column)
    return [row[size:] for row in rows]


def inverse(a: Matrix) -> list[list[float]]:
    """The inverse of a square matrix. Raises Singular where there is none."""
    return solve(a, [[float(i == j) for j in range(len(a))] for i in range(len(a))])


def reduced(a: Matrix) -> list[list[float]]:
    """The rows of a in reduced echelon form, without those that are nothing: as many as its rank."""
    rows, done, scale = [list(row) for row in a], 0, _largest(a)
    for column in range(len(rows[0]) if rows else 0):
        pivot = max(range(done, len(rows)), key=lambda k: abs(rows[k][column]), default=None)
        if pivot is None or abs(rows[pivot][column]) <= TINY * scale:
            continue
        rows[done], rows[pivot] = rows[pivot], rows[done]
        _clear(rows, done, column)
        done += 1
    return [[0.0 if abs(number) <= TINY * scale else number for number in row] for row in rows[:done]]


def rank(a: Matrix) -> int:
    """How many of the rows are independent."""
    return len(reduced(a))


def _largest(a: Matrix) -> float:
    return max((abs(number) for row in a for number in row), default=0.0) or 1.0


def _clear(rows: list[list[float]], pivot: int, column: int) -> None:
    """Make the pivot 1, and the rest of its column 0."""
    by = rows[pivot][column]
    rows[pivot] = head = [number / by for number in rows[pivot]]
    for k, row in enumerate(rows):
        if k != pivot and (times := row[column]):
            rows[k] = [number - times * above for number, above in zip(row, head, strict=True)]
