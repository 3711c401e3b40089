"""axe-core, which finds what a screen reader or a keyboard cannot use: MPL-2.0, as published; for the tests only.

To renew it: `npm pack axe-core@VERSION`, axe.min.js and LICENSE out of it, and the version into tests/package.json.
"""

from __future__ import annotations

from pathlib import Path


def script() -> str:
    """JavaScript that sets `axe` on the page."""
    return (Path(__file__).parent / "axe.min.js").read_text("utf-8")
