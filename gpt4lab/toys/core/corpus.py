"""Text for the toys, from the Python installation alone: English prose and Python code, as bytes.

Prose is the language reference in `pydoc_data.topics` and the docstrings of the standard library; code is the same
library with its docstrings cut out. The split into train and held-out goes by whole files, so that no held-out sentence
was seen in training. The text depends on the Python version only; `Corpus.python` says which.
"""

from __future__ import annotations

import ast
import os
import sys
import sysconfig
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

DOMAINS = ("prose", "code")
VOCABULARY = 128  # ASCII bytes; any other character becomes "?"
BYTES_PER_DOMAIN = 300_000
LONGEST_FILE_BYTES = 16_000  # a longer file is cut here, so that a domain has many files
FEWEST_BYTES = 20_000  # more than the first file: the second is held out
LIBRARY = ". asyncio collections concurrent/futures email http importlib json logging multiprocessing unittest urllib "
FOLDERS = (LIBRARY + "xml/dom xml/etree").split()
FORMAT = 1  # change this when the recipe changes: old caches are then ignored

Texts = dict[str, Tensor]  # domain -> (bytes,) uint8


@dataclass(frozen=True)
class Batch:
    """Tokens to read, tokens to predict (both (batch, time)), and the index into `DOMAINS` of each row (batch,)."""

    tokens: Tensor
    targets: Tensor
    domains: Tensor


Sampler = Callable[[torch.Generator], Batch]


@dataclass(frozen=True, repr=False)
class Corpus:
    """Train and held-out bytes of each domain."""

    train: Texts
    held_out: Texts
    python: str

    def batch(self, rows: int, context: int, generator: torch.Generator, split: str = "train") -> Batch:
        """Random windows of `context` bytes; the domains take turns row by row."""
        texts = self.train if split == "train" else self.held_out
        domains = torch.arange(rows) % len(DOMAINS)
        windows = torch.stack([_window(texts[DOMAINS[d]], context + 1, generator) for d in domains.tolist()]).long()
        return Batch(windows[:, :-1], windows[:, 1:], domains)

    def sampler(self, rows: int = 16, context: int = 128, split: str = "train") -> Sampler:
        """What `training.train` wants: a function from a random generator to the next batch."""
        return lambda generator: self.batch(rows, context, generator, split)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{d} {len(self.train[d]):,} + {len(self.held_out[d]):,} bytes" for d in DOMAINS)
        return f"Corpus({sizes}; train + held-out; Python {self.python})"


def encode(text: str) -> Tensor:
    """Text to tokens, (bytes,) uint8."""
    return torch.frombuffer(bytearray(text.encode("ascii", "replace")), dtype=torch.uint8)


def decode(tokens: Tensor) -> str:
    """Tokens to text."""
    return bytes(tokens.tolist()).decode("ascii", "replace")


def character_type(token: int) -> str:
    """The kind of one byte, for the question whether experts specialise by it."""
    char = chr(token)
    if char.isspace():
        return "white space"
    if char.isalpha():
        return "capital" if char.isupper() else "small letter"
    return "digit" if char.isdigit() else "punctuation"


@cache
def load_corpus(bytes_per_domain: int = BYTES_PER_DOMAIN) -> Corpus:
    """Build the corpus, or read it from the user's cache folder; without a writable folder it stays in memory.

    Raises ValueError for fewer bytes than two files can have: then nothing would be held out.
    """
    if bytes_per_domain < FEWEST_BYTES:
        raise ValueError(f"bytes_per_domain = {bytes_per_domain:,}; allowed: {FEWEST_BYTES:,} bytes or more.")
    python = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    path = _cache_folder() / f"corpus-{FORMAT}-{python}-{bytes_per_domain}.pt"
    saved = _read(path)
    if saved is None:
        saved = _build(bytes_per_domain)
        _save(saved, path)
    return Corpus(saved["train"], saved["held_out"], python)


