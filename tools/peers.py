"""What the benchmarks run beside: apart from the book's packages and over its torch, seen by those benchmarks alone."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tools import process

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "benchmarks" / "peers.txt"
FOLDER = Path(sys.prefix) / "peers"
MISSING = (
    "The peers of benchmarks/peers.txt could not be installed (the lines above say why): "
    "the benchmarks beside them are skipped."
)


def install() -> bool:
    """Install them once per list and environment; say whether they could be had."""
    listed, stamp = LIST.read_text(encoding="utf-8"), FOLDER / LIST.name
    if stamp.exists() and stamp.read_text(encoding="utf-8") == listed:
        return True
    print("Installing the peers of the benchmarks, beside the book's packages", flush=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    if not pip("--target", str(FOLDER), "--no-deps", "--requirement", str(LIST)):
        return False
    stamp.write_text(listed, encoding="utf-8")
    return True


def pip(*arguments: str) -> bool:
    """Run `pip install`; say whether it went well."""
    command = [sys.executable, "-m", "pip", "install", "-qq", "--no-compile", "--disable-pip-version-check"]
    status, _ = process.work([*command, *arguments], ROOT, dict(os.environ))
    return status == 0
