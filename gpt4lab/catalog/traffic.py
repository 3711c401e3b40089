"""Ten minutes of what two services of Azure were asked: when, how long the prompt, how long the answer.

From `references["patel2024"]`, under CC-BY 4.0: the first ten of the sixty minutes of the LLM inference trace of
November 2023 (AzurePublicDataset, as of 20 October 2025), of a service for conversation and one for code, times from
the first request on. No text was published, and no model is named.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple

#: Services, as the file names them.
SERVICES = ("conversation", "code")
SECONDS = 600  # of the trace


class TracedRequest(NamedTuple):
    """One request: seconds after the first of its service, tokens of the prompt and of the answer."""

    arrival_s: float
    prompt: int
    output: int


class Hour(NamedTuple):
    """The whole trace: its requests, the mean of their answers in tokens, and the longest of 256 over that mean."""

    requests: int
    mean_output: float
    longest_over_mean: float


#: Worked out from the sixty minutes, which are not in the book.
HOURS = {"conversation": Hour(19_366, 211.1, 3.71), "code": Hour(8_819, 27.9, 22.0)}


@cache
def traced(service: str) -> tuple[TracedRequest, ...]:
    """All requests of a service, in order of arrival. Raises KeyError for a service that is not in the file."""
    return _services()[service]


@cache
def per_s(service: str) -> float:
    """Requests a second, on average over the ten minutes."""
    return len(traced(service)) / SECONDS


@cache
def _services() -> dict[str, tuple[TracedRequest, ...]]:
    import csv

    text = files("gpt4lab.catalog").joinpath("azure_requests.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    return {
        service: tuple(
            TracedRequest(int(row["ms"]) / 1000, int(row["prompt_tokens"]), int(row["output_tokens"]))
            for row in rows
            if row["service"] == service
        )
        for service in SERVICES
    }
