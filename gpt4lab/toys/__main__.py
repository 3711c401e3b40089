"""The studies of the toys: `python -m gpt4lab.toys` lists them, and `... record isoflop` makes a recorded run anew."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import walk_packages
from typing import TYPE_CHECKING

from gpt4lab import terminal, toys

if TYPE_CHECKING:
    from gpt4lab.toys.core.study import Study

PROGRAM = "python -m gpt4lab.toys"


@cache
def studies() -> dict[str, type[Study]]:
    """Every study by its name."""
    from gpt4lab.toys.core.study import Study

    for module in walk_packages(toys.__path__, "gpt4lab.toys."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    return {study.name: study for study in Study.__subclasses__()}


def recorded() -> list[str]:
    """Names of the studies of which the book ships a run."""
    return [name for name, study in studies().items() if study.recorded]


def main(arguments: list[str] | None = None) -> int:
    """List the studies, or record one; the exit status."""
    return terminal.run(PROGRAM, lambda: _answer(arguments))


def _answer(arguments: list[str] | None) -> int:
    parser = terminal.Parser(prog=PROGRAM, description=__doc__)
    record = parser.add_subparsers(dest="what").add_parser("record", help="make the run that the book ships anew")
    record.add_argument("study", choices=recorded())
    asked = parser.parse_args(arguments)
    for line in [str(studies()[asked.study].record())] if asked.what == "record" else _list():
        terminal.say(line)
    return 0


def _list() -> list[str]:
    from gpt4lab.toys.core.recordings import load_recorded

    shipped = {name: f"recorded {load_recorded(name)['date']}" for name in recorded()}
    words = {name: (study.__doc__ or "").splitlines()[0] for name, study in studies().items()}
    return [f"{name:14} {shipped.get(name, 'live only'):20} {words[name]}" for name in studies()]


if __name__ == "__main__":
    raise SystemExit(main())
