"""Your verdict, then ours: by the reader's choice, each claim is judged and signed before ours is seen."""

from __future__ import annotations

from gpt4lab.book.way import Opened, Signed, Wish
from gpt4lab.claims import Claim, ledger
from gpt4lab.claims.ledger import NO_CLAIM
from gpt4lab.panels import verdicts

KEY = "sign-first"


def claims_to_sign(chapter: str = "") -> list[Claim]:
    """The claims of a chapter, or of all that are written; a remark is nothing to judge."""
    from gpt4lab.book.chapter import chapters  # which asks here what is sealed

    wanted = (chapter,) if chapter else chapters().keys()
    return [claim for claim in ledger().values() if claim.chapter in wanted and claim.verdict != NO_CLAIM]


def signed() -> set[str]:
    """Claims with a signature that was not taken back."""
    return {key for key, record in Signed.all().items() if record.verdict}


def wished() -> bool:
    """Whether the reader wants to sign first."""
    wish = Wish.recall(KEY)
    return wish is not None and wish.on


def wish(on: bool) -> None:
    """Choose it, or not; what was chosen already keeps its date."""
    Wish.revise(KEY, lambda before: before if before and before.on == on else Wish(on))
    refresh()
    verdicts.tell()


def refresh() -> None:
    """Seal what is to be signed first."""
    verdicts.seal({claim.id for claim in claims_to_sign()} - signed() if wished() else ())


def sign(claim: Claim, verdict: str, sure: float) -> bool:
    """Sign a claim. It counts as unseen if that was wished before its chapter was opened, and no signature came before.

    False: it is kept for this session only.
    """
    kept = Signed(verdict, _seen(claim), sure).keep(claim.id)
    refresh()
    return kept


def _seen(claim: Claim) -> bool:
    chosen, opened = Wish.recall(KEY), Opened.recall(claim.chapter)
    if chosen is None or not chosen.on or Signed.recall(claim.id) is not None:
        return True
    return opened is not None and opened.when < chosen.when


def take_back(claim: Claim) -> None:
    """Take a signature back. Ours has been seen by then, so a new one does not count."""
    Signed(None, seen=True).keep(claim.id)
    refresh()
