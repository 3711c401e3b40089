"""What a link to a page looks like elsewhere: the words in its head, and its picture. An extension of Sphinx.

In conf.py: `extensions = [..., "web.pages.preview"]`; it also brings the look of the generated pages and their script.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import gpt4lab.charts
from gpt4lab import home
from gpt4lab.book.cards import HEIGHT, WIDTH, preview
from gpt4lab.book.chapter import chapters
from gpt4lab.charts.still import png


def write(folder: Path) -> None:
    """A PNG for each chapter, and that of the price for all other pages."""
    place = folder / "extra" / "preview"
    place.mkdir(parents=True, exist_ok=True)
    for chapter in chapters().values():
        (place / f"{chapter.file}.png").write_bytes(png(preview(chapter), scale=1))
    (place / "index.png").write_bytes(png(preview(chapters()["09"], "gpt4lab"), scale=1))


def tags(name: str) -> str:
    """The words in the head of a page that social networks and searches read."""
    of_chapters = {one.file: (f"{one.number} · {one.title}", one.stakes) for one in chapters().values()}
    title, about = {**of_chapters, **_pages()}.get(name, ("gpt4lab", ""))
    told = {"title": title, "description": about, "type": "article" if name in of_chapters else "website"}
    picture = f"{home.ADDRESS}/preview/{name if name in of_chapters else 'index'}.png"
    told |= {"site_name": "gpt4lab", "url": f"{home.ADDRESS}/{name}.html", "image": picture}
    told |= {"image:width": str(WIDTH), "image:height": str(HEIGHT), "image:alt": f"{title}. {about}"}
    graph = "".join(f'<meta property="og:{key}" content="{escape(words)}">\n' for key, words in told.items())
    card = '<meta name="twitter:card" content="summary_large_image">\n'
    return f'<meta name="description" content="{escape(about)}">\n{card}{graph}'


def _pages() -> dict[str, tuple[str, str]]:
    from web.pages import PAGES  # which need this module

    return {page.name: (page.title, page.about) for page in PAGES}


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("builder-inited", _files)
    app.connect("html-page-context", _head)
    app.add_css_file("tokens.css")
    app.add_css_file("pages.css")
    app.add_js_file("pages.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _files(app: Any) -> None:
    """The look with the colours of the book, and what is copied as it is."""
    colours = Path(gpt4lab.charts.__path__[0]) / "tokens.css"
    app.config.html_static_path += [str(Path(__file__).with_name("look")), str(colours)]
    app.config.html_extra_path.append(str(Path(app.srcdir) / "extra"))
    app.config.exclude_patterns.append("extra/**")


def _head(_: Any, name: str, __: str, context: dict[str, Any], ___: Any) -> None:
    context["metatags"] = context.get("metatags", "") + tags(name)
