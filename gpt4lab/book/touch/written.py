"""How a sentence carries its numbers, so that they explain themselves, also where nothing runs.

    It takes <span itemprop="training.days" title="C / (F × MFU × 86,400): Length of the run">94 days</span>

`itemprop` is what stood in braces; of all attributes it is the one that JupyterLab and code forges let pass.
"""

from __future__ import annotations

import re

from gpt4lab.claims import ledger
from gpt4lab.claims.prose import NUMBERS, fill
from gpt4lab.quantities import QUANTITIES, known
from gpt4lab.scenario import FIELDS
from gpt4lab.units import cut

MOST_TOLD = 130  # characters: more is told where the book runs
FORMULA = re.compile(r"(?<!\\)(\$\$?).+?(?<!\\)\1", re.DOTALL)
SPECIAL = re.compile(r'["&<>*`~\[\]|$\\{}]')


def touched(text: str) -> str:
    """The text filled in, its numbers marked; numbers within a formula stay bare."""
    formulas = [found.span() for found in FORMULA.finditer(text)]

    def written(words: str, found: re.Match[str]) -> str:
        about = told_of(found["name"])
        if not (about and words) or any(begin < found.start() < end for begin, end in formulas):
            return priced(words)
        return f'<span itemprop="{quoted(found.group()[1:-1])}" title="{quoted(about)}">{priced(words)}</span>'

    return fill(text, written=written)


def priced(text: str) -> str:
    """A text for Markdown whose dollars begin no formula: JupyterLab, GitHub and nbconvert escape them differently."""
    return text.replace("$", "<span>&#36;</span>")


def told_of(name: str) -> str:
    """What a number is, in one line: its formula and source; a claim's own words; "" for what is no number."""
    head, _, part = name.partition(".")
    if head in ledger():
        return f"The post: {ledger()[head].quoted}" if part in NUMBERS else ""
    name = known(name)
    if name in FIELDS:
        field = FIELDS[name]
        return cut(f"{field.label}: {field.meaning} ({field.source})", MOST_TOLD)
    quantity = QUANTITIES[name]
    about = f"{quantity.meaning.removesuffix('.')} ({quantity.source})"
    whole = f"{quantity.formula.text()}: {about}"
    return whole if len(whole) <= MOST_TOLD else cut(about, MOST_TOLD)


def quoted(text: str) -> str:
    """A text as an attribute within Markdown, where a bar would end the cell of a table."""
    return SPECIAL.sub(lambda found: f"&#{ord(found[0])};", text)
