"""The case file: what a reader has signed, guessed and solved, beside what the book says; and how well calibrated."""

# pyright: reportUnusedImport=false

from gpt4lab.book.case.case import Case, Signature
from gpt4lab.book.case.file import CaseError, as_html, as_json, merge, read
