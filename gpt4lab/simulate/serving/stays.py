"""What each slot did, read off the stays of requests: for drawings and the chart `timeline`. No arrays here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import Any

from gpt4lab.simulate.serving.batching import Stay
from gpt4lab.simulate.serving.pace import ROUNDING

#: What a slot is busy with. A prompt is done again after its request was thrown out; padding waits for the gang.
PROMPT, ANSWER, AGAIN, PADDING = KINDS = ("prompt", "answer", "prompt again", "padding")


def timeline(stays: Sequence[Stay], until_s: float = math.inf) -> list[dict[str, Any]]:
    """Rows of slot, start_s, end_s, kind (see `KINDS`) and request, slot by slot."""
    seen: set[int] = set()
    rows = []
    for slot, stay in placed([stay for stay in stays if stay.start_s < until_s]):
        parts = _parts(stay, AGAIN if stay.request in seen else PROMPT)
        seen.add(stay.request)
        rows += [
            {"slot": slot, "start_s": start, "end_s": min(end, until_s), "kind": kind, "request": stay.request}
            for start, end, kind in parts
            if end > start and start < until_s
        ]
    return sorted(rows, key=lambda row: (row["slot"], row["start_s"]))


def placed(stays: Sequence[Stay]) -> Iterator[tuple[int, Stay]]:
    """Yield the stays in order of entry, each with its slot, from 1: the lowest that was free."""
    busy: list[tuple[float, int]] = []
    free: list[int] = []
    for stay in sorted(stays, key=lambda stay: (stay.start_s, stay.request)):
        while busy and busy[0][0] <= stay.start_s + ROUNDING:
            heappush(free, heappop(busy)[1])
        slot = heappop(free) if free else len(busy) + 1
        heappush(busy, (stay.left_s, slot))
        yield slot, stay


def _parts(stay: Stay, prompt: str) -> list[tuple[float, float, str]]:
    return [
        (stay.start_s, stay.answering_s, prompt),
        (stay.answering_s, stay.end_s, ANSWER),
        (stay.end_s, stay.left_s, PADDING),
    ]