def _window(text: Tensor, length: int, generator: torch.Generator) -> Tensor:
    start = int(torch.randint(len(text) - length + 1, (1,), generator=generator))
    return text[start : start + length]


def _cache_folder() -> Path:
    """The user's folder for caches; without a home the one for what may be thrown away."""
    usual = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or os.path.expanduser("~/.cache")
    return Path(usual if os.path.isabs(usual) else tempfile.gettempdir()) / "gpt4lab"


def _read(path: Path) -> dict[str, Texts] | None:
    """The texts kept, or None: absent, cut short, of another torch or another edition; they are made again then."""
    try:
        saved = torch.load(path, weights_only=True)
        texts = [saved[part][domain] for part in ("train", "held_out") for domain in DOMAINS]
        whole = all(text.dtype == torch.uint8 and text.dim() == 1 and text.max() < VOCABULARY for text in texts)
    except Exception:
        return None
    return saved if whole else None


def _save(saved: dict[str, Texts], path: Path) -> None:
    unfinished = path.with_suffix(f".{os.getpid()}")
    with suppress(OSError, RuntimeError):  # torch says RuntimeError of a full disk
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(saved, unfinished)
        unfinished.replace(path)
    with suppress(OSError):
        unfinished.unlink(missing_ok=True)


def _build(bytes_per_domain: int) -> dict[str, Texts]:
    files = {"prose": _prose, "code": _code}
    parts = {domain: _split(files[domain](), bytes_per_domain) for domain in DOMAINS}
    return {"train": {d: parts[d][0] for d in DOMAINS}, "held_out": {d: parts[d][1] for d in DOMAINS}}


def _split(files: Iterator[str], size: int) -> tuple[Tensor, Tensor]:
    """Every eighth file is held out, until both together have `size` bytes."""
    train, held_out = "", ""
    for i, text in enumerate(files):
        part = text.strip()[:LONGEST_FILE_BYTES] + "\n\n"
        train, held_out = (train, held_out + part) if i % 8 == 1 else (train + part, held_out)
        if len(train) + len(held_out) >= size:
            break
    if not held_out:
        raise RuntimeError("This Python has no readable standard library (*.py files): the toys have no text to learn.")
    return encode(train), encode(held_out)


def _prose() -> Iterator[str]:
    """Language reference topics and modules' docstrings, taking turns."""
    topics, docstrings = _topics(), ("\n\n".join(docs) for _, docs in map(_take_apart, _sources()))
    long_enough = (text for text in docstrings if len(text) > 2_000)
    for text in long_enough:
        yield from topics[:1]
        topics = topics[1:]
        yield text


def _topics() -> list[str]:
    try:
        from pydoc_data.topics import topics
    except ImportError:  # some slim installations leave it out
        return []
    long_enough = {text for text in topics.values() if len(text) > 2_000}
    return sorted(long_enough, key=lambda text: zlib.crc32(text.encode()))


def _code() -> Iterator[str]:
    return (code for code, _ in map(_take_apart, _sources()) if len(code) > 2_000)


@cache
def _sources() -> tuple[str, ...]:
    """The standard library's files, in an order that looks random and is always the same."""
    root = Path(sysconfig.get_paths()["stdlib"])
    paths = [path for folder in FOLDERS for path in (root / folder).glob("*.py")]
    paths.sort(key=lambda path: zlib.crc32(path.relative_to(root).as_posix().encode()))
    return tuple(path.read_text(encoding="utf-8", errors="replace") for path in paths)


@cache
def _take_apart(source: str) -> tuple[str, list[str]]:
    """One file as its code without docstrings, and its docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, documented)]
    docs = [node.body[0] for node in nodes if ast.get_docstring(node, clean=False)]
    cut = {line for doc in docs for line in range(doc.lineno, (doc.end_lineno or doc.lineno) + 1)}
    code = "\n".join(text for line, text in enumerate(source.splitlines(), 1) if line not in cut)
    texts = (ast.get_docstring(node) for node in nodes)
    return code, [text for text in texts if text]
