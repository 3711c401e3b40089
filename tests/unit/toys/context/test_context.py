"""Extension of the context: the ways to stretch positions, and the run and its cross-checks at tiny sizes."""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from gpt4lab.formulas.rotary import WAYS  # noqa: E402
from gpt4lab.toys.context.extension import CONTROL, Extension, cost_rows, share_check, stretched  # noqa: E402
from gpt4lab.toys.core.corpus import Corpus  # noqa: E402
from gpt4lab.toys.core.transformer import Rotary, ToyConfig, build_model  # noqa: E402
from gpt4lab.toys.counting.flop import flop_checks  # noqa: E402
from gpt4lab.toys.decoding.cached import CachedDecoder  # noqa: E402

Row = dict[str, Any]
CONFIG = ToyConfig(d_model=16, n_layers=1, n_heads=2, n_kv_heads=2, d_ff=32)
TINY: Row = {"short": 4, "long": 16, "steps": 3, "fine_tune": 2, "batch_tokens": 64, "config": CONFIG}
LEARNS: Row = {
    **TINY,
    "long": 64,
    "steps": 200,
    "fine_tune": 40,
    "batch_tokens": 512,
    "config": replace(CONFIG, d_model=32, d_ff=64),
}


@pytest.fixture(scope="module")
def learnt(corpus: Corpus) -> list[Row]:
    return Extension(corpus, **LEARNS).start(name="").wait().result


def curve(result: list[Row], way: str, fine_tuned: bool = False) -> list[float]:
    return [row["bpb"] for row in result if row["way"] == way and row["fine_tuned"] is fine_tuned]


# --- positions --------------------------------------------------------------------------------------------------------


def test_interpolation_turns_each_pair_as_little_at_the_end_as_training_saw() -> None:
    plain, squeezed = CONFIG.rope_frequencies, stretched(CONFIG, "interpolation", 4, 64).rope_frequencies
    torch.testing.assert_close(256 * squeezed, 64 * plain)


def test_ntk_leaves_the_quickest_pair_and_squeezes_the_slowest() -> None:
    ratio = stretched(CONFIG, "NTK", 4, 64).rope_frequencies / CONFIG.rope_frequencies
    assert ratio[0].item() == pytest.approx(1)
    assert ratio[-1].item() == pytest.approx(1 / 4)
    assert ratio.tolist() == sorted(ratio.tolist(), reverse=True)


def test_the_first_position_is_the_same_in_every_way_and_later_ones_are_not() -> None:
    x = torch.randn(1, 2, 3, CONFIG.head_width)
    turned = [Rotary(stretched(CONFIG, way, 4, 64).rope_frequencies)(x)[0, 0] for way in WAYS]
    for other in turned[1:]:
        torch.testing.assert_close(other[0], turned[0][0])
        assert not torch.allclose(other[1], turned[0][1])


@pytest.mark.parametrize("way", WAYS)
def test_the_cached_decoder_turns_as_the_model_does(way: str) -> None:
    model = build_model(stretched(CONFIG, way, 4, 64)).eval()
    torch.nn.init.normal_(model.head.weight, generator=torch.Generator().manual_seed(0))
    tokens = list(range(20, 44))
    with torch.no_grad():
        torch.testing.assert_close(
            CachedDecoder(model).read(tokens), model(torch.tensor([tokens]))[0], atol=1e-5, rtol=1e-5
        )


# --- the run ----------------------------------------------------------------------------------------------------------


def test_every_model_is_measured_at_every_position(corpus: Corpus) -> None:
    run = Extension(corpus, **TINY).start(name="").wait()
    found = [(row["way"], row["fine_tuned"], row["position"]) for row in run.result]
    cases = [(way, tuned) for tuned in (False, True) for way in WAYS] + [(CONTROL, False)]
    assert found == [(*case, 1 + 2 * i) for case in cases for i in range(8)]
    assert run.progress == 1


