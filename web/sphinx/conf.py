"""How Sphinx makes the pages; `build.py` lays out the folder that it reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gpt4lab import __version__

project = author = html_title = "gpt4lab"
extensions = ["myst_nb", "web.pages.preview", "web.pages.search"]
exclude_patterns = ["_build", "templates"]
templates_path = ["templates"]
suppress_warnings = ["mystnb.unknown_mime_type", "myst.xref_missing"]

nb_execution_mode = "off"
nb_render_markdown_format = "myst"  # tables in what cells say
nb_ipywidgets_js: dict[str, Any] = {}  # live.js shows the widgets
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "attrs_block"]
myst_heading_anchors = 3
myst_heading_slug_func = "web.pages.parts.anchor"  # the book's links are those of JupyterLab
myst_update_mathjax = False
mathjax_path = "book/mathjax.js"
mathjax_options = {"defer": "defer"}

html_theme = "sphinx_book_theme"
html_theme_options: dict[str, Any] = {
    "use_download_button": False,
    "use_fullscreen_button": False,
    "back_to_top_button": False,  # it covers what is read on a phone
    "show_toc_level": 2,
    "footer_content_items": ["extra-footer.html"],
    "extra_footer": f'gpt4lab {__version__}. Text CC BY 4.0, code MIT: <a href="colophon.html">about this book</a>.',
}
html_sidebars = {"**": ["home.html", "sbt-sidebar-nav.html"]}
html_context = {"default_mode": "auto"}
html_favicon = "static/icon.svg"
html_static_path = ["static"]
html_css_files = ["book/live.css", "book/drawn.css", "book.css"]
html_copy_source = html_show_sourcelink = False


def add_script(app: Any, page: str, _: str, context: dict[str, Any], __: Any) -> None:
    """A chapter has a script that makes its widgets live."""
    if (Path(app.srcdir) / "static" / "book" / f"{page}.json").is_file():
        app.add_js_file("book/live.js", type="module", **{"data-chapter": page})


def setup(app: Any) -> None:
    """Ask for that with each page."""
    app.connect("html-page-context", add_script)
