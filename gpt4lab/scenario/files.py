"""A scenario from the reader's own file: `scenario show NAME --json` writes one; by hand it may hold a few fields."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any, cast

import attrs

from gpt4lab.scenario import Scenario, ScenarioError, from_json, load_scenario, near
from gpt4lab.scenario.config import from_config, is_config
from gpt4lab.scenario.records import GROUPS

STDIN = "-"
SHOWN = 40  # characters of what was found instead
LIKE = '; write it like {"training": {"mfu": 0.4}}.'
#: What a file may say besides groups of fields.
WORDS = {"sources", *attrs.fields_dict(Scenario)} - set(GROUPS)
READERS = {".json": json.loads, ".toml": tomllib.loads}


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
    if not isinstance(tree, dict):
        raise ScenarioError(f"a scenario is a table of groups, not {str(tree)[:SHOWN]!r}{LIKE}")
    if is_config(cast("dict[str, Any]", tree)):
        return from_config(tree)
    for key, group in cast("dict[str, Any]", tree).items():
        if key not in WORDS and key not in GROUPS:
            raise ScenarioError(f"there is no group {key[:SHOWN]!r}{near(key, GROUPS)}")
        if key in GROUPS and not isinstance(group, dict):
            raise ScenarioError(f"{key} is a group of fields, not {str(group)[:SHOWN]!r}{LIKE}")
    return from_json(json.dumps(tree, default=str))


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
    text = content.decode(json.detect_encoding(content))
    if not text.strip():
        raise ScenarioError("there is nothing in it.")
    return text
