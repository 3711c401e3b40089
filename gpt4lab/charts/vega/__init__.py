"""The drawing library of every chart: Vega, Vega-Lite and Vega-Embed in one script, shipped with the package.

Shipped instead of built on first use: 0.9 MB is less than the 24 MB builder (`vl-convert-python`), it needs no
writable cache directory, it is the same on every machine, and it works where the builder cannot be installed
(JupyterLite). `python -m gpt4lab.charts.vega.build` makes it anew; LICENSE holds the notices.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def script() -> str:
    """JavaScript that sets `globalThis.gpt4labVega` to Vega-Embed; runs as a module or as a classic script."""
    return files(__name__).joinpath("vega.js").read_text(encoding="utf-8")
