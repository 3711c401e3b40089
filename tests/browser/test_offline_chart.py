"""An ordinary Altair chart is drawn without a network: in JupyterLab, and in an exported page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

CELLS = [
    "import altair as alt\nfrom gpt4lab.charts import offline\noffline.enable()",
    """rows = [{"year": 2023, "price": 1.1}, {"year": 2024, "price": 2.2}]
base = alt.Chart(alt.InlineData(rows)).encode(x="year:O", y="price:Q")
words = base.mark_text().encode(text="price:Q").properties(name="words")
(base.mark_bar() + words).properties(description="Two bars")""",
    """alt.Chart(alt.InlineData([{"a": 1}])).mark_point().encode(x="a:Q").properties(description="One point")""",
]


def test_plain_charts_are_drawn_in_jupyterlab(open_cells: Callable[[Sequence[str]], Any]) -> None:
    lab = open_cells(CELLS)
    lab.charts(2)
    lab.wait_for_text("2.2")
    assert lab.page.get_by_role("img", name="Two bars").count() == 1
    lab.no_trouble()


def test_plain_charts_are_drawn_in_an_exported_page(browser: Any, harness: Any, tmp_path: Path) -> None:
    import nbformat
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter

    book = nbformat.read(harness.write_notebook(tmp_path / "plain.ipynb", CELLS), as_version=4)
    NotebookClient(book, kernel_name="python3").execute()
    html, _ = HTMLExporter(template_name="basic").from_notebook_node(book)
    page = tmp_path / "plain.html"
    page.write_text(f"<!doctype html><meta charset=utf-8><body>{html}</body>", encoding="utf-8")
    assert html.count("Two bars") <= 4, "the library stands on the page once, not in every chart"
    context = browser.new_context(offline=True)
    tab = context.new_page()
    tab.goto(page.as_uri())
    tab.wait_for_function("document.querySelectorAll('.g4l-plot svg').length === 2")
    assert tab.get_by_role("img", name="One point").count() == 1
    context.close()
