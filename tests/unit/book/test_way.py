"""The records of a reader's way: their schema, older and later editions, and files that hold anything at all."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gpt4lab.book import board, chapter, exercise, guess, mine, opening, reveal, store, way
from gpt4lab.book.way import Answer, Assumptions, Guess, Opened, Record, Review, Signed, WayError, Wish

RECORDS: dict[str, Record] = {
    "00": Opened(),
    "q-number": Guess(63e6, "USD", 5e7, 1e8, 5.7e7, "by the title"),
    "q-word": Guess("b"),
    "ex": Answer("almost", 3),
    "C33": Signed("unit-error", seen=False, sure=0.75),
    "C34": Signed(None, seen=True),
    "sign-first": Wish(on=True),
    "later": Review("2026-12-01", "right", 2),
    "mine": Assumptions("leak?training.mfu=0.4"),
}
# What older and newer files hold, and what they might: half of it of the right shape.
LEAVES = (
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers(-(10**400), 10**400)
    | st.text(max_size=20)
    | st.sampled_from(["a", "b", "gone", "right", "wrong", "C33", "leak", "leak?training.mfu=7", "2026-11-28", "USD"])
)
KEYS = st.sampled_from([*RECORDS, "value", "unit", "low", "high", "level", "tries", "text", "when", "due"])


def _table(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(KEYS | st.text(max_size=5), values, max_size=6)


ANYTHING = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | _table(inner), max_leaves=8)


FILES = st.fixed_dictionaries(
    {},
    optional={kind: ANYTHING | _table(ANYTHING) for kind in (*(r.KIND for r in way.RECORDS), "solved", "schema", "x")},
)

WHOLE = (FILES | ANYTHING).map(lambda file: json.dumps(file).encode())
BYTES = WHOLE | WHOLE.map(lambda file: file[: len(file) * 2 // 3]) | st.binary(max_size=60)


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(chapter, "display", lambda *_: None)
    yield
    store._SESSIONS.clear()


@pytest.mark.parametrize("key", RECORDS)
def test_a_record_comes_back_and_the_file_fits_the_schema(key: str, own_memory: Path) -> None:
    record = RECORDS[key]
    assert record.keep(key)
    assert type(record).recall(key) == record
    Draft202012Validator(way.schema()).validate(json.loads((own_memory / "progress.json").read_text("utf-8")))


def test_the_documented_schema_is_the_one_that_is_used(root: Path) -> None:
    documented = json.loads((root / "docs" / "progress.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(documented)
    assert documented == way.schema()


def test_what_the_first_edition_kept_is_understood() -> None:
    store.keep("guess", "number", 63e6)
    store.keep("guess", "word", "b")
    store.keep("opened", "00", True)
    store.keep("solved", "ex", True)
    store.keep("scenario", "mine", "leak?training.mfu=0.4")
    assert (Guess.recall("number").value, Guess.recall("word").value) == (63e6, "b")
    assert list(Opened.all()) == ["00"]
    assert Answer.recall("ex").solved
    assert mine().training.mfu == 0.4


def test_an_exercise_that_the_first_edition_kept_stays_solved() -> None:
    store.keep("solved", "ex", True)
    box = exercise("ex", "?", answer=3)
    box.answer = "5"
    assert box.press_check().level == "wrong"
    assert Answer.recall("ex").solved


def test_fields_of_a_later_edition_stay(own_memory: Path) -> None:
    store.keep("guess", "a", {"value": 1, "mood": "sure", "when": ""})
    assert Guess.recall("a").value == 1
    Guess(2).keep("a")
    assert store.recall("guess", "a")["mood"] == "sure"
    assert store.recall("guess", "a")["value"] == 2


@pytest.mark.parametrize("value", [math.nan, math.inf, 10**400, True, None, [], {}, "x" * 20_000])
def test_a_guess_that_is_none_is_no_record(value: Any) -> None:
    with pytest.raises(WayError, match=r"guess\.value"):
        Guess(value)
    assert Guess.read({"value": value}) is None


def test_a_band_holds_its_guess() -> None:
    assert Guess(3, low=2, high=4).high == 4
    with pytest.raises(WayError, match="between"):
        Guess(5, low=2, high=4)


@pytest.mark.parametrize(
    ("low", "high", "answer", "held"),
    [(2, 4, 3, True), (2, 4, 4, True), (2, 4, 5, False), (None, 4, 0, True), (2, None, 1, False), (2, 4, None, None)],
)
def test_a_band_held_the_answer_or_did_not(low: Any, high: Any, answer: Any, held: Any) -> None:
    assert Guess(3, low=low, high=high, answer=answer).held is held
    assert Guess(3, answer=answer).held is Guess("b", answer="b").held is None


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(file=BYTES)
def test_no_file_stops_a_chapter(own_memory: Path, file: bytes) -> None:
    """Opening, guess, reveal, board and exercise work whatever lies there, and again on what they wrote."""
    store._SESSIONS.clear()
    (own_memory / "progress.json").write_bytes(file)
    for _ in range(2):
        opening("00")
        number = guess("q-number", "?", quantity="training.cost", lo=1e6, hi=1e10)
        word = guess("q-word", "?", answer="a", options=("a", "b"))
        reveal("q-number")
        reveal("q-word")
        box = exercise("ex", "?", answer=3)
        box.answer = "40"
        assert box.press_check().level == "wrong"
        board()
        number.children[1].stand(5e7)
        number.children[2].click()
        word.children[2].click()
        for key in ("q-number", "q-word"):
            assert reveal(key).children[0].value.count("You guessed") == 1
    assert store.trouble() == "" or "progress.json.broken" in store.trouble()


@given(value=ANYTHING)
def test_a_value_is_a_record_that_fits_its_schema_or_none(value: Any) -> None:
    for record in way.RECORDS:
        read = record.read(value)
        if isinstance(value, dict):
            known = {key: value[key] for key in value if key in record.__annotations__ or key == "when"}
            fits = Draft202012Validator(way._described(record)).is_valid(known)
            assert read is None or fits
