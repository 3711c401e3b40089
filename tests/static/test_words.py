"""One meaning a word: a class has one home, and so have the types of rows and arrays. A unit is said once."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpt4lab.claims.prose import fill
from gpt4lab.scenario import ScenarioError

#: The records of a scenario are named as the paths of their fields: `training.mfu` is of `Training`.
GROUPS = "gpt4lab/scenario/records.py"
TYPES = {"Row", "Rows", "Num", "Floats", "Ints"}


def defined(file: Path) -> Iterator[str]:
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        if isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name) and target.id in TYPES)


def test_a_class_has_one_home(root: Path) -> None:
    homes = defaultdict(list)
    for file in sorted((root / "gpt4lab").rglob("*.py")):
        place = file.relative_to(root).as_posix()
        for name in defined(file) if place != GROUPS else ():
            homes[name].append(place)
    assert {name: places for name, places in homes.items() if len(places) > 1} == {}
    assert len(homes) > 100


#: A filled-in number of a thing that is counted, between the marks that `units` sets: "‹277 billion parameters›".
UNIT = re.compile(r"‹[^‹›]*?\d(?: [mbtr]+illion)?( (?![mbtr]+illion)(?:GPU|[a-z]{3,}?)[a-z -]*?)s?›")


def sentences(text: str) -> Iterator[str]:
    """Sentences of a chapter's text: cells, rows and lines of a list apart; tables left out."""
    for part in re.split(r'\n\s*\n|"""|```|\n(?=[-|])', text):
        if not part.lstrip().startswith("|"):
            yield from re.split(r"(?<=[.:;!?])\**\s+", part)


def units(sentence: str) -> list[str]:
    """The units in words that its filled-in numbers bring with them; one that neighbours share is there once."""
    try:
        return UNIT.findall(fill(sentence, written=lambda amount, _: f"‹{amount}›"))
    except ScenarioError:  # the sentence has names of the code around it, too
        return []


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("It meets {model.active_params} that work, of {model.total_params}.", [" parameter", " parameter"]),
        ("It meets {model.active_params} out of {model.total_params}.", [" parameter"]),
        ("On {cluster.gpus} it costs {training.cost} and takes {decode.latency}.", [" GPU"]),
    ],
)
def test_units_are_found(sentence: str, found: list[str]) -> None:
    assert units(sentence) == found


def test_no_sentence_of_a_chapter_says_a_unit_twice(root: Path) -> None:
    texts = sorted((root / "notebooks/text").glob("*.md"))
    all_ = [sentence for text in texts for sentence in sentences(text.read_text("utf-8"))]
    assert [s for s in all_ if max(Counter(units(s)).values(), default=0) > 1] == []
    assert sum(bool(units(s)) for s in all_) > 40


def test_a_sum_of_dollars_is_no_formula(root: Path) -> None:
    """A page typesets what stands between two dollar signs: before a brace that is filled in, no stroke helps."""
    texts = sorted((root / "notebooks" / "text").glob("*.md"))
    assert texts
    assert {file.name: found for file in texts if (found := re.findall(r"\$\{.*", file.read_text("utf-8")))} == {}
