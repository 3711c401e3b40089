"""Chapter 02, live: what the experts of the trained toy do. Each function puts one look into the model on the page.

The looks run in the training thread between two steps, so they see the model while it learns; see `training.Reading`.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import ascii_letters, digits
from typing import Any

from gpt4lab.charts import Axis, heat
from gpt4lab.checks.check import Check, Checks
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.reading import Attempt, Reading
from gpt4lab.panels.training import LiveTraining
from gpt4lab.panels.view import View

LETTERS = ascii_letters[26:] + ascii_letters[:26] + digits + "+/"  # a name of one letter for each of 64 experts
ONE_EXPERT = "This model has one expert: there is nothing to route. Train one with several."
LAYERS = {0: "the first layer", 1: "the second layer"}


def letter(expert: int) -> str:
    """The name of an expert in one letter."""
    return LETTERS[expert]


def one_expert(attempt: Attempt) -> bool:
    """Whether there is nothing to route."""
    return attempt.scenario.mixture.experts == 1


def corpus() -> Any:
    """The text of the toy."""
    from gpt4lab.toys.core.corpus import load_corpus

    return load_corpus()


# --- who gets how much --------------------------------------------------------------------------------


def router_map(lab: LiveTraining) -> Reading:
    """Heat map: the load of each expert in each layer."""
    return lab.reading(
        title="The router's heat map",
        legend="One cell an expert: its share of the choices on text that the model was not trained on, in even "
        "shares. 1.0 is what a perfectly balanced router would give to each; under 0.1 an expert counts as dead.",
        look=_load,
        view=load_view,
        chart=load_chart,
    )


def _load(attempt: Attempt) -> list[dict[str, Any]]:
    from gpt4lab.toys.experts.looks import load_rows

    return [] if one_expert(attempt) else load_rows(attempt.run.result, corpus())


def load_view(rows: list[dict[str, Any]], _: Any = None) -> View:
    """The loads with names for layers and experts."""
    cells = [{**row, "layer": f"layer {row['layer'] + 1}", "expert": letter(row["expert"])} for row in rows]
    return View("Load", "", "", _load_sentence(rows), {"data": cells}, alt="Load of each expert in each layer.")


def _load_sentence(rows: list[dict[str, Any]]) -> str:
    from gpt4lab.toys.experts.looks import dead_experts

    if not rows:
        return ONE_EXPERT
    loads = [row["times_even"] for row in rows]
    dead = dead_experts(rows)
    return (
        f"{dead or 'None'} of the {len(rows)} experts {'are' if dead > 1 else 'is'} dead. The busiest does "
        f"{max(loads):.1f} times its even share of the work, the idlest {min(loads):.2f} times."
    )


def load_chart(view: View) -> Any:
    """Layers down, experts across, the more load the more ink."""
    load = Axis("times_even", "Load, in even shares", domain=(0, 2.5))
    return heat(view.rows["data"], "expert", "layer", load, x_title="Expert", numbers=".1f")


# --- by topic, by kind of character -------------------------------------------------------------------


def domain_table(lab: LiveTraining) -> Reading:
    """Expert by domain and by kind of character, with the mutual information of both."""
    return lab.reading(
        title="Topics or kinds of character?",
        legend="Each line is a sort of text and adds up to 100%: which expert is the first choice of its bytes. If "
        "experts were specialists for a topic, the lines “prose” and “code” would differ. Mutual information says "
        "how much the expert of a byte tells about it: 0 bits is nothing, 1 bit settles a question of two answers.",
        look=_table,
        view=table_view,
        chart=table_chart,
        choices=LAYERS,
        asks="Router of",
    )


def _table(attempt: Attempt) -> dict[str, list[dict[str, Any]]]:
    from gpt4lab.toys.experts import looks as experts

    if one_expert(attempt):
        return {"shares": [], "bits": []}
    model, texts = attempt.run.result, corpus()
    shares = [
        {"layer": row["layer"], "expert": row["expert"], "group": row[by], "share": row["share"]}
        for by in ("domain", "character")
        for row in experts.expert_table(model, texts, by)
    ]
    return {"shares": shares, "bits": experts.specialisation(model, texts)}


def table_view(findings: Mapping[str, list[dict[str, Any]]], layer: int) -> View:
    """The table of one layer."""
    rows = [{**row, "expert": letter(row["expert"])} for row in findings["shares"] if row["layer"] == layer]
    bits = {row["by"]: row["bits"] for row in findings["bits"] if row["layer"] == layer}
    sentence = ONE_EXPERT
    if rows:
        sentence = (
            f"In {LAYERS[layer]} the expert of a byte tells {bits['character']:.2f} bits about the kind of "
            f"character, and {bits['domain']:.2f} bits about whether the text is prose or code."
        )
    return View("", "", "", sentence, {"data": rows}, alt="Share of each sort of text that goes to each expert.")


def table_chart(view: View) -> Any:
    """Sorts of text down, experts across."""
    groups = ["prose", "code", "small letter", "capital", "digit", "punctuation", "white space"]
    share = Axis("share", "Share of the line", form="percent", domain=(0, 0.5))
    return heat(view.rows["data"], "expert", "group", share, y_order=groups, x_title="Expert", numbers=".0%", cell=36)


# --- measured against the formula ---------------------------------------------------------------------

EVEN, SKEWED, ONE_TEXT = "formula, even", "formula, this load", "measured, one text"


def touched_measured(lab: LiveTraining) -> Reading:
    """Experts touched by a batch: the formula, the formula with the real load, and two measurements."""
    return lab.reading(
        title="The formula against the real router",
        legend="Squares: bytes from all over the held-out text, as a server mixes its users. The formula with even "
        "load is the chapter's; with this load each expert has its own chance. The last line takes bytes in a row "
        "from one text.",
        look=touched_rows,
        view=touched_view,
        chart=lines_chart(
            x=Axis("tokens", "Bytes in a step", log=True, form="count", domain=(1, 64)),
            y=Axis("touched", "Experts touched", form="percent", domain=(0, 1.05)),
            series="what",
            order=[EVEN, SKEWED, ONE_TEXT],
            right=140,
            measured=[],
        ),
    )


def touched_rows(attempt: Attempt) -> list[dict[str, Any]]:
    """Predicted and measured shares by batch size; none for a model with one expert."""
    from gpt4lab.toys.experts import looks as experts

    return [] if one_expert(attempt) else experts.touched_rows(attempt.run.result, corpus())


def touched_view(found: list[dict[str, Any]], _: Any = None) -> View:
    """Lines for the formulas and for one text, squares for the mixed batch."""
    names = {EVEN: "even", SKEWED: "skewed", ONE_TEXT: "one_text"}
    curves = [
        {"tokens": row["tokens"], "touched": row[key], "what": name} for row in found for name, key in names.items()
    ]
    squares = [{"tokens": row["tokens"], "touched": row["mixed"], "label": ""} for row in found]
    alt = "Share of experts touched against bytes in a step: two formulas and two measurements."
    return View(sentence=_touched_sentence(found), rows={"data": curves, "measured": squares}, alt=alt)


def _touched_sentence(found: list[dict[str, Any]]) -> str:
    if not found:
        return ONE_EXPERT
    row = next(row for row in found if row["tokens"] == 32)
    return (
        f"At 32 bytes the even formula says {row['even']:.1%}. This router wakes {row['mixed']:.1%} with bytes from "
        f"everywhere, {row['mixed'] / row['even']:.2f} times that, and {row['one_text']:.1%} with bytes of one text."
    )


def router_checks(attempt: Attempt) -> Checks:
    """What the chapter's cross-check compares, once a run has ended: touched experts, and the time of a step."""
    from gpt4lab.toys.experts.looks import step_check

    if one_expert(attempt) or attempt.run.state == "running":
        return Checks()
    rows = {row["tokens"]: row for row in touched_rows(attempt)}
    few, many = rows[8], rows[32]
    touched = {
        "Experts touched by 8 bytes, even load": (few["even"], few["mixed"]),
        "Experts touched by 32 bytes, even load": (many["even"], many["mixed"]),
        "The same 32 bytes, this router's load": (many["skewed"], many["mixed"]),
        "32 bytes in a row of one text, even load": (many["even"], many["one_text"]),
    }
    checks = (Check(what, *both, "fraction", "the model trained above") for what, both in touched.items())
    return Checks((*checks, step_check(attempt.run.result.config, corpus())))
