"""Prose whose numbers are computed: see `gpt4lab.claims.prose`.

say("The run takes {training.days} and costs {training.cost}; on H100 {training.days@h100-rerun}.")
"""

from __future__ import annotations

from IPython.display import Markdown

from gpt4lab.book.touch.written import priced, touched

__all__ = ["priced", "say"]


def say(text: str) -> Markdown:
    """A paragraph of Markdown with its numbers filled in, to be touched. In a chapter it stands as these words.

    A number whose name begins with "~" is moved in its sentence: it needs a slider of that input in the chapter, and
    the numbers around it follow that panel. See gpt4lab/book/touch, tools/notebooks.py.
    """
    return Markdown(touched(text))
