"""The colophon: how this book was made, what it leaves out, what it has had wrong, and the changelog of its verdicts.

colophon()        in a chapter: Markdown, below a heading of its own
markdown("##")    the same as text, for a site or a file
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from itertools import groupby
from operator import attrgetter

from IPython.display import Markdown

from gpt4lab import __version__
from gpt4lab.book.prose import priced
from gpt4lab.claims import VERDICTS, ledger
from gpt4lab.claims.changes import Change, begun, changes, mistakes
from gpt4lab.claims.ledger import OPEN
from gpt4lab.home import AUTHOR
from gpt4lab.verdict.uncertain import causes


def colophon() -> Markdown:
    """The colophon as the end of a chapter."""
    return Markdown(priced(markdown("###")))


def markdown(heading: str = "##") -> str:
    """The colophon as Markdown, its numbers counted; `heading` are the signs before those within it."""
    text = files("gpt4lab.book").joinpath("colophon.md").read_text("utf-8")
    first, *later = begun()
    sides = Counter(map(_side, changes()))
    return text.format(
        h=heading,
        name="gpt4lab",
        version=__version__,
        author=AUTHOR[:1].lower() + AUTHOR[1:],
        day=max(one.date for one in changes()),
        claims=len(ledger()),
        memory=sum("FROM MEMORY" in claim.status for claim in ledger().values()),
        causes=", ".join(f"{cause} {rho:g}" for cause, rho in causes().items()),
        begun=len(first.verdicts),
        first=first.date,
        added=sum(len(one.verdicts) for one in later),
        moved=len({one.claim for one in changes()}),
        changes=len(changes()),
        softer=sides[1],
        harder=sides[-1],
        sideways=sides[0],
        log=table(("Date", "Claim", "Verdict", "Became", "Why"), _log()),
        mistakes=table(("Date", "It said", "Now"), ((one.date, one.what, one.now) for one in reversed(mistakes()))),
    )


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _log() -> Iterator[tuple[object, ...]]:
    """A row for what changed for one reason, the newest first."""
    for (date, before, after, why), same in groupby(reversed(changes()), attrgetter("date", "before", "after", "why")):
        claims = sorted(one.claim for one in same)
        yield date, ", ".join(claims), before.replace("-", " "), after.replace("-", " "), why


def _side(one: Change) -> int:
    """1 in favour of the post, -1 against it, 0 where a word that decides nothing is involved."""
    if {one.before, one.after} & OPEN:
        return 0
    return 1 if VERDICTS.index(one.after) < VERDICTS.index(one.before) else -1
