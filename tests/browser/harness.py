"""A real JupyterLab in a real browser, for tests, benchmarks and screenshots.

    with jupyterlab(folder) as url, chromium("/usr/bin/chromium") as browser:
        lab = Lab(browser, url)
        lab.open("chapter.ipynb")
        lab.run_all()
        slider = lab.slider("GPUs")
        lab.press(slider, "ArrowRight")
        lab.no_trouble()           # no request off this machine, no error in the console

Nothing here waits a fixed time: each wait is for something that the page or the kernel says.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.browser import axe

ROOT = Path(__file__).resolve().parents[2]
HERE = "127.0.0.1"
#: No name and no other address is found: what asks for one is noted (`strayed`), and does not leave this machine.
ALONE = f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {HERE}"
FLAGS = [ALONE, "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
START_S = 180
PATIENCE_MS = 60_000

# Noise of JupyterLab and of Notebook 7 themselves, seen in an empty notebook too.
HARMLESS = ("favicon", "reading 'schema'")


# --- the server -------------------------------------------------------------------------------------


_JUPYTER = {
    "ServerApp.ip": "127.0.0.1",
    "ServerApp.port_retries": 0,
    "ServerApp.open_browser": False,
    "ServerApp.allow_root": True,
    "IdentityProvider.token": "",
    "ServerApp.disable_check_xsrf": True,
}


def jupyterlab(folder: Path) -> AbstractContextManager[str]:
    """JupyterLab on 127.0.0.1 serving `folder`; no token, so for tests only. Yields its address."""
    return served(folder, "jupyterlab", "api", **_JUPYTER, **{"LabApp.expose_app_in_browser": True})


def notebook(folder: Path) -> AbstractContextManager[str]:
    """The same by Notebook 7."""
    options = {"JupyterNotebookApp.expose_app_in_browser": True}
    return served(folder, "notebook", "api", **_JUPYTER, **options)


def voila(folder: Path) -> AbstractContextManager[str]:
    """Voila, which shows the notebooks of `folder` without their code."""
    return served(folder, "voila", "", "--no-browser", **{"Voila.ip": "127.0.0.1"})


@contextmanager
def served(folder: Path, module: str, alive: str, *words: str, **options: Any) -> Iterator[str]:
    """A server of notebooks, known to be up when it has the file `alive`. Yields its address."""
    port, log = _free_port(), folder / f"{module}.log"
    url = f"http://127.0.0.1:{port}"
    options["Voila.port" if module == "voila" else "ServerApp.port"] = port
    named = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", module, *words, *named, str(folder)]
    with open(log, "w", encoding="utf-8") as out:
        process = subprocess.Popen(command, cwd=folder, env=_environment(folder), stdout=out, stderr=subprocess.STDOUT)
        try:
            _wait_for(f"{url}/{alive}", process, log)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=START_S)


def _environment(folder: Path) -> dict[str, str]:
    """The book's own server settings, and a home of its own for everything that JupyterLab writes."""
    places = {
        name: str(folder / ".jupyter" / name.lower())
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    }
    more = {"JUPYTER_CONFIG_PATH": str(ROOT / "jupyter"), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    more["GPT4LAB_STATE"] = str(folder / ".gpt4lab")  # what these readers do is no way of the person who tests
    return {**os.environ, **places, **more}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    import time

    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{log.stem} did not start:\n{log.read_text(encoding='utf-8')[-2000:]}")


# --- the browser ------------------------------------------------------------------------------------


@contextmanager
def chromium(executable: str) -> Iterator[Any]:
    """A Chromium-family browser."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)  # as everything else is waited for; by itself it is five seconds
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


#: Each panel, and what it shows: a hand moves the first slider that is seen. Gives the panels that stay as they were.
MOVE_ALL = """async () => {
  const stuck = [];
  for (const panel of document.querySelectorAll('.g4l-panel')) {
    const slider = [...panel.querySelectorAll('input[type=range]:enabled')].find((each) => each.offsetParent);
    if (!slider || panel.parentElement.closest('.g4l-panel')) continue;
    const shown = () => panel.textContent + [...panel.querySelectorAll('svg')].map((picture) => picture.outerHTML);
    let before = shown();
    for (const step of [9, -9, -9]) {
      slider.value = Number(slider.value) + step;
      slider.dispatchEvent(new Event('input', { bubbles: true }));
      const until = performance.now() + 10_000;
      while (shown() === before && performance.now() < until) await new Promise((go) => setTimeout(go, 10));
      if (shown() !== before) break;
    }
    if (shown() === before) stuck.push(panel.innerText.slice(0, 80));
  }
  return stuck;
}"""


class Lab:
    """One browser tab with JupyterLab. Keeps what went wrong: `strayed` requests and console `errors`."""

    def __init__(self, browser: Any, url: str, width: int = 1280, height: int = 900) -> None:
        self.url, self.strayed, self.errors = url, [], []
        self.window = {"width": width, "height": height}
        self.context = browser.new_context(viewport=self.window)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("request", self._guard)
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self._hear(str(error)))

    def _guard(self, request: Any) -> None:
        target = urlsplit(request.url)
        if target.hostname != HERE and target.scheme not in ("data", "blob"):
            self.strayed.append(request.url)

    def _listen(self, message: Any) -> None:
        if message.type == "error":
            self._hear(message.text, message.location["url"])

    def _hear(self, error: str, where: str = "") -> None:
        if not any(word in error + where for word in HARMLESS):
            self.errors.append(error)

    # --- the notebook ---

    def open(self, name: str) -> None:
        """Open a notebook of the served folder alone in the window and wait for its kernel."""
        self.page.goto(f"{self.url}/lab/tree/{name}?reset")
        self.page.wait_for_function(KERNEL_IS_IDLE)
        self.page.evaluate("() => jupyterapp.shell.collapseLeft()")

    def run_all(self) -> None:
        """Run every cell and wait for the last one; widgets may still be drawing (see `charts`).

        Fails with the message of a cell that raised.
        """
        self.command("notebook:run-all-cells")
        self.page.wait_for_function(KERNEL_IS_IDLE)
        raised = self.page.evaluate(RAISED)
        assert not raised, f"cells that raised: {raised}"

    def theme(self, dark: bool) -> None:
        """Switch JupyterLab's theme."""
        self.command("apputils:change-theme", {"theme": f"JupyterLab {'Dark' if dark else 'Light'}"})
        light = "false" if dark else "true"
        self.page.wait_for_function(f"document.body.dataset.jpThemeLight === '{light}'")

    def command(self, name: str, arguments: dict[str, Any] | None = None) -> None:
        """Run a command of JupyterLab and wait for its end."""
        self.page.evaluate(
            "([name, args]) => jupyterapp.commands.execute(name, args).then(() => null)", [name, arguments or {}]
        )

    def close(self) -> None:
        """Shut down this tab's kernel and close it."""
        self.shut_down()
        self.context.close()

    def shut_down(self) -> None:
        """End the kernel of what is open."""
        self.page.evaluate(
            "() => globalThis.jupyterapp?.shell.currentWidget?.context?.sessionContext.shutdown().catch(() => null)"
        )

    def clear(self) -> None:
        """Be as new: for the next reader, in less than half the time that a tab of its own takes to load JupyterLab."""
        self.shut_down()
        self.page.goto("about:blank")
        self.page.set_viewport_size(self.window)
        self.page.emulate_media(color_scheme="null", forced_colors="null", reduced_motion="null")
        self.page.set_default_timeout(PATIENCE_MS)
        self.strayed.clear()
        self.errors.clear()

    # --- what stands on the page ---

    def charts(self, count: int = 1) -> Any:
        """The drawn charts (their SVG), once there are at least `count`."""
        self.page.wait_for_function(f"document.querySelectorAll('.g4l-plot svg').length >= {count}")
        return self.page.locator(".g4l-plot svg")

    def slider(self, label: str) -> Any:
        """The slider of a control, by its accessible name."""
        return self.page.get_by_role("slider", name=label, exact=True)

    def entry(self, label: str) -> Any:
        """The number entry of a control, by the start of its accessible name."""
        return self.page.locator(f"input.g4l-entry[aria-label^='{label}']")

    def press(self, control: Any, *keys: str) -> None:
        """Focus a control and press keys, as a reader without a mouse does."""
        control.focus()
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, entry: Any, text: str) -> None:
        """Replace what stands in a number entry and press Enter."""
        entry.fill(text)
        entry.press("Enter")

    def alert(self, label: str) -> str:
        """What the control of this name complains about, or ""."""
        control = self.page.locator(".g4l-control").filter(has=self.page.locator(f"[aria-label='{label}']"))
        return control.locator(".g4l-error").text_content()

    def wait_for_alert(self, text: str) -> None:
        """Wait until a control shows this line."""
        self.page.wait_for_function(
            "text => [...document.querySelectorAll('.g4l-error')].some((e) => e.textContent === text)", arg=text
        )

    def mark_texts(self) -> list[str]:
        """The words that stand inside the charts, axes left out."""
        return self.page.locator(".g4l-plot .mark-text.role-mark text").all_text_contents()

    def wait_for_text(self, text: str) -> None:
        """Wait until a mark of a chart says `text`."""
        self.page.wait_for_function(
            "text => [...document.querySelectorAll('.g4l-plot .mark-text.role-mark text')]"
            ".some((mark) => mark.textContent.includes(text))",
            arg=text,
        )

    @contextmanager
    def same_elements(self, selector: str = ".g4l-plot svg, .g4l-control, .g4l-control input") -> Iterator[None]:
        """Fail if an element of `selector` that is on the page now is taken off or replaced meanwhile."""
        keep = "selector => (globalThis.keptElements = [...document.querySelectorAll(selector)]).length"
        count = self.page.evaluate(keep, selector)
        assert count, f"nothing on the page matches {selector}"
        yield
        # Not by place: a chart that is drawn meanwhile pushes the others on.
        replaced = self.page.evaluate("() => keptElements.filter((element) => !element.isConnected).length")
        assert not replaced, f"{replaced} of {count} elements were replaced"

    def nameless_controls(self) -> list[str]:
        """Controls in the outputs that a screen reader could not name."""
        return self.page.evaluate(NAMELESS)

    def barriers(self, *only: str) -> list[str]:
        """What axe finds in outputs and text: the rule, how often, and the first of them. By all rules, or by a tag.

        Once all is drawn: it holds the page up for seconds, and a widget that is late by two is given up.
        """
        self.page.wait_for_function(ALL_DRAWN)
        if not self.page.evaluate("'axe' in globalThis"):
            self.page.evaluate(axe.script())
        return self.page.evaluate(BARRIERS, {"runOnly": only} if only else {})

    def settled(self) -> None:
        """Wait until nothing that is drawn or written changes its place or size any more."""
        self.page.evaluate(SETTLED)

    def forced_colours(self, on: bool) -> None:
        """Paint the page in the reader's own colours, as an operating system with high contrast does."""
        self.page.emulate_media(forced_colors="active" if on else "none")

    def no_trouble(self) -> None:
        """Fail on a request off this machine or an error in the console."""
        assert not self.strayed, f"requests off this machine: {self.strayed}"
        assert not self.errors, f"errors in the console: {self.errors}"

    def screenshot(self, path: Path, selector: str = "") -> Path:
        """A picture for a person to look at."""
        (self.page.locator(selector).first if selector else self.page).screenshot(path=str(path))
        return path


