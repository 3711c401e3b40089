"""What every entry has: typed fields, each with its unit and label, and where its numbers come from.

A field's unit and label are declared once, in `records`; `describe` reads them back, so that every table, chart
and tooltip made from the catalog says the same. A field without a published value is `None`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar, cast

import attrs
from attrs import converters

from gpt4lab.catalog.table import CatalogError, MissingFact, Table

Kind = Literal[
    "paper",  # an article or technical report
    "datasheet",  # the maker's own page: data sheet, price page, model card, release post
    "code",  # a configuration file or source code that fixes the number
    "database",  # a public data set, for example Epoch AI's
    "press",  # a newspaper, a court report, a trade letter
    "post",  # a forum or social-network post, a talk
    "computed",  # follows from other facts by the arithmetic in the note
    "assumed",  # chosen for this book, with the reason in the note
    "memory",  # well known, but not yet seen in its source again
]
UNSEEN: tuple[Kind, ...] = ("assumed", "memory")
Status = Literal["confirmed", "unconfirmed"]
R = TypeVar("R")


def fact(unit: str, label: str) -> Any:
    """Declare an optional number: its unit ("1" is a plain number) and its label."""
    to_float = cast("Any", converters.optional(float))
    return attrs.field(default=None, converter=to_float, metadata={"unit": unit, "label": label})


def count(unit: str, label: str) -> Any:
    """Declare an optional whole number."""
    return attrs.field(default=None, metadata={"unit": unit, "label": label})


def word(label: str) -> Any:
    """Declare an optional text or yes/no."""
    return attrs.field(default=None, metadata={"unit": None, "label": label})


def build(record: type[R], slug: str, entry: Mapping[str, Any]) -> R:
    """Make a record; an unknown key or an absent required one is an error that names it."""
    fields = attrs.fields_dict(cast("type[attrs.AttrsInstance]", record))
    if unknown := [key for key in entry if key not in fields]:
        raise CatalogError(f"{record.__name__} {slug!r}: unknown key {', '.join(unknown)}")
    given = {"slug": slug, **entry}
    if absent := [key for key, field in fields.items() if field.default is attrs.NOTHING and key not in given]:
        raise MissingFact(f"{record.__name__} {slug!r}: {', '.join(absent)} missing")
    return record(**given)


@attrs.frozen(kw_only=True)
class Reference:
    """One line of the bibliography."""

    slug: str
    authors: tuple[str, ...] = attrs.field(converter=tuple)
    year: int
    title: str
    kind: Kind
    venue: str = ""
    arxiv: str = ""
    link: str = ""  # that of `arxiv` where there is one
    short: str = ""  # how it is cited, where family name and year do not do
    note: str = ""

    def __attrs_post_init__(self) -> None:
        if self.arxiv and not self.link:
            object.__setattr__(self, "link", f"https://arxiv.org/abs/{self.arxiv}")

    def cite(self, within: bool = False) -> str:
        """Short form for running text: `Kaplan et al. (2020)`; within brackets `Kaplan et al., 2020`."""
        family = [author.split()[-1] for author in self.authors]
        others = len(family) > 2 or "et al." in self.authors
        tail = " et al." if others else f" and {family[1]}" if len(family) == 2 else ""
        who = self.short or family[0] + tail
        return f"{who}, {self.year}" if within else f"{who} ({self.year})"

    def text(self) -> str:
        """Full form: authors, year, title, venue, link."""
        where = ", ".join(part for part in (self.venue, self.arxiv and f"arXiv:{self.arxiv}") if part)
        authors = ", ".join(self.authors).removesuffix(", et al.") + " et al." * ("et al." in self.authors)
        parts = [f"{authors} ({self.year})", self.title, where, self.link]
        return ". ".join(part for part in parts if part)

    def bibtex(self) -> str:
        """As an entry of a BibTeX file."""
        preprint = {"eprint": self.arxiv, "archiveprefix": "arXiv"} if self.arxiv else {}
        told = {"author": " and ".join(map(_person, self.authors)), "title": f"{{{_tex(self.title)}}}"}
        told |= {"year": str(self.year), "howpublished": _tex(self.venue), **preprint, "url": self.link}
        lines = "".join(f"  {name} = {{{words}}},\n" for name, words in told.items() if words)
        return f"@misc{{{self.slug},\n{lines}}}\n"


def _person(name: str) -> str:
    """An author as BibTeX reads names; an institution in braces of its own, so that it is not taken apart."""
    known = "others" if name == "et al." else _tex(name)
    return known if " " in name.strip() else f"{{{known}}}"


def _tex(words: str) -> str:
    return re.sub(r"([&%$#_{}])", r"\\\1", words)


references: Table[Reference] = Table("references", lambda slug, entry: build(Reference, slug, entry))


@attrs.frozen(kw_only=True)
class Source:
    """Where numbers come from. `covers` names the fields it vouches for; empty means all the others."""

    reference: str
    kind: Kind
    link: str
    status: Status
    checked: dt.date | None = None
    note: str = ""
    covers: tuple[str, ...] = attrs.field(default=(), converter=tuple)


def source_from(row: Mapping[str, Any]) -> Source:
    """Complete a `sources` row: kind and link are the reference's unless the row says otherwise."""
    reference = references[row["reference"]]
    kind: Kind = row.get("kind", reference.kind)
    if not (kind in UNSEEN or kind == "computed" or "checked" in row or "status" in row):
        raise CatalogError(f"source {reference.slug}: give the date checked, or a status")
    status: Status = "unconfirmed" if kind in UNSEEN else "confirmed"
    given: dict[str, Any] = {"kind": kind, "link": reference.link, "status": status, **row}
    return Source(**given)


def _sources(rows: Iterable[Mapping[str, Any] | Source]) -> tuple[Source, ...]:
    return tuple(row if isinstance(row, Source) else source_from(row) for row in rows)


@attrs.frozen(kw_only=True)
class Entry:
    """What all entries with a source share."""

    slug: str
    name: str
    sources: tuple[Source, ...] = attrs.field(converter=_sources)
    note: str = ""

    def need(self, field: str) -> Any:
        """A fact that the caller cannot do without.

        Raises
        ------
        MissingFact : if nobody has published it.
        """
        value = getattr(self, field)
        if value is None:
            raise MissingFact(f"{self.name} ({self.slug}) has no {field}: not published, or not found yet")
        return value

    def unit(self, field: str) -> str:
        """The unit of a field; "" for a field that is no number."""
        return attrs.fields_dict(type(self))[field].metadata.get("unit") or ""

    def label(self, field: str) -> str:
        """What a field is, in words."""
        return attrs.fields_dict(type(self))[field].metadata["label"]

    def source_of(self, field: str) -> Source:
        """The source that vouches for one field."""
        named = [source for source in self.sources if field in source.covers]
        rest = [source for source in self.sources if not source.covers]
        if not (named or rest):
            raise CatalogError(f"{self.name} ({self.slug}): no source covers {field}")
        return (named or rest)[0]
