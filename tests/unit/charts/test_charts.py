"""Charts: rows in, a valid chart out; the live chart swaps what it is told to and nothing else."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from typing import Any

import altair as alt
import pytest
from ipywidgets import Widget

from gpt4lab.charts import Axis, ChartError, LiveChart, bars, dots, drawn, heat, line, theme, timeline, vega
from gpt4lab.charts.axes import log_ticks
from gpt4lab.charts.live import Library, to_columns

GPUS, DAYS = Axis("gpus", "GPUs", log=True, form="count"), Axis("days", "Time, days", domain=(0, 400))
ROWS = [{"gpus": g, "days": 2.4e6 / g, "kind": kind} for kind in ("A100", "H100") for g in (8_000, 16_000, 32_000)]
YOU = [{"gpus": 25_000, "days": 96.0}]


def some_line(**more: Any) -> alt.LayerChart:
    return line(ROWS, GPUS, DAYS, "kind", you=YOU, post=[{"gpus": 25_000, "days": 95}], **more)


CHARTS = {
    "line": some_line(),
    "levels": line(ROWS, GPUS, DAYS, "kind", published=[{"days": 54}], measured=[{"gpus": 9_000}]),
    "bars": bars([{"run": "a", "part": "it's idle", "days": 3}], DAYS, "run", "part", post=[{"run": "a", "days": 4}]),
    "dots": dots([{"who": "PaLM", "gpus": 4, "lo": 3, "hi": 5, "mark": "published"}], GPUS, "who", bounds=("lo", "hi")),
    "scatter": dots([{"days": 3, "gpus": 4, "mark": "you", "label": "here"}], GPUS, DAYS),
    "heat": heat([{"expert": 1, "text": "a", "share": 0.2}], "expert", "text", Axis("share", "Share"), numbers=".0%"),
    "timeline": timeline(
        [{"gpu": "0", "t0": 0, "t1": 2, "is": "forward", "mb": 1}], Axis("t0", "Time"), "t1", "gpu", "is", text="mb"
    ),
}


# --- charts -----------------------------------------------------------------------------------------


def test_unchecked_is_the_same_and_the_next_one_is_checked_again() -> None:
    assert drawn(some_line) == some_line().to_dict()
    with pytest.raises(TypeError):
        drawn(some_line, "not a chart")
    with pytest.raises(alt.utils.schemapi.SchemaValidationError):
        alt.Chart().mark_line(interpolate=5)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_compiles_to_vega(name: str) -> None:
    vl_convert = pytest.importorskip("vl_convert")
    drawn = vl_convert.vegalite_to_vega(theme.themed(CHARTS[name].to_dict()))
    assert drawn["marks"]


@pytest.mark.parametrize("name", CHARTS)
def test_every_number_of_a_chart_has_a_heading_in_its_table(name: str) -> None:
    live = LiveChart(CHARTS[name], description=name)
    headings = {field for table in live.tables.values() for field in table["titles"]}
    drawn = {field for data in live._names for field in live.rows(data)}
    assert drawn == headings


def test_a_fifth_series_and_a_seventh_part_are_refused() -> None:
    five = [{"gpus": 1, "days": 1, "kind": str(i)} for i in range(5)]
    with pytest.raises(ValueError, match="at most 4"):
        line(five, GPUS, DAYS, "kind")
    with pytest.raises(ValueError, match="at most 6"):
        bars([{"run": "a", "part": str(i), "days": 1} for i in range(7)], DAYS, "run", "part")


@pytest.mark.parametrize(("lo", "hi"), [(1, 5), (1, 100), (1e3, 1e5), (10, 1e4), (1e20, 1e27), (0.01, 1), (1, 1e30)])
def test_ticks_of_a_log_axis_are_few_round_and_inside(lo: float, hi: float) -> None:
    ticks = log_ticks(lo, hi)
    assert 2 <= len(ticks) <= 8
    assert all(lo <= tick <= hi for tick in ticks)
    assert all(f"{tick:e}"[0] in "1235" and set(f"{tick:e}"[1:8]) <= {".", "0"} for tick in ticks)


def test_the_four_marks_differ_in_shape_and_in_colour() -> None:
    marks = theme.MARKS.values()
    assert len({mark.shape for mark in marks}) == len({mark.colour for mark in marks}) == 4


def test_every_colour_follows_the_theme_of_the_page() -> None:
    for colour in {theme.INK, theme.SOFT, theme.PAPER, *theme.SERIES, *theme.PARTS}:
        assert f'[stroke="{colour}"]' in theme.css()
        assert f'[fill="{colour}"]' in theme.css()


@pytest.mark.parametrize(("page", "paper"), [("body", "#ffffff"), ('body[data-jp-theme-light="false"]', "#111111")])
def test_words_are_readable_on_light_and_on_dark(page: str, paper: str) -> None:
    block = re.search(re.escape(page) + r"[^{}]*\{(.*?)\}", theme.css(), re.S)
    assert block
    words = dict(re.findall(r"--g4l-([a-z]+-text|ink-2): (#[0-9a-f]{6})", block[1]))
    assert len(words) == 7
    assert {name: contrast(colour, paper) for name, colour in words.items() if contrast(colour, paper) < 4.5} == {}


def contrast(one: str, other: str) -> float:
    """WCAG contrast of two colours."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