KERNEL_IS_IDLE = """() => {
  const panel = window.jupyterapp?.shell.currentWidget;
  return panel?.content?.widgets && panel.context.sessionContext.session?.kernel?.status === 'idle';
}"""

RAISED = """() => jupyterapp.shell.currentWidget.content.model.sharedModel.cells
  .flatMap((cell) => cell.toJSON().outputs ?? [])
  .filter((output) => output.output_type === 'error')
  .map((output) => `${output.ename}: ${output.evalue}`)"""

# By the rules of accessible names that matter here: aria-label, aria-labelledby, a label, the text, the title.
NAMELESS = """() => {
  const named = (e) =>
    e.getAttribute('aria-label')?.trim() || e.getAttribute('title')?.trim() ||
    (e.getAttribute('aria-labelledby') ?? '').split(' ').some((id) => document.getElementById(id)?.textContent) ||
    [...(e.labels ?? [])].some((label) => label.textContent.trim()) ||
    (['BUTTON', 'A', 'SUMMARY'].includes(e.tagName) && e.textContent.trim());
  const controls = 'input, select, textarea, button, summary, [role=slider], [role=img], [role=button], a[href]';
  return [...document.querySelectorAll('.jp-OutputArea-output')]
    .flatMap((output) => [...output.querySelectorAll(controls)])
    .filter((e) => e.type !== 'hidden' && !e.hidden && !named(e))
    .map((e) => e.outerHTML.slice(0, 160));
}"""


