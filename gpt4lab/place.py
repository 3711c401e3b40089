"""Where the book runs, what is missing there, how to get it, and where a reader's way is kept: each message asks here.

installed: the Python of a machine. page: the web edition, whose Python runs in the browser, in a worker. lite: the
chapters as notebooks in a browser (JupyterLite). A page hands over its memory before a chapter runs:

    from gpt4lab import place
    place.hand_over(memory)   # memory.get(name) -> str | None;  memory.put(name, text), OSError where it cannot be kept

`name` is that of a file ("progress.json"), `text` all that it holds. `get` answers with what the browser's storage
holds now, also what another tab has put there; the book asks before each change. To say what a page will say while it
is being built, GPT4LAB_PLACE names the place.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Literal, Protocol, cast, get_args

import platformdirs

Where = Literal["installed", "page", "lite"]
DRIVE = Path("/drive")  # of JupyterLite: what lies there outlives the page
ONE_LINE = 'pip install "gpt4lab[lab]"'
WHOLE = 'pip install "gpt4lab[lab,live]"'
IN_ONE_RUN = 'uvx --torch-backend cpu --from "gpt4lab[lab,live]" gpt4lab read'
IN_ONE_RUN_DARK = 'uvx --from "gpt4lab[lab]" gpt4lab read'
CPU_TORCH = "https://download.pytorch.org/whl/cpu"
EXTRAS = {"jupyterlab": "lab", "numpy": "lab", "torch": "live", "joblib": "live", "scipy": "live", "sklearn": "live"}
CALLED = {"sklearn": "scikit-learn", "vl_convert": "vl-convert-python"}  # what is imported: what is installed


class Memory(Protocol):
    """What a page keeps for its reader: texts by name."""

    def get(self, name: str) -> str | None:
        """The text of this name; None where nothing is kept."""
        ...

    def put(self, name: str, text: str) -> None:
        """Keep a text in the place of the one before. Raises OSError where it cannot be kept."""
        ...


_MEMORY: list[Memory] = []


def where() -> Where:
    """The place where this book runs."""
    if (named := os.environ.get("GPT4LAB_PLACE")) in get_args(Where):
        return cast("Where", named)
    if sys.platform != "emscripten":
        return "installed"
    return "lite" if "pyodide_kernel" in sys.modules else "page"


def cloned() -> Path | None:
    """The book's own folder, where the package lies in it; None where it was installed as a wheel."""
    folder = Path(__file__).parents[1]
    return folder if (folder / "book.py").is_file() else None


# --- what is missing ------------------------------------------------------------------------------------------------


def needs(package: str, who: str = "This", besides: str = "") -> str:
    """That a package is missing here, what works nevertheless, and in one sentence how to get it."""
    missing = "which is not installed here" if where() == "installed" else "which the browser's Python does not have"
    return f"{who} needs {CALLED.get(package, package)}, {missing}{besides}. {how_to_get(package)}"


def how_to_get(package: str) -> str:
    """One sentence: what to type for a package that is missing here."""
    if where() != "installed":
        return f"The installed book has it: “{WHOLE}”, then “gpt4lab read”."
    if package not in EXTRAS:
        return f"“pip install {CALLED.get(package, package)}” brings it."
    if cloned():
        return "“python3 book.py setup” says how to get it."
    live, made_by = EXTRAS[package] == "live", {*Path(sys.prefix).parts}
    wheels = f" --extra-index-url {CPU_TORCH}" if live and sys.platform == "linux" else ""
    if {"uv", "archive-v0"} & made_by:  # made by uvx for one run: nothing can be added to it
        return f"“{IN_ONE_RUN if live else IN_ONE_RUN_DARK}” brings it."
    if "pipx" in made_by:
        extras, how = ("lab,live" if live else "lab"), f' --pip-args="{wheels.strip()}"' if wheels else ""
        return f'“pipx run{how} --spec "gpt4lab[{extras}]" gpt4lab read” brings it.'
    return f'“pip install "gpt4lab[{EXTRAS[package]}]"{wheels}” brings it.'


def how_to_code() -> str:
    """Where an answer in code is written and what checks it; where that is not to be had, what has it."""
    if where() != "installed":
        return f"Code is checked in a process of its own, which the browser's Python does not have. {how_to_get('')}"
    if "VOILA_KERNEL_ID" in os.environ:
        return f"Code is written in a cell, and Voila shows none. To answer it, open the book: “{how_to_open()}”."
    return "Write it in the cell below, then run that cell (Shift+Enter). It is checked in a process of its own."


def how_to_open() -> str:
    """What to type to open the book with everything that a reader needs."""
    return "python3 book.py lab" if where() == "installed" and cloned() else "gpt4lab read"


# --- what is kept ---------------------------------------------------------------------------------------------------


def hand_over(memory: Memory | None) -> None:
    """Keep the reader's way in this memory from now on; None for the folder again."""
    _MEMORY[:] = [] if memory is None else [memory]


def memory() -> Memory | None:
    """The memory that a page has handed over."""
    return _MEMORY[0] if _MEMORY else None


def state_folder() -> Path | None:
    """The variable GPT4LAB_STATE, or the usual place for a program's state; None where there is none."""
    if wanted := os.environ.get("GPT4LAB_STATE"):
        return Path(os.path.abspath(os.path.expanduser(wanted)))
    if sys.platform == "emscripten":
        return DRIVE / ".gpt4lab" if where() == "lite" and DRIVE.is_dir() else None
    if os.environ.get("HOME") == "":
        return None
    try:
        usual = Path(platformdirs.user_state_dir("gpt4lab"))
    except RuntimeError:  # no home; an older platformdirs says "~/.local" then, which would be a folder named ~
        return None
    return usual if usual.is_absolute() else None


def home() -> Path | None:
    """The reader's home, where programs may write; None where there is none, as in some containers."""
    with suppress(OSError, RuntimeError):
        found = Path.home()
        with TemporaryFile(dir=found):
            return found if os.environ.get("HOME") != "" else None
    return None


def where_kept() -> str:
    """The place of the reader's way, in words."""
    if memory() is not None:
        return "the storage of this browser"
    return str(state_folder() or ("no home folder" if where() == "installed" else "this session"))


def how_to_keep() -> str:
    """What helps where nothing is kept."""
    if where() == "installed":
        return "set GPT4LAB_STATE to a folder that can be written"
    return "let this browser store data for this page"
