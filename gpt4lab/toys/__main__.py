"""The studies of the toys: `python -m gpt4lab.toys` lists them, and `... record isoflop` makes a recorded run anew."""

from __future__ import annotations

import argparse
from importlib import import_module
from pkgutil import walk_packages

from gpt4lab import toys
from gpt4lab.toys.core.recordings import load_recorded
from gpt4lab.toys.core.study import Study

for module in walk_packages(toys.__path__, "gpt4lab.toys."):
    if not module.name.endswith("__main__"):
        import_module(module.name)

STUDIES: dict[str, type[Study]] = {study.name: study for study in Study.__subclasses__()}
RECORDED = [name for name, study in STUDIES.items() if study.recorded]


def main(arguments: list[str] | None = None) -> None:
    """List the studies, or record one."""
    parser = argparse.ArgumentParser(prog="python -m gpt4lab.toys", description=__doc__)
    record = parser.add_subparsers(dest="what").add_parser("record", help="make the run that the book ships anew")
    record.add_argument("study", choices=RECORDED)
    asked = parser.parse_args(arguments)
    if asked.what == "record":
        print(STUDIES[asked.study].record())
        return
    for name, study in STUDIES.items():
        shipped = f"recorded {load_recorded(name)['date']}" if name in RECORDED else "live only"
        print(f"{name:14} {shipped:20} {(study.__doc__ or '').splitlines()[0]}")


if __name__ == "__main__":
    main()