def test_the_control_has_seen_as_many_bytes(corpus: Corpus) -> None:
    result = Extension(corpus, **TINY).start(name="").wait().result
    assert {row["tokens"] for row in result if row["fine_tuned"] or row["way"] == CONTROL} == {5 * 64}
    assert {row["tokens"] for row in result if not row["fine_tuned"] and row["way"] in WAYS} == {3 * 64}


def test_behind_the_trained_positions_it_breaks_and_a_few_steps_heal_it(learnt: list[Row]) -> None:
    """Trained on 4 bytes: half of the first eighth of 64 is known, the last is not."""
    raw = curve(learnt, "none")
    healed, control = curve(learnt, "none", fine_tuned=True), curve(learnt, CONTROL)
    assert raw[-1] > raw[0] + 0.3
    assert healed[-1] < raw[-1] - 0.3
    assert control[-1] < raw[-1] - 0.3


def test_same_seed_same_numbers(corpus: Corpus) -> None:
    a, b, other = (Extension(corpus, **TINY, seed=seed).start(name="").wait().result for seed in (1, 1, 2))
    assert [row["bpb"] for row in a] == [row["bpb"] for row in b] != [row["bpb"] for row in other]


def test_stop_keeps_the_models_that_were_measured(corpus: Corpus) -> None:
    measured, study = threading.Event(), Extension(corpus, **{**TINY, "fine_tune": 100_000})
    run = study.start(name="")
    run.on_update(lambda run: measured.set() if run.result else None, every_s=0)
    assert measured.wait(20)
    run.stop()
    assert run.state == "stopped"
    assert {row["way"] for row in run.result} == set(WAYS)
    with pytest.raises(ValueError, match="before its first fine-tuning"):
        share_check(run.result, study)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"long": 64}, "long must be more than short, 64 bytes, not 64"),
        ({"long": 32}, "more than short"),
        ({"long": 66}, "multiple of 8"),
        ({"batch_tokens": 100}, "batch_tokens one of"),
        ({"steps": 0}, "steps must be"),
        ({"fine_tune": math.nan}, "fine_tune must be a whole number"),
        ({"short": -1}, "short must be"),
    ],
)
def test_impossible_plans_are_refused(corpus: Corpus, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Extension(corpus, **wrong)


@pytest.mark.parametrize("gain", [0, -1, math.nan, math.inf])
def test_impossible_gains_rotations_and_ways_are_refused(gain: float) -> None:
    with pytest.raises(ValueError, match="rope_gain must be"):
        replace(CONFIG, rope_gain=gain)
    with pytest.raises(ValueError, match="a rotation for each pair"):
        replace(CONFIG, rope_bent=(1.0,))
    with pytest.raises(ValueError, match="NTK, YaRN, not 'xpos'"):
        stretched(CONFIG, "xpos", 4, 64)


# --- cross-checks -----------------------------------------------------------------------------------------------------


def test_share_of_the_extension(corpus: Corpus, learnt: list[Row]) -> None:
    share = share_check(learnt, Extension(corpus, **LEARNS))
    assert (share.found, share.predicted) == pytest.approx((40 / 200, 40 / 200))


def test_cost_of_a_token(corpus: Corpus) -> None:
    short, long = cost_rows(Extension(corpus, **TINY), repeats=2)
    for row in (short, long):
        found = {check.name: check for check in flop_checks(CONFIG, row["context"])}
        assert row["flop"] == pytest.approx(found["all"].predicted)
        assert row["share"] == pytest.approx(found["attention scores"].predicted / found["all"].predicted)
        assert row["cpu_us_per_token"] > 0
    scores = 4 * CONFIG.n_layers * CONFIG.d_model  # FLOP a token and a byte of context
    assert long["flop"] - short["flop"] == (16 - 4) * scores
    assert long["flop_ratio"] == long["flop"] / short["flop"]
