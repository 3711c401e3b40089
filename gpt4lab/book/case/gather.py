"""Many case files in one table, a row a file. What lies in the folder is read as data, and nothing of it runs.

Only where that is asked for, the code that readers wrote is run once more, in the limited process of the exercises.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import attrs

from gpt4lab.book import store
from gpt4lab.book.case.calibration import brier
from gpt4lab.book.case.case import Case
from gpt4lab.book.case.file import MOST_BYTES, CaseError, read
from gpt4lab.book.exercises.code import codes
from gpt4lab.terminal import harmless

#: A text of one's own that is at least so long is nobody else's by chance.
OWN_WORDS = 60  # characters
#: A cell that begins like this is a formula to a spreadsheet; some read the wide forms of these characters, too.
FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def gather(folder: Path, complain: Callable[[str], Any], run_code: bool = False) -> list[dict[str, Any]]:
    """One row for each case file (*.json) of a folder, by name; `complain` gets a sentence for each that is none.

    What one file has in common with another, an earlier one by name, is told in its row: records of the same second,
    and texts word for word. Of two such files the table cannot say which is the copy.

    run_code: whether to judge the code in them anew.

    Raises CaseError where there is no such folder, or no case file in it.
    """
    if not folder.is_dir():
        raise CaseError(f"{folder} is no folder.")
    rows: list[dict[str, Any]] = []
    known: dict[Any, str] = {}
    for file in sorted(path for path in folder.iterdir() if path.suffix.lower() == ".json"):
        try:
            case = _case_in(file)
            name = harmless(file.name)
            rows.append({"file": name, **_row(case, run_code), **_as_elsewhere(case, name, known)})
        except (CaseError, OSError) as error:
            complain(f"{file.name} was left out: {getattr(error, 'strerror', None) or error}.")
    if not rows:
        raise CaseError(f"{folder} holds no case file: readers download theirs at the end of chapter 00.")
    return rows


def _case_in(file: Path) -> Case:
    if not file.is_file():  # a folder, a pipe that never ends
        raise CaseError("it is no file")
    with file.open("rb") as opened:
        state = read(opened.read(MOST_BYTES + 1))
    return Case.read(lambda kind: store.section(state, kind))


def _row(case: Case, run_code: bool) -> dict[str, Any]:
    forecasts, bands, score = case.forecasts(), case.bands(), brier(case.forecasts())
    return {
        "chapters opened": len(case.opened),
        "exercises tried": sum(answer.tries > 0 for answer in case.answers.values()),
        "exercises solved": sum(answer.solved for answer in case.answers.values()),
        "guesses": len(case.guesses),
        "bands": len(bands),
        "bands that held": sum(bands),
        "verdicts signed": len(case.signatures()),
        "signed unseen": len(forecasts),
        "on our side": sum(out for _, out in forecasts),
        "Brier score": None if score is None else round(score, 4),
        **({"code right, run again": _run_again(case)} if run_code else {}),
    }


def _as_elsewhere(case: Case, name: str, known: dict[Any, str]) -> dict[str, str]:
    """What stands in an earlier file too; `known` says in which, and learns what is new in this one."""
    told = {"records as in": list(_records(case)), "words as in": list(_texts(case))}
    found = {column: _shared([known[one] for one in held if one in known], len(held)) for column, held in told.items()}
    known |= {one: name for held in told.values() for one in held if one not in known}
    return found


def _records(case: Case) -> Iterator[Any]:
    """Each guess, answer and signature with the second in which it was kept: two readers have none in common."""
    for table in (case.guesses, case.answers, case.verdicts):
        yield from ((key, repr(attrs.astuple(kept))) for key, kept in table.items() if kept.when)


def _texts(case: Case) -> Iterator[Any]:
    """What was written in the reader's own words, but for code: a right line of it may well be the same."""
    written = [(key, answer.text) for key, answer in case.answers.items() if key not in codes()]
    for key, text in (*written, *((key, guess.why) for key, guess in case.guesses.items())):
        if len(words := " ".join(text.casefold().split())) >= OWN_WORDS:
            yield key, words


def _shared(places: list[str], held: int) -> str:
    return "; ".join(f"{name}: {count} of {held}" for name, count in Counter(places).most_common())


def _run_again(case: Case) -> int:
    written = [(codes()[key], answer.text) for key, answer in case.answers.items() if answer.text and key in codes()]
    return sum(code.check(text).level == "right" for code, text in written)


def as_csv(rows: Iterable[dict[str, Any]]) -> str:
    """The table as CSV, with nothing in it that a spreadsheet would compute.

    Words stand in quotes: a spreadsheet that parts cells at semicolons finds none in a name.
    """
    rows, text = list(rows), io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writeheader()
    writer.writerows({name: _inert(cell) for name, cell in row.items()} for row in rows)
    return text.getvalue()


def _inert(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip(" ").startswith(FORMULA) else cell
