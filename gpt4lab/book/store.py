"""Where a reader's way is kept: one JSON file on this machine, values by kind and key. `way.py` says what they are.

On a page of the web edition the file is a text in the storage of the browser (`gpt4lab.place.hand_over`).

Any number of notebooks may write at once: a change is made under a lock, to what the others have left, and the file is
replaced whole. What cannot be written is kept for the session, and `trouble()` says so; what cannot be read is set
aside as progress.json.broken and never written over.
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import attrs

from gpt4lab import place
from gpt4lab.place import Memory, state_folder

try:
    import fcntl

    _ = fcntl.flock
except (ImportError, AttributeError):  # Windows, or a browser, where something empty may stand in its place
    fcntl = None
try:
    import msvcrt
except ImportError:
    msvcrt = None

State = dict[str, Any]
T = TypeVar("T")

#: The edition of the file. A later edition may add kinds, and fields to a kind: this one carries them along unread.
SCHEMA = 3
NAME = "progress.json"
PATIENCE_S = 10.0  # how long to wait for another notebook that writes
TURN_S = 0.001  # how often to ask for the lock; whoever had it leaves time for three askers
BUSY = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
UNHURRIED = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)  # what a disk says that knows no fsync


@attrs.define
class Session:
    """What this kernel knows of one folder beyond its file: values not written, why, and where a broken file lies."""

    unwritten: State = attrs.field(factory=dict)
    why: str = ""
    aside: str = ""


Home = Path | Memory | None
_SESSIONS: dict[Home, Session] = {}
_THREADS = threading.RLock()


def folder() -> Path | None:
    """Where the file lies; None where it is a text in the storage of a browser, or nowhere."""
    home = _home()
    return home if isinstance(home, Path) else None


def _home() -> Home:
    memory = place.memory()  # which may be empty, and count as nothing
    return state_folder() if memory is None else memory


def recall(kind: str, key: str, default: Any = None) -> Any:
    """What was kept under `kind` and `key`: `recall("scenario", "mine")`."""
    return entries(kind).get(key, default)


def count(kind: str) -> int:
    """How many things are kept under `kind`."""
    return len(entries(kind))


def entries(kind: str) -> State:
    """All that is kept under `kind`, by key, whoever kept it."""
    with _THREADS:
        home = _home()
        try:
            state = _read(home)[0]
        except OSError:
            state = {}
        return section(_with(state, _session(home).unwritten), kind)


def keep(kind: str, key: str, value: Any) -> bool:
    """Keep a value. False where it is kept for this session only: `trouble()` says why."""
    return update(kind, key, lambda _: value)


def update(kind: str, key: str, change: Callable[[Any], Any]) -> bool:
    """Keep what `change` makes of the value kept (None where there is none); nobody else writes meanwhile."""
    return update_all(kind, lambda kept: {key: change(kept.get(key))})


def update_all(kind: str, change: Callable[[State], State]) -> bool:
    """The same for many values at once: `change` makes of all that is kept under `kind` what is to be kept anew."""
    with _THREADS:
        home = _home()
        session = _session(home)
        try:
            _update(home, session, kind, change)
        except OSError as error:
            session.unwritten.setdefault(kind, {}).update(change(entries(kind)))
            session.why = error.strerror or str(error)
            return False
        session.unwritten, session.why = {}, ""
        return True


def trouble() -> str:
    """What a reader should know of this memory, in a sentence or two; "" where all is well."""
    home = _home()
    session = _session(home)
    lines: list[str] = []
    if session.why:
        where = f"{home}: {session.why}" if isinstance(home, Path) else session.why
        lines.append(f"Your way is kept for this session only ({where}). To keep it, {place.how_to_keep()}.")
    if session.aside:
        lines.append(
            f"The file of your way was damaged: what could be read was taken over, and it lies in {session.aside}."
        )
    return " ".join(lines)


def _session(home: Home) -> Session:
    return _SESSIONS.setdefault(home, Session())


def _file(folder: Path) -> Path:
    return Path(os.path.realpath(folder / NAME))  # a link stays one


# --- one change, under the lock -----------------------------------------------------------------------------------


def _update(home: Home, session: Session, kind: str, change: Callable[[State], State]) -> None:
    """Read, change, write. Raises OSError where it cannot be written; what was there then stays as it was."""
    with _alone(home):
        found, damaged = _read_to_write(home)
        damaged = damaged or not all(isinstance(found.get(part, {}), dict) for part in (kind, *session.unwritten))
        state = _with(found, session.unwritten)
        kept = section(state, kind)
        state = {**state, kind: {**kept, **change(kept)}, "schema": _edition(found)}
        session.aside = _put(home, json.dumps(state, indent=1), damaged) or session.aside


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """Nobody else writes meanwhile; in a browser nothing else runs meanwhile."""
    if home is None:
        raise OSError("there is no home folder" if place.where() == "installed" else "this browser keeps nothing")
    if not isinstance(home, Path):
        yield
        return
    home.mkdir(parents=True, exist_ok=True)
    with _locked(_file(home).with_name("progress.lock")):
        yield


def _edition(state: State) -> int:
    there = state.get("schema")
    return max(there, SCHEMA) if isinstance(there, int) else SCHEMA


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One writer at a time, over all processes. Raises TimeoutError, an OSError, where another does not let go."""
    with open(path, "ab") as held:
        until = time.monotonic() + PATIENCE_S
        while not _lock(held.fileno()):
            if time.monotonic() > until:
                raise TimeoutError(errno.ETIMEDOUT, "another program holds its lock")
            time.sleep(TURN_S)
        try:
            yield
        finally:
            _unlock(held.fileno())
    time.sleep(3 * TURN_S)  # else the next thread of this process would always be the first


