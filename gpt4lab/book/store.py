"""What a reader has done: guesses, solved exercises, own assumptions. One small JSON file, on this machine only."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import platformdirs


def folder() -> Path:
    """Where it is kept: the variable GPT4LAB_STATE, or the usual place for a program's state."""
    return Path(os.environ.get("GPT4LAB_STATE") or platformdirs.user_state_dir("gpt4lab"))


def recall(kind: str, key: str, default: Any = None) -> Any:
    """What was kept under `kind` and `key`: `recall("guess", "09-cost")`."""
    return _read().get(kind, {}).get(key, default)


def count(kind: str) -> int:
    """How many things are kept under `kind`: `count("solved")`."""
    return len(_read().get(kind, {}))


def keep(kind: str, key: str, value: Any) -> None:
    """Keep a value; a reader whose disk cannot be written loses only the memory of it."""
    state = _read()
    state.setdefault(kind, {})[key] = value
    try:
        folder().mkdir(parents=True, exist_ok=True)
        _file().write_text(json.dumps(state, indent=1), "utf-8")
    except OSError:
        pass


def _file() -> Path:
    return folder() / "progress.json"


def _read() -> dict[str, dict[str, Any]]:
    try:
        kept = json.loads(_file().read_text("utf-8"))
    except (OSError, ValueError):
        kept = {}
    return kept if isinstance(kept, dict) else {}