ALL_DRAWN = "[...document.querySelectorAll('.g4l-figure')].every((figure) => figure.querySelector('svg'))"

# For ten frames in turn all stand where they stood: a chart takes a new width in two or three. What never
# rests is judged as it moves.
SETTLED = """async () => {
  const parts = ':is(.jp-OutputArea-output, .jp-RenderedMarkdown) :is(p, svg, input, button)';
  const places = () => [...document.querySelectorAll(parts)].map((part) => part.getBoundingClientRect())
    .map(({ left, top, width, height }) => [left, top, width, height].join()).join(' ');
  for (let [before, same, frame] = ['', 0, 0]; same < 10 && frame < 1000; frame++) {
    await new Promise((next) => requestAnimationFrame(next));
    const now = places();
    [before, same] = [now, now === before ? same + 1 : 0];
  }
}"""

# The page around the outputs is JupyterLab's.
BARRIERS = """async (options) => {
  const place = { include: [['.jp-OutputArea-output'], ['.jp-RenderedMarkdown']] };
  const { violations } = await axe.run(place, { resultTypes: ['violations'], ...options });
  return violations.map(({ id, nodes }) => `${id}, ${nodes.length} times: ${nodes[0].html.slice(0, 200)}`);
}"""


# --- notebooks for tests ----------------------------------------------------------------------------


def write_notebook(path: Path, cells: Sequence[str]) -> Path:
    """A small notebook of code cells."""
    import json

    code = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "source": text, "outputs": [], "execution_count": None}
        for i, text in enumerate(cells)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    book = {"cells": code, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(book), encoding="utf-8")
    return path
