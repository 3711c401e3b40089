"""The ledger as ClaimReview (https://schema.org/ClaimReview), the form in which fact checks are exchanged.

Left out is what the ledger calls no claim: a remark or a question cannot be reviewed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from gpt4lab import catalog
from gpt4lab.claims.audit import Result
from gpt4lab.claims.ledger import ALONE, HELPED, NEEDS_MORE, NO_CLAIM, OPEN, Claim
from gpt4lab.claims.prose import as_stated
from gpt4lab.home import ADDRESS, AUTHOR, page_of

#: The numbers beside the words: 3 holds alone, 2 holds with help, 1 fails. What arithmetic leaves open has none.
BEST, WORST = 3, 1
#: Where the claims of each origin stand, in the bibliography; those of the forum stand below the post.
WORKS = {"post": "peleg2023", "poster": "peleg2023", "source": "semianalysis2023", "forum": "peleg2023"}
LATER = ("[source, 2024]", "semianalysis2024")  # how a claim of the later article begins

Record = dict[str, Any]


def reviews(results: Iterable[Result], under: str, on: dt.date) -> Record:
    """All claims among some results, as one JSON-LD document.

    under: the assumptions as a shared line. on: the day of the judgement.
    """
    found = [review(result, under, on) for result in results if result.verdict != NO_CLAIM]
    return {"@context": "https://schema.org", "@graph": found}


def review(result: Result, under: str, on: dt.date) -> Record:
    """One claim, what it is compared with, and the verdict."""
    claim = result.claim
    return {
        "@type": "ClaimReview",
        "url": page_of(claim.id),
        "identifier": claim.id,
        "datePublished": on.isoformat(),
        "author": {"@type": "Organization", "name": AUTHOR, "url": ADDRESS},
        "claimReviewed": claim.quote,
        "itemReviewed": _item(claim),
        "reviewRating": _rating(result, under),
        **({"reviewBody": claim.note} if claim.note else {}),
    }


def _item(claim: Claim) -> Record:
    """The claim itself: who made it, and in which work."""
    begins, later = LATER
    work = catalog.references[later if claim.quote.startswith(begins) else WORKS[claim.origin]]
    authors = [{"@type": "Person", "name": name} for name in work.authors]
    if claim.origin == "forum":
        authors = [{"@type": "Organization", "name": "a forum that discussed the post"}]
    link = {"url": work.link} if work.link else {}
    stands = {"@type": "CreativeWork", "name": work.title, "datePublished": str(work.year), **link}
    return {"@type": "Claim", "author": authors, "appearance": stands}


def _rating(result: Result, under: str) -> Record:
    scale = {"ratingValue": _stars(result), "bestRating": BEST, "worstRating": WORST} if _stars(result) else {}
    words = {"alternateName": result.verdict.replace("-", " "), "ratingExplanation": _explained(result, under)}
    return {"@type": "Rating", **scale, **words}


def _stars(result: Result) -> int:
    """3, 2 or 1; 0 where the claim neither holds nor fails."""
    return {ALONE: BEST, HELPED: BEST - 1}.get(result.verdict, 0 if result.verdict in OPEN else WORST)


def _explained(result: Result, under: str) -> str:
    claim = result.claim
    needs = claim.assumption if result.verdict in (HELPED, NEEDS_MORE) else ""
    then = result.helped.shown() if result.helped else ""
    found = {"As written": as_stated(claim.id), "Recomputed": result.shown()}
    parts = {**found, "If": needs, "Then": then, "Assumptions": under}
    told = " ".join(f"{name}: {words}." for name, words in parts.items() if words)
    return f"{told} {claim.why}".strip()
