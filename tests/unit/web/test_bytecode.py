"""What a page's Python gets: bytecode, and the text of what is read as text."""

from __future__ import annotations

import inspect
import marshal

import pytest

from gpt4lab.quantities.leaf import GROUPS
from gpt4lab.quantities.registry import QUANTITIES, from_root
from web.bytecode import READ, files

MODULE = b'"""Says."""\n\ndef says():\n    """More."""\n'


def test_the_text_of_each_formula_and_field_goes_along() -> None:
    functions = {inspect.unwrap(QUANTITIES[name].function) for name in QUANTITIES.names()}
    places = {from_root((inspect.getfile(each), 1)) for each in functions | {*GROUPS.values()}}
    assert [place for place in places if not READ.search(place.partition(":")[0])] == []


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("gpt4lab/value.py", {"gpt4lab/value.pyc"}),
        ("pint/value.py", {"pint/value.pyc"}),
        ("gpt4lab/scenario/value.py", {"gpt4lab/scenario/value.py", "gpt4lab/scenario/__pycache__"}),
        ("gpt4lab/toys/value.py", {"gpt4lab/toys/value.py"}),
        ("gpt4lab/value.toml", {"gpt4lab/value.toml"}),
    ],
)
def test_a_module_is_compiled_or_read_or_both(name: str, inside: set[str]) -> None:
    written = {file.split("/value.cpython")[0]: content for file, content in files(name, MODULE)}
    assert set(written) == inside
    for file, content in written.items():
        if file.endswith(("c", "__pycache__")):
            space: dict[str, object] = {"__doc__": None}
            exec(marshal.loads(content[16:]), space)
            assert space["__doc__"] == ("Says." if name.startswith("gpt4lab") else None)
