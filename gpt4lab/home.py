"""Who makes this book, and where it lives. Both are placeholders until it has a home, and this is their one place.

Names under .invalid lead nowhere, by agreement (RFC 2606): nothing is asked for there by mistake.
"""

from __future__ import annotations

from urllib.parse import quote

AUTHOR = "The gpt4lab authors"
ADDRESS = "https://gpt4lab.invalid"
#: What a package registry shows beside the book; pyproject.toml says the same.
URLS = {
    "Homepage": ADDRESS,
    "Source": f"{ADDRESS}/source",
    "Issues": f"{ADDRESS}/issues",
    "Changelog": f"{ADDRESS}/changelog",
}


def page_of(claim: str) -> str:
    """The address of a claim's card, a page of its own; the claim in the ledger is claims.html#C33."""
    return f"{ADDRESS}/claims/{claim}.html"


def report_of(entry: str) -> str:
    """Where a reader says that an entry of the book is wrong: a claim, a number, a fact, a source."""
    return f"{ADDRESS}/report?about={quote(entry)}"
