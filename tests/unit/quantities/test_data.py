"""Tokens seen again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gpt4lab.quantities import value, values
from gpt4lab.scenario import load_scenario

LEAK = load_scenario("leak")


def test_excess_parameters_count_for_less() -> None:
    few = {"data.web_tokens": 1e11, "data.code_tokens": 1e9}
    assert value("data.effective_params", LEAK) == value("model.active_params", LEAK)
    supported, effective = values(("data.supported_params", "data.effective_params"), LEAK, few).values()
    assert supported < effective < value("model.active_params", LEAK)
    assert value("data.repeated_loss", LEAK, few) > value("data.repeated_loss", LEAK)


@given(epochs=st.floats(1, 100), fresh=st.floats(1e9, 1e14))
def test_repetition_is_worth_less_than_fresh_tokens_but_something(epochs: float, fresh: float) -> None:
    settings = {"data.web_tokens": fresh, "data.text_epochs": epochs}
    worth = value("data.effective_text", LEAK, settings)
    assert fresh <= worth * (1 + 1e-12)
    assert worth <= fresh * epochs * (1 + 1e-12)
