"""Chapter 05, live: the reader's own sentence, planted in a toy's text, and then asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2
from typing import TYPE_CHECKING, Any, cast

from gpt4lab.book.page import Raw, escape, table
from gpt4lab.charts import Axis
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.reading import Attempt, Reading
from gpt4lab.panels.training import LiveTraining, Training
from gpt4lab.panels.view import View
from gpt4lab.rows import Row
from gpt4lab.scenario import FIELDS, Scenario
from gpt4lab.scenario.field import Sentence

if TYPE_CHECKING:
    from gpt4lab.toys.core.background import BackgroundRun

READ = Axis("read", "Readings of the text", form="plain", domain=(0, 12))
COST = Axis("bits", "Bits a character", domain=(0, 8))
OWN, OTHERS = "your sentence", "its parts, shuffled"
STRANGER = log2(128)  # bits a character, to whoever finds all characters equally likely
MOST_STEPS = 2000
TYPED = "Begin a line yourself"
GIVEN = (4, 8, 16, 24)  # characters
TAKEN = cast(Sentence, FIELDS["heart.sentence"].choices)


def begin(scenario: Scenario) -> BackgroundRun[Any]:
    """Plant and train. Raises ImportError without torch."""
    from gpt4lab.toys.memorisation.planted import read

    heart = scenario.heart
    return read(heart.sentence, heart.planted, heart.readings, int(heart.width), most_steps=MOST_STEPS)


def own_view(scenario: Scenario, attempt: Attempt | None, before: Attempt | None) -> View:
    """What the sentence costs while it is learned, beside what was never planted."""
    seen = [row for row in list(attempt.run.history) if "own" in row] if attempt else []
    length = len(attempt.scenario.heart.sentence) if attempt else 1
    return View(
        label="Your sentence costs the toy",
        value=f"{seen[-1]['own']:.0f} bits of {STRANGER * length:.0f}" if seen else "–",
        sentence=_sentence(scenario, attempt, seen),
        rows={
            "data": [
                {"read": row["read"], "bits": row[key] / length, "line": name}
                for key, name in (("own", OWN), ("others", OTHERS))
                for row in (row for row in seen if key in row)
            ]
        },
        alt="Bits a character against readings of the text: your sentence, and the same parts in other orders.",
    )


def _sentence(scenario: Scenario, attempt: Attempt | None, seen: Sequence[Row]) -> str:
    if attempt is None:
        return "Nothing has trained yet. Write a sentence of your own, if you like. Press Run: it takes some seconds."
    if not seen:
        return "It begins to read."
    heart, last = attempt.scenario.heart, seen[-1]
    beside = f" Shuffled, never planted, it costs {last['others']:.0f} on the mean." if "others" in last else ""
    again = " The choices have changed since: press Run." if scenario.heart != heart else ""
    planted = f"Planted {heart.planted} times" if heart.planted else "Never planted"
    return (
        f"{planted}, read {last['read']:.1f} times: “{heart.sentence}” costs {last['own']:.0f} bits."
        f"{beside} Its exposure is {last['exposure']:.1f} bits.{again}"
    )


own = Training(
    title="Plant a sentence of your own",
    legend="Write a sentence that stands nowhere else, and say how often the toy shall meet it. It is put at random "
    "places of a text of 37,000 bytes, prose and code. The chart shows what each character of it costs the toy, while "
    "it reads; to a stranger it is 7 bits. The other line is the control: the same words in other orders, or the same "
    "letters where there are few words, which nobody planted. Both fall at first, as the toy learns what text looks "
    "like; where they part, it is your sentence that it knows. With 0 copies it is not planted at all.",
    controls=("heart.sentence", "heart.planted", "heart.readings", "heart.width"),
    presets={
        "As it is": "leak",
        "Two copies": {"heart.planted": 2},
        "Never planted": {"heart.planted": 0},
        "One word": {"heart.sentence": "Abracadabra", "heart.planted": 64},
    },
    claims=("C99",),
    begin=begin,
    watch=own_view,
    chart=lines_chart(READ, COST, series="line", order=[OWN, OTHERS], right=120),
)


def questioned(lab: LiveTraining) -> Reading:
    """Give the toy a beginning, and see how it goes on."""
    return lab.reading(
        title="Question it",
        legend="The toy goes on from a beginning with the likeliest character, again and again, to the line's end. "
        "Ask with the first letters of your sentence, with a common word, with a lie.",
        look=_look,
        view=answers_view,
        html_of=lambda view: str(view.text or ""),
        asks=TYPED,
        helps=f"{TAKEN.words}; the toy goes on from there",
    )


def _look(attempt: Attempt) -> dict[str, Any]:
    from gpt4lab.toys.core.transformer import snapshot

    return {"model": snapshot(attempt.run.result), "sentence": attempt.scenario.heart.sentence}


def answers_view(found: Mapping[str, Any], typed: str) -> View:
    """What the toy says to the beginnings of the sentence, and to the reader's."""
    sentence, fault = found["sentence"], TAKEN.fault(typed) if typed else ""
    starts = [sentence[:given] for given in GIVEN if given < len(sentence)] or [sentence[:1]]
    said = {start: continued(found, start) for start in [*starts, *([typed] if typed and not fault else [])]}
    first = next((start.strip() for start in starts if said[start] == sentence), "")
    told = f"From “{first}” on it knows your sentence: extracted." if first else "No beginning brings it back whole."
    if typed:
        told = f"{TYPED}: {fault}; {TAKEN.words}." if fault else f"To “{typed}” it says: “{said[typed]}”"
    goes_on = {
        start: Raw(f"{escape(start)}<strong>{escape(line[len(start) :])}</strong>") for start, line in said.items()
    }
    rows = [(start, goes_on[start], "yes" if line == sentence else "no") for start, line in said.items()]
    tables = table("How it goes on", ("Given", "It says", "Your sentence"), rows)
    return View("", "", "", told, {"data": []}, text=tables)


def continued(found: Mapping[str, Any], start: str) -> str:
    """The line that the toy makes of a beginning."""
    from gpt4lab.toys.memorisation.canaries import CONTEXT, recall

    return recall(found["model"], start, longest=CONTEXT - len(start))
