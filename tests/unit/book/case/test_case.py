"""The case file: calibration, what leaves and comes back, and files that hold anything at all."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from gpt4lab.book import store, way
from gpt4lab.book.case import Case, CaseError, as_html, as_json, file, merge, read
from gpt4lab.book.case.calibration import COIN, brier, steps
from gpt4lab.book.case.case import factor
from gpt4lab.book.case.desk import CaseFile
from gpt4lab.book.case.file import MOST_BYTES
from gpt4lab.book.way import Answer, Guess, Opened, Signed, Wish

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def kept() -> None:
    Opened().keep("09")
    Guess(60e6, "USD", 40e6, 80e6, 63e6, why=EVIL).keep("09-price")
    Guess(2.0, "1", 1.0, 3.0, 9.0).keep("14-wake")
    Guess("a", answer="b").keep("00-word")
    Answer("almost", 3).keep("00-left")
    Signed("arithmetic-mismatch", seen=False, sure=0.9).keep("C12")  # ours: unit-error, the same side
    Signed("consistent", seen=False, sure=0.7).keep("C13")
    Signed("consistent", seen=True, sure=1.0).keep("C29")
    Signed(None, seen=True).keep("C30")
    Wish(on=True).keep("sign-first")


def test_the_score_of_known_forecasts() -> None:
    assert brier([]) is None
    assert brier([(1.0, True), (1.0, False)]) == 0.5
    assert brier([(0.5, True), (0.5, False)]) == COIN
    assert brier([(0.8, True)] * 4 + [(0.8, False)]) == pytest.approx(0.8 * 0.2)
    assert [(step.sure, step.count, step.out) for step in steps([(0.9, True), (0.5, False), (0.9, False)])] == [
        (0.5, 1, 0),
        (0.9, 2, 1),
    ]


def test_only_what_was_signed_unseen_counts(kept: None) -> None:
    case = Case.read()
    assert [signature.claim for signature in case.signatures()] == ["C12", "C13", "C29"]
    assert [sure for sure, _ in case.forecasts()] == [0.9, 0.7]
    assert case.forecasts()[0] == (0.9, True)


def test_bands_and_gaps(kept: None) -> None:
    case = Case.read()
    assert sorted(case.bands()) == [False, True]
    factors = {key: factor(guess) for key, guess in case.guesses.items()}
    assert factors == {"00-word": None, "09-price": pytest.approx(60 / 63), "14-wake": pytest.approx(2 / 9)}


def test_what_leaves_fits_the_schema_and_comes_back_whole(
    kept: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = as_json()
    way.Draft202012Validator(way.schema()).validate(json.loads(text))
    monkeypatch.setenv("GPT4LAB_STATE", str(tmp_path / "other"))
    assert store.entries("guess") == {}
    assert merge(read(text.encode())) == (10, 0)
    assert json.loads(as_json()) == json.loads(text)
    assert merge(read(text.encode())) == (0, 0)


def test_what_is_here_stays_and_the_better_answer_counts(kept: None) -> None:
    other = {
        "schema": 2,
        "guess": {"09-price": {"value": 1.0}, "02-new": {"value": 5.0}},
        "answers": {"00-left": {"level": "right"}},
        "verdicts": {"C12": {"verdict": "consistent", "seen": False}},
        "solved": {"00-rent": True},
    }
    assert merge(read(json.dumps(other).encode())) == (3, 0)
    assert Guess.all()["09-price"].value == 60e6
    assert {key: answer.level for key, answer in Answer.all().items()} == {"00-left": "right", "00-rent": "right"}
    assert Signed.all()["C12"].verdict == "arithmetic-mismatch"
    assert merge(read(b'{"schema": 2, "answers": {"00-left": {"level": "wrong"}}}')) == (0, 0)
    assert Answer.all()["00-left"].level == "right"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"schema": "2"}',
        b'{"schema": true}',
        b"\xff\xfe",
        b"[" * 100_000,
        b"1" * 5_000,
        b" " * (MOST_BYTES + 1),
    ],
)
def test_what_is_no_case_file_is_refused_in_a_sentence(raw: bytes) -> None:
    with pytest.raises(CaseError):
        read(raw)
    desk = CaseFile()
    desk.bring(raw, EVIL)
    assert "was not imported" in desk._said.value
    assert EVIL not in desk._said.value


@pytest.mark.parametrize("table", [None, 3, [], {"x": {}, EVIL: {"value": 1}}, {"k" * 200: {"value": 1}}])
def test_what_is_no_record_is_passed_over(table: Any) -> None:
    assert merge({"schema": 9, "guess": table, "reviews": table})[0] == 0
    assert not Guess.all()


class Tags(HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [tag, *(name for name, _ in attrs)]


def test_many_records_are_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(file, "MOST_RECORDS", 100)
    monkeypatch.setattr(store, "_replace", lambda file, text, damaged: written.append(text) or "")
    guesses = {f"09-{n}": {"value": n} for n in range(100)}
    assert merge({"schema": 2, "guess": guesses, "opened": {"09": {}}}) == (100, 1)
    assert len(written) == 2
    assert len(json.loads(written[1])["guess"]) == 99


def test_the_page_stands_alone_and_nothing_of_a_record_runs(kept: None) -> None:
    Guess(EVIL, answer=EVIL).keep("09-evil")
    Guess(1.0, "USD/USD/nonsense", answer=2.0).keep("09-unit")
    page = as_html()
    tags = Tags()
    tags.feed(page)
    assert "&lt;img" in page
    assert not {"img", "script", "src", "href", "onerror", "link"} & set(tags.found)
    assert "Brier score is" in page
    assert "held the answer 1 of 2 times" in page


def test_half_a_character_does_not_keep_the_desk_from_opening() -> None:
    assert merge(read(b'{"schema": 2, "guess": {"02-x": {"value": "\\ud800", "why": "\\udfff"}}}')) == (1, 0)
    assert "02-x" in CaseFile()._tables.value
    assert as_html().encode()
    assert as_json().encode()


def test_a_guess_is_named_by_its_question(kept: None) -> None:
    Guess(3.0, answer=4.0, asked=f"How many? {EVIL}").keep("12-many")
    page = as_html()
    assert "How many? &lt;img" in page
    assert "12-many" not in page
    assert "09-price" in page  # an older edition kept no words


def test_the_desk_shows_what_was_kept_since_and_offers_both_files(kept: None) -> None:
    desk = CaseFile()
    Answer("right", 1).keep("12-later")
    assert "12-later" not in desk._tables.value
    desk.refresh()
    assert "12-later" in desk._tables.value
    assert desk._links.value.count("download=") == 2
    assert "<script" not in desk._links.value


def test_an_empty_case_says_so() -> None:
    assert "Nothing yet" in CaseFile()._tables.value
