"""Chapter 10: what its sentences say in words that no brace computes."""

from __future__ import annotations

import pytest

from gpt4lab import value
from gpt4lab.chapters.c10_chinchilla import lab, needle, optimum, sweep
from gpt4lab.scenario import change, load_scenario
from gpt4lab.scenario.live import ORDERS
from tests.unit.chapters.assume import LEAK, assume


def test_three_needles_point_at_the_post_and_two_are_published() -> None:
    low, high = needle.claimed()
    near = [
        (n.law, counts)
        for n in needle.needles(LEAK)
        for counts in ("active", "all")
        if low <= getattr(n, counts) <= high
    ]
    assert near == [("Hoffmann", "active"), ("Besiroglu", "all"), ("fitted here", "all")]


def test_by_what_a_token_meets_only_the_papers_own_fit_wants_more() -> None:
    assert {n.law for n in needle.needles(LEAK) if n.active > 1} == {"Hoffmann", "Hoffmann, rounded"}


@pytest.mark.parametrize(
    ("dropped", "words"),
    [
        (0, "saw 1.9 times more than was best"),
        (3, "1.6 times the tokens would"),
        (5, "sentence holds"),
        (20, "5.5 times the tokens"),
    ],
)
def test_the_word_flips_as_points_are_dropped(dropped: int, words: str) -> None:
    scenario = assume(chinchilla__counts="all", chinchilla__dropped=dropped)
    assert words in lab.points.view(scenario).sentence


def test_the_first_four_points_are_the_same_in_all_orders() -> None:
    out = [lab.left_out(lab.choice_in(assume(chinchilla__dropped=4, chinchilla__order=order))) for order in ORDERS]
    assert out[0] == out[1] == out[2] == {1, 2, 3, 4}


def test_a_pressed_point_leaves_and_comes_back() -> None:
    once = change(LEAK, lab.pressing(LEAK, "point-17"))
    twice = change(once, lab.pressing(once, "point-4"))
    assert twice.chinchilla.without == "4 17"
    assert change(twice, lab.pressing(twice, "point-17")).chinchilla.without == "4"


def test_a_press_in_the_drawing_is_heard() -> None:
    live = lab.points.widget(assume(chinchilla__dropped=0, chinchilla__counts="all"))
    live.chart.pressed = ["point-1", 1]
    assert live.controls["chinchilla.without"].value == "1"
    assert live.scenario.chinchilla.without == "1"
    live.controls["chinchilla.without"].value = "none of these"
    assert "is no such number; allowed: whole numbers from 1 to 245" in live.controls["chinchilla.without"].error


def test_the_band_at_epochs_choice_reaches_from_enough_to_four_times() -> None:
    size, stated = value("chinchilla.size", assume(chinchilla__counts="all")), LEAK.training.tokens
    low, high = (end / stated for end in lab.band(lab.choice_in(LEAK), size, lab.DRAWS))
    assert low < 1
    assert high > 4


def test_the_posts_marks_stay_while_the_reader_moves() -> None:
    moved = assume(model__experts=4, training__tokens=2e12)
    assert optimum.optimum.view(moved).rows["post"] == optimum.optimum.view(LEAK).rows["post"]


def test_answers_as_many_as_tokens_make_the_stated_model_about_the_best() -> None:
    assert value("chinchilla.lifetime_saving", LEAK) == pytest.approx(1, abs=0.01)


def test_on_the_toy_each_way_lies_outside_the_others_band() -> None:
    pytest.importorskip("scipy")
    valleys, law = sweep.exponents_view().rows["data"][:2]
    assert not valleys["low"] <= law["a"] <= valleys["high"]
    assert not law["low"] <= valleys["a"] <= law["high"]


def test_the_other_panels_begin_where_their_words_say() -> None:
    start = load_scenario(sweep.parabola.start)
    assert value("chinchilla.parabola_off", start) == pytest.approx(1, abs=0.05)
    assert sweep.sweep.view(LEAK).value == 120
