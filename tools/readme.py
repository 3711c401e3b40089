"""Write the latest benchmark results, and how far the models are off from what was published, into the README.

    .venv/bin/python -m tools.readme

The first table is made from benchmarks/results/*.json, the second from the checks themselves; a test holds the README
to both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gpt4lab.checks.tables import CheckTable, tables
from tools import results

README = results.ROOT / "README.md"

Row = Sequence[str]


def main() -> None:
    """Put the tables of today into the README."""
    README.write_text(renewed(README.read_text("utf-8")), "utf-8")


def renewed(text: str) -> str:
    """The README with new tables."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        head, rest = text.split(begin)
        text = head + begin + "\n" + table() + end + rest.split(end)[1]
    return text


def table(heads: Row, rows: Iterable[Row]) -> str:
    """A table in Markdown."""
    return "".join(f"| {' | '.join(row)} |\n" for row in (heads, ["---"] * len(heads), *rows))


def benchmarks() -> str:
    """Where and when, then every result: what, measured, the peer's, bar."""
    return f"{whereabouts()}\n\n{table(('what', 'measured', 'peer', 'bar'), results.rows(results.SHIPPED))}"


def whereabouts() -> str:
    """Machines and days of all results, the peers' too."""
    found = [results.read(results.SHIPPED, path.stem) for path in results.SHIPPED.glob("*.json")]
    places, days = (sorted({result[key] for result in found}) for key in ("machine", "date"))
    return f"Measured on {' and on '.join(places)}, {' to '.join(dict.fromkeys((days[0], days[-1])))}."


def validated() -> str:
    """How far the models are off, table by table; rows that come out wrong stay in."""
    return table(("published", "rows", "mean error", "largest", "what it leaves out"), map(checked, tables()))


def checked(found: CheckTable) -> Row:
    """One table of checks in a row."""
    checks = found.checks
    return found.title, str(len(checks)), f"{checks.mean_error:.1%}", f"{checks.largest:.1%}", found.leaves_out


TABLES = {"benchmarks": benchmarks, "validation": validated}

if __name__ == "__main__":
    main()
