"""A memory of their own for all tests of the book."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test keeps a reader's way."""
    monkeypatch.setenv("GPT4LAB_STATE", str(tmp_path))
    return tmp_path