# --- the live chart ---------------------------------------------------------------------------------


def sent(live: LiveChart, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every state that the widget sends from now on."""
    messages: list[dict[str, Any]] = []
    monkeypatch.setattr(type(live), "_send", lambda _, message, **__: messages.append(message["state"]))
    return messages


def test_show_sends_one_message_with_the_named_rows_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    live = LiveChart(some_line(), description="before")
    messages = sent(live, monkeypatch)
    live.show(you=[{"gpus": 8_000, "days": 300}], description="after")
    assert messages == [{"rows_you": {"gpus": [8_000], "days": [300]}, "description": "after"}]
    assert live.rows("data")["gpus"] == [row["gpus"] for row in ROWS]


def test_an_unknown_dataset_is_refused_by_name() -> None:
    with pytest.raises(ChartError, match="no dataset yuo; this chart has data, post, you"):
        LiveChart(some_line()).show(yuo=YOU)


def test_rows_may_come_as_columns_and_gaps_are_null() -> None:
    assert to_columns([{"a": 1}, {"a": math.nan, "b": "x"}]) == {"a": [1, None], "b": [None, "x"]}
    assert to_columns({"a": [math.inf, 2.5]}) == {"a": [None, 2.5]}
    json.dumps(to_columns([{"a": -math.inf}]), allow_nan=False)


def test_scalars_of_numpy_and_torch_become_plain_numbers() -> None:
    class Scalar:
        def item(self) -> float:
            return 2.0

    assert to_columns([{"a": Scalar()}]) == {"a": [2.0]}


def test_given_rows_take_the_place_of_the_charts_own() -> None:
    assert LiveChart(some_line(), rows={"you": []}).rows("you") == {}


def test_the_drawing_library_is_held_once_and_comes_back_after_close_all() -> None:
    first = LiveChart(some_line())._library
    assert LiveChart(some_line())._library is first
    assert first is Library.of_this_kernel()
    Widget.close_all()
    assert Library.of_this_kernel() is not first


# --- without a network ------------------------------------------------------------------------------


def test_the_shipped_library_is_whole_and_fits_altair() -> None:
    script = vega.script()
    assert len(script) < 1_000_000
    assert "gpt4labVega" in script
    addresses = set(re.findall(r"https?://([a-z0-9.-]+)", script))
    assert addresses <= {"www.w3.org", "vega.github.io", "github.com"}, "names of standards and of links, never loaded"
    wanted = re.search(r"v(\d+)\.(\d+)", alt.SCHEMA_VERSION)
    shipped = re.search(r"Vega-Lite (\d+)\.(\d+)", script)
    assert wanted
    assert shipped
    assert shipped[1] == wanted[1]
    assert int(shipped[2]) >= int(wanted[2])


def test_charts_load_neither_numpy_nor_pandas_nor_torch() -> None:
    """With an import hook that refuses them, a chart is still made."""
    code = """
import sys
class Refuse:
    def find_spec(self, name, *_):
        if name.split(".")[0] in ("numpy", "pandas", "torch"):
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
from gpt4lab.charts import Axis, LiveChart, line
LiveChart(line([{"a": 1, "b": 2}], Axis("a", "A"), Axis("b", "B")))
assert not {"numpy", "pandas", "torch"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
