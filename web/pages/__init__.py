"""Pages that are made of the library alone: what only a site can have.

    write_all(folder)     Markdown for Sphinx into its source folder, and into folder/extra what is copied as it is

Chapters that are to be linked must lie in the folder before. Sphinx needs the extension `web.pages.preview`.
"""

from __future__ import annotations

from pathlib import Path

from web.pages import about, catalog, claims, index, numbers, preview, teaching, validation, words

#: Behind the front page, in the order of the navigation.
BEHIND = (claims.PAGE, numbers.PAGE, catalog.PAGE, validation.PAGE, words.GLOSSARY, words.BIBLIOGRAPHY)
BEHIND += (teaching.TEACHING, about.CHANGES, about.COLOPHON)
PAGES = (index.page(BEHIND), *BEHIND)


def write_all(folder: Path) -> None:
    """Every page, and the pictures that links to them show."""
    folder.mkdir(parents=True, exist_ok=True)
    for page in PAGES:
        page.write(folder)
    preview.write(folder)
