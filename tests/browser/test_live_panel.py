"""Move a control by keyboard in a real JupyterLab, and watch the chart answer in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.browser.harness import Lab

Open = Callable[[Sequence[str]], Any]

MODEL = """
from ipywidgets import VBox
from gpt4lab.charts import Axis, LiveChart, line
from gpt4lab.panels.controls import ChoiceControl, NumberControl, TextControl

def days(gpus, mfu):
    return 2.15e25 / (gpus * 312e12 * mfu * 86400)

def curve(mfu):
    return [{"gpus": g, "days": days(g, mfu)} for g in range(1_000, 100_000, 1_000)]

def you(gpus, mfu):
    return [{"gpus": gpus, "days": days(gpus, mfu), "label": f"you: {days(gpus, mfu):.1f} days"}]

gpus = NumberControl("GPUs", "GPU", 1_000, 100_000, 25_000, mark=25_000, scale="log", integer=True)
mfu = NumberControl("MFU", "fraction", 0.01, 1, 0.34, mark=0.34, help="share of the peak")
zero = ChoiceControl("ZeRO stage", ["none", "1", "3"], "1", mark="1")
chip = ChoiceControl("Accelerator", ["A100 40 GB", "A100 80 GB", "H100", "H200", "B200"], "H100", mark="A100 40 GB")
x, y = Axis("gpus", "GPUs", log=True, domain=(1e3, 1e5)), Axis("days", "Time, days", log=True, domain=(1, 1e5))
drawn = line(curve(0.34), x, y, you=you(25_000, 0.34), post=[{"gpus": 25_000, "days": 95}])
chart = LiveChart(drawn, description="start")

def move(_):
    chart.show(data=curve(mfu.value), you=you(gpus.value, mfu.value), description=f"{gpus.value} GPUs")

for control in (gpus, mfu):
    control.observe(move, "value")
"""
SLOW = """
import time
from pathlib import Path
calls = []
def note(change):
    until = time.monotonic() + 60
    while not Path("go").exists() and time.monotonic() < until:  # busy until the test lets it go
        time.sleep(0.01)
    calls.append(change["new"])
    slow.error = f"{len(calls)} calls, now {change['new']}"
slow = NumberControl("Slow", "1", 0, 100, 50)
slow.observe(note, "value")
for control in (zero, chip):
    control.observe(lambda change: setattr(slow, "error", str(change["new"])), "value")
