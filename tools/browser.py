"""The browser of tests, benchmark and screenshot. As a program it says how to get one where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

MISSING = (
    "No browser for the browser tests: install Chromium, Chrome or Edge, "
    "or run `python -m playwright install chromium` with the Python of .venv."
)
NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge"]
USUAL_PLACES = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "%ProgramFiles%/Google/Chrome/Application/chrome.exe",
    "%LocalAppData%/Google/Chrome/Application/chrome.exe",
    "%ProgramFiles(x86)%/Microsoft/Edge/Application/msedge.exe",
]
UNASKED = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
# In a Python of its own: the one that asks may have playwright running already.
ASK = "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"


def find() -> str | None:
    """The first Chromium-family browser of this machine; playwright's own comes last."""
    return next((path for path in places() if path and Path(path).exists()), None)


def places() -> Iterator[str | None]:
    """Where a browser may be, cheapest place first."""
    yield os.environ.get("GPT4LAB_BROWSER")
    yield from map(shutil.which, NAMES)
    yield from map(os.path.expandvars, USUAL_PLACES)
    yield subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True).stdout.strip()


def main() -> None:
    """Say what to do where there is no browser; a CI machine gets one, from its system or from playwright."""
    if find():
        return
    if os.environ.get("CI") != "true":
        print(MISSING, flush=True)
        return
    print("Installing a browser for the browser tests", flush=True)
    apt = [["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]]
    if not (shutil.which("apt-get") and all(subprocess.call(command, env=UNASKED) == 0 for command in apt)):
        subprocess.call([sys.executable, "-m", "playwright", "install", "chromium"])


if __name__ == "__main__":
    main()
