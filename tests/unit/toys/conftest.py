"""What the tests of the toys share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from gpt4lab.toys.core.corpus import Corpus


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    """40,000 bytes of prose and of code."""
    pytest.importorskip("torch")
    from gpt4lab.toys.core.corpus import load_corpus

    return load_corpus(40_000)
