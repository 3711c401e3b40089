"""The audit: it finds what is wrong, for the right reason, and it can find every claim wrong."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import attrs
import pytest

from gpt4lab.book.cards import card
from gpt4lab.claims import Claim, audit, judge, ledger, tally
from gpt4lab.claims.allowed import denied
from gpt4lab.claims.audit import holds
from gpt4lab.claims.ledger import HELPED, NEEDS_MORE
from gpt4lab.claims.reconcile import LINKS, reconcile
from gpt4lab.claims.sensitivity import flips
from gpt4lab.quantities import value
from gpt4lab.scenario import FIELDS, change, load_scenario, names
from gpt4lab.scenario.published import published, ranges

LEAK = load_scenario("leak")
CHECKABLE = [claim for claim in ledger().values() if claim.checkable]
STATED = [claim for claim in CHECKABLE if claim.stated and claim.quantity]
RESULTS = {result.claim.id: result for result in audit(LEAK)}


def verdict(claim: str, changes: dict[str, Any]) -> str:
    return judge(ledger()[claim], change(LEAK, changes)).verdict


def test_the_post_as_written_is_judged_as_the_evidence_says() -> None:
    assert Counter(result.verdict for result in RESULTS.values()) == {
        "consistent": 38,
        "consistent-with-assumption": 31,
        "unit-error": 4,
        "arithmetic-mismatch": 5,
        "needs-more-than-anyone-has-shown": 1,
        "internally-inconsistent": 1,
        "not-checkable": 30,
        "opinion": 9,
        "no-claim": 8,
    }


def test_what_the_post_gets_wrong() -> None:
    wrong = {name: result.verdict for name, result in RESULTS.items() if result.holds is False}
    assert wrong == {
        "C12": "unit-error",
        "C13": "unit-error",
        "C52": "unit-error",
        "C53": "unit-error",
        "C81": "arithmetic-mismatch",
        "F02": "arithmetic-mismatch",
        "S04": "arithmetic-mismatch",
        "S06": "arithmetic-mismatch",
        "S02": "needs-more-than-anyone-has-shown",
        "C88": "internally-inconsistent",
    }


@pytest.mark.parametrize("scenario", names())
def test_the_tally_counts_every_entry_once(scenario: str) -> None:
    results = audit(load_scenario(scenario))
    count = tally(results)
    assert sum(attrs.astuple(count)) == len(ledger())
    assert count.decided == sum(result.holds is not None for result in results)
    assert count.holds == sum(result.holds is True for result in results)


def test_the_tally_is_said_in_three_parts_wherever_it_is_said(root: Path) -> None:
    count = tally(list(RESULTS.values()))
    assert str(count) == f"{count.alone} hold alone, {count.helped} hold with help, {count.fail} fail"
    assert f"the {count.decided} claims that arithmetic decides, {count}." in (root / "README.md").read_text("utf-8")
    assert f"{count.opinions} opinions" in count.apart()
    assert "0 " not in f" {tally([]).apart()}"
    one = [RESULTS["C02"], next(result for result in RESULTS.values() if result.verdict == "opinion")]
    assert f"{tally(one)}; {tally(one).apart()}" == "1 holds alone, 0 hold with help, 0 fail; 1 opinion"


# Which assumptions are allowed


ASSUMING = [claim for claim in CHECKABLE if claim.assume]


@pytest.mark.parametrize("claim", ASSUMING, ids=lambda claim: claim.id)
def test_no_assumption_denies_the_claim_or_another_statement_of_the_post(claim: Claim) -> None:
    assert denied(claim) == ()


@pytest.mark.parametrize("claim", ASSUMING, ids=lambda claim: claim.id)
def test_what_helps_lies_inside_what_was_published_or_is_more_than_anyone_has_shown(claim: Claim) -> None:
    outside = [path for path, one in ranges(LEAK).items() if path in claim.assume and not one.has(claim.assume[path])]
    assert RESULTS[claim.id].verdict == (NEEDS_MORE if outside else HELPED)


COST = Claim("C999", "09", "x", stated=63, stated_unit="MUSD", quantity="cluster.rental")


@pytest.mark.parametrize(
    ("assume", "expected"),
    [
        ({"cluster.usd_per_gpu_hour": 1.10}, "consistent-with-assumption"),  # Lambda's, and about the post's dollar
        ({"cluster.usd_per_gpu_hour": 1.05, "cluster.days": 100}, "needs-more-than-anyone-has-shown"),
        ({"cluster.gpus": 27_600}, "arithmetic-mismatch"),  # not the post's ~25,000
        ({"cluster.days": 105}, "arithmetic-mismatch"),  # not the post's 90 to 100 days
        ({}, "arithmetic-mismatch"),
    ],
)
def test_the_same_claim_with_other_help(assume: dict[str, float], expected: str) -> None:
    claim = attrs.evolve(COST, assume=assume, assumption="some help")
    assert judge(claim, LEAK).verdict == expected
    assert judge(claim, LEAK).holds == holds(claim, LEAK) == (expected == "consistent-with-assumption")


def test_the_chip_decides_what_was_published() -> None:
    h100 = change(LEAK, {"cluster.accelerator": "h100-sxm-80gb"})
    claim = attrs.evolve(COST, assume={"cluster.usd_per_gpu_hour": 1.10}, assumption="Lambda's A100")
    assert judge(claim, h100).verdict == "needs-more-than-anyone-has-shown"
    assert ranges(LEAK)["rerun.mfu"] != ranges(LEAK)["training.mfu"]
    assert published("cluster.usd_per_gpu_hour", change(LEAK, {"cluster.accelerator": "gb200"})) is None


@pytest.mark.parametrize("path", ranges(LEAK))
def test_a_published_range_lies_inside_the_bounds_of_its_field_and_says_who_and_when(path: str) -> None:
    one, field = ranges(LEAK)[path], FIELDS[path]
    assert field.lo <= one.lo <= one.hi <= field.hi
    assert one.source.strip()


@pytest.mark.parametrize("claim", [c for c in CHECKABLE if c.contradicts], ids=lambda claim: claim.id)
def test_the_post_contradicts_itself_only_where_no_allowed_number_makes_both_true(claim: Claim) -> None:
    """A flip that denies another statement of the post is no help."""
    helpful = [
        flip
        for flip in flips(claim, LEAK)
        if flip.holds and not denied(attrs.evolve(claim, assume={flip.field.path: flip.there}))
    ]
    assert RESULTS[claim.contradicts[:3]].holds
    assert helpful == []


@pytest.mark.parametrize(("claim", "slip"), [("C12", 1e-3), ("C13", 1e-3), ("C52", 100), ("C53", 100)])
def test_the_audit_finds_the_slip_of_a_unit(claim: str, slip: float) -> None:
    assert RESULTS[claim].slip == slip
    right = {"TFLOP/token": "GFLOP/token", "cent/ktoken": "USD/ktoken"}[ledger()[claim].stated_unit]
    assert judge(attrs.evolve(ledger()[claim], stated_unit=right), LEAK).verdict == "consistent"


@pytest.mark.parametrize(
    ("claim", "recomputed"),
    [
        ("C02", (1.831e12,)),
        ("C03", (10_704, 10_753)),
        ("C07", (109.06e9,)),
        ("C08", (0.6564, 0.9861)),
        ("C12", (5.6e11,)),
        ("C13", (3.662e12,)),
        ("C15", (1.2936e13,)),
        ("C29", (0.3206, 0.3562)),
        ("C33", (60e6, 54e6)),
        ("C36", (21.627e6,)),
        ("C39", (120, 208.33)),
        ("C40", (61.91e9,)),
        ("C44", (153.0, 1224.1)),
        ("C56", (15_074,)),
        ("C59", (61_440, 5_160_960)),
        ("C75", (3.3616, 2.8013)),
        ("C81", (122.07e9,)),
        ("F01", (0.3413,)),
        ("F02", (1.5856,)),
        ("S04", (1.9144,)),
        ("C83", (15,)),
        ("S06", (25.2e12,)),
        ("S07", (0.2245,)),
        ("S10", (1,)),
    ],
)
def test_recomputed_numbers(claim: str, recomputed: tuple[float, ...]) -> None:
    assert RESULTS[claim].recomputed == pytest.approx(recomputed, rel=1e-3)


@pytest.mark.parametrize(
    ("claim", "residual"),
    [
        ("C01", -0.044),
        ("C02", -0.017),
        ("C12", 999),
        ("C33", 0.05),
        ("C81", 0.065),
        ("C88", -0.35),
        ("S06", -0.571),
        ("C16", None),
        ("C52", None),
        ("C04", None),
    ],
)
def test_residuals(claim: str, residual: float | None) -> None:
    assert RESULTS[claim].residual == (None if residual is None else pytest.approx(residual, abs=5e-4))


def stating(claim: Claim, *numbers: float) -> Claim:
    """The same claim with other numbers, in the unit of what recomputes it."""
    return attrs.evolve(claim, stated=numbers, stated_unit="")


@pytest.mark.parametrize("claim", [claim for claim in STATED if RESULTS[claim.id].holds], ids=lambda claim: claim.id)
def test_a_claim_that_holds_falls_with_another_number(claim: Claim) -> None:
    far = 7e4 if claim.sets else 7
    assert not judge(stating(claim, *(far * number for number in RESULTS[claim.id].stated)), LEAK).holds


@pytest.mark.parametrize(
    "claim", [claim for claim in STATED if not RESULTS[claim.id].holds], ids=lambda claim: claim.id
)
def test_a_claim_that_falls_would_hold_with_the_right_number(claim: Claim) -> None:
    result = RESULTS[claim.id]
    right = [result.meant] if claim.sets else result.recomputed[: len(result.stated)]
    assert judge(stating(claim, *right), LEAK).holds


@pytest.mark.parametrize("claim", [claim for claim in CHECKABLE if claim not in STATED], ids=lambda claim: claim.id)
def test_a_claim_in_words_turns_with_some_number_behind_it(claim: Claim) -> None:
    assert flips(claim, LEAK)


@pytest.mark.parametrize(
    ("changes", "fall"),
    [
        ({"model.experts": 8}, {"C01", "C02", "C06", "C14", "C23"}),
        ({"training.tokens": 20e12}, {"C17", "C27", "C29"}),
        ({"cluster.gpus": 20_128}, {"C29"}),
        ({"cluster.accelerator": "a100-sxm-40gb"}, {"C40"}),
        ({"cluster.gradient_bytes": 4}, {"C40"}),
        ({"model.kv_heads": 84}, {"C58", "C59"}),
        ({"speculation.acceptance": 0.3}, {"C75"}),
        ({"rerun.gpus": 4096}, {"C35", "C36"}),
        ({"serving.pipeline": 15}, {"C78"}),
        ({"training.batch_tokens": 6e6}, {"C23", "C25"}),
    ],
)
def test_claims_fall_under_other_assumptions(changes: dict[str, Any], fall: set[str]) -> None:
    there = {result.claim.id for result in audit(change(LEAK, changes)) if result.holds is False}
    assert fall <= there - {name for name, result in RESULTS.items() if result.holds is False}


def test_claims_rise_under_other_assumptions() -> None:
    assert verdict("C33", {"cluster.usd_per_gpu_hour": 1.05}) == "consistent"
    assert verdict("C60", {"model.kv_heads": 84}) != "consistent", "the ranks share out the heads"
    assert verdict("C60", {"serving.overhead_bytes": 14e9}) == "consistent"
    assert verdict("C88", {"data.text_epochs": 1.3}) == "consistent"
    assert verdict("C35", {"training.best_mfu": 0.6}) == "consistent"
    assert verdict("C35", {"rerun.bytes_per_weight": 1}) == "consistent"


def test_nvidia_s_shape_settles_the_conflict_about_attention() -> None:
    proxy = load_scenario("nvidia-proxy")
    assert geometry_fits(proxy)
    assert not geometry_fits(LEAK)
    assert judge(ledger()["C10"], proxy).holds


def geometry_fits(scenario: Any) -> bool:
    given = scenario.model.shared_params, scenario.model.expert_params
    made = value("geometry.attention_params", scenario), value("geometry.expert_params", scenario)
    return made == pytest.approx(given, rel=0.01)


def test_fewer_claims_hold_for_another_model() -> None:
    assert tally(audit(load_scenario("hotz-8x220b"))).holds < tally(list(RESULTS.values())).holds


def test_some_claims_only() -> None:
    assert [result.claim.id for result in audit(LEAK, ["C12", "C27"])] == ["C12", "C27"]


@pytest.mark.parametrize("scenario", names())
def test_what_is_not_decided_stays_undecided(scenario: str) -> None:
    typed = [result for result in audit(load_scenario(scenario)) if not result.claim.checkable]
    assert all(result.holds is None and result.verdict == result.claim.verdict for result in typed)


@pytest.mark.parametrize(
    ("claim", "shown"),
    [
        ("C33", "$54 million to $60 million"),
        ("C52", "7,256 tokens/s; 10.1%"),
        ("C29", "32.1% to 35.6%"),
        ("C85", "0.355×"),
        ("C27", "2.16×10²⁵ FLOP"),
        ("C04", ""),
    ],
)
def test_recomputed_numbers_as_a_reader_sees_them(claim: str, shown: str) -> None:
    assert RESULTS[claim].shown() == shown


# Reconciliation


def test_linked_numbers_of_the_post() -> None:
    rows = {(row.link.title, row.path): row for row in reconcile(LEAK)}
    assert rows["Cost", "cluster.days"].implied == pytest.approx(105)
    assert rows["Cost", "cluster.stated_usd"].residual == pytest.approx(63 / 57 - 1)
    assert rows["Machines", "training.mfu"].implied == pytest.approx(0.3358, abs=1e-4)
    assert rows["Newer machines", "rerun.mfu"].implied == pytest.approx(0.5582, abs=1e-4)
    assert rows["All parameters", "model.shared_params"].implied == pytest.approx(24e9)
    assert str(rows["Cost", "cluster.days"]) == "cluster.days: 95 days stated, 105 days implied (-9.5%)"


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.title)
def test_a_link_that_closes_stays_closed_whichever_number_is_solved_for(link: Any) -> None:
    """If all but one are right the last one follows; put it in, and every row of the link agrees."""
    first = next(iter(link.members))
    rows = [row for row in reconcile(LEAK) if row.link is link]
    exact = next(row.implied for row in rows if row.path == first)
    given = {row.path: row.stated for row in rows} | {first: exact}
    for path, solver in link.members.items():
        others = {other: number for other, number in given.items() if other != path}
        assert value(solver, LEAK, others) == pytest.approx(given[path])


def test_links_name_fields_or_claims() -> None:
    for link in LINKS:
        assert all(path in FIELDS or path in link.stated for path in link.members)
        assert set(link.stated) <= set(link.members)


def test_a_number_beside_a_verdict_that_rests_on_help_is_the_one_with_the_help() -> None:
    """Nobody reads "consistent with assumption" beside +463% and is not told what the assumption leaves of it."""
    resting = [result for result in RESULTS.values() if result.claim.assume and result.verdict in (HELPED, NEEDS_MORE)]
    assert {"C33", "C85", "S02"} <= {result.claim.id for result in resting}
    for result in resting:
        if result.residual is not None:
            assert result.helped is not None, result.claim.id
            assert abs(result.helped.residual) <= result.claim.tolerance < abs(result.residual), result.claim.id
            assert "Then: " in " ".join(card(result.claim.id, LEAK).text())