def _lock(handle: int) -> bool:
    """Whether the lock is ours now; also where there are none (a browser, some disks): threads are kept apart."""
    try:
        if fcntl:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif msvcrt:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # pyright: ignore
    except OSError as error:
        return error.errno not in BUSY
    return True


def _unlock(handle: int) -> None:
    with suppress(OSError):
        if fcntl:
            fcntl.flock(handle, fcntl.LOCK_UN)
        elif msvcrt:
            msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)  # pyright: ignore


# --- the file -------------------------------------------------------------------------------------------------------


def _read(home: Home) -> tuple[State, bool]:
    """What is kept, and whether it is damaged: a byte order mark, half a file, no table of kinds."""
    raw = _raw(home)
    if raw is None:
        return {}, False
    try:
        tree = json.loads(raw, parse_constant=lambda _: None)  # NaN is no JSON
    except (ValueError, RecursionError):
        return {}, True
    if not isinstance(tree, dict):
        return {}, True
    return tree, json.detect_encoding(raw) != "utf-8"


def _raw(home: Home) -> bytes | None:
    if not isinstance(home, Path):
        text = None if home is None else home.get(NAME)
        return None if text is None else text.encode("utf-8", "surrogatepass")
    try:
        return _patiently(_file(home).read_bytes)
    except FileNotFoundError:
        return None


def _read_to_write(home: Home) -> tuple[State, bool]:
    """The same, of what is to be written anew: what cannot be written again counts as damaged."""
    state, damaged = _read(home)
    try:
        json.dumps(state, indent=1)
    except (ValueError, RecursionError):
        return {}, True
    return state, damaged


def section(state: State, kind: str) -> State:
    """The table of a kind in a state; an empty one where there is none."""
    found = state.get(kind)
    return dict(found) if isinstance(found, dict) else {}


def _with(state: State, more: State) -> State:
    """A state with the values of another laid over it, by kind and key."""
    return {**state, **{kind: {**section(state, kind), **values} for kind, values in more.items()}}


def _put(home: Home, text: str, damaged: bool) -> str:
    """Keep a text in the place of what was there; that is set aside where it is damaged, under the name returned."""
    if isinstance(home, Path):
        return _replace(_file(home), text, damaged)
    if home is None:
        return ""
    aside = next(name for name in _names(NAME) if home.get(name) is None) if damaged else ""
    if aside:
        home.put(aside, home.get(NAME) or "")
    home.put(NAME, text)
    return aside


def _replace(file: Path, text: str, damaged: bool) -> str:
    """Put a text in the place of the file, whole or not at all; a damaged one is set aside, under the name returned."""
    beside = file.with_name(f"{file.name}.{os.getpid()}.new")
    aside = _unused(file) if damaged else None
    try:
        _write(beside, text)
        if aside:
            _patiently(lambda: os.replace(file, aside))
        _patiently(lambda: os.replace(beside, file))
    finally:
        _sweep(file, beside)
    return str(aside or "")


def _sweep(file: Path, beside: Path) -> None:
    """Take away what this write left, and what an hour ago a program left that was killed while it wrote."""
    with suppress(OSError):
        beside.unlink(missing_ok=True)
        for left in file.parent.glob(f"{file.name}.*.new"):
            if time.time() - left.stat().st_mtime > 3600:
                left.unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        try:
            os.fsync(out.fileno())  # a full disk may only tell now
        except OSError as error:
            if error.errno not in UNHURRIED:
                raise


def _unused(file: Path) -> Path:
    """progress.json.broken, or the first of its kind that is free."""
    return next(path for name in _names(file.name) if not os.path.lexists(path := file.with_name(name)))


def _names(name: str) -> Iterator[str]:
    return (f"{name}.broken{number or ''}" for number in itertools.count())


def _patiently(act: Callable[[], T]) -> T:
    """Windows lets nobody replace a file while another reads it, or the other way round: ask again."""
    for _ in range(20 if os.name == "nt" else 0):
        with suppress(PermissionError):
            return act()
        time.sleep(TURN_S)
    return act()
