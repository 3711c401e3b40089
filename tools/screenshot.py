"""Take the picture of the README: a panel of chapter 09 in JupyterLab, as it stands on the page.

.venv/bin/python tools/screenshot.py
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "screenshot.png"
CELL = "from gpt4lab.chapters.c09_money.run import run\nrun.widget()"


def main() -> None:
    """Open JupyterLab, run the cell, take the picture."""
    harness, browser = load("tests/browser/harness.py"), load("book.py").find_browser(sys.executable)
    with (
        tempfile.TemporaryDirectory() as folder,
        harness.jupyterlab(Path(folder)) as url,
        harness.chromium(browser) as chromium,
    ):
        harness.write_notebook(Path(folder) / "panel.ipynb", [CELL])
        lab = harness.Lab(chromium, url, height=1100)
        lab.open("panel.ipynb")
        lab.run_all()
        lab.charts()
        PICTURE.parent.mkdir(exist_ok=True)
        lab.screenshot(PICTURE, ".g4l-panel")
        lab.close()


def load(path: str) -> ModuleType:
    """Import a script of the repository that is not part of the package."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
