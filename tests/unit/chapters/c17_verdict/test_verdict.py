"""The verdict's chapter: what the generic tests cannot know."""

from __future__ import annotations

import itertools

import pytest

from gpt4lab.book.case import Case, Signature
from gpt4lab.chapters.c17_verdict import doubt, evidence, network, own, since
from gpt4lab.chapters.c17_verdict.by_hand import by_hand
from gpt4lab.claims import ledger
from gpt4lab.claims.ledger import VERDICTS
from gpt4lab.scenario import Scenario, change, load_scenario
from gpt4lab.verdict.adjust import modes
from gpt4lab.verdict.network import COUNTED, FREE, PINNED, numbers
from gpt4lab.verdict.strands import COUNTINGS, questions, weighed

LEAK = load_scenario("leak")


def signed(*pairs: tuple[str, str, str]) -> list[Signature]:
    return [Signature(key, yours, ours, 0.7, True) for key, yours, ours in pairs]


def test_what_is_solved_by_hand_comes_out() -> None:
    for check in by_hand():
        assert check.ratio == pytest.approx(1, abs=0.02), check.what


@pytest.mark.parametrize("place", range(1, len(numbers()) + 1))
def test_a_number_that_is_pressed_goes_round(place: int) -> None:
    path, here = list(numbers())[place - 1], LEAK
    seen = [modes(here)[path]]
    for _ in range(3):
        here = change(here, network.pressing(here, f"press-{place}"))
        seen.append(modes(here)[path])
    assert seen[0] == seen[3]
    assert set(seen) == {COUNTED, PINNED, FREE}
    assert here == LEAK
    for letter, mode in {"P": PINNED, "F": FREE, "C": COUNTED}.items():
        assert modes(change(LEAK, network.pressing(LEAK, f"press-{place} {letter}")))[path] == mode


def test_what_is_struck_out_comes_back() -> None:
    there = change(LEAK, network.strike(LEAK, "press-5"))
    assert there.adjust.deleted == "5"
    assert change(there, network.strike(there, "press-5")) == LEAK


def test_an_item_that_is_pressed_goes_round_all_strands() -> None:
    here, seen = LEAK, set[float]()
    for _ in range(7):
        here = change(here, evidence.pressing(here, "item-10"))
        seen.add(round(evidence.evidence_view(here).value, 6))
    assert here == LEAK
    assert len(seen) > 1


@pytest.mark.parametrize("question", ["sixteen experts", "1.8 trillion parameters"])
@pytest.mark.parametrize("counting", COUNTINGS)
def test_what_is_dragged_onto_another_is_one_witness(question: str, counting: str) -> None:
    """Strands and items in any direction, under every way to count: they share a strand then, and it can be undone."""
    start = change(LEAK, {"strands.question": question, "strands.counting": counting})
    keys = [
        shape.key for shape in evidence.evidence_view(start).scenes[0].shapes if "drag" in getattr(shape, "look", "")
    ]
    for taken, onto in (*itertools.pairwise(keys), *zip(keys, keys[-3:] + keys, strict=False)):
        if taken == onto:
            continue
        here = change(start, evidence.pressing(start, f"{taken} >{onto}"))
        strands = weighed(here).strands
        ids = [set(of(start, taken)), set(of(start, onto))]
        assert any(all(one & {item.number for item in strand.items} for one in ids) for strand in strands)
        assert sum(len(strand.items) for strand in strands) == len(questions()[question][1])
        for heading in [f"strand-{strand.name}" for strand in strands]:
            here = change(here, evidence.pressing(here, heading))
        assert here == start


def of(scenario: Scenario, key: str) -> list[int]:
    """The items of a shape."""
    kind, _, name = key.partition("-")
    found = {strand.name: [item.number for item in strand.items] for strand in weighed(scenario).strands}
    return [int(name)] if kind == "item" else found[name]


def test_the_keyboard_joins_what_stands_above_and_below() -> None:
    names = [strand.name for strand in weighed(LEAK).strands]
    for at, name in enumerate(names):
        for letter, there in (("U", at - 1), ("D", at + 1)):
            by_key = evidence.pressing(LEAK, f"strand-{name} {letter}")
            wanted = evidence.pressing(LEAK, f"strand-{name} >strand-{names[there]}") if 0 <= there < len(names) else {}
            assert by_key == wanted


def test_every_number_of_a_drawing_is_brief() -> None:
    for one in numbers().values():
        words = network.brief(one.value(LEAK), one.unit)
        assert len(words) <= 9
        assert words[0] in "$0123456789"


def test_flips_are_told_for_all_that_arithmetic_decides() -> None:
    page = doubt.all_flips().data
    assert all((f"<td>{claim.id}</td>" in page) == claim.checkable for claim in ledger().values())


def test_a_correction_says_what_was_signed_and_no_more() -> None:
    three = (
        ("C12", "unit-error", "unit-error"),
        ("C56", "not-checkable", "not-checkable"),
        ("C02", "consistent", "consistent"),
    )
    text = own.correction(signed(*three))
    assert ledger()["C12"].quoted in text
    assert "560 GFLOP per token" in text
    assert "Nobody outside OpenAI" in text
    assert "1 statement agrees" in text
    assert ledger()["C33"].quote not in text
    nothing = own.correction([])
    assert nothing.startswith("CORRECTION")
    assert "We repeated" not in nothing


def test_chance_draws_from_our_own_mix() -> None:
    shares = own.mix()
    assert sum(shares.values()) == pytest.approx(1)
    all_fail = signed(("C12", "opinion", "unit-error"), ("C13", "opinion", "unit-error"))
    assert own.by_chance(all_fail) == pytest.approx(shares["fails"])


@pytest.mark.parametrize("word", [word for word in VERDICTS if word not in ("no-claim", "not-known")])
def test_the_page_says_something_of_every_word(word: str) -> None:
    assert own.correction(signed(("C33", word, "consistent-with-assumption")))


def test_an_empty_case_is_told_so() -> None:
    assert own.NONE_YET in own.summary(Case({}, {}, {}, {}))


def test_what_came_after_is_after_and_in_order() -> None:
    released = [row["released"] for row in since.mixtures()]
    assert released == sorted(released)
    assert released[0] > str(since.POSTED)
    assert [row["from"] for row in since.tokens()] == sorted(row["from"] for row in since.tokens())
