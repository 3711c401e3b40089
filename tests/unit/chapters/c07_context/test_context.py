"""Chapter 07: the hands, the cliff that means hide, and the bill."""

from __future__ import annotations

from math import inf, log, pi

import pytest

from gpt4lab.book.chapter import chapters
from gpt4lab.catalog.stretched import stretched_models
from gpt4lab.chapters.c07_context import bill, cliff, drawing
from gpt4lab.formulas.rotary import WAYS, bent, frequencies, gain, leaving, unseen
from gpt4lab.quantities import value
from gpt4lab.scenario import change, load_scenario

LEAK = load_scenario("leak")
WIDTH, SHORT = 128, 8192


def lost(way: str, times: float = 4) -> int:
    return sum(unseen(bent(way, times, SHORT, WIDTH), times * SHORT, WIDTH, SHORT))


def test_unbent_the_unfinished_hands_leave_what_they_saw() -> None:
    assert lost("none") == value("context.unfinished", LEAK) == sum(SHORT * t < 2 * pi for t in frequencies(WIDTH))


def test_interpolation_and_yarn_keep_all_hands_in_and_ntk_does_not() -> None:
    assert (lost("interpolation"), lost("YaRN")) == (0, 0)
    assert 0 < lost("NTK") < lost("none")


@pytest.mark.parametrize("way", WAYS)
def test_without_a_stretch_nothing_is_bent(way: str) -> None:
    assert bent(way, 1, SHORT, WIDTH) == frequencies(WIDTH)
    assert gain(way, 1) == 1


def test_yarn_leaves_the_quick_slows_the_slow_in_full_and_goes_down_between() -> None:
    ratios = [a / b for a, b in zip(bent("YaRN", 4, SHORT, WIDTH), frequencies(WIDTH), strict=True)]
    assert ratios == sorted(ratios, reverse=True)
    assert (ratios[0], ratios[-1]) == pytest.approx((1, 1 / 4))
    assert gain("YaRN", 4) == pytest.approx(0.1 * log(4) + 1)
    assert gain("NTK", 4) == 1


def test_within_the_trained_context_no_hand_is_new() -> None:
    scenes = drawing.clocks.view(LEAK).scenes
    new = [sum(row["new"] == "yes" for row in scene.rows) for scene in scenes]
    assert new[:3] == [0, 0, 0]
    assert new[4] > 0


def test_the_losses_by_position_give_the_published_means_again() -> None:
    for model in stretched_models():
        total, before = 0.0, 0
        for (_, loss), context in zip(model.by_position(), model.perplexity, strict=True):
            total, before = total + loss * (context - before), context
            assert total / context == pytest.approx(log(model.perplexity[context]))


def test_every_model_that_falls_falls_where_it_ends() -> None:
    models = stretched_models()
    falls = {model.name: model.falls() for model in models}
    assert len(models) == len(cliff.table()) == 16
    assert all(1 < found < 1.4 for found in falls.values() if found)
    assert [name for name, found in falls.items() if not found and "128k" not in name] == [
        "Yarn-Llama-2-70b-32k", "MistralLite", "CodeLlama-13b-hf", "CodeLlama-7b-hf",
    ]  # fmt: skip


def test_the_toy_begins_to_fall_in_the_same_place() -> None:
    inside = [row for row in cliff.toy_points() if 0.25 < row["at"] < 1]  # the first bytes have little to go by
    behind = [row for row in cliff.toy_points() if row["at"] > 1.25]
    assert min(row["low"] for row in behind) > max(row["high"] for row in inside)


def test_the_bill_is_that_of_the_tokens_at_their_length() -> None:
    assert value("context.dearer", LEAK, {"model.long_context": LEAK.model.context}) == pytest.approx(1)
    assert value("context.long_from_start_cost", LEAK, {"model.long_context": LEAK.model.context}) == pytest.approx(0)
    even = value("context.long_from_start_cost", LEAK) / value("context.extension_cost", LEAK) * 1000
    same = change(LEAK, {"training.extension_steps": round(even)})
    assert value("context.extension_cost", same) == pytest.approx(value("context.long_from_start_cost", LEAK), rel=1e-3)
    marks = {row["label"]: row["steps"] for row in bill.bill.view(LEAK).rows["ticks"]}
    assert marks["Llama 3's tokens"] * LEAK.training.batch_tokens == pytest.approx(800e9)
    assert chapters()["07"].conflict.moved.given == {"training.extension_steps": bill.THOROUGH}


def test_hands_leave_together_where_all_are_slowed_alike_and_one_by_one_with_a_raised_base() -> None:
    plain, slowed = (leaving(bent(way, 4, SHORT, WIDTH), WIDTH, SHORT) for way in ("none", "interpolation"))
    assert {round(at) for at in plain if at < inf} == {SHORT}
    assert {round(at) for at in slowed if at < inf} == {4 * SHORT}
    raised = cliff.leaves("Llama-2-70b-hf", 1e6)
    assert len(raised) == len(set(raised)) == sum(4096 * t < 2 * pi for t in frequencies(WIDTH))
    assert 100_000 < raised[0] < 131_072
    assert raised[-1] > 131_072


def test_code_llama_parts_from_its_like_where_the_hands_leave() -> None:
    for size in ("7B", "13B"):
        ratios = [row[f"{size}, ratio"] for row in cliff.beside()]
        assert max(ratios[:4]) < 1.1
        assert ratios[-1] > 1.4
