"""Compiles what a browser's Python imports, when the site is made: run by that Python, for its bytecode is its own.

bytecode.mjs calls `main`. Three quarters of the time until a page's Python had started was its compiler's.
"""

from __future__ import annotations

import marshal
import re
import sys
from collections.abc import Iterator
from importlib.util import MAGIC_NUMBER, cache_from_source
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

#: Where wheels are unpacked.
SITE = f"/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
BOOK = re.compile(r"gpt4lab/|page\.py$")
#: What is read as text as well: formulas of quantities are their source, and an exercise is judged in another Python.
READ = re.compile(r"gpt4lab/(formulas|models|quantities|scenario)/|/registered\.py$|exercises/worker\.py$")
#: The head of a file of bytecode that is believed without a look at its source (PEP 552).
UNCHECKED = MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)
#: What no page imports, since it needs torch: it stays as it is, and small.
AT_REST = re.compile(r"gpt4lab/(toys|distributed)/")


def main(source: str, target: str) -> None:
    """Copy the archive `source`, with its modules compiled: of a wheel beside what it has, else in place of it."""
    with ZipFile(source) as old, ZipFile(target, "w") as new:
        for name in old.namelist():
            for file, content in files(name, old.read(name), source.endswith(".whl")):
                new.writestr(ZipInfo(file), content, ZIP_DEFLATED, 9)


def files(name: str, content: bytes, wheel: bool = False) -> Iterator[tuple[str, bytes]]:
    """What stands in the place of a file: its bytecode, itself, or both."""
    compiled = name.endswith(".py") and (wheel or not AT_REST.match(name))
    read = wheel or READ.search(name)
    if compiled:
        # A library says nothing to readers of a page: it goes without its docstrings. The book explains by its own.
        spoken = wheel or BOOK.match(name)
        place = f"{SITE if wheel else '/book'}/{name}"
        code = compile(content, place, "exec", dont_inherit=True, optimize=0 if spoken else 2)
        yield cache_from_source(name, optimization="") if read else f"{name}c", UNCHECKED + marshal.dumps(code)
    if read or not compiled:
        yield name, content


if __name__ == "__main__":
    main(*sys.argv[1:])
