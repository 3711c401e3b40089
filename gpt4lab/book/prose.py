"""Prose whose numbers are computed: see `gpt4lab.claims.prose`.

say("The run takes {training.days} and costs {training.cost}; on H100 {training.days@h100-rerun}.")
"""

from __future__ import annotations

from IPython.display import Markdown

from gpt4lab.claims.prose import fill


def say(text: str) -> Markdown:
    """A paragraph of Markdown with its numbers filled in. In a chapter it stands as these words: tools/notebooks.py."""
    return Markdown(fill(text, written=priced))


def priced(text: str) -> str:
    """A text for Markdown whose dollars begin no formula: JupyterLab, GitHub and nbconvert escape them differently."""
    return text.replace("$", "<span>&#36;</span>")
