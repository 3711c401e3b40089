"""Run chapters where torch, numpy and what is built on them do not exist, as in a browser's Python.

    python light.py notebooks/03_560_what.ipynb ...

prints one JSON object: by chapter, what its cells raised, what its widgets complain of, at rest and with each control
at each of its settings, and which of the libraries was loaded nevertheless. One process for all: to import the book
takes longer than most chapters.
"""

from __future__ import annotations

import json
import re
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

HEAVY = ("torch", "numpy", "pandas", "scipy", "sklearn", "joblib", "distributed")
ALERT = re.compile(r'<p class="g4l-error" role="alert">(.*?)</p>')


class Light(PathFinder):
    """The usual finder, which finds none of the heavy libraries."""

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: Any = None) -> Any:
        """As if it were not installed: asking whether it is there says no, importing it fails."""
        return None if name.partition(".")[0] in HEAVY else super().find_spec(name, path, target)


def run(notebook: Path) -> dict[str, list[str]]:
    """Run the code cells of a notebook in a shell like a kernel's, and move what then stands on the page."""
    from IPython.core.interactiveshell import InteractiveShell
    from ipywidgets.widgets.widget import Widget

    shell = InteractiveShell.instance()
    shell.reset(new_session=False)
    Widget.close_all()
    cells = [cell for cell in json.loads(notebook.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    answers = [answer(shell, "".join(cell["source"])) for cell in cells]
    return {
        "raised": [raised for raised, _ in answers if raised],
        "said": [said for _, said in answers if said],
        "alerts": sorted({*alerts(), *moved()}),
        "loaded": [name for name in HEAVY if name in sys.modules],
    }


def answer(shell: Any, source: str) -> tuple[str, str]:
    """What a cell raises, and what it says in Markdown."""
    from IPython.utils.capture import capture_output

    with capture_output() as captured:
        result = shell.run_cell(source)
    error = result.error_before_exec or result.error_in_exec
    raised = f"{source}\n{type(error).__name__}: {error}\n{captured.stdout[-2000:]}" if error else ""
    return raised, "".join(output.data.get("text/markdown", "") for output in captured.outputs)


def widgets(kind: type[Any]) -> list[Any]:
    """The widgets of this type on the page."""
    from ipywidgets.widgets.widget import _instances

    return [widget for widget in list(_instances.values()) if isinstance(widget, kind)]


def alerts() -> list[str]:
    """What the page complains of."""
    from ipywidgets import HTML

    return [alert for widget in widgets(HTML) for alert in ALERT.findall(widget.value)]


def moved() -> list[str]:
    """How views fail when each control of each panel is moved to each of its settings."""
    from gpt4lab.panels.panel import LivePanel
    from tests.unit.panels.declared import settings

    failed = []
    for panel in widgets(LivePanel):
        for path, control in panel.controls.items():
            before = control.value
            for value in settings(control):
                control.value = value
                failed += [f"{path} = {value}: {panel.error}"] if "view failed" in panel.error else []
            control.value = before
    return failed


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    sys.meta_path[sys.meta_path.index(PathFinder)] = Light
    print(json.dumps({Path(name).stem: run(Path(name)) for name in sys.argv[1:]}))
