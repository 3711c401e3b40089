"""The tool that looks for barriers is the one that is pinned."""

from __future__ import annotations

import json
from pathlib import Path

from tests.browser import axe

PINNED = Path(__file__).resolve().parents[2] / "package.json"


def test_axe_is_the_version_that_is_pinned() -> None:
    version = json.loads(PINNED.read_text("utf-8"))["devDependencies"]["axe-core"]
    assert axe.script().startswith(f"/*! axe v{version}\n")
