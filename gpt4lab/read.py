"""Lay the chapters out in a folder of the reader's, and open them in JupyterLab: `gpt4lab read`.

What a reader wrote is never written over. A chapter is known by what stands in its cells: one that is still as an older
edition brought it is replaced by this edition's; beside one that the reader has changed the newer is laid under a name
of its own, once. `.gpt4lab/editions.json` in the folder remembers which edition each chapter came from.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import attrs

from gpt4lab import __version__, place
from gpt4lab.units import counted

USUAL = Path("~/gpt4lab")
FIRST = "00_start_here.ipynb"
RECORD = Path(".gpt4lab", "editions.json")


class ReadError(ValueError):
    """Why the book cannot be laid out or opened, and what would work."""


@attrs.frozen
class Edition:
    """What a chapter was when it was laid out: the book's version, and a digest of what stood in its cells."""

    version: str
    digest: str


@attrs.frozen
class Delivery:
    """What was done to a folder: names of chapters, and of newer ones that lie beside the reader's."""

    folder: Path
    first: str
    added: Sequence[str] = ()
    renewed: Sequence[str] = ()
    beside: Mapping[str, str] = {}
    newer: Sequence[str] = ()

    def sentence(self) -> str:
        """All of it in one sentence."""
        done = [
            f"{counted(len(self.added), 'chapter')} laid out" if self.added else "",
            f"{counted(len(self.renewed), 'chapter')} brought to edition {__version__}" if self.renewed else "",
            f"yours kept, and the newer laid beside: {', '.join(self.beside.values())}" if self.beside else "",
            f"{counted(len(self.newer), 'chapter')} of a newer edition left as they are" if self.newer else "",
        ]
        return f"{self.folder}: {'; '.join(filter(None, done)) or 'all chapters are there'}."


# --- the folder -----------------------------------------------------------------------------------------------------


def shipped(kind: str) -> Path:
    """The book's own folder "notebooks" or "jupyter": in an installed package, else beside it. Raises ReadError."""
    inside, beside = Path(__file__).parent / "shipped" / kind, Path(__file__).parents[1] / kind
    found = next((folder for folder in (inside, beside) if folder.is_dir()), None)
    if found is None:
        raise ReadError(f"The chapters are not in this installation: “{place.ONE_LINE}” brings them.")
    return found


def lay_out(folder: Path) -> Delivery:
    """Bring a folder to this edition. Raises ReadError where it cannot be written; what the reader has stays."""
    try:
        folder = Path(os.path.abspath(_at_home(folder)))
        if folder.exists() and not folder.is_dir():
            raise ReadError(f"{folder} is a file: name a folder, for example “gpt4lab read {USUAL}”.")
        folder.mkdir(parents=True, exist_ok=True)
        return _lay_out(folder, sorted(shipped("notebooks").glob("*.ipynb")))
    except (OSError, RuntimeError) as error:  # RuntimeError: a ~ without a home
        why = getattr(error, "strerror", None) or error
        raise ReadError(
            f"The chapters cannot be laid out in {folder}: {why}. What was there is as it was; make room, "
            "or name another folder: “gpt4lab read FOLDER”."
        ) from error


def _at_home(folder: Path) -> Path:
    """A folder whose ~ is the reader's home. Raises RuntimeError where there is none: an empty HOME means the root."""
    if os.environ.get("HOME") == "" and folder.parts[:1] == ("~",):
        raise RuntimeError("there is no home folder")
    return folder.expanduser()


def _lay_out(folder: Path, chapters: Sequence[Path]) -> Delivery:
    known, names = _recorded(folder), dict[str, str]()
    done: dict[str, list[str]] = {"added": [], "renewed": [], "newer": [], "beside": []}
    try:
        for chapter in chapters:
            what, names[chapter.name] = _lay(chapter, folder, known)
            done.setdefault(what, []).append(chapter.name)
    finally:
        _remember(folder, known)
    beside = {name: names[name] for name in done["beside"]}
    return Delivery(folder, names[FIRST], done["added"], done["renewed"], beside, done["newer"])


