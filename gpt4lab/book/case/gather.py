"""Many case files in one table, a row a file. What lies in the folder is read as data, and nothing of it runs.

Only where that is asked for, the code that readers wrote is run once more, in the limited process of the exercises.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from gpt4lab.book import store
from gpt4lab.book.case.calibration import brier
from gpt4lab.book.case.case import Case
from gpt4lab.book.case.file import MOST_BYTES, CaseError, read
from gpt4lab.book.exercises.code import codes
from gpt4lab.terminal import harmless

#: A cell that begins like this is a formula to a spreadsheet.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def gather(folder: Path, complain: Callable[[str], Any], run_code: bool = False) -> list[dict[str, Any]]:
    """One row for each case file (*.json) of a folder, by name; `complain` gets a sentence for each that is none.

    run_code: whether to judge the code in them anew.

    Raises CaseError where there is no such folder, or no case file in it.
    """
    if not folder.is_dir():
        raise CaseError(f"{folder} is no folder.")
    rows: list[dict[str, Any]] = []
    for file in sorted(path for path in folder.iterdir() if path.suffix.lower() == ".json"):
        try:
            rows.append(_row(file, run_code))
        except (CaseError, OSError) as error:
            complain(f"{file.name} was left out: {getattr(error, 'strerror', None) or error}.")
    if not rows:
        raise CaseError(f"{folder} holds no case file: readers download theirs at the end of chapter 00.")
    return rows


def _row(file: Path, run_code: bool) -> dict[str, Any]:
    if not file.is_file():  # a folder, a pipe that never ends
        raise CaseError("it is no file")
    with file.open("rb") as opened:
        state = read(opened.read(MOST_BYTES + 1))
    case = Case.read(lambda kind: store.section(state, kind))
    forecasts, bands, score = case.forecasts(), case.bands(), brier(case.forecasts())
    return {
        "file": harmless(file.name),
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


def _run_again(case: Case) -> int:
    written = [(codes()[key], answer.text) for key, answer in case.answers.items() if answer.text and key in codes()]
    return sum(code.check(text).level == "right" for code, text in written)


def as_csv(rows: Iterable[dict[str, Any]]) -> str:
    """The table as CSV, with nothing in it that a spreadsheet would compute."""
    rows, text = list(rows), io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _inert(cell) for name, cell in row.items()} for row in rows)
    return text.getvalue()


def _inert(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
