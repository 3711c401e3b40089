"""Firefox as it is installed, without a window, driven by WebDriver BiDi, the protocol that it speaks by itself."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import websocket

PATIENCE_S = 240


def find() -> str | None:
    """The first Firefox of this machine."""
    return next(
        filter(None, map(shutil.which, (os.environ.get("GPT4LAB_FIREFOX", ""), "firefox-esr", "firefox"))), None
    )


class Firefox:
    """One tab of a browser with a new profile; `errors` are what its pages complained of."""

    def __init__(self, binary: str, profile: Path) -> None:
        said = profile / "said.txt"
        asked = [binary, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
        own = os.environ | {"HOME": str(profile)}
        with said.open("w") as file:
            self.process = subprocess.Popen(asked, env=own, stdout=file, stderr=file)
        until = time.monotonic() + PATIENCE_S
        while not (found := re.search(r"ws://[\d.:]+(?=\s)", said.read_text())) and time.monotonic() < until:
            time.sleep(0.1)
        assert found, f"this Firefox listens nowhere: {said.read_text()[-500:]}"
        self.line = websocket.create_connection(f"{found[0]}/session", suppress_origin=True, timeout=PATIENCE_S)
        self.count, self.errors = itertools.count(1), list[str]()
        self.ask("session.new", capabilities={})
        self.tab = self.ask("browsingContext.getTree")["contexts"][0]["context"]
        self.ask("session.subscribe", events=["log.entryAdded"])

    def ask(self, method: str, **parameters: Any) -> Any:
        """One command and its answer; what the page says meanwhile is kept."""
        number = next(self.count)
        self.line.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while (answer := json.loads(self.line.recv())).get("id") != number:
            if answer.get("params", {}).get("level") == "error":
                self.errors.append(answer["params"]["text"])
        assert answer["type"] == "success", answer
        return answer["result"]

    def goto(self, address: str) -> None:
        """Open a page."""
        self.ask("browsingContext.navigate", context=self.tab, url=address, wait="complete")

    def run(self, script: str) -> Any:
        """Await an expression in the page: text, a number, true or false, null."""
        how = {"expression": script, "target": {"context": self.tab}, "awaitPromise": True}
        answer = self.ask("script.evaluate", **how)
        assert answer["type"] == "success", answer
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until a function without arguments says true in the page."""
        self.run(
            f"new Promise((go) => {{ const look = () => ({condition})() ? go() : setTimeout(look, 50); look(); }})"
        )

    def close(self) -> None:
        """End it."""
        self.line.close()
        self.process.terminate()
        self.process.wait(PATIENCE_S)


@contextmanager
def opened(binary: str, profile: Path) -> Iterator[Firefox]:
    """A Firefox that ends with the block."""
    tab = Firefox(binary, profile)
    try:
        yield tab
    finally:
        tab.close()
