"""Chapter 00: the whole ledger, judged anew at every move of a slider."""

from __future__ import annotations

from collections import Counter
from typing import Any

import attrs

from gpt4lab.chapters.c00_start.first import rent
from gpt4lab.charts import Axis, bars
from gpt4lab.claims import OPEN, VERDICTS, Result, audit, tally
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.scenario import Scenario, load_scenario

CLAIMS = Axis("claims", "Claims that arithmetic decides", domain=(0, 40))
_DECIDED = tuple(verdict for verdict in VERDICTS if verdict not in OPEN)


def ledger_view(scenario: Scenario) -> View:
    """How many claims have which verdict, and which changed sides."""
    here, post = audit(scenario), audit(load_scenario("leak"))
    count = tally(here)
    return View(
        label=f"Claims that hold alone, of {count.decided} that arithmetic decides",
        value=count.alone,
        unit="1",
        post=tally(post).alone,
        sentence=f"{count}. {_moved(post, here)}",
        rows={"data": _counts(here), "post": _named_once(_counts(post))},
        alt="Number of claims by verdict.",
    )


def _counts(results: list[Result]) -> list[dict[str, Any]]:
    """How many of those that arithmetic decides have each verdict: what the headline counts, and no others."""
    count = Counter(result.verdict for result in results if result.holds is not None)
    return [{"verdict": verdict.replace("-", " "), "claims": count[verdict]} for verdict in _DECIDED]


def _named_once(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Only the first diamond bears its name."""
    return [rows[0], *({**row, "label": ""} for row in rows[1:])]


def _moved(before: list[Result], after: list[Result]) -> str:
    """Which claims changed sides, by id."""
    pairs = [(old.claim.id, old.holds, new.holds) for old, new in zip(before, after, strict=True)]
    lost = [key for key, old, new in pairs if old and new is False]
    won = [key for key, old, new in pairs if new and old is False]
    unknown = [key for key, old, new in pairs if old is not None and new is None]
    if not lost and not won and not unknown:
        return "No claim changes sides: this is how the post stands by its own numbers."
    parts = [f"{len(lost)} no longer {_verb('hold', lost)} ({_list(lost)})"] if lost else []
    parts += [f"{len(won)} now {_verb('hold', won)} that did not ({_list(won)})"] if won else []
    asked = f"{len(unknown)} {_verb('ask', unknown)} for a number that is not known ({_list(unknown)})"
    parts += [asked] if unknown else []
    return "Against the post's own numbers " + " and ".join(parts) + "."


def _verb(word: str, ids: list[str]) -> str:
    return word + "s" * (len(ids) == 1)


def _list(ids: list[str], most: int = 12) -> str:
    return ", ".join(ids[:most]) + (" ..." if len(ids) > most else "")


def ledger_and_rent(scenario: Scenario) -> View:
    """The view of the ledger; its sentence ends in a number that the reader can bring to the post's own."""
    view = ledger_view(scenario)
    return attrs.evolve(view, sentence=f"{view.sentence} {rent(scenario)}")


whole_ledger = Panel(
    title="Move one assumption, judge the whole post",
    legend="Each bar counts the claims with one verdict under your assumptions; the diamond is the count under the "
    "post's own. The sliders change inputs that the post states; every claim is then computed again.",
    claims=("C27", "C29", "C33"),
    controls=(
        Slide("training.tokens", 1e12, 1e14),
        Slide("model.expert_params", 1e10, 1e12),
        Slide("model.top_k", 1, 16),
        Slide("cluster.gpus", 5_000, 100_000),
        "cluster.usd_per_gpu_hour",
        Slide("training.batch_tokens", 1e6, 1e9),
    ),
    folded=("model.experts", "model.shared_params", "model.layers", "training.mfu", "cluster.accelerator"),
    presets={
        "The post": "leak",
        "NVIDIA's 1.8T": "nvidia-proxy",
        "8 × 220B": "hotz-8x220b",
        "20,000 GPUs": "semianalysis-2024",
    },
    tour=(
        ({}, "As the post has it: {training.flop} of work, and {cluster.rental} of rent for {cluster.days}."),
        ({"training.tokens": 26e12}, "Twice the tokens are {training.flop}: every claim made from them falls at once."),
        (
            {"cluster.gpus": 50_000},
            "Twice the GPUs are {cluster.rental} of rent; other claims fall, made from the GPUs.",
        ),
    ),
    view=ledger_and_rent,
    chart=lambda view: bars(view.rows["data"], CLAIMS, "verdict", post=view.rows["post"]),
)
