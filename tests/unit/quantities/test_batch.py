"""The laws about a good batch."""

from __future__ import annotations

import pytest

from gpt4lab.catalog import constants
from gpt4lab.quantities import value
from gpt4lab.scenario import load_scenario

LEAK = load_scenario("leak")


@pytest.mark.parametrize(("loss", "batch"), [(1.9, 9.4e6), (1.8, 12.2e6), (1.7, 16.0e6)])
def test_kaplan_s_critical_batch(loss: float, batch: float) -> None:
    found = value("batch.critical_kaplan", LEAK, {"scaling.besiroglu_loss": loss})
    assert found == pytest.approx(batch, rel=5e-3)


def test_mccandlish_trades_steps_for_tokens() -> None:
    """(S/S_min - 1)(E/E_min - 1) = 1 at every batch; at 60M and a critical 12M 1.2 times the steps, 6 the tokens."""
    for batch in (1e6, 12e6, 60e6):
        given_ = {"training.batch_tokens": batch, "batch.critical_kaplan": 12e6}
        steps, tokens = (value(f"batch.extra_{what}", LEAK, given_) for what in ("steps", "tokens"))
        assert (steps - 1) * (tokens - 1) == pytest.approx(1)
    assert (steps, tokens) == pytest.approx((1.2, 6))


def test_deepseek_s_learning_rate() -> None:
    law = constants["deepseek2024-batch"]
    assert value("batch.deepseek_learning_rate", LEAK, {"training.flop": 1e19}) == pytest.approx(law.h * 1e19**-0.125)
