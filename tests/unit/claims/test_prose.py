"""Sentences whose numbers are computed."""

from __future__ import annotations

import pytest

from gpt4lab.claims.prose import as_stated, fill
from gpt4lab.scenario import ScenarioError, change, load_scenario


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{training.mfu}", "34%"),
        ("{training.mfu@h100-rerun}", "56.0%"),
        ("{model.active_params|model.top_k=1}", "166 billion parameters"),
        ("{cluster.rental|cluster.days=100, cluster.gpus=10000}", "$24 million"),
        ("{training.mfu:.1%} and {cluster.gpus:,.0f}", "34.0% and 25,000"),
        ("{training.mfu@h100-rerun|training.mfu=0.5:.2f}", "0.50"),
        (r"$\frac{a}{b}$ and {C12.verdict}", r"$\frac{a}{b}$ and unit error"),
        ("{C33.stated}", "$63 million"),
        ("{C11.quote}", "“only utilizes ~280B parameters”"),
        ("{C11.quote:~280B parameters}", "“~280B parameters”"),
        ("{C31.quote:an absurd number of failures}", "“an absurd number of failures”"),
        ("nothing to fill", "nothing to fill"),
    ],
)
def test_each_name_is_replaced_by_its_number(text: str, filled: str) -> None:
    assert fill(text) == filled


def test_a_sentence_follows_its_scenario() -> None:
    here = change(load_scenario("leak"), {"training.mfu": 0.4, "training.tokens": 26e12})
    assert fill("{training.mfu}, {training.mfu@leak}, {training.mfu|training.mfu=0.1}", here) == "40%, 34%, 10%"
    assert fill("{C27.residual}", here) != fill("{C27.residual}")


def test_each_value_is_written_as_the_page_needs_it() -> None:
    assert fill("$5 is not {cluster.usd_per_gpu_hour}", written=lambda text, _: text.replace("$", "USD ")).startswith(
        "$5 is not USD 1"
    )


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("{training.costs}", "did you mean training.cost"),
        ("{training.cost|training.mfus=1}", "training.mfus"),
        ("{training.cost|training.mfu}", "'training.mfu' sets nothing"),
        ("{training.cost|a}", "'a' sets nothing"),
        ("{training.cost|training.mfu=1,}", "'' sets nothing"),
        ("{training.cost|training.mfu=much}", "“much” is not a number"),
        ("{training.cost|training.mfu=7}", "training.mfu = 7 is out of range"),
        ("{training.cost@lek}", "unknown scenario 'lek'"),
        ("{cluster.accelerator:,.0f}", "format"),
        ("{cluster.recompute:.1%}", "format"),
        ("{training.cost:nonsense}", "format"),
        ("{C33.nothing}", "no part of a claim"),
        ("{C11.quote:only uses 280B}", "'only uses 280B' does not stand in the quote of C11"),
        ("{C11.quote:utilizes ~280B param}", "does not stand in the quote"),
        ("{C11.quote:}", "not a name in braces"),
        ("{C33.stated:.1%}", "only a quote is trimmed"),
        ("{C999.stated}", "unknown"),
        ("{training.cost", "not a name in braces"),
        ("{training.cost {training.mfu}", "not a name in braces"),
        ("{training.cost|}", "not a name in braces"),
        ("{ training.cost }", "not a name in braces"),
        ("{training.Cost}", "not a name in braces"),
    ],
)
def test_a_part_that_cannot_be_told_is_named(text: str, about: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        fill(f"With {{training.mfu}}: {text}")
    assert about in str(caught.value)
    assert text.partition(" {")[0] in str(caught.value)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{cluster.gpus} to {cluster.gpus|cluster.gpus=29167}", "25,000 to 29,167 GPUs"),
        ("{cluster.gpus},\n{rerun.gpus} and {cluster.gpus}", "25,000,\n8,192 and 25,000 GPUs"),
        ("{model.active_params} out of {model.total_params}", "277 billion out of 1.83 trillion parameters"),
        ("{model.expert_params} instead\nof {model.active_params}", "111 instead\nof 277 billion parameters"),
        ("{model.kv_heads} or {model.heads}", "1 or 84 heads"),
        ("{model.heads} or {model.kv_heads}", "84 heads or 1 head"),
        (
            "{cluster.usd_per_gpu_hour} to {cluster.usd_per_gpu_hour|cluster.usd_per_gpu_hour=1.25}",
            "$1 to $1.25 per GPU per hour",
        ),
        ("{kv.bytes_per_token} rather than {kv.bytes_per_token_full}", "61.4 kB rather than 5.16 MB per token"),
        ("{training.mfu} to {training.mfu@h100-rerun}", "34% to 56.0%"),
        ("{cluster.gpus} run for {cluster.gpus}", "25,000 GPUs run for 25,000 GPUs"),
        ("{cluster.gpus} and {cluster.days}", "25,000 GPUs and 95 days"),
    ],
)
def test_a_unit_that_two_amounts_share_is_said_once(text: str, filled: str) -> None:
    assert fill(text) == filled


def test_a_stated_number_keeps_the_unit_of_the_post() -> None:
    assert as_stated("C12") == "560 TFLOPs a token"
