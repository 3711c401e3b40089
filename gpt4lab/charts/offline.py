"""Show an ordinary Altair chart where no script may come from a network.

    from gpt4lab.charts import offline

    offline.enable()                     # once, near the top of a notebook
    alt.Chart(...).mark_line()...        # drawn in JupyterLab and in every HTML export

`enable()` puts the drawing library into the output of its own cell, once a page; each chart then brings its
specification alone. Where scripts do not run, the chart's description stands in its place, so give it one:
`.properties(description="...")`.
"""

from __future__ import annotations

import html
import json
import uuid
from typing import Any

import altair as alt

from gpt4lab.charts import theme, vega
from gpt4lab.charts.live import split_rows, tables, to_columns

NAME = "gpt4lab"


def enable() -> None:
    """Make this the renderer of all Altair charts and print the drawing library into this cell's output."""
    from IPython.display import HTML, display

    alt.renderers.register(NAME, render)
    alt.renderers.enable(NAME)
    display(HTML(library()))


def library() -> str:
    """Stylesheet and scripts, once a page; draws the charts that came before it, too."""
    scripts = [vega.script(), f"(() => {{\n{theme.read('view.js')}\n{theme.read('offline.js')}\n}})();"]
    tags = [f"<script>{_inside_script(script)}</script>" for script in scripts]
    return "".join([f"<style>{theme.css()}</style>", *tags])


def render(spec: dict[str, Any], **_: Any) -> dict[str, str]:
    """One chart as a MIME bundle: a place that shows the description, and the call that draws there."""
    bare, rows = split_rows(spec)
    words = description(spec)
    columns = {name: to_columns(data) for name, data in rows.items()}
    place = f"g4l-{uuid.uuid4().hex[:12]}"
    settings = [theme.themed(bare), columns, {}, words, tables(bare, columns)]
    call = f"(globalThis.gpt4labWaiting ??= []).push({json.dumps([place, settings])}); globalThis.gpt4labDraw?.();"
    shown = f'<div id="{place}"><p>{html.escape(words)}</p></div><script>{_inside_script(call)}</script>'
    return {"text/html": shown, "text/plain": words}


def description(spec: dict[str, Any]) -> str:
    """The words of a chart: its description, else its title."""
    title = spec.get("title", "")
    return spec.get("description") or (title.get("text", "") if isinstance(title, dict) else title) or "A chart."


def _inside_script(code: str) -> str:
    """Code between script tags must not close them; in our code that can only stand inside a string."""
    return code.replace("</script", "<\\/script").replace("<!--", "<\\!--")
