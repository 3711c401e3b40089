"""The settings that book.py points JupyterLab to."""

from __future__ import annotations

import asyncio
import builtins
import json
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

handlers = pytest.importorskip("jupyter_server.services.kernels.websocket")
loader = pytest.importorskip("traitlets.config.loader")

if TYPE_CHECKING:
    from pathlib import Path


class Connection:
    """The part of a kernel's websocket that the settings touch."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def set_nodelay(self, value: bool) -> None:
        self.log.append(f"nodelay {value}")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> None:
    async def open_(self: Connection, kernel: str) -> None:
        self.log.append(f"open {kernel}")

    monkeypatch.setattr(handlers.KernelWebsocketHandler, "open", open_)


def finish(task: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine in a thread of its own: a browser test of the same worker may have a loop in this one."""
    with ThreadPoolExecutor(1) as elsewhere:
        elsewhere.submit(asyncio.run, task).result()


def settings(root: Path) -> Any:
    return loader.PyFileConfigLoader("jupyter_server_config.py", path=str(root / "jupyter")).load_config()


def overrides(root: Path) -> Any:
    return json.loads((root / "jupyter/labconfig/default_setting_overrides.json").read_text(encoding="utf-8"))


def test_the_book_opens_on_its_first_page(root: Path, opened: None) -> None:
    config = settings(root)
    assert config.ServerApp.root_dir == str(root)
    assert (root / config.LabApp.default_url.removeprefix("/lab/tree/")).exists()


def test_nothing_asks_the_network(root: Path, opened: None) -> None:
    config = settings(root)
    assert config.LabApp.news_url is None
    assert config.LabApp.extension_manager == "readonly"
    quiet = {"checkForUpdates": False, "fetchNews": "false"}
    assert overrides(root)["@jupyterlab/apputils-extension:notification"] == quiet


def test_the_kernel_websocket_sends_at_once(root: Path, opened: None) -> None:
    settings(root)
    connection = Connection()
    finish(handlers.KernelWebsocketHandler.open(connection, "7"))
    assert connection.log == ["nodelay True", "open 7"]


def test_a_websocket_without_the_switch_still_opens(root: Path, opened: None, monkeypatch: pytest.MonkeyPatch) -> None:
    settings(root)
    connection = Connection()
    monkeypatch.delattr(Connection, "set_nodelay")
    finish(handlers.KernelWebsocketHandler.open(connection, "7"))
    assert connection.log == ["open 7"]


def test_a_server_without_that_handler_still_starts(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ordinary = builtins.__import__

    def without_handler(name: str, *rest: Any) -> Any:
        if name == "jupyter_server.services.kernels.websocket":
            raise ImportError(name)
        return ordinary(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_handler)
    assert settings(root).LabApp.news_url is None