layers = NumberControl("Layers", "layer", 1, 1_000, 3, scale="log", integer=True)
words = TextControl("Words", value="as it was")
share = TextControl("Share", value="as it was", late=True)
VBox([layers, slow, words, share])
"""
PANEL = [MODEL, "VBox([gpus, mfu, zero, chip, chart])", SLOW]
START = "you: 93.8 days"  # 2.15e25 / (25,000 * 312e12 * 0.34 * 86,400)


@pytest.fixture(scope="module")
def opened(browser: Any, server: str, served: Any, harness: Any) -> Iterator[Lab]:
    """One notebook for most tests of this file: a kernel takes seconds to start."""
    harness.write_notebook(served / "panel.ipynb", PANEL)
    lab = harness.Lab(browser, server)
    lab.open("panel.ipynb")
    lab.run_all()
    lab.charts()
    yield lab
    lab.close()


@pytest.fixture
def panel(opened: Lab) -> Lab:
    """The panel as it stood at first: each test begins at the marks, with a folded table."""
    for label in ("GPUs", "MFU"):
        opened.press(opened.slider(label), "Delete")
    opened.page.evaluate("document.querySelectorAll('.g4l-table').forEach((table) => (table.open = false))")
    opened.wait_for_text(START)
    opened.errors.clear()  # JupyterLab's own, while its toolbar folds in a narrow window
    return opened


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_key_on_the_slider_repaints_the_chart_in_place(panel: Lab, dark: bool) -> None:
    panel.theme(dark)
    with panel.same_elements(".g4l-plot svg, .g4l-plot .mark-line path, .g4l-plot .mark-text text, .g4l-control *"):
        panel.press(panel.slider("GPUs"), "Home")
        panel.wait_for_text("you: 2345.8 days")
        panel.press(panel.slider("MFU"), "End")
        panel.wait_for_text("you: 797.6 days")
    assert panel.page.get_by_role("img", name="1000 GPUs").count() == 1, "the text alternative follows"
    assert panel.nameless_controls() == []
    panel.no_trouble()


def test_arrows_stay_with_the_slider_and_delete_returns_to_the_mark(panel: Lab) -> None:
    slider = panel.slider("GPUs")
    cell = panel.page.evaluate("jupyterapp.shell.currentWidget.content.activeCellIndex")
    panel.press(slider, "ArrowRight", "ArrowUp", "PageUp", "ArrowLeft")
    assert slider.get_attribute("aria-valuetext") != "25,000\xa0GPUs"
    panel.press(slider, "Delete")
    panel.wait_for_text(START)
    assert slider.get_attribute("aria-valuetext") == "25,000\xa0GPUs"
    assert panel.page.evaluate("jupyterapp.shell.currentWidget.content.activeCellIndex") == cell
    assert panel.page.evaluate("jupyterapp.shell.currentWidget.content.widgets.length") == len(PANEL)


def test_the_mouse_drags_the_slider_and_the_diamond_leads_back(panel: Lab) -> None:
    box = panel.slider("MFU").bounding_box()
    middle = box["y"] + box["height"] / 2
    panel.page.mouse.move(box["x"] + 0.34 * box["width"], middle)
    panel.page.mouse.down()
    panel.page.mouse.move(box["x"] + box["width"], middle, steps=20)
    panel.page.mouse.up()
    assert panel.slider("MFU").get_attribute("aria-valuetext") == "100%"
    panel.wait_for_text("you: 31.9 days")
    panel.page.get_by_role("button", name="Return MFU to the post: 34%").click()
    panel.wait_for_text(START)


def test_every_arrow_changes_a_whole_number_even_where_the_scale_is_fine(panel: Lab) -> None:
    slider = panel.slider("Layers")
    panel.press(slider, "ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "4\xa0layers"
    panel.press(slider, "ArrowLeft", "ArrowLeft")
    assert slider.get_attribute("aria-valuetext") == "2\xa0layers"


@pytest.mark.parametrize(
    ("label", "typed", "value"),
    [
        ("GPUs", "8k", "8,000\xa0GPUs"),
        ("GPUs", "25,000", "25,000\xa0GPUs"),
        ("GPUs", "1.2e4 GPUs", "12,000\xa0GPUs"),
        ("GPUs", "30 thousand", "30,000\xa0GPUs"),
        ("GPUs", "9001 GPU", "9,001\xa0GPUs"),
        ("MFU", "56", "56%"),
        ("MFU", "38.4 %", "38.4%"),
    ],
)
def test_numbers_may_be_typed_as_people_write_them(panel: Lab, label: str, typed: str, value: str) -> None:
    panel.type(panel.entry(label), typed)
    panel.page.wait_for_function(
        "([label, value]) => document.querySelector(`input[type=range][aria-label='${label}']`)"
        ".getAttribute('aria-valuetext') === value",
        arg=[label, value],
    )
    assert panel.alert(label) == ""


@pytest.mark.parametrize(
    ("label", "typed", "message"),
    [
        ("GPUs", "many", "“many” is not a number; write it like 25000, 25k, 1.8T, 34% or 2e25."),
        ("GPUs", "25", "GPUs: 25\xa0GPUs is outside 1,000 to 100,000\xa0GPUs. Did you mean 25,000\xa0GPUs?"),
        ("GPUs", "2500.5", "GPUs: 2,500.5\u00a0GPUs is not a whole number."),
        ("MFU", "0.34", "MFU: 0.34% is outside 1% to 100%."),
        ("MFU", "0,5", "Write a decimal point, not a comma: “0,5”."),
    ],
)
def test_a_number_that_cannot_be_used_is_refused_in_place(panel: Lab, label: str, typed: str, message: str) -> None:
    before = panel.slider(label).get_attribute("aria-valuetext")
    panel.type(panel.entry(label), typed)
    assert panel.alert(label) == message
    assert panel.slider(label).get_attribute("aria-valuetext") == before
    panel.page.keyboard.press("Escape")
    assert panel.alert(label) == ""


@pytest.mark.parametrize(
    ("label", "kernel", "typed", "moved", "now"),
    [
        ("MFU", "mfu.value = 0.2", "45", "20", "45"),
        ("Words", "words.value = 'ours'", "mine", "ours", "mine"),
        ("Share", "share.value = 'ours'", "mine", "ours", "mine"),
    ],
)
def test_what_is_typed_stays_until_it_is_committed_or_escaped(
    panel: Lab, label: str, kernel: str, typed: str, moved: str, now: str
) -> None:
    """While somebody types, the kernel moves the field: neither waits for the other, and nothing is lost."""
    entry = panel.page.get_by_label(label, exact=label != "MFU").and_(panel.page.locator("input.g4l-entry"))
    entry.focus()
    for key, left in (("Escape", moved), ("Enter", now)):
        entry.select_text()
        panel.page.keyboard.type(typed)
        panel.page.evaluate(EXECUTED, f"{kernel}; {kernel.partition(' ')[0].replace('.value', '.error')} = '{key}'")
        panel.wait_for_alert(key)
        assert entry.input_value() == typed
        panel.page.keyboard.press(key)
        assert entry.input_value() == left
        panel.page.evaluate(EXECUTED, f"{kernel.partition('.')[0]}.error = ''")


def test_a_fast_hand_builds_no_queue(panel: Lab, served: Path) -> None:
    """30 moves while the kernel is busy with the first: they arrive as the newest value, not as 30 calls."""
    panel.press(panel.slider("Slow"), *["ArrowRight"] * 30)
    assert panel.slider("Slow").get_attribute("aria-valuetext") == "65"
    (served / "go").touch()
    panel.page.wait_for_function(
        "[...document.querySelectorAll('.g4l-error')].some((line) => line.textContent.endsWith('now 65'))"
    )
    assert int(panel.alert("Slow").split()[0]) < 4


def test_choices_work_by_keyboard(panel: Lab) -> None:
    panel.press(panel.page.get_by_role("radio", name="1 (the post)"), "ArrowRight")
    panel.wait_for_alert("3")
    panel.press(panel.page.get_by_role("combobox", name="Accelerator"), "ArrowDown")
    panel.wait_for_alert("H200")
    panel.page.keyboard.press("Delete")
    panel.wait_for_alert("A100 40 GB")
    panel.no_trouble()


def test_a_second_view_of_a_chart_lives_on_when_the_first_is_taken_off(open_cells: Open) -> None:
    lab = open_cells([MODEL, "chart", "VBox([gpus, chart])"])
    lab.charts(2)
    lab.page.evaluate("""() => {
        const { content } = jupyterapp.shell.currentWidget;
        content.widgets[1].model.sharedModel.setOutputs([]);
    }""")
    lab.page.wait_for_function("document.querySelectorAll('.g4l-plot svg').length === 1")
    lab.press(lab.slider("GPUs"), "Home")
    lab.wait_for_text("you: 2345.8 days")
    lab.no_trouble()


def test_the_table_is_written_when_it_is_opened_and_follows(panel: Lab) -> None:
    cells = panel.page.locator(".g4l-table td")
    assert cells.count() == 0
    panel.press(panel.page.locator(".g4l-table summary"), "Enter")
    panel.page.wait_for_function("document.querySelectorAll('.g4l-table td').length > 0")
    panel.press(panel.slider("GPUs"), "Home")
    panel.page.wait_for_function(
        "[...document.querySelectorAll('.g4l-table td')].some((td) => td.textContent === 'you: 2345.8 days')"
    )
    headings = panel.page.locator(".g4l-table th").all_text_contents()
    assert {"GPUs", "Time, days", "Which"} <= set(headings)


def test_a_chart_narrows_with_its_cell(panel: Lab) -> None:
    def width() -> float:
        return panel.charts().bounding_box()["width"]

    wide = width()
    panel.page.set_viewport_size({"width": 640, "height": 900})
    panel.page.wait_for_function(f"document.querySelector('.g4l-plot svg').getBoundingClientRect().width < {wide - 50}")
    plot = panel.page.locator(".g4l-plot").bounding_box()
    assert width() <= plot["width"]
    panel.page.set_viewport_size({"width": 1280, "height": 900})
    panel.page.wait_for_function(f"document.querySelector('.g4l-plot svg').getBoundingClientRect().width >= {wide - 1}")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_words_on_a_chart_follow_the_theme_without_a_new_drawing(panel: Lab, dark: bool) -> None:
    """The lightness of the axis words, from what the browser computes: dark on light, light on dark."""
    with panel.same_elements(".g4l-plot svg"):
        panel.theme(dark)
        panel.page.wait_for_function(
            """dark => {
            const word = document.querySelector('.g4l-plot .role-axis-label text');
            const [red] = getComputedStyle(word).fill.match(/\\d+/g).map(Number);
            return dark ? red > 150 : red < 110;
        }""",
            arg=dark,
        )
    panel.theme(False)


def test_a_mark_may_turn_from_a_point_into_a_level(open_cells: Open) -> None:
    """A field that new rows lack does not keep its old value."""
    lab = open_cells([MODEL, "chart", "chart.show(post=[{'days': 95, 'label': 'a level'}])"])
    lab.wait_for_text("a level")
    lab.page.wait_for_function("document.querySelectorAll('.g4l-plot [stroke-dasharray=\"4,3\"]').length === 1")
    lab.no_trouble()


def test_the_kernels_state_stands_in_the_status_bar(panel: Lab) -> None:
    panel.page.wait_for_selector("#jp-bottom-panel .jp-Notebook-ExecutionIndicator")
    # In the toolbar it would cost each slider move 9 ms.
    assert panel.page.locator(".jp-Toolbar .jp-Notebook-ExecutionIndicator").count() == 0
    panel.no_trouble()


def test_the_pieces_of_a_chapter_share_the_stylesheet_that_its_opening_brings(open_cells: Open) -> None:
    opening = "from gpt4lab.book import opening, verdict\nopening('03')"
    lab = open_cells([opening, opening, "verdict('03')"])
    lab.page.wait_for_selector(".g4l-verdicts")
    assert lab.page.locator("head style#gpt4lab-panel").count() == 1
    assert not lab.page.locator(".jp-OutputArea style").count()
    assert lab.page.evaluate("getComputedStyle(document.querySelector('.g4l-table')).borderCollapse") == "collapse"
    lab.no_trouble()


def test_all_controls_share_one_stylesheet(panel: Lab) -> None:
    assert panel.page.locator("style#gpt4lab-panel").count() == 1
    assert panel.page.locator("style#gpt4lab-chart").count() == 1
    assert panel.page.evaluate("getComputedStyle(document.querySelector('.g4l-control')).display") == "grid"
    assert not panel.page.locator("style[id*='gpt4lab.']").count()  # nor one by anywidget, written for each control


BOXES = [
    "from gpt4lab.book import opening\nopening('03')",
    "from gpt4lab.chapters.c03_flop.flop import token\ntoken.widget()",
    "from gpt4lab.book import exercise, guess\nguess('t', '?', answer=5, lo=1, hi=100)",
    "exercise('t', '?', answer=5)",
]
SILENT = "count => document.querySelectorAll('.g4l-no-kernel').length === count"
HEADLINE = ".g4l-headline-value"
KERNEL = "jupyterapp.shell.currentWidget.context.sessionContext"
EXECUTED = f"code => {KERNEL}.session.kernel.requestExecute({{ code }}).done.then(() => null)"


def test_without_its_kernel_every_box_of_the_book_says_so(open_cells: Open) -> None:
    """Restarted, shut down, and opened again from what was saved: nobody is left with sliders that move nothing."""
    lab = open_cells(BOXES)
    lab.charts()
    lab.page.evaluate(f"{KERNEL}.session.kernel.restart()")
    lab.page.wait_for_function(SILENT, arg=len(BOXES))
    assert lab.slider("Context").is_disabled()
    lab.run_all()
    lab.page.wait_for_function(SILENT, arg=0)
    lab.charts()
    before = lab.page.locator(HEADLINE).text_content()
    lab.press(lab.slider("Context"), "End")
    lab.page.wait_for_function(f"before => document.querySelector('{HEADLINE}').textContent !== before", arg=before)
    lab.page.evaluate("jupyterapp.shell.currentWidget.context.save()")
    lab.page.evaluate(f"{KERNEL}.shutdown()")
    lab.page.wait_for_function(SILENT, arg=len(BOXES))
    lab.open(lab.page.url.split("/tree/")[1].split("?")[0])
    lab.page.wait_for_function(SILENT, arg=len(BOXES))
