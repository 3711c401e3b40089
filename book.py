#!/usr/bin/env python3
"""gpt4lab: one command opens the book, one runs its tests. Each prepares everything it needs first.

    python3 book.py lab       open the book in JupyterLab
    python3 book.py test      run every test, or a part: static, unit, notebooks, browser
    python3 book.py check     what needs no run: linter, formatter, types, floors, sizes
    python3 book.py bench     run the benchmarks, or those that are named, and show them beside the README's
    python3 book.py site      build the web edition into .site/, or of some chapters: --chapters 00 09;
                              --lite: also the chapters as notebooks in the browser, behind each page
    python3 book.py setup     prepare for all of the above, and stop there

    --gpu      the ordinary torch build, for an NVIDIA GPU (several GB on Linux)
    --fresh    the newest packages instead of the tested ones

Both options stay in force until the folder .venv is deleted. Other arguments go to the tool itself:
`python3 book.py lab --no-browser`, `python3 book.py test unit -k scenario`.
"""

import os
import sys

OLDEST, NEWEST = (3, 11), (3, 13)


def check_python():
    """Stop with one sentence where this Python cannot carry the book: even Python 2 reads this file."""
    if not OLDEST <= tuple(sys.version_info[:2]) <= NEWEST:
        asked = "gpt4lab needs Python 3.11, 3.12 or 3.13, and this is {}.{}: start book.py with one of those."
        sys.exit(asked.format(*sys.version_info[:2]))


def main(arguments):
    """Run the command that is named first."""
    check_python()
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from tools import commands

    sys.exit(commands.main(arguments, __doc__))


if __name__ == "__main__":
    main(sys.argv[1:])
