"""Let a browser draw each chapter once, and write what it drew into the page: it then reads without any script."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tools import browser

FLAGS = ["--no-sandbox", "--disable-gpu"]
PATIENCE_MS = 120_000
DRAW = (Path(__file__).parent / "draw.js").read_text(encoding="utf-8")


class Quiet(SimpleHTTPRequestHandler):
    """A plain server of files, as a pages host is one."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine; its address."""
    Quiet.extensions_map |= {".mjs": "text/javascript", ".wasm": "application/wasm"}
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


def main(folder: Path, chapters: Sequence[str]) -> None:
    """Draw these chapters of the site in `folder`."""
    from playwright.sync_api import sync_playwright

    styles: dict[str, str] = {}
    with served(folder) as address, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.find(), args=FLAGS)
        for chapter in chapters:
            page = chromium.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(PATIENCE_MS)
            page.goto(f"{address}/{chapter}.html")
            drawn = page.evaluate(DRAW)
            (folder / f"{chapter}.html").write_text(drawn["page"], encoding="utf-8")
            styles |= drawn["styles"]
            page.close()
        chromium.close()
    (folder / "_static" / "book" / "drawn.css").write_text("\n".join(styles.values()), encoding="utf-8")
