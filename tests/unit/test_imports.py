"""What an import loads: the calculators start at once, and run where there is no torch, numpy or pandas."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import gpt4lab

HEAVY = ("torch", "numpy", "pandas")

#: Refuses the heavy libraries, as a browser's Python does that has none of them.
HOOK = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {HEAVY}:
            raise ModuleNotFoundError(f"no module named {{name}}", name=name)
sys.meta_path.insert(0, Refuse())
"""

CALCULATORS = """
import gpt4lab
leak = gpt4lab.load_scenario("leak")
from gpt4lab.claims import ledger
assert len(gpt4lab.audit(leak)) == len(ledger()) > 100
assert "FLOP" in gpt4lab.explain("training.cost", leak, depth=4).text()
from gpt4lab import catalog, charts, units
assert abs(units.convert(1, "TFLOP", "GFLOP") - 1000) < 1e-6
from gpt4lab.chapters.c03_flop.flop import token
live = token.widget()
live.set({"model.context": 32768})
assert live.error == "", live.error
from gpt4lab.cli import main
assert main(["scenario", "list"]) == 0
"""


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_importing_the_package_loads_nothing_heavy() -> None:
    names = run(
        f"import sys, gpt4lab; print([n for n in {HEAVY} + ('altair', 'ipywidgets', 'pint') if n in sys.modules])"
    )
    assert names.strip() == "[]"


def test_calculators_need_nothing_heavy() -> None:
    """Scenario, catalog, quantities, ledger and command line load no torch, numpy or pandas on their own account."""
    code = "import gpt4lab.catalog, gpt4lab.quantities, gpt4lab.claims, gpt4lab.cli, sys"
    assert run(f"{code}\nprint([n for n in {HEAVY} if n in sys.modules])").strip() == "[]"


def test_calculators_run_where_nothing_heavy_exists() -> None:
    run(HOOK + CALCULATORS)


def test_calculators_run_from_a_zip(tmp_path: Path) -> None:
    """A browser's Python may get the package as one file: no table and no topic is looked up as a path."""
    package = Path(gpt4lab.__file__).parent
    with zipfile.ZipFile(tmp_path / "book.zip", "w") as book:
        for file in [file for ending in ("*.py", "*.toml", "*.json") for file in package.rglob(ending)]:
            book.write(file, file.relative_to(package.parent))
    run(f"""
import sys
sys.path.insert(0, {str(tmp_path / "book.zip")!r})
import gpt4lab
assert "book.zip" in gpt4lab.__file__
from gpt4lab.claims import ledger
assert len(gpt4lab.audit(gpt4lab.load_scenario("leak"))) == len(ledger()) > 100
""")


def test_the_book_begins_without_what_it_never_asks() -> None:
    """The grammar that jsonschema would read takes longer than everything else of a chapter's first cell."""
    for begun in ("book", "charts"):
        code = f"import gpt4lab.{begun}, sys; from gpt4lab.schemas import GRAMMAR"
        assert run(f"{code}\nprint(GRAMMAR in sys.modules, 'lark' in sys.modules)").split() == ["False", "False"]
