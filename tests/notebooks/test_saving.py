"""What JupyterLab saves: a chapter as it was shipped, whatever ran in it; a reader's copy with what was found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.browser.harness import jupyterlab

ROOT = Path(__file__).resolve().parents[2]
TEXTS = sorted((ROOT / "notebooks" / "text").glob("*.md"))
VIEW = "application/vnd.jupyter.widget-view+json"
SAID = {"output_type": "stream", "name": "stdout", "text": "found\n"}
PANEL = {"output_type": "display_data", "metadata": {}, "data": {VIEW: {"model_id": "0"}, "text/plain": "VBox()"}}


class Server:
    """JupyterLab's contents, over HTTP as its page asks for them."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder

    def open(self, name: str) -> Any:
        """The notebook of this name."""
        return json.load(urlopen(f"{self.url}/api/contents/{name}"))["content"]

    def save(self, name: str, notebook: Any) -> str:
        """Save a notebook under this name; what then stands in its file."""
        body = json.dumps({"type": "notebook", "format": "json", "content": notebook}).encode()
        urlopen(Request(f"{self.url}/api/contents/{name}", body, method="PUT")).close()
        return (self.folder / name).read_text("utf-8")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The book's chapters, served under the book's settings."""
    folder = tmp_path_factory.mktemp("saved")
    shutil.copytree(ROOT / "notebooks", folder, dirs_exist_ok=True)
    with jupyterlab(folder) as url:
        yield Server(url, folder)


def run(notebook: Any) -> Any:
    """What a session leaves in a notebook: counts, outputs, opened cells, the kernel's words."""
    for count, cell in enumerate(cell for cell in notebook["cells"] if cell["cell_type"] == "code"):
        cell.update(execution_count=count, outputs=[SAID, PANEL])
        cell["metadata"] = {"trusted": True, "jupyter": {"source_hidden": False}}
    notebook["metadata"]["language_info"] = {"name": "python"}
    return notebook


def of_code(saved: str) -> list[Any]:
    return [cell for cell in json.loads(saved)["cells"] if cell["cell_type"] == "code"]


def test_a_chapter_that_ran_is_saved_as_it_was_shipped(server: Server) -> None:
    for chapter in (f"{text.stem}.ipynb" for text in TEXTS):
        assert server.save(chapter, run(server.open(chapter))) == (ROOT / "notebooks" / chapter).read_text("utf-8")


def test_what_a_reader_writes_into_a_chapter_is_kept_without_outputs(server: Server) -> None:
    notebook = run(server.open("03_560_what.ipynb"))
    first = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    first["source"] += "\nprint(1)"
    notebook["cells"].append({**first, "id": "mine", "source": "2"})
    shipped = of_code((ROOT / "notebooks" / "03_560_what.ipynb").read_text("utf-8"))
    saved = of_code(server.save("03_560_what.ipynb", notebook))
    assert (saved[0]["source"][-1], saved[-1]["source"]) == ("print(1)", ["2"])
    assert [cell["outputs"] for cell in saved] == [*(cell["outputs"] for cell in shipped), []]
    assert not any(cell["execution_count"] for cell in saved)


@pytest.mark.parametrize(
    "there", ["<<<<<<< ours\n{}", "", "[]", "{}", '{"cells": [{"cell_type": "code"}], "metadata": {}}']
)
def test_whatever_stands_in_the_file_nothing_that_ran_is_saved_into_a_chapter(server: Server, there: str) -> None:
    notebook = run(json.loads((ROOT / "notebooks" / "03_560_what.ipynb").read_text("utf-8")))
    (server.folder / "03_560_what.ipynb").write_text(there, "utf-8")
    assert not any(cell["outputs"] for cell in of_code(server.save("03_560_what.ipynb", notebook)))


def test_a_copy_keeps_its_outputs_and_says_what_a_panel_needs(server: Server) -> None:
    for cell in of_code(server.save("my_own.ipynb", run(server.open("09_sixty_three_million.ipynb")))):
        found, panel = cell["outputs"]
        assert found["text"] == ["found\n"]
        assert list(panel["data"]) == ["text/html", "text/plain"]
        assert "No kernel: run the chapter again" in panel["data"]["text/html"][0]


def test_a_notebook_with_its_widgets_and_one_of_somebody_else_are_left_alone(server: Server) -> None:
    whole = run(server.open("09_sixty_three_million.ipynb"))
    other = {**whole, "metadata": {}, "cells": [{**of_code(json.dumps(whole))[0], "source": "1"}]}
    whole["metadata"] = {"widgets": {"application/vnd.jupyter.widget-state+json": {"state": {}}}, **whole["metadata"]}
    for name, notebook in {"whole.ipynb": whole, "other.ipynb": other}.items():
        assert all(VIEW in cell["outputs"][1]["data"] for cell in of_code(server.save(name, notebook)))
