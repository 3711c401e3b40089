"""Build the web edition, offline once its packages are there: pages to be read at once, whose sliders are alive.

    python3 book.py site                            into .site/
    python3 book.py site --chapters 00 09 --out PLACE
    python3 book.py site --lite                     also the chapters as notebooks in the browser, behind each page

The steps: run the chapters; write the pages that only a site has; let Sphinx set them; draw each chapter once.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from web import bundle, draw
from web.bundle import ROOT, WEB
from web.pages import write_all


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the site that is asked for."""
    options = parsed(arguments)
    options.out = options.out.resolve()
    names = build(options.out, options.chapters)
    if options.lite:
        from web.lite import build as lite

        lite.main(options.out / lite.PLACE)
        lite.doors(options.out, names)
    print(f"The site is in {options.out}. To look at it: python3 -m http.server --directory {options.out}")
    return 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="book.py site", description="Build the web edition.")
    parser.add_argument("--chapters", nargs="+", default=[""], metavar="NN", help="these alone, by their numbers")
    parser.add_argument("--out", type=Path, default=ROOT / ".site", help="the folder that becomes the site")
    parser.add_argument("--lite", action="store_true", help="also the chapters as notebooks in the browser")
    return parser.parse_args(arguments)


def build(out: Path, numbers: Sequence[str]) -> list[str]:
    """Build a site of the chapters whose names begin like this; their names."""
    sources = [path for path in sorted((ROOT / "notebooks").glob("*.ipynb")) if path.name.startswith(tuple(numbers))]
    names = [source.stem for source in sources]
    with tempfile.TemporaryDirectory() as place:
        pages = Path(place) / "pages"
        shutil.copytree(WEB / "sphinx", pages)
        book = pages / "static" / "book"
        book.mkdir()
        run_chapters(sources, pages)
        bundle.main(book)
        (book / "drawn.css").touch()
        write_all(pages)
        # Within the temporary folder: myst-nb writes beside what it makes.
        python("-m", "sphinx", "-q", "-b", "html", str(pages), f"{place}/html", "-d", f"{place}/doctrees")
        shutil.rmtree(out, ignore_errors=True)
        shutil.move(f"{place}/html", out)
    draw.main(out, names)
    (out / ".nojekyll").touch()
    return names


def run_chapters(sources: Sequence[Path], pages: Path) -> None:
    """Run each chapter in a process and with a memory of its own, a few at a time."""

    def run(source: Path) -> None:
        with tempfile.TemporaryDirectory() as empty:
            python("-m", "web.run", str(source), str(pages), GPT4LAB_STATE=empty, OMP_NUM_THREADS="1")

    with ThreadPoolExecutor(os.cpu_count() or 1) as several:
        list(several.map(run, sources))


def python(*arguments: str, **more: str) -> None:
    """Run this Python on the book, with some variables more."""
    own = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    subprocess.run([sys.executable, *arguments], cwd=ROOT, env=own, check=True)


if __name__ == "__main__":
    sys.exit(main())
