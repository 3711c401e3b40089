"""Bytes between processes, counted twice: from torch's collectives, and by the operating system.

`Traffic` watches torch's dispatcher, through which every collective goes on its way to the network, and notes the size
of its tensors. It is torch's `CommDebugMode` without the book-keeping by module (which breaks when a pipeline calls a
module once a micro-batch), and with sizes and sends. What a collective costs on a ring comes from `formulas.traffic`.
The operating system's count knows none of this: it is what gloo really wrote to its sockets.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.distributed_c10d import ProcessGroup, _resolve_process_group  # pyright: ignore
from torch.distributed.tensor import DTensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from gpt4lab.formulas.traffic import ring_share

#: torch has several operators for one collective: what their names begin with.
KINDS = {
    "allreduce": "all-reduce",
    "all_reduce": "all-reduce",
    "_allgather": "all-gather",
    "allgather": "all-gather",
    "all_gather": "all-gather",
    "_reduce_scatter": "reduce-scatter",
    "reduce_scatter": "reduce-scatter",
    "broadcast": "broadcast",
    "alltoall": "all-to-all",
    "all_to_all": "all-to-all",
    "send": "send",
}
REDUCTIONS = {"sum", "avg", "product", "min", "max"}
COUNTERS = Path("/proc/self/io")  # Linux only


class Call(NamedTuple):
    """One collective as this rank saw it: the whole tensor, and what this rank sends of it on a ring.

    The root of a broadcast sends more than the others: the mean over the ranks is counted.
    """

    kind: str
    payload_bytes: float
    sent_bytes: float


class Traffic(TorchDispatchMode):
    """Counts what runs inside `with Traffic() as traffic`: `calls`, and `wire_bytes` (None where nobody counts)."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.wire_bytes: float | None = None

    def __enter__(self) -> Traffic:
        super().__enter__()
        self._written = _written_bytes()
        return self

    def __exit__(self, *error: Any) -> None:
        written = _written_bytes()
        if written is not None and self._written is not None:
            self.wire_bytes = written - self._written
        super().__exit__(*error)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run it and note it. NotImplemented lets a DTensor go first: it comes back as plain collectives."""
        if any(issubclass(kind, DTensor) for kind in types):
            return NotImplemented
        out = func(*args, **(kwargs or {}))
        kind = _kind(func)
        if kind:
            self.calls.append(_call(kind, [*args, *(kwargs or {}).values()], out))
        return out


def sent_bytes(calls: Iterable[Call], kind: str) -> float:
    """Bytes that this rank sends in all collectives of one kind."""
    return sum(call.sent_bytes for call in calls if call.kind == kind)


def _written_bytes() -> int | None:
    """All bytes that this process has written, to sockets and files."""
    if not COUNTERS.exists():
        return None
    fields = dict(line.split(": ") for line in COUNTERS.read_text().splitlines())
    return int(fields["wchar"])


def _kind(func: Any) -> str:
    if getattr(func, "namespace", "") not in {"c10d", "_c10d_functional"}:
        return ""
    name = func._overloadpacket.__name__
    return next((kind for start, kind in KINDS.items() if name.startswith(start)), "")


def _call(kind: str, args: list[Any], out: Any) -> Call:
    """The payload is the larger side: the whole tensor, where the other holds only a rank's part of it."""
    sides = [nbytes for side in (*args, out) if (nbytes := _nbytes(side))]
    group = next((g for g in map(_group, args) if g is not None), dist.group.WORLD)
    assert group is not None
    if kind == "all-to-all":
        given = [nbytes for side in args if (nbytes := _nbytes(side))][-1:]  # the output stands before the input
        return Call(kind, sum(given), sum(given) * _away(args, group))
    times = {"send": 1, "all-reduce": 2 * ring_share(group.size())}.get(kind, ring_share(group.size()))
    return Call(kind, max(sides), times * max(sides))


def _nbytes(side: Any) -> int:
    return sum(leaf.nbytes for leaf in tree_leaves(side) if isinstance(leaf, Tensor))


def _group(value: Any) -> ProcessGroup | None:
    """The process group that an operator was given: by name, or wrapped for the C++ side."""
    if isinstance(value, str) and value not in REDUCTIONS:
        return _resolve_process_group(value)  # pyright: ignore
    if isinstance(value, torch.ScriptObject) and "ProcessGroup" in str(value._type()):  # pyright: ignore
        return ProcessGroup.unbox(value)
    return None


def _away(args: list[Any], group: ProcessGroup) -> float:
    """Share of an all-to-all's input that goes to other ranks; without a list of splits all parts are equal."""
    splits = [value for value in args if isinstance(value, list) and value and isinstance(value[0], int)]
    if not splits:
        return ring_share(group.size())
    rows = splits[-1]  # of the input; the list before it is that of the output
    return 1 - rows[group.rank()] / max(1, sum(rows))
