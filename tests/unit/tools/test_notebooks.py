"""A notebook holds the words of its text's sentences, with the numbers of today, and the code that others need."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gpt4lab.book import say
from tools.notebooks import made

Cells = Callable[..., list[Any]]


@pytest.fixture
def cells(tmp_path: Path) -> Cells:
    """The cells of the notebook that a text of these code cells makes, below its title."""

    def cells_of(*codes: str) -> list[Any]:
        text = tmp_path / "98_nothing.md"
        blocks = "".join(f"\n```{{code-cell}} ipython3\n{code}\n```\n" for code in codes)
        text.write_text(f"# 98\n{blocks}", "utf-8")
        return made(text).cells[1:]

    return cells_of


def test_a_sentence_stands_as_its_words(cells: Cells) -> None:
    (said,) = cells('say("""\nIt takes {training.days}.\n""")')
    assert (said.cell_type, said.source) == ("markdown", say("It takes {training.days}.").data)


def test_a_chapter_says_once_what_a_number_is(cells: Cells) -> None:
    first, second = cells('say("{training.days}")', 'say("{training.days} and {training.mfu}")')
    assert [said.source.count("itemprop=") for said in (first, second)] == [1, 2]
    assert [said.source.count("title=") for said in (first, second)] == [1, 1]


def test_a_sentence_rests_on_what_was_computed_before_it_and_on_nothing_else(cells: Cells) -> None:
    *_, said = cells(
        "import math\ny = 2", "raise KeyboardInterrupt", "%%live\nz = 1", 'x = 3 * y\nsay(f"{math.sqrt(x * 6)}")'
    )
    assert said.source == "6.0"


def test_what_only_the_sentence_needs_is_no_code_of_the_notebook(cells: Cells) -> None:
    (said,) = cells('x = 3\nsay(f"{x}")')
    assert said.source == "3"


@pytest.mark.parametrize("later", ["print(y)", "%%live\nprint(y)", 'say(f"{y}")\nprint(y)'])
def test_what_later_cells_need_stays_code(cells: Cells, later: str) -> None:
    code, said, _ = cells('x = 3\ny = x + 1\nz = 5\nsay(f"{z}")', later)
    assert (code.cell_type, code.source) == ("code", "x = 3\ny = x + 1")
    assert (said.cell_type, said.source) == ("markdown", "5")


def test_a_closing_and_references_stand_as_words_and_other_calls_stay_code(cells: Cells) -> None:
    kinds = [
        cell.cell_type for cell in cells('closing("03")', 'references("leviathan2023")', 'opening("03")', "saying()")
    ]
    assert kinds == ["markdown", "markdown", "code", "code"]


def test_an_id_follows_from_the_text_and_none_stands_twice(cells: Cells) -> None:
    first, second = ([cell.id for cell in cells("1", "1", 'say("2")')] for _ in range(2))
    assert first == second
    assert len(set(first)) == 3
    assert [cell.id for cell in cells("0", "1", "1", 'say("2")')][1:] == first


def test_an_unknown_name_in_a_sentence_is_told(cells: Cells) -> None:
    with pytest.raises(ValueError, match=r"training\.dais"):
        cells('say("{training.dais}")')


def test_folded_code_shows_no_word_before_anything_has_run(cells: Cells) -> None:
    folded, said, plain = cells(":jupyter: {source_hidden: true}\n\nx = 3", 'say("5")', "print(x)")
    assert [cell.source for cell in (folded, said, plain)] == ["\nx = 3", "5", "print(x)"]
