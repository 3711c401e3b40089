"""What the recorded study of eyes found, beside Flamingo's own ablations. Needs no torch."""

from __future__ import annotations

from functools import cache
from statistics import mean, stdev

from gpt4lab import catalog
from gpt4lab.rows import Row
from gpt4lab.scenario.live import SWITCHES
from gpt4lab.toys.core.recordings import load_recorded

AS_IT_IS, *CHANGED = SWITCHES
#: The same changes in Flamingo's own table.
PUBLISHED: dict[str, str] = dict(
    zip(SWITCHES, ("whole", "no-gate", "learns", "learns", "scratch", "every-2nd", "every-4th"), strict=True)
)


@cache
def recorded() -> list[Row]:
    """The rows of the recorded study."""
    return load_recorded("vision")["results"]


def last(switch: str) -> list[Row]:
    """What each seed found at the end."""
    return [row for row in recorded() if row["switch"] == switch and row["step"] == row["steps"]]


def along(switch: str, seed: int = 0) -> list[Row]:
    """What one seed found on the way, before the first step included."""
    return [row for row in recorded() if row["switch"] == switch and row["seed"] == seed]


def changes(switch: str, of: str) -> list[float]:
    """Seed by seed, against the whole recipe on the same language model: points (of 100), or bits a byte."""
    scale = 1 if of == "text" else 100
    return [scale * (row[of] - whole[of]) for row, whole in zip(last(switch), last(AS_IT_IS), strict=True)]


def published(switch: str, of: str = "overall_score") -> float:
    """What Flamingo-3B found with the same change: its overall score, or its seconds a step (`step_s`)."""
    return catalog.measurements[f"flamingo-ablation-{PUBLISHED[switch]}"].measured[of]


def published_change(switch: str) -> float:
    """What Flamingo's overall score changed by, in points."""
    return published(switch) - published(AS_IT_IS)


def sign(found: list[float]) -> str:
    """Up or down, if all seeds agree and their mean is further from 0 than one deviation; else no clear sign."""
    if abs(mean(found)) <= stdev(found) or not (min(found) > 0 or max(found) < 0):
        return "no clear sign"
    return "up" if mean(found) > 0 else "down"


def agrees(found: list[float], theirs: float) -> str:
    """Whether ours moved as theirs did."""
    ours = sign(found)
    if ours == "no clear sign":
        return ours
    return "same sign" if (ours == "up") == (theirs > 0) else "other sign"


def spread(found: list[float], form: str = ".0f", signed: str = "+") -> str:
    """Mean and one deviation, in words."""
    return f"{mean(found):{signed}{form}} ± {stdev(found):{form}}".replace("-", "−")
