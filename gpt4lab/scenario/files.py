"""A scenario from the reader's own file: `scenario show NAME --json` writes one; by hand it may hold a few fields."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any, cast

from gpt4lab import scenario
from gpt4lab.scenario import Scenario, ScenarioError, load_scenario
from gpt4lab.scenario.config import from_config, is_config

STDIN = "-"
READERS = {".json": scenario.parsed, ".toml": tomllib.loads}


def open_scenario(name: str) -> Scenario:
    """The scenario that a reader names: a named one, one shared as text, a file .json or .toml, or "-", which is stdin.

    Raises ScenarioError, with the name of the file, for what cannot be read or used.
    """
    kind = Path(name).suffix.lower()
    if name != STDIN and kind not in READERS:
        return _named(name)
    try:
        text = _text(name)
        kind = kind or (".json" if text.lstrip().startswith("{") else ".toml")
        return from_tree(READERS[kind](text))
    except (ScenarioError, OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ScenarioError(f"{'standard input' if name == STDIN else name}: {reason}") from None


def from_tree(tree: Any) -> Scenario:
    """The scenario that a parsed file means: groups of fields, or the config.json of a model."""
    is_model = isinstance(tree, dict) and is_config(cast("dict[str, Any]", tree))
    return from_config(tree) if is_model else scenario.from_tree(tree)


def _named(name: str) -> Scenario:
    try:
        return load_scenario(name)
    except ScenarioError:
        if not _is_file(name):
            raise
        raise ScenarioError(f"{name}: the file of a scenario ends in {' or '.join(READERS)}.") from None


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # longer than any name of a file
        return False


def _text(name: str) -> str:
    """What a file or stdin holds, in whatever encoding of Unicode it was saved."""
    if name == STDIN and sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison] - started with `<&-`
        raise ScenarioError("it is closed.")
    content = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
    encoding = json.detect_encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise ScenarioError(f"it is no text in {encoding}.") from None
    if not text.strip():
        raise ScenarioError("there is nothing in it.")
    return text
