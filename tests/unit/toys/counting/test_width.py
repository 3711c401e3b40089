"""The width of a toy, read off its answers: exactly without noise, from below with it."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from gpt4lab.toys.counting.width import answers, given_away, level, read, spectrum, taught  # noqa: E402

STEPS = 8


@pytest.mark.parametrize(("width", "seed"), [(16, 0), (16, 1), (16, 2), (32, 0)])
def test_without_noise_the_width_is_read(width: int, seed: int) -> None:
    assert read(width, 256, seed=seed).width == width


def test_answers_span_no_more_than_the_prompts() -> None:
    assert [read(32, n).width for n in (4, 20, 40)] == [4, 20, 32]


def test_noise_hides_width_and_repeats_bring_some_back() -> None:
    widths = [read(32, 512, noise).width for noise in (0, 0.01, 0.1, 1)]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] == 32 > widths[1]
    assert read(32, 512, 0.1).width < read(32, 512, 0.1, repeats=256).width <= 32
    blurred = read(32, 512, 1.0)
    assert blurred.bits > blurred.exact_bits + 0.3


def test_pure_noise_has_no_width() -> None:
    """The level is where random matrices end."""
    noise = given_away(torch.zeros(600, 128), 0.3)
    assert 0.9 < spectrum(noise)[0] / level(0, 600, 0.3) < 1


def test_a_shift_of_all_scores_changes_nothing() -> None:
    scores, targets = answers(taught(16, 0, STEPS), 64)
    assert spectrum(scores) == pytest.approx(spectrum(scores + torch.randn(64, 1)), abs=1e-3)
    assert scores.shape == (64, 128)
    assert targets.shape == (64,)