def _lay(chapter: Path, folder: Path, known: dict[str, Edition]) -> tuple[str, str]:
    """Bring one chapter; what was done, and the name under which this edition lies."""
    name, own, before = chapter.name, folder / chapter.name, known.get(chapter.name)
    mine, new = digest(own), Edition(__version__, digest(chapter) or "")
    if before and mine is not None and _number(before.version) > _number(new.version):
        return "newer", name
    known[name] = new
    if mine is None or mine == new.digest:
        if mine is None:
            _copy(chapter, own)
        return "added" if mine is None else "there", name
    if before and mine == before.digest:
        _copy(chapter, own)
        return "renewed", name
    if before and new.digest == before.digest:
        return "there", name
    other = _beside(chapter, own, new)
    known[other] = new
    return "beside", other


def _beside(chapter: Path, own: Path, new: Edition) -> str:
    """Lay this edition under a free name, unless it lies there already; the name."""
    for number in range(1, 1000):
        other = own.with_name(f"{own.stem}-{new.version}{f'-{number}' if number > 1 else ''}{own.suffix}")
        if (found := digest(other)) in (None, new.digest):
            if found is None:
                _copy(chapter, other)
            return other.name
    raise ReadError(f"{own.parent} holds too many editions of {own.name}: move some of them elsewhere.")


def digest(file: Path) -> str | None:
    """What stands in the cells of a notebook, in short; of any other file, what it holds. None where there is none.

    How a program wrote the notebook (spaces, counts, its own notes) does not count: who only opens one changes nothing.
    """
    if not os.path.lexists(file):
        return None
    if not file.is_file():
        return ""
    raw = file.read_bytes()
    with suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raw = json.dumps([_written(cell) for cell in json.loads(raw)["cells"]], sort_keys=True).encode()
    return hashlib.sha256(raw).hexdigest()


def _written(cell: Mapping[str, Any]) -> list[Any]:
    outputs = [_joined({**output, "execution_count": None}) for output in cell.get("outputs", ())]
    return [cell["cell_type"], _joined(cell["source"]), outputs, _joined(cell.get("attachments", {}))]


def _joined(tree: Any) -> Any:
    """A text may be kept as a list of its lines."""
    if isinstance(tree, dict):
        return {key: _joined(value) for key, value in tree.items()}
    lines = isinstance(tree, list) and all(isinstance(line, str) for line in tree)
    return "".join(tree) if lines else tree


def _copy(chapter: Path, to: Path) -> None:
    """Whole, or not at all."""
    part = to.with_name(f".{to.name}.{os.getpid()}.part")
    try:
        shutil.copyfile(chapter, part)
        os.replace(part, to)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _number(version: str) -> list[int]:
    return [int("".join(filter(str.isdigit, part)) or 0) for part in version.split(".")[:3]]


def _recorded(folder: Path) -> dict[str, Edition]:
    """The editions that were laid out; what cannot be read counts as not known, and is then the reader's."""
    with suppress(OSError, ValueError, TypeError, AttributeError, RecursionError):
        kept = json.loads((folder / RECORD).read_text("utf-8"))
        return {name: Edition(str(one["version"]), str(one["digest"])) for name, one in kept.items()}
    return {}


def _remember(folder: Path, known: Mapping[str, Edition]) -> None:
    file = folder / RECORD
    text = json.dumps({name: attrs.asdict(edition) for name, edition in known.items()}, indent=1)
    if not file.exists() or file.read_text("utf-8", "replace") != text:
        file.parent.mkdir(exist_ok=True)
        part = file.with_name(f"{file.name}.{os.getpid()}.part")
        part.write_text(text, "utf-8")
        os.replace(part, file)


# --- JupyterLab -----------------------------------------------------------------------------------------------------


def start(laid: Delivery, options: Sequence[str]) -> int:
    """Run JupyterLab on the first chapter, with the book's settings, until the reader ends it."""
    from jupyterlab.labapp import main

    places = [str(shipped("jupyter")), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, places))
    for name in () if place.home() else ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        os.environ.setdefault(name, str(laid.folder / RECORD.parent / name.lower()))
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # a warning of the debugger, on some Pythons
    page = f"--LabApp.default_url=/lab/tree/{laid.first}"
    sys.argv = ["jupyter-lab", f"--ServerApp.root_dir={laid.folder}", page, *options]
    return main() or 0


def missing() -> str:
    """What cannot be opened here, in one sentence; "" where JupyterLab is installed."""
    return "" if find_spec("jupyterlab") else place.needs("jupyterlab", "The book opens in JupyterLab, and")


def dark() -> str:
    """What stays dark without torch; "" where it is installed."""
    return "" if find_spec("torch") else place.needs("torch", "What trains on the page", "; all else works")
