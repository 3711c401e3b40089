"""What a chapter is made of; each piece is one call in a notebook cell.

opening, guess, say, explain, (a panel), crosscheck, verdict, exercise, closing, references

Importing it also teaches the notebook the cell magics %%live, for cells that need torch, and %%answer.
"""

from gpt4lab.book import shell
from gpt4lab.book.board import Board, board, mine
from gpt4lab.book.case.ballot import sign_first, verdict
from gpt4lab.book.case.desk import case_file
from gpt4lab.book.case.review_box import review
from gpt4lab.book.chapter import chapters, closing, opening, references
from gpt4lab.book.exercises import exercise as exercises
from gpt4lab.book.exercises.code import Code
from gpt4lab.book.exercises.exercise import EXERCISES, exercise
from gpt4lab.book.guess import guess, guesses, reveal
from gpt4lab.book.prose import say
from gpt4lab.book.selfcheck import selfcheck
from gpt4lab.book.tables import consequences, crosscheck, legend_of_marks, live_crosscheck, rows
from gpt4lab.checks.check import Check
from gpt4lab.claims.prose import fill

shell.register()
exercises.register()
