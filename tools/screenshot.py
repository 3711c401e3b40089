"""Take the picture of the README: a panel of chapter 09 in JupyterLab, as it stands on the page.

.venv/bin/python -m tools.screenshot
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.browser import harness
from tools import browser

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "screenshot.png"
CELL = "from gpt4lab.chapters.c09_money.run import run\nrun.widget()"


def main() -> None:
    """Open JupyterLab, run the cell, take the picture."""
    executable = browser.find() or sys.exit(browser.MISSING)
    with (
        tempfile.TemporaryDirectory() as folder,
        harness.jupyterlab(Path(folder)) as url,
        harness.chromium(executable) as chromium,
    ):
        harness.write_notebook(Path(folder) / "panel.ipynb", [CELL])
        lab = harness.Lab(chromium, url, height=1100)
        lab.open("panel.ipynb")
        lab.run_all()
        lab.charts()
        PICTURE.parent.mkdir(exist_ok=True)
        lab.screenshot(PICTURE, ".g4l-panel")
        lab.close()


if __name__ == "__main__":
    main()
