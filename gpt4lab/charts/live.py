"""The live chart: drawn once, then only its rows move.

    from gpt4lab.charts import Axis, LiveChart, line

    chart = line(rows, x=Axis("gpus", "A100 GPUs", log=True), y=Axis("days", "Training time, days"),
                 you=[{"gpus": 25_000, "days": 95}], post=[{"gpus": 25_000, "days": 95}])
    live = LiveChart(chart, description="Training time falls as 1/GPUs; you: 25,000 GPUs, 95 days.")
    live                                                            # the last line of a cell shows it
    live.show(data=new_rows, you=[{"gpus": 8_000, "days": 297}], description="... you: 8,000 GPUs, 297 days.")

`show` names the datasets that change; the others stay. Rows are a list of dicts or a dict of lists. The same rows
stand below the chart as a folded table. No script comes from a network: the drawing library is held by one hidden
widget a kernel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import anywidget
import traitlets as t
from ipywidgets import Widget, widget_serialization

from gpt4lab.charts import theme, vega
from gpt4lab.rows import Rows

Dataset = Rows | Mapping[str, Sequence[Any]]  # rows, or columns
Spec = dict[str, Any]


class ChartError(ValueError):
    """A dataset that the chart does not have."""


class Library(anywidget.AnyWidget):
    """Never shown: carries the drawing library to the page, once a kernel."""

    _esm = theme.PATIENT + "export default {}"
    code = t.Unicode().tag(sync=True)

    _held: Library | None = None

    @classmethod
    def of_this_kernel(cls) -> Library:
        """The one holder; made again after `Widget.close_all()`."""
        if cls._held is None or cls._held.comm is None:
            cls._held = cls(code=vega.script())
        return cls._held


class LiveChart(anywidget.AnyWidget):
    """A chart that is embedded once and repainted in place.

    Parameters
    ----------
    chart
        An Altair chart (or a Vega-Lite dict) whose data have names, as those of `gpt4lab.charts` have.
    rows
        Rows by dataset name, in place of those that the chart brings.
    description
        What the chart shows, in words; it becomes the text alternative. `show` may renew it.

    """

    _esm = (
        theme.PATIENT
        + theme.styling("chart", theme.css())
        + "".join(map(theme.read, ("view.js", "pull.js", "live.js")))
    )

    spec = t.Dict().tag(sync=True)
    tables = t.Dict(help="dataset -> caption and headings, for the table").tag(sync=True)
    description = t.Unicode().tag(sync=True)
    pulls = t.Dict(help="field -> the axis along which the reader's mark is pulled, and the slider behind it").tag(
        sync=True
    )
    pulled = t.List(default_value=["", 0, 0], help="field, its value where the mark was pulled, how often").tag(
        sync=True
    )
    _names = t.List(t.Unicode()).tag(sync=True)
    _library = t.Instance(Widget).tag(sync=True, **widget_serialization)

    def __init__(self, chart: Any, rows: Mapping[str, Dataset] | None = None, description: str = "") -> None:
        spec, own = split_rows(chart if isinstance(chart, dict) else chart.to_dict())
        columns = {name: to_columns(data) for name, data in {**own, **(rows or {})}.items()}
        traits = {f"rows_{name}": t.Dict(data).tag(sync=True) for name, data in columns.items()}
        self.add_traits(**traits)
        super().__init__(
            spec=theme.themed(spec),
            tables=tables(spec, columns),
            description=description or spec.get("description", ""),
            _names=list(columns),
            _library=Library.of_this_kernel(),
        )

    def show(self, *, description: str | None = None, **rows: Dataset) -> None:
        """Swap the rows of the named datasets, and the description, in one message.

        Raises
        ------
        ChartError
            If the chart has no dataset of that name.

        """
        if unknown := set(rows) - set(self._names):
            raise ChartError(f"no dataset {', '.join(sorted(unknown))}; this chart has {', '.join(self._names)}.")
        with self.hold_sync():
            for name, data in rows.items():
                self.set_trait(f"rows_{name}", to_columns(data))
            if description is not None:
                self.description = description

    def rows(self, name: str) -> dict[str, list[Any]]:
        """What is drawn now for one dataset, as columns."""
        return getattr(self, f"rows_{name}")


def drawn(chart: Callable[..., Any], *shown: Any) -> Spec:
    """What `chart` makes of what is shown, as Vega-Lite, unchecked.

    Altair holds each part of a chart against its grammar as it is made, and all of them at the end, which takes as long
    as to make them. For what a test checks already.
    """
    settings: Any = alt.utils.schemapi  # pyright: ignore[reportAttributeAccessIssue]
    before, settings.DEBUG_MODE = settings.DEBUG_MODE, False
    try:
        return chart(*shown).to_dict(validate=False)
    finally:
        settings.DEBUG_MODE = before


def to_columns(rows: Dataset) -> dict[str, list[Any]]:
    """Rows as columns (a third of the bytes); what JSON cannot hold (NaN, infinity) becomes a gap."""
    if isinstance(rows, Mapping):
        return {str(name): [_plain(value) for value in column] for name, column in rows.items()}
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [_plain(row.get(name)) for row in rows] for name in names}


def _plain(value: Any) -> Any:
    if hasattr(value, "item"):  # a NumPy or torch scalar
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def split_rows(spec: Spec) -> tuple[Spec, dict[str, Dataset]]:
    """A chart's specification without its named rows, and those rows."""
    return {key: value for key, value in spec.items() if key != "datasets"}, dict(spec.get("datasets", {}))


def tables(spec: Spec, datasets: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Caption and headings of the table of each dataset, read from the axes; a field without a title is left out."""
    found: dict[str, dict[str, Any]] = {name: {"caption": _caption(name), "titles": {}} for name in datasets}
    for name, field, title in _encodings(spec, None):
        if name in found and title and not field.startswith("_"):  # "_": made on the way to the picture
            found[name]["titles"].setdefault(field, title)
    return {name: table for name, table in found.items() if table["titles"]}


def _caption(dataset: str) -> str:
    if mark := theme.MARKS.get(dataset):
        return mark.label.capitalize()
    return "" if dataset.startswith("data") else dataset.replace("_", " ").capitalize()


def _encodings(spec: Spec, data: str | None) -> Iterable[tuple[str | None, str, str]]:
    """Every (dataset, field, title) of a chart, layers and concatenations included."""
    data = spec.get("data", {}).get("name", data)
    for channel in spec.get("encoding", {}).values():
        for entry in channel if isinstance(channel, list) else [channel]:
            if "field" in entry:
                yield data, entry["field"], entry.get("title") or ""
    for key in ("layer", "hconcat", "vconcat", "concat"):
        for part in spec.get(key, []):
            yield from _encodings(part, data)
