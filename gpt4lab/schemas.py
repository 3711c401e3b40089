"""jsonschema, without the part of it that every start of the book would wait for.

Where Jupyter is installed there is also a grammar of international addresses, which jsonschema reads as it is imported,
for more than a second of the two that a chapter takes to begin. Nothing here has a schema with such an address.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, cast

__all__ = ["Draft202012Validator"]
GRAMMAR = "rfc3987_syntax"


def _without_grammar() -> None:
    """Import jsonschema as if the grammar were not installed; whoever asks for it later finds it."""
    modules, missing = cast("dict[str, Any]", sys.modules), GRAMMAR not in sys.modules
    if missing:
        modules[GRAMMAR] = None
    try:
        import_module("jsonschema")
    finally:
        if missing:
            del modules[GRAMMAR]


_without_grammar()

from jsonschema import Draft202012Validator  # noqa: E402
