"""Build the chapters as notebooks in a browser: `python3 book.py site --lite`, or `python -m web.lite.build PLACE`.

JupyterLite is a folder of static files: JupyterLab's own page, Pyodide as the kernel, the chapters. What a reader
changes and keeps stays in the storage of the browser. No other server is asked for anything.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from web.bundle import NPM, ROOT, copy, fetch
from web.lite import packages

PLACE = "lite"  # below the site
KERNEL = {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}
DOOR = "Open as a notebook, in the browser"
#: Sliders in the notebook, and Python as its kernel; whatever else is installed here needs a server.
WIDGETS, PYTHON = ("@jupyter-widgets/jupyterlab-manager", "anywidget"), "@jupyterlite/pyodide-kernel-extension"
EXTENSIONS = Path("share", "jupyter", "labextensions")
SETTINGS = ROOT / "jupyter" / "labconfig" / "default_setting_overrides.json"
WHEELS = ROOT / ".gpt4lab" / "wheels"
TOOL = ROOT / ".gpt4lab" / "jupyterlite"


def main(out: Path) -> None:
    """Build all of it into the folder `out`."""
    fetch()
    install()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        packages.lay(NPM / "node_modules" / "pyodide", place / "static" / "pyodide", WHEELS)
        for chapter in sorted((ROOT / "notebooks").glob("*.ipynb")):
            write(place / "chapters" / chapter.name, in_a_browser(json.loads(chapter.read_text("utf-8"))))
        copy(SETTINGS, place / "overrides.json")
        write(place / "jupyter_lite_config.json", how(out))
        write(place / "jupyter-lite.json", what())
        build(place)
    if not (out / "lab" / "index.html").is_file():
        raise OSError("JupyterLite was not built: the lines above say why")


def install() -> None:
    """Install JupyterLite, once, apart from what the book runs with. Raises OSError where it cannot be had."""
    constraints, done = ROOT / "constraints.txt", TOOL / "constraints.txt"
    if done.is_file() and done.read_bytes() == constraints.read_bytes():
        return
    shutil.rmtree(TOOL, ignore_errors=True)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    how = ["-qq", "--no-compile", "--target", str(TOOL), "--constraint", str(constraints)]
    if subprocess.run([sys.executable, "-m", "pip", "install", *how, *extras["lite"]]).returncode:
        raise OSError("pip could not install JupyterLite: the lines above say why")
    shutil.copy(constraints, done)


def doors(site: Path, names: Sequence[str]) -> None:
    """Put on the page of each of these chapters a link to its notebook."""
    for name in names:
        page = site / f"{name}.html"
        link = f'<p class="g4l-door"><a href="{PLACE}/lab/index.html?path={name}.ipynb">{DOOR}</a></p>'
        page.write_text(page.read_text("utf-8").replace("</h1>", f"</h1>{link}", 1), "utf-8")


def in_a_browser(notebook: dict[str, Any]) -> dict[str, Any]:
    """A chapter with the kernel's name there: else each opens with a question."""
    return notebook | {"metadata": notebook["metadata"] | {"kernelspec": KERNEL}}


def how(out: Path) -> dict[str, Any]:
    """How JupyterLite is built."""
    widgets = Path(sysconfig.get_path("data")) / EXTENSIONS
    return {
        "LiteBuildConfig": {
            "output_dir": str(out.resolve()),
            "contents": ["chapters"],
            "apps": ["lab"],
            "ignore_sys_prefix": ["federated_extensions"],
            "federated_extensions": [*(str(widgets / name) for name in WIDGETS), str(TOOL / EXTENSIONS / PYTHON)],
            "no_sourcemaps": True,
            "no_unused_shared_packages": True,
        }
    }


def what() -> dict[str, Any]:
    """What JupyterLite is told in the browser."""
    return {
        "jupyter-lite-schema-version": 0,
        "jupyter-config-data": {
            "appName": "gpt4lab",
            "defaultKernelName": KERNEL["name"],
            "exposeAppInBrowser": True,
            "disabledExtensions": ["@jupyterlab/extensionmanager-extension", "@jupyterlite/help-extension"],
        },
    }


def build(place: Path) -> None:
    """Let JupyterLite put a folder together."""
    command = [sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", str(place)]
    own = {**os.environ, "PYTHONPATH": str(TOOL)}
    done = subprocess.run(command, cwd=place, env=own, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"JupyterLite was not built:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def write(file: Path, tree: Any) -> None:
    """Write a table as JSON; its folder is made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(tree), "utf-8")


if __name__ == "__main__":
    target = Path(sys.argv[1]).resolve()
    shutil.rmtree(target, ignore_errors=True)
    main(target)
