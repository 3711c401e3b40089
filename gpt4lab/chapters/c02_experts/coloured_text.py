"""Chapter 02, live: text in the colours of the experts that read it, each also by its letter and its underline."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from gpt4lab.chapters.c02_experts.readings import LAYERS, ONE_EXPERT, corpus, letter, one_expert
from gpt4lab.panels.reading import Attempt, Reading
from gpt4lab.panels.training import LiveTraining
from gpt4lab.panels.view import View

COLOURS = ("blue", "orange", "green", "purple", "sky", "vermillion")
LINES = ("solid", "dashed", "dotted", "double")
PIECE, LONG = 180, 2000  # bytes of each domain that are shown, and that the habits are counted on
SHOWN = {" ": "␣", "\n": "⏎", "\t": "⇥"}


def coloured_text(lab: LiveTraining) -> Reading:
    """Text in the colours of the experts: held-out prose and code, and what the model writes itself."""
    return lab.reading(
        title="Which expert reads which byte",
        legend="Above each stretch of text stands the letter of the expert that was the first choice for these bytes; "
        "colour and underline repeat it. The prose and the code were not trained on.",
        look=_coloured,
        view=coloured_view,
        html_of=coloured_html,
        choices=LAYERS,
        asks="Router of",
    )


def _coloured(attempt: Attempt) -> dict[int, dict[str, Any]]:
    from gpt4lab.toys.experts import looks as experts

    if one_expert(attempt):
        return {}
    model, texts = attempt.run.result, _pieces(attempt)
    long = "\n".join(_held_out(LONG).values())
    return {
        layer: {
            "texts": {name: experts.coloured_text(model, text, layer) for name, text in texts.items()},
            "habits": habits(experts.coloured_text(model, long, layer)),
        }
        for layer in LAYERS
    }


def _held_out(length: int) -> dict[str, str]:
    from gpt4lab.toys.core.corpus import decode

    return {domain: decode(text[:length]) for domain, text in corpus().held_out.items()}


def _pieces(attempt: Attempt) -> dict[str, str]:
    """A piece of each domain; and when the training is over, text of the model's own."""
    from gpt4lab.toys.core.transformer import sample

    texts = {f"{domain}, held out": text for domain, text in _held_out(PIECE).items()}
    if attempt.run.state != "running":
        texts["written by the model"] = sample(attempt.run.result, "The ", PIECE, seed=attempt.scenario.luck.seed)
    return texts


def habits(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each expert its share of the first choices and the characters that it gets most, busiest first."""
    by_expert: dict[int, Counter[str]] = {}
    for row in rows:
        by_expert.setdefault(row["expert"], Counter())[row["text"]] += 1
    total = sum(count.total() for count in by_expert.values())
    found = [
        {"expert": e, "share": count.total() / total, "most": [c for c, _ in count.most_common(5)]}
        for e, count in by_expert.items()
    ]
    return sorted(found, key=lambda row: -row["share"])


def coloured_view(findings: Mapping[int, Any], layer: int) -> View:
    """The stretches of one layer, ready to be written."""
    if not findings:
        return View("", "", "", ONE_EXPERT, {"data": [], "habits": []})
    found = findings[layer]
    stretches = [
        {"source": name, "expert": e, "text": "".join(row["text"] for row in run)}
        for name, rows in found["texts"].items()
        for e, run in groupby(rows, key=lambda row: row["expert"])
    ]
    top = found["habits"][0]
    sentence = (
        f"In {LAYERS[layer]} expert {letter(top['expert'])} is the first choice for {top['share']:.0%} of the bytes, "
        f"most often {_characters(top['most'])}."
    )
    return View("", "", "", sentence, {"data": stretches, "habits": found["habits"]})


def coloured_html(view: View) -> str:
    """Text with a letter above each stretch, and the legend: what each expert gets."""
    parts = [_piece(name, list(rows)) for name, rows in groupby(view.rows["data"], key=lambda row: row["source"])]
    items = "".join(f"<li>{_habit(row)}</li>" for row in view.rows.get("habits", ()))
    look = "columns: 15rem; list-style: none; padding: 0; font-size: 13px"
    return "".join(parts) + (f'<ul aria-label="What each expert gets" style="{look}">{items}</ul>' if items else "")


def _piece(name: str, rows: list[Mapping[str, Any]]) -> str:
    look = "font-family: var(--jp-code-font-family, monospace); font-size: 14px; line-height: 2.3; margin: 0 0 1rem"
    body = "".join(_stretch(row["text"], row["expert"]) for row in rows)
    return f'<p class="g4l-legend" style="margin:0">{html.escape(name)}</p><p style="{look}">{body}</p>'


def _stretch(text: str, expert: int) -> str:
    shown = html.escape(text).replace("\n", "⏎<br>").replace(" ", "&nbsp;<wbr>")
    return f'<ruby style="{_look(expert)}">{shown}<rt style="font-size: 9px">{letter(expert)}</rt></ruby>'


def _look(expert: int) -> str:
    colour, underline = f"var(--g4l-{COLOURS[expert % 6]})", LINES[expert // 6 % 4]
    return f"background: color-mix(in srgb, {colour} 22%, transparent); border-bottom: 2px {underline} {colour}"


def _habit(row: Mapping[str, Any]) -> str:
    name = f'<span style="{_look(row["expert"])}"><strong>{letter(row["expert"])}</strong></span>'
    return f"{name} {row['share']:.0%}, most often {html.escape(_characters(row['most']))}"


def _characters(found: Iterable[str]) -> str:
    return " ".join(SHOWN.get(character, character) for character in found)
