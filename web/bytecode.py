"""Compiles what a page's Python imports, when the site is made: run by that very Python, for its bytecode is its own.

bytecode.mjs calls `main`. Three quarters of the time until a page's Python has started was its compiler's.
"""

from __future__ import annotations

import marshal
import re
import sys
from collections.abc import Iterator
from importlib.util import MAGIC_NUMBER, cache_from_source
from zipfile import ZIP_DEFLATED, ZipFile

BOOK = re.compile(r"gpt4lab/|page\.py$")
#: What is read as text as well: formulas of quantities are their source, and an exercise is judged in another Python.
READ = re.compile(r"gpt4lab/(quantities|scenario)/|/registered\.py$|exercises/worker\.py$")
#: The head of a file of bytecode that is believed without a look at its source (PEP 552).
UNCHECKED = MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)
#: What no page imports, since it needs torch: it stays as it is, and small.
AT_REST = re.compile(r"gpt4lab/(toys|distributed)/")


def main(source: str, target: str) -> None:
    """Copy the archive `source`, with its modules compiled."""
    with ZipFile(source) as old, ZipFile(target, "w", ZIP_DEFLATED, compresslevel=9) as new:
        for name in old.namelist():
            for file, content in files(name, old.read(name)):
                new.writestr(file, content)


def files(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """What stands in the place of a file: its bytecode, itself, or both."""
    compiled = name.endswith(".py") and not AT_REST.match(name)
    read = READ.search(name)
    if compiled:
        # A library says nothing to readers: it goes without its docstrings. The book explains by its own.
        code = compile(content, f"/book/{name}", "exec", dont_inherit=True, optimize=0 if BOOK.match(name) else 2)
        yield cache_from_source(name, optimization="") if read else f"{name}c", UNCHECKED + marshal.dumps(code)
    if read or not compiled:
        yield name, content


if __name__ == "__main__":
    main(*sys.argv[1:])
