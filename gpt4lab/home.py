"""Who makes this book, and where it lives. Both are placeholders until it has a home, and this is their one place.

Names under .invalid lead nowhere, by agreement (RFC 2606): nothing is asked for there by mistake.
"""

from __future__ import annotations

AUTHOR = "The gpt4lab authors"
ADDRESS = "https://gpt4lab.invalid"


def page_of(claim: str) -> str:
    """The address of a claim's card."""
    return f"{ADDRESS}/claims/{claim}"
