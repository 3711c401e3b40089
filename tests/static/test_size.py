"""How much each part of the package may weigh, in lines of Python with their docstrings.

To raise a number is a decision that somebody makes in a diff, with its reason.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "gpt4lab"
MOST = {
    #: Whatever is not named below. A thousand for one's own models, rules, one grammar and what is kept; another for
    #: what a verdict word means, published ranges, acceptance curves; 2,300 for the reader's side of the kit (openings,
    #: guesses, drawings, case file, cards, panels standing still). Seven hundred for sentences that can be touched,
    #: tours and exercises with code; a thousand for what seven more chapters read from the catalog and register,
    #: and three hundred for GPT-4's answers to 837 problems, with the curve through them and the checks of it. A
    #: hundred and fifty for a field that takes a sentence of the reader's own, and for months; two hundred and fifty
    #: for real traffic, batches and slots; as many for a thousand measured layouts and a board of blocks, and for what
    #: a reader moves in the verdict, and one's own last page. Four hundred for the one place that knows where the book
    #: runs, and for the command that lays it out for a reader; three hundred for the changelog of verdicts, the
    #: colophon, and the band of a panel. Six hundred for a class: answers in a file, exercises without a page, judged
    #: again, and boxes that Colab shows. A hundred for the words of the glossary, BibTeX, and pictures of a chapter's
    #: conflict. Sixty for what a band says of itself, and a search that works out once what stays;
    #: thirty for a start that does not wait, eighty for doors: where code is written, homes that refuse.
    "spine": 21_330,
    #: A pipeline drawn by hand; what a figure implies, and what a newer machine brings; stages that answer,
    #: cut by hand, queues, and clusters that fail.
    "models": 4_450,
    "verdict": 1_480,  # adjustment, rank, joint flips, draws, bands, strands: one small engine each
    #: A minute of traffic, loads and frontiers without arrays; a reader who schedules; a ring of stages, a failover;
    #: steps at measured rates, read off the model of answering.
    "simulate": 2_040,
    "distributed": 1_900,
    "toys/*": 650,
    "toys/engine": 720,  # the engine, and the real traffic that it serves
    "toys/vision": 990,  # eyes in two trainings, seven ways to make them, three sets of images, what was found
    "toys/core": 1_230,  # what the studies share
    "chapters/*": 650,
    "chapters/c02_experts": 1_380,  # two chapters' worth, as 09: not a precedent
    "chapters/c05_memory": 660,  # marks that are told apart by shape
    "chapters/c08_layout": 800,  # a schedule that is drawn by hand
    "chapters/c09_money": 1_322,  # a line each for the band of two panels
    "chapters/c11_cost": 815,  # a drawing, and one roofline for all that was claimed and measured
    "chapters/c16_clusters": 1_050,  # two drawings, one of them dragged, and five panels
    "chapters/c17_verdict": 930,  # two drawings of the network, strands that are dragged, draws, the reader's own page
    "chapters/c13_batching": 815,  # the reader as scheduler; steps at measured rates
    "chapters/c15_eyes": 800,  # a digit that is drawn by hand
    "chapters/c14_drafts": 800,  # what others measured, acceptance curves, and a drawing
}
#: Six chapters weighed 23,561 lines when their house was built. Since: every door to one number, all kinds of layers in
#: the models, prices of tokens, one's own model, what a reader keeps, a set-up that survives; verdict words that are
#: computed, four logs of failures, the reader's side: guesses with bands, drawings, a case file, cards.
#: Seven chapters on training: 650 lines each, and what they need of the spine.
#: The first on serving, with real traffic. The verdict: 1,300 lines of engines, and its chapter. Eyes: 1,350 in all.
TOGETHER = 51_100  # a thousand for stages, layouts and sites of the machines that answer; four hundred for reading;
#: five hundred for bands on every panel, strands that are dragged, what has changed and the colophon;
#: six hundred for a class; a hundred for what a band says of itself; a hundred for doors and a quick start
MOST_MODULES = 14
ONE_FILE_A_PREFIX = "quantities/topics"


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part(module: Path) -> str:
    """The part that a module belongs to: a folder of a folder in `toys` and `chapters`."""
    folder, *below = module.relative_to(PACKAGE).parts
    if f"{folder}/*" in MOST:
        return f"{folder}/{below[0]}" if len(below) > 1 else folder
    return folder if folder in MOST else "spine"


def lines() -> Counter[str]:
    counted: Counter[str] = Counter()
    for module in modules():
        counted[part(module)] += len(module.read_text("utf-8").splitlines())
    return counted


def most(name: str) -> int:
    return MOST.get(name) or MOST[f"{name.split('/', maxsplit=1)[0]}/*"]


def test_each_part_keeps_to_its_size() -> None:
    heavy = [
        f"{name}: {count:,} lines, at most {most(name):,}" for name, count in lines().items() if count > most(name)
    ]
    assert heavy == []


def test_no_part_is_named_that_is_gone() -> None:
    assert {name for name in MOST if "*" not in name} - set(lines()) == set()


def test_no_folder_is_a_bag() -> None:
    held = Counter(module.parent.relative_to(PACKAGE).as_posix() for module in modules())
    bags = [
        f"{folder}: {count} modules, at most {MOST_MODULES}" for folder, count in held.items() if count > MOST_MODULES
    ]
    assert [bag for bag in bags if not bag.startswith(ONE_FILE_A_PREFIX)] == []


def test_the_package_keeps_to_its_size() -> None:
    assert lines().total() <= TOGETHER
