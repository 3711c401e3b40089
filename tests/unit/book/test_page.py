"""Pieces of a page: everything escaped, but what is HTML already."""

from __future__ import annotations

from gpt4lab.book.page import Raw, block, shown, table


def test_a_table_escapes_caption_heads_and_cells() -> None:
    page = table("<c>", ["<h>"], [["<d>"], [Raw("<i>sign</i>")], [3]])
    assert "&lt;c&gt;" in page
    assert "&lt;h&gt;" in page
    assert "&lt;d&gt;" in page
    assert "<i>sign</i>" in page
    assert ">3</td>" in page


def test_a_head_of_a_table_says_what_it_heads() -> None:
    assert table("c", ["a", "b"], []).count('scope="col"') == 2


def test_a_head_without_words_is_no_head() -> None:
    page = table("c", ["", "b"], [])
    assert page.count("<th") == 1 + page.count("<thead")
    assert "<td></td>" in page


def test_a_table_scrolls_by_keyboard_and_says_what_it_is() -> None:
    assert 'tabindex="0" role="group" aria-label="&lt;c&gt;"' in table("<c>", ["a"], [])


def test_a_block_has_a_class_of_the_book() -> None:
    assert block("tally", "x") == '<div class="g4l-tally">x</div>'


def test_a_dollar_in_a_static_piece_is_no_formula() -> None:
    assert "mathjax_ignore" in shown("$5 and $6").data


def test_no_piece_brings_a_stylesheet_of_its_own() -> None:
    assert "<style" not in shown(table("c", [], [])).data


def test_a_column_of_numbers_stands_at_the_right_and_one_of_words_at_the_left() -> None:
    page = table("c", ["what", "how much"], [["GPT-3", "3.1 GB"], ["2020-05-28", "$63 million"]])
    assert page.count('class="g4l-number"') == 3
    assert '<th scope="col" class="g4l-number">how much</th>' in page
