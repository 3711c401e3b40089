"""JupyterLab's settings for this book: nothing leaves the machine, sliders are not held back, chapters stay as shipped.

`book.py` points JUPYTER_CONFIG_PATH here. labconfig/ beside this file turns off news and update checks, and
shows the kernel's state in the status bar: in the toolbar each change of it, two a move, measures all buttons (9 ms).
"""

from __future__ import annotations

import json
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

c: Any = get_config()  # type: ignore[name-defined]  # noqa: F821 - Jupyter provides it

c.ServerApp.root_dir = str(Path(__file__).resolve().parents[1])
c.LabApp.default_url = "/lab/tree/notebooks/00_start_here.ipynb"
c.ServerApp.allow_root = True  # containers often have no other user
c.LabApp.extension_manager = "readonly"  # the ordinary one asks a package registry for its list
c.LabApp.news_url = None


def send_at_once() -> None:
    """Switch Nagle's algorithm off for the kernel's websocket: it holds each slider move for 25-30 ms."""
    from jupyter_server.services.kernels.websocket import KernelWebsocketHandler as Handler

    opened = Handler.open

    async def open_without_delay(self: Any, *arguments: Any, **named: Any) -> None:
        with suppress(Exception):
            self.set_nodelay(True)
        await opened(self, *arguments, **named)

    Handler.open = open_without_delay


with suppress(Exception):  # a comfort: no release of the server may break the book over it
    send_at_once()


# --- what is saved -----------------------------------------------------------------------------------

WIDGET = "application/vnd.jupyter.widget-view+json"
NO_KERNEL = "No kernel: run the chapter again (Run → Run All Cells)."


def save_as_shipped(model: dict[str, Any], path: str, contents_manager: Any, **_: Any) -> None:
    """Save a chapter without what ran in it, what was typed kept; a copy keeps outputs and says where a panel stood."""
    if model["type"] == "notebook":
        file = Path(contents_manager.root_dir, path.strip("/"))
        put_back(model["content"], shipped_in(file)) if is_chapter(file) else say_what_stood(model["content"])


def is_chapter(file: Path) -> bool:
    """Whether a file is a chapter: paired with its text, or laid out by `gpt4lab read`, which remembers it."""
    paired = (file.parent / "text" / f"{file.stem}.md").exists()
    return file.exists() and (paired or file.name in shipped_in(file.parent / ".gpt4lab" / "editions.json"))


def shipped_in(file: Path) -> dict[str, Any]:
    """The notebook (or other table) in a file; an empty one where it is none, as after a merge that met a conflict."""
    with suppress(OSError, ValueError):
        if isinstance(found := json.loads(file.read_text("utf-8")), dict):
            return found
    return {}


def put_back(notebook: dict[str, Any], shipped: dict[str, Any]) -> None:
    """Give a notebook the outputs, the counts and the metadata of another; a cell that is new there has none."""
    notebook["metadata"] = shipped.get("metadata", notebook["metadata"])
    before = {cell["id"]: cell for cell in shipped.get("cells", ()) if "id" in cell}
    for cell in notebook["cells"]:
        known = before.get(cell.get("id"), {})
        cell["metadata"] = known.get("metadata", {})
        if cell["cell_type"] == "code":
            cell.update(outputs=known.get("outputs", []), execution_count=known.get("execution_count"))


def say_what_stood(notebook: dict[str, Any]) -> None:
    """Put words in the place of each panel of the book: it lives in a kernel, and is nowhere when that is gone."""
    if "widgets" in notebook["metadata"] or not any("gpt4lab" in "".join(cell["source"]) for cell in notebook["cells"]):
        return  # its state is kept with it, or it is not of this book
    outputs = (output for cell in notebook["cells"] for output in cell.get("outputs", ()))
    for output in outputs:
        if WIDGET in output.get("data", {}):
            output["data"] = {
                "text/html": f'<p class="g4l-error g4l-no-kernel">{NO_KERNEL}</p>',
                "text/plain": NO_KERNEL,
            }


c.ContentsManager.pre_save_hook = save_as_shipped
warnings.filterwarnings("ignore", "Overriding existing pre_save_hook")  # each manager reads these settings again
