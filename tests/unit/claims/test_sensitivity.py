"""Which single number flips a verdict: the nearest, found quickly, true when it is put in."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpt4lab.claims import Claim, audit, judge, ledger, sensitivity
from gpt4lab.claims.audit import holds
from gpt4lab.claims.ledger import NOT_KNOWN
from gpt4lab.claims.prose import fill
from gpt4lab.claims.sensitivity import (
    EACH,
    Flip,
    _bisect,
    _steps,
    elasticities,
    flips,
    flips_in_words,
    limits,
    pinned,
    upstream,
    walked,
)
from gpt4lab.scenario import FIELDS, Scenario, ScenarioError, change, get, load_scenario, names
from gpt4lab.scenario.published import ranges

LEAK = load_scenario("leak")
CHECKABLE = [claim for claim in ledger().values() if claim.checkable]
RESULTS = {result.claim.id: result for result in audit(LEAK)}


@pytest.mark.parametrize(
    ("claim", "path", "there"),
    [
        ("C33", "cluster.gpus", 23_839),
        ("C35", "rerun.days", 51.08),
        ("C28", "training.best_mfu", 0.3459),
        ("C05", "model.experts", 4),
        ("C40", "cluster.pipeline", 10),
    ],
)
def test_the_nearest_flip(claim: str, path: str, there: float) -> None:
    found = {flip.field.path: flip for flip in flips(ledger()[claim], LEAK)}
    assert found[path].there == pytest.approx(there, rel=2e-3)
    assert found[path].holds != RESULTS[claim].holds


@pytest.mark.parametrize("claim", CHECKABLE, ids=lambda claim: claim.id)
def test_a_flip_flips_and_nothing_just_before_it_does(claim: Claim) -> None:
    now = judge(claim, LEAK).holds
    for flip in flips(claim, LEAK):
        back = -1 if flip.there > flip.here else 1
        before = flip.there + back * (1 if flip.field.whole else 1e-6 * flip.there)
        assert flip.holds == (not now)
        assert judge(claim, with_(flip, flip.there)).holds == flip.holds
        with suppress(ScenarioError):  # no scenario is so
            assert judge(claim, with_(flip, before)).holds == now


def with_(flip: Flip, number: float) -> Scenario:
    return change(LEAK, {flip.field.path: round(number) if flip.field.whole else number})


def plainly(claim: Claim, scenario: Scenario) -> list[Flip]:
    """The search written plainly: each number alone, to both its limits, and the nearer flip is kept."""
    found = []
    for path in walked(claim, scenario):
        field, here, now = FIELDS[path], float(get(scenario, path)), holds(claim, scenario)
        ways = [first(claim, scenario, path, limit) for limit in limits(path, scenario)]
        there = min((there for there in ways if there is not None), key=lambda there: abs(there - here), default=None)
        found += [] if there is None else [Flip(field, here, there, not now)]
    # From zero every change is infinite: the shorter way goes before, behind all others.
    return sorted(found, key=lambda flip: abs(flip.there - flip.here) / (abs(flip.here) or 1e-99))


def first(claim: Claim, scenario: Scenario, path: str, limit: float) -> float | None:
    field, before, now = FIELDS[path], float(get(scenario, path)), holds(claim, scenario)

    def flipped(there: float) -> bool:
        return flips_at(claim, scenario, now, path, there)

    for after in _steps(before, limit, field.whole):
        if flipped(after):
            return _bisect(flipped, before, after, field.whole)
        before = after
    return None


def flips_at(claim: Claim, scenario: Scenario, now: bool, path: str, there: float) -> bool:
    """Whether a scenario with this number exists, and the verdict is another one there."""
    try:
        return judge(claim, change(scenario, {path: there})).holds != now
    except (ArithmeticError, ScenarioError):
        return False


WHOLE = [(claim, path) for claim in CHECKABLE for path in upstream(claim) if FIELDS[path].whole]


@settings(max_examples=40, deadline=None)
@given(case=st.sampled_from(WHOLE), name=st.sampled_from(names()))
def test_no_whole_number_nearer_by_flips(case: tuple[Claim, str], name: str) -> None:
    (claim, path), scenario = case, load_scenario(name)
    if judge(claim, scenario).verdict == NOT_KNOWN or path not in walked(claim, scenario):
        assert not any(flip.field.path == path for flip in flips(claim, scenario))
        return
    here, now, (least, most) = get(scenario, path), bool(holds(claim, scenario)), limits(path, scenario)
    near = (here + way * by for by in range(1, EACH + 1) for way in (-1, 1) if least <= here + way * by <= most)
    nearest = next((there for there in near if flips_at(claim, scenario, now, path, there)), None)
    found = {flip.field.path: flip.there for flip in flips(claim, scenario)}.get(path)
    if nearest is not None:
        assert found is not None
        assert abs(found - here) == abs(nearest - here)
    assert found is None or nearest is not None or abs(found - here) > EACH


@pytest.mark.parametrize(("name", "there"), [("h100-rerun", 8203), ("gtc-2024", 7960)])
def test_a_window_between_two_copies_of_the_model_is_not_stepped_over(name: str, there: float) -> None:
    nearest, *_ = flips(ledger()["C39"], load_scenario(name))
    assert (nearest.field.path, nearest.there) == ("cluster.gpus", there)


@settings(max_examples=40, deadline=None)
@given(claim=st.sampled_from(CHECKABLE), name=st.sampled_from(["leak", "nvidia-proxy", "hotz-8x220b", "h100-rerun"]))
def test_walking_all_numbers_at_once_finds_what_walking_each_alone_does(claim: Claim, name: str) -> None:
    scenario = load_scenario(name)
    plain = plainly(claim, scenario)
    assert flips(claim, scenario) == plain
    assert flips(claim, scenario, most=2) == plain[:2]


def test_the_nearest_flips_of_a_claim_ask_for_a_few_thousand_verdicts_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: Counter[str] = Counter()
    monkeypatch.setattr(sensitivity, "holds", lambda claim, *rest: asked.update([claim.id]) or holds(claim, *rest))
    for claim in CHECKABLE:
        flips(claim, LEAK, most=2)
    assert max(asked.values()) <= 3_000
    assert asked.total() <= 400 * len(CHECKABLE)


@pytest.mark.parametrize(("claim", "name"), [("C55", "llama-2-7b"), ("C55", "leak"), ("C66", "leak")])
def test_what_no_scenario_can_be_flips_nothing(claim: str, name: str) -> None:
    """More experts a token than there are would divide by zero, or flip."""
    assert "model.top_k" in upstream(ledger()[claim])
    assert all(flip.field.path != "model.top_k" for flip in flips(ledger()[claim], load_scenario(name)))


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ("C33", "GPUs from 25,000 to 23,839 GPUs (-4.6%)"),
        ("C60", "Bytes per weight from 2 B to 1.09 B per parameter (-46%)"),
        ("C58", "Key-value heads from 1 to 2 heads (+100%)"),
        ("C12", "no single number"),
        ("C46", "–"),
    ],
)
def test_the_nearest_flip_in_words(claim: str, words: str) -> None:
    assert flips_in_words(ledger()[claim], LEAK, most=1) == words
    assert fill(f"{{{claim}.flip}}") == words


def test_flips_come_nearest_first_and_say_what_they_are() -> None:
    found = flips(ledger()["C29"], LEAK)
    assert [abs(flip.change) for flip in found] == sorted(abs(flip.change) for flip in found)
    assert "GPUs from 25,000 to" in "; ".join(map(str, found))
    assert all(flip.field.lo <= flip.there <= flip.field.hi for flip in found)


@pytest.mark.parametrize("claim", CHECKABLE, ids=lambda claim: claim.id)
def test_flips_stay_inside_what_was_published(claim: Claim) -> None:
    known = ranges(LEAK)
    for flip in flips(claim, LEAK):
        if one := known.get(flip.field.path):
            assert min(one.lo, flip.here) <= flip.there <= max(one.hi, flip.here)


def test_a_number_beyond_what_was_published_may_be_walked_back() -> None:
    cheap = change(LEAK, {"cluster.usd_per_gpu_hour": 0.5})
    (back,) = [flip for flip in flips(ledger()["C33"], cheap) if flip.field.path == "cluster.usd_per_gpu_hour"]
    assert (back.holds, back.there) == (True, pytest.approx(1.049, rel=2e-3))


def test_claims_that_state_their_own_inputs_are_pinned() -> None:
    wholly = {claim.id for claim in CHECKABLE if pinned(claim) and not upstream(claim)}
    assert wholly == {"C12", "S06", "F01"}
    assert pinned(ledger()["C33"]) == ("cluster.days",)
    assert "model.expert_params" in pinned(ledger()["S06"])
    assert pinned(ledger()["C27"]) == pinned(ledger()["C46"]) == ()


@pytest.mark.parametrize("claim", CHECKABLE, ids=lambda claim: claim.id)
def test_no_slider_moves_the_verdict_of_a_claim_by_what_is_pinned(claim: Claim) -> None:
    now = judge(claim, LEAK)
    for path in pinned(claim):
        there = FIELDS[path].hi if FIELDS[path].whole else get(LEAK, path) * 0.9
        with suppress(ScenarioError):  # more than there can be
            assert judge(claim, change(LEAK, {path: there})).verdict == now.verdict


def test_an_opinion_has_no_flip() -> None:
    assert flips(ledger()["C46"], LEAK) == []


def test_upstream_leaves_out_what_the_claim_itself_states() -> None:
    assert "cluster.days" not in upstream(ledger()["C29"])
    assert {"training.tokens", "cluster.gpus"} <= set(upstream(ledger()["C29"]))
    assert "serving.usd_per_1k_tokens" not in upstream(ledger()["C52"])


def test_elasticities_are_the_powers_of_the_formula() -> None:
    found = elasticities("training.cost", LEAK)
    assert found["training.mfu"] == pytest.approx(-1, abs=1e-5)
    assert found["training.tokens"] == pytest.approx(1)
    assert found["cluster.gpus"] == pytest.approx(0, abs=1e-9), "more GPUs cost no more: they are done sooner"
    assert found["model.expert_params"] == pytest.approx(222 / 277)
    assert "cluster.zero" not in elasticities("memory.states", LEAK), "the memory jumps from stage to stage"
