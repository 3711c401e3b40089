"""jsonschema, without the part of it that every start of the book would wait for.

Where Jupyter is installed there is also a grammar of international addresses, which jsonschema reads as it is imported,
for more than a second of the two that a chapter takes to begin. Nothing here has a schema with such an address.
"""

from __future__ import annotations

import sys
from typing import Any, cast

__all__ = ["Draft202012Validator"]

GRAMMAR = "rfc3987_syntax"

_missing, _modules = GRAMMAR not in sys.modules, cast("dict[str, Any]", sys.modules)
if _missing:
    _modules[GRAMMAR] = None  # as if it were not installed
try:
    from jsonschema import Draft202012Validator
finally:
    if _missing:
        del _modules[GRAMMAR]  # whoever asks for it later finds it
