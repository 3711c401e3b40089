"""JupyterLab's settings for this book: nothing leaves the machine, and slider moves are not held back.

`book.py` points JUPYTER_CONFIG_PATH here. labconfig/ beside this file turns off news and update checks, and
shows the kernel's state in the status bar: in the toolbar each change of it, two a move, measures all buttons (9 ms).
"""

from __future__ import annotations

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
