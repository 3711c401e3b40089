"""What the site's search finds beside pages: each entry of a generated page, by its words. An extension of Sphinx."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any, ClassVar

from sphinx.domains import Domain, ObjType

#: Pages with entries, and what one is called in a result.
KINDS = {"claims": "claim", "numbers": "number", "catalog": "fact", "glossary": "word", "bibliography": "source"}
ENTRY = re.compile(r'<article class="g4l-item" id="([^"]+)"[^>]*><h3>(.*?) <a class="g4l-anchor"')
SHOWN = str.maketrans({"'": "’", '"': "”", "&": "and"})  # which Sphinx would show as entities


class Entries(Domain):
    """Sphinx asks a domain what there is to be found; the pages are read as `parts.entry` wrote them."""

    name, label = "book", ""
    object_types: ClassVar[dict[str, ObjType]] = {kind: ObjType(kind) for kind in KINDS.values()}

    def get_objects(self) -> Iterator[tuple[str, str, str, str, str, int]]:
        """Name, words, kind, page, address and weight of each."""
        for page, kind in KINDS.items():
            text = (Path(self.env.srcdir) / f"{page}.md").read_text("utf-8")
            for key, head in ENTRY.findall(text):
                words = unescape(re.sub("<[^>]*>", "", head)).translate(SHOWN)
                yield words, words, kind, page, key, 1

    def resolve_any_xref(self, *_: Any, **__: Any) -> list[Any]:
        """Nothing here is referred to by name."""
        return []


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_domain(Entries)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
