"""Read-only tables of facts, parsed from TOML on first use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from importlib.resources import files
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class CatalogError(Exception):
    """Something is wrong with a catalog file: the message names file, entry and key."""


class UnknownName(KeyError):
    """No such entry. The message lists near matches; it is a `KeyError`, so `in` and `get` work."""

    def __str__(self) -> str:
        """Plain message (`KeyError` would print it quoted and escaped)."""
        return str(self.args[0])


class MissingFact(CatalogError):
    """A number that nobody has published was asked for: it is missing, never zero."""


def normal(name: str) -> str:
    """One spelling for a slug and a display name: `"A100 SXM 80GB"` -> `"a100-sxm-80gb"`."""
    return re.sub(r"[^a-z0-9.]+", "-", name.casefold()).strip("-")


class Table(Mapping[str, T], Generic[T]):
    """A mapping slug -> record, in the order of its TOML file.

    Parameters
    ----------
    file : name of the TOML file beside this module, without its ending.
    build : makes the record of one entry from its slug and its parsed TOML table.
    """

    def __init__(self, file: str, build: Callable[[str, dict[str, Any]], T]) -> None:
        self._file = file
        self._build = build

    @cached_property
    def _entries(self) -> dict[str, T]:
        return {slug: self._build(slug, entry) for slug, entry in self._read().items()}

    def _read(self) -> dict[str, Any]:
        import tomllib  # paid for on first use, not on import

        return tomllib.loads(files("gpt4lab.catalog").joinpath(f"{self._file}.toml").read_text("utf-8"))

    @cached_property
    def _slugs(self) -> dict[str, str]:
        """Every accepted spelling -> slug; the display name counts as a spelling."""
        names = {normal(getattr(entry, "name", slug)): slug for slug, entry in self._entries.items()}
        return names | {normal(slug): slug for slug in self._entries}

    def __getitem__(self, name: str) -> T:
        """Look up by slug or display name, whatever the case.

        Raises
        ------
        UnknownName : with the nearest names.
        """
        try:
            return self._entries[self._slugs[normal(name)]]
        except KeyError:
            raise UnknownName(self._unknown(name)) from None

    def place(self, name: str) -> tuple[str, int]:
        """File and line where an entry begins."""
        file = files("gpt4lab.catalog").joinpath(f"{self._file}.toml")
        slug = self._slugs[normal(name)]
        lines = file.read_text("utf-8").splitlines()
        return str(file), next(n for n, line in enumerate(lines, 1) if line.strip('[]"') == slug)

    def _unknown(self, name: str) -> str:
        import difflib  # only mistakes pay for it

        near = [spelling for spelling in self._slugs if normal(name) in spelling]
        near += difflib.get_close_matches(normal(name), self._slugs, n=5, cutoff=0.6)
        slugs = list(dict.fromkeys(self._slugs[spelling] for spelling in near))
        some = slugs[:5] or [*self._entries][:10]
        return f"{self._file} has no {name[:60]!r}; {'near matches' if slugs else 'for example'}: {', '.join(some)}"

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<catalog table {self._file}: {len(self)} entries>"
