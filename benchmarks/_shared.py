"""What the benchmarks share: a clock of CPU time, a race in turns, rows of the README's table, and the file of results.

CPU time, because the machine may be busy with other things; the shortest of some rounds where one program is timed,
since all others were disturbed; the median where several take turns, since a busy machine then slows all of them.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from gpt4lab.checks.check import Checks
from tools.results import HERE

CHUNK = 8192  # 64 KB an array: the few that are alive at a time stay in the core's cache
WARM_UP = 4  # rounds of a race that do not count


def cpu_seconds(call: Callable[[], object], calls: int = 1, rounds: int = 7) -> float:
    """CPU time of one call: the shortest of some rounds of so many calls each."""
    return min(timed(lambda: [call() for _ in range(calls)]) for _ in range(rounds)) / calls


def timed(call: Callable[[], object]) -> float:
    """CPU time of this one call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def turns(runners: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Median of the seconds that each contestant says it took; one round is a turn of each."""
    times: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(rounds + WARM_UP):
        for name, run in runners.items():
            times[name].append(run())
    return {name: median(found[WARM_UP:]) for name, found in times.items()}


def row(what: str, value: float, unit: str, bar: float | None = None, *, least: bool = False) -> dict[str, Any]:
    """One row: what, how much, and whether it keeps to the bar, the most that is allowed or the `least`."""
    met = None if bar is None else value >= bar if least else value <= bar
    return {"what": what, "value": value, "unit": unit, "bar": bar, "met": met}


def show(rows: list[dict[str, Any]]) -> None:
    """Print rows as a table."""
    for found in rows:
        bar = "" if found["bar"] is None else f"bar {found['bar']:g}, met: {found['met']}"
        print(f"{found['what']:<88}{found['value']:>14,.4g} {found['unit']:<18}{bar}", flush=True)


def error(what: str, checks: Checks, mean: float, largest: float | None = None) -> dict[str, Any]:
    """How far a table of checks is off, printed, and whether mean and largest error keep to their bars."""
    far, bars = summary(checks), {"bar": mean} | ({} if largest is None else {"bar_largest": largest})
    met = far["mean"] <= mean and (largest is None or far["largest"] <= largest)
    print("{}: {rows} rows, mean {mean:.1%}, largest {largest:.1%}, bar {:.1%}, met: {}".format(what, mean, met, **far))
    return {"what": what, **far, **bars, "met": met}


def summary(checks: Checks) -> dict[str, float]:
    """Rows, mean and largest error."""
    return {"rows": len(checks), "mean": checks.mean_error, "largest": checks.largest}


def draws(choices: Mapping[str, Sequence[float]], n: int, seed: int = 0) -> list[dict[str, Any]]:
    """n random configurations as chunks of columns, every choice of every dimension mixed with every other."""
    import numpy as np

    draw = np.random.default_rng(seed)
    sizes = [CHUNK] * (n // CHUNK) + [n % CHUNK] * (n % CHUNK > 0)
    return [{name: draw.choice(np.array(some, float), size) for name, some in choices.items()} for size in sizes]


def save(name: str, found: dict[str, Any], *packages: str) -> int:
    """Write what was found, with the date, the machine and the versions; the exit status, 1 if a bar is missed."""
    versions = {"python": platform.python_version(), **{package: version(package) for package in packages}}
    signed = {"date": date.today().isoformat(), "machine": this_machine(), "versions": versions, **found}
    HERE.mkdir(parents=True, exist_ok=True)
    (HERE / f"{name}.json").write_text(json.dumps(signed, indent=1) + "\n", encoding="utf-8")
    return int(misses(found))


def misses(found: Any) -> bool:
    """Whether anything in it says that a bar is not kept."""
    if isinstance(found, Mapping):
        return False in (found.get("met"), found.get("holds")) or misses([*found.values()])
    return isinstance(found, list) and any(map(misses, found))


def this_machine() -> str:
    """The processor's name, where the system says it, and how many there are."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{(names or [platform.processor() or platform.machine()])[0]}, {os.cpu_count()} processors"


def keep_freed_memory() -> None:
    """On glibc, stop returning freed blocks to the system: page faults would drown the differences."""
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        libc.mallopt(-1, (1 << 31) - 1)  # M_TRIM_THRESHOLD
