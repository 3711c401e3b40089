"""The second door: what the browser's Python gets, and what a chapter is there. The build itself takes a network."""

from __future__ import annotations

import json
import tomllib
import zipfile
from hashlib import sha256
from importlib.metadata import requires
from pathlib import Path

from web.lite import build, packages

#: jsonschema is pinned at the last release that has no compiled part; what later ones need is not pinned.
OF_LATER_RELEASES = {"rpds-py", "referencing", "jsonschema-specifications"}


def pinned() -> set[str]:
    return {line.partition("==")[0] for line in packages.PINS.read_text("utf-8").split()}


def test_whatever_the_book_needs_is_pinned_for_the_browser(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    todo, needed = [*project["dependencies"]], set[str]()
    while todo:
        new = {*packages.needed(todo)} - needed - OF_LATER_RELEASES
        needed |= new
        todo = [line for name in new for line in requires(name) or ()]
    assert len(needed) > 15
    assert needed - pinned() == {"markupsafe"}, "which is packed without its compiled part"


def test_the_book_is_packed_with_its_tables_and_without_weights(tmp_path: Path) -> None:
    wheel = packages.packed("gpt4lab", tmp_path)
    names = zipfile.ZipFile(wheel).namelist()
    assert {"gpt4lab/claims/ledger.toml", "gpt4lab/charts/vega/vega.js", "gpt4lab/place.py"} <= {*names}
    assert [name for name in names if name.endswith((".pt", ".pyc"))] == []
    name, entry = packages.locked(wheel)
    assert (name, entry["imports"]) == ("gpt4lab", ["gpt4lab"])
    assert {"altair", "anywidget", "ipywidgets", "pint", "platformdirs"} <= {*entry["depends"]}
    assert entry["sha256"] == sha256(wheel.read_bytes()).hexdigest()


def test_each_chapter_names_the_kernel_that_is_there(root: Path) -> None:
    for file in (root / "notebooks").glob("*.ipynb"):
        shipped = json.loads(file.read_text("utf-8"))
        there = build.in_a_browser(shipped)
        assert there["metadata"]["kernelspec"]["name"] == build.what()["jupyter-config-data"]["defaultKernelName"]
        assert there["cells"] == shipped["cells"], "unchanged but for that"


def test_each_page_has_the_door_to_its_notebook(tmp_path: Path) -> None:
    (tmp_path / "03_x.html").write_text("<h1>03</h1><h1>again</h1>", "utf-8")
    build.doors(tmp_path, ["03_x"])
    page = (tmp_path / "03_x.html").read_text("utf-8")
    assert page.count('href="lite/lab/index.html?path=03_x.ipynb"') == 1
