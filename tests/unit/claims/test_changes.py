"""The changelog of verdicts is never behind the audit, and the colophon tells all of it."""

from __future__ import annotations

from collections import Counter

import attrs
import pytest

from gpt4lab.book.colophon import markdown
from gpt4lab.claims import audit, changes, ledger
from gpt4lab.scenario import load_scenario


def test_replayed_it_ends_at_todays_verdicts():
    """Who changes a verdict says so, with a reason, in claims/changes.toml."""
    assert changes.stale(audit(load_scenario("leak"))) == []
    assert set(changes.latest()) == set(ledger())


@pytest.mark.parametrize("key", ["C12", "C33", "P04"])
def test_a_verdict_that_is_not_told_is_found(key: str):
    results = [
        attrs.evolve(one, verdict="opinion") if one.claim.id == key else one for one in audit(load_scenario("leak"))
    ]
    (found,) = changes.stale(results)
    assert found.startswith(f"{key}: opinion today")


def test_a_change_begins_where_the_last_one_ended(monkeypatch: pytest.MonkeyPatch):
    told = changes.changes()
    monkeypatch.setattr(changes, "changes", lambda: (*told, attrs.evolve(told[-1], after="opinion")))
    with pytest.raises(ValueError, match=told[-1].claim):
        changes.latest()


def test_no_claim_begins_twice_and_the_log_is_in_order():
    began = Counter(claim for one in changes.begun() for claim in one.verdicts)
    assert set(began.values()) == {1}
    for log in (changes.begun(), changes.changes(), changes.mistakes()):
        days = [one.date for one in log]
        assert days == sorted(days)
    assert all(one.why for one in (*changes.begun(), *changes.changes()))


def test_the_colophon_tells_every_change_and_mistake():
    text = markdown()
    assert all(one.claim in text and one.why in text for one in changes.changes())
    assert all(one.what in text and one.now in text for one in changes.mistakes())
    assert "{" not in text
