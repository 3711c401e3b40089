"""The page's Python: a chapter's widgets without Jupyter, in the browser's worker (worker.js).

The page shows each widget already, as it was when the page was made. So nothing is drawn or sent a second time: of a
widget that opens only what differs is said, because the reader has been here before.
"""

from __future__ import annotations

import ast
import asyncio
import json
import os
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any, cast

Post = Callable[[str], None]
#: Made when the page was: scripts, and how charts are drawn, which only Altair knows.
OF_THE_PAGE = {"_esm", "code", "spec", "tables", "_names"}


class Shown:
    """HTML, or Markdown, as far as a chapter asks for it."""

    def __init__(self, data: str = "", **_: Any) -> None:
        self.data = data


class Html(Shown):
    """HTML, which the page may show anew."""


class Drawn(types.ModuleType):
    """In the place of Altair: whatever is asked of it, the charts stand on the page already."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__("altair")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: Any, **__: Any) -> Any:
        """Itself again."""
        return self

    def to_dict(self, **_: Any) -> dict[str, Any]:
        """A specification that nobody reads."""
        return {}

    def __iter__(self) -> Any:
        return iter(())

    __add__ = __radd__ = __or__ = __and__ = __eq__ = __ne__ = __lt__ = __gt__ = __getitem__ = __call__  # pyright: ignore
    __hash__ = object.__hash__


class Trusting:
    """In the place of jsonschema, which needs a compiled library: what this browser kept, it is believed."""

    def __init__(self, _: Any) -> None:
        pass

    def is_valid(self, _: Any) -> bool:
        """Whatever it is."""
        return True


def module(name: str, **names: Any) -> types.ModuleType:
    """Put a module in the place of one that a browser has not."""
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(names)
    return sys.modules[name]


class Kept:
    """The reader's memory, by name, as the browser's storage has it: `gpt4lab.place` asks for it."""

    def __init__(self, texts: dict[str, str], post: Post) -> None:
        self.texts, self._post = texts, post

    def get(self, name: str) -> str | None:
        """The text of this name."""
        return self.texts.get(name)

    def put(self, name: str, text: str) -> None:
        """Keep a text, here and in the browser."""
        self.texts[name] = text
        self._post(json.dumps({"kind": "keep", "name": name, "text": text}))


class Page:
    """A chapter at work. `post` says to the page what is JSON."""

    def __init__(self, text: str, kept: str, post: Post) -> None:
        chapter = json.loads(text)
        self.cells, self.known, self.said = chapter["cells"], chapter["state"], chapter["said"]
        self.cell = self.count = 0
        self.running = False
        self.opened: list[str] = []
        self.shown: list[Any] = []
        self.post, self.kept = post, Kept(json.loads(kept), post)
        self.space: dict[str, Any] = {"__name__": "__main__"}
        self._stand_in()

    def say(self, **message: Any) -> None:
        """Tell the page."""
        self.post(json.dumps(message))

    def _stand_in(self) -> None:
        """Take the place of Jupyter, of its lines to widgets, and of Altair."""
        os.environ["GPT4LAB_PLACE"] = "page"
        nothing = lambda *_, **__: None  # noqa: E731
        show = module("IPython.display", HTML=Html, Markdown=Shown, display=self.show, clear_output=nothing)
        module("IPython", get_ipython=nothing, display=show)
        module("IPython.core", interactiveshell=module("IPython.core.interactiveshell", InteractiveShell=Shown))
        module("jsonschema", Draft202012Validator=Trusting)
        sys.modules["altair"] = Drawn()
        import comm
        from comm.base_comm import BaseComm, CommManager

        page, self.lines = self, CommManager()

        class Line(BaseComm):
            def publish_msg(self, msg_type: str, data: Any = None, **_: Any) -> None:
                page.heard_from(self.comm_id, msg_type, data)

        comm.get_comm_manager = lambda: self.lines
        comm.create_comm = lambda *args, **more: Line(*args, comm_id=self._name(), **more)
        from gpt4lab import place
        from gpt4lab.charts import vega

        place.hand_over(self.kept)
        vega.script = lambda: ""

    def _name(self) -> str:
        self.count += 1
        return f"c{self.cell:03d}n{self.count:03d}"  # as run.py has named it

    def heard_from(self, name: str, kind: str, data: Any) -> None:
        """What a widget says goes to the page, unless its cell still runs: then what it has become is told after it."""
        if kind == "comm_open" and self.running:
            self.opened.append(name)
        elif kind == "comm_open":
            self.say(kind="made", widgets={name: data["state"]})
        elif kind == "comm_msg" and not (name in self.opened and data["method"] == "update"):
            self.say(kind="msg", id=name, data=data)

    def hear(self, name: str, text: str) -> None:
        """Give a widget what the page says to it."""
        said = {"comm_id": name, "data": json.loads(text)}
        self.lines.comm_msg(cast(Any, None), "", {"content": said, "buffers": [], "metadata": {}})

    def heard_elsewhere(self, name: str, text: str | None) -> None:
        """What another tab has kept."""
        if text is not None:
            self.kept.texts[name] = text

    def show(self, *things: Any) -> None:
        """Note what a cell shows."""
        self.shown += things

    async def run(self, line: str) -> str:
        """Run the cells, then go where the line of assumptions leads; the cells that failed, and what was refused."""
        failed: list[str] = []
        for number, source in enumerate(self.cells):
            self.cell, self.count, self.shown = number, 0, []
            await asyncio.sleep(0)  # what the reader moves meanwhile is answered at once
            if source is None or source.startswith("%%"):
                continue
            self.running = True
            try:
                self._do(source)
            except Exception as error:
                failed.append(f"{self.cell}: {type(error).__name__}: {str(error)[:300]}")
            self._tell()
            self.running = False
        return json.dumps({"failed": failed, "refused": self._go_to(line)})

    def _tell(self) -> None:
        """Tell what widgets a cell has made, and what it shows: all of that only as far as the page has it not."""
        from ipywidgets.widgets.widget import _instances

        states = {name: _instances[name].get_state() for name in self.opened if name in _instances}
        same = {name for name, state in states.items() if self._is_there(name, state)}
        self.say(
            kind="cell",
            number=self.cell,
            made={name: state for name, state in states.items() if name not in same},
            moved={name: differing(states[name], self.known[name]["state"]) for name in states if name in same},
            shown=[self._as_shown(*each) for each in enumerate(self.shown)],
        )
        self.opened = []

    def _is_there(self, name: str, state: Mapping[str, Any]) -> bool:
        return name in self.known and self.known[name]["model_name"] == state["_model_name"]

    def _do(self, source: str) -> None:
        """Run a cell; what its last line gives is shown."""
        body = ast.parse(source).body
        last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), "<cell>", "exec"), self.space)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), self.space)
            self.shown += [] if value is None else [value]

    def _as_shown(self, number: int, thing: Any) -> dict[str, Any]:
        """The widget that stands in this place, or the HTML where it is not what the page has there."""
        if name := getattr(thing, "model_id", None):
            return {"model": name}
        bundle = getattr(thing, "_repr_mimebundle_", dict)()
        html = thing.data if isinstance(thing, Html) else bundle.get("text/html")
        return {"html": html} if html and hashed(html) != self.said.get(f"{self.cell}.{number}", hashed(html)) else {}

    def _go_to(self, line: str) -> str:
        """Move the panels that hold what a shared line changes: leak?training.mfu=0.4. Says why it cannot be read."""
        if not line:
            return ""
        from gpt4lab.panels.panel import ALIVE
        from gpt4lab.scenario import ScenarioError, load_scenario

        try:
            scenario = load_scenario(line)
        except ScenarioError as error:
            return f"The page stays at the post's values: what stands behind its address cannot be read. {error}"
        wanted = {change.partition("=")[0] for change in line.partition("?")[2].split("&")}
        for panel in list(ALIVE.values()):
            if "?" not in line or wanted & panel.controls.keys():
                panel.load(scenario)
        return ""


def differing(state: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
    """What of a state is not as the page has it, which leaves out what is null."""
    changed = {name: value for name, value in state.items() if name not in OF_THE_PAGE and value != there.get(name)}
    return {name: value for name, value in changed.items() if json.loads(json.dumps(value)) != there.get(name)}


def hashed(html: str) -> str:
    """A short name of a piece of HTML, the same here and where the page is made."""
    import hashlib

    return hashlib.sha256(html.encode()).hexdigest()[:12]
