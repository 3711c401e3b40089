"""Chapter 02, live: the bytes of a text that one expert reads, lit up."""

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

PIECE, LONG = 180, 2000  # bytes of each domain that are shown, and that the habits are counted on
SHOWN = {" ": "␣", "\n": "⏎", "\t": "⇥"}


def coloured_text(lab: LiveTraining) -> Reading:
    """Which bytes each expert reads: of held-out prose and code, and of what the model writes itself."""
    return lab.reading(
        title="Which expert reads which byte",
        legend="Choose an expert below the text, or point at it: the bytes for which it was the first choice light up. "
        "The prose and the code were not trained on.",
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
    """The text, and the experts to choose from with what each gets. It starts with the expert of the spaces."""
    found = view.rows.get("habits", ())
    lit: Any = next((row for row in found if row["most"][0] == " "), next(iter(found), None))
    sources = groupby(view.rows["data"], key=lambda row: row["source"])
    parts = [_piece(name, list(rows), lit["expert"]) for name, rows in sources]
    items = "".join(_habit(row, row is lit) for row in found)
    listed = f'<div role="radiogroup" aria-label="Expert whose bytes light up">{items}</div>' if items else ""
    return f'<div class="g4l-bytes">{"".join(parts)}{listed}</div>'


def _piece(name: str, rows: list[Mapping[str, Any]], lit: int) -> str:
    body = "".join(_stretch(row["text"], row["expert"], lit) for row in rows)
    return f'<p class="g4l-legend">{html.escape(name)}</p><p class="g4l-typed">{body}</p>'


def _stretch(text: str, expert: int, lit: int) -> str:
    """What page.js lights when its expert is chosen, or pointed at."""
    shown = html.escape(text).replace("\n", "⏎<br>").replace(" ", "␣<wbr>")
    return f'<span class="g4l-of-{expert}{" g4l-lit" * (expert == lit)}">{shown}</span>'


def _habit(row: Mapping[str, Any], chosen: bool) -> str:
    e, most = row["expert"], html.escape(_characters(row["most"]))
    button = f'<input type="radio" name="g4l-expert" value="{e}"{" checked" * chosen}>'
    return f"<label>{button} <strong>{letter(e)}</strong> {row['share']:.0%}, most often {most}</label>"


def _characters(found: Iterable[str]) -> str:
    return " ".join(SHOWN.get(character, character) for character in found)
