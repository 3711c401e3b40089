"""What no test may leave behind."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("book", deadline=None)  # a busy machine is no failure
settings.load_profile("book")


@pytest.fixture(autouse=True)
def no_run_is_left() -> Iterator[None]:
    """A live run outlives its widget on purpose; it ends with its test."""
    yield
    if live := sys.modules.get("gpt4lab.panels.training"):
        for attempt in [attempt for kept in live.KEPT.values() for attempt in kept]:
            attempt.run.stop()
        live.KEPT.clear()


@pytest.fixture(autouse=True)
def same_threads() -> Iterator[None]:
    """A test that computes with one thread leaves torch as many as it found."""
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else None
    yield
    if torch and torch.get_num_threads() != before:
        torch.set_num_threads(before)
