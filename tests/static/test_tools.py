"""The linter, the type checker and the layer contracts, as tests."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LAYERS = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"
OFFLINE = {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}  # else it asks a registry whether it is the newest


def passes(root: Path, *command: str) -> None:
    done = subprocess.run(
        [sys.executable, *command], cwd=root, env=os.environ | OFFLINE, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_linter(root: Path) -> None:
    passes(root, "-m", "ruff", "check", ".")


def test_formatter(root: Path) -> None:
    passes(root, "-m", "ruff", "format", "--check", ".")


def test_types(root: Path) -> None:
    passes(root, "-m", "pyright", "--pythonpath", sys.executable)


def test_layers(root: Path) -> None:
    passes(root, "-c", LAYERS)
