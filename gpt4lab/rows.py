"""Rows: what toys, simulations and panels hand to charts and tables, one mapping of column to value a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]  # to read: nobody changes a row that it was handed
