r"""Prose whose numbers are computed: see `gpt4lab.claims.prose`.

say("The run takes {training.days} and costs {training.cost}; on H100 {training.days@h100-rerun}.")
"""

from __future__ import annotations

from IPython.display import Markdown

from gpt4lab.claims.prose import fill


def say(text: str) -> Markdown:
    """A paragraph of Markdown with its numbers filled in."""
    return Markdown(fill(text, written=_escaped))


def _escaped(text: str) -> str:
    """A dollar sign would begin a formula, for Markdown and once more for MathJax: two backslashes."""
    return text.replace("$", r"\\$")
