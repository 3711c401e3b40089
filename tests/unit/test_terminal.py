"""The programs of the book print what their output can take, and end quietly, or in one line, where it takes none."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

import pytest

from gpt4lab import cli, terminal

COMMANDS = [
    ("claims",),
    ("explain", "training.cost", "--depth", "9"),
    ("explain", "training.mfu"),
    ("scenario", "list"),
    ("scenario", "show", "leak"),
    ("scenario", "diff", "leak", "h100-rerun"),
    ("--help",),
    ("--version",),
]
ENCODINGS = ["cp1252", "latin-1", "ascii", "cp437", "utf-16"]


def printed(arguments: tuple[str, ...], encoding: str) -> str:
    """What a command prints on an output of this encoding, which refuses every other character."""
    raw = io.BytesIO()
    with redirect_stdout(io.TextIOWrapper(raw, encoding, errors="strict", newline="\n", write_through=True)):
        assert cli.main(arguments) == 0
        sys.stdout.flush()
        return raw.getvalue().decode(encoding)


def digits(line: str) -> list[str]:
    """All digits, raised or not."""
    return [letter for letter in line.translate(terminal.LOWERED) if letter.isdigit()]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_any_encoding_gets_every_line_and_every_number(arguments: tuple[str, ...], encoding: str) -> None:
    whole, got = printed(arguments, "utf-8").splitlines(), printed(arguments, encoding).splitlines()
    assert len(got) == len(whole)
    for line, expected in zip(got, whole, strict=True):
        assert digits(line) == digits(expected)
        assert len(line.split()) == len(expected.split())


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("arguments", COMMANDS[:-2], ids=" ".join)
def test_json_loses_nothing_in_any_encoding(arguments: tuple[str, ...], encoding: str) -> None:
    assert json.loads(printed((*arguments, "--json"), encoding)) == json.loads(printed((*arguments, "--json"), "utf-8"))


def test_a_table_keeps_its_columns_where_an_exponent_grows() -> None:
    raw = io.BytesIO()
    with redirect_stdout(io.TextIOWrapper(raw, "ascii", write_through=True)):
        short, long = cli.columns([("2.15×10²⁵ FLOP", "C31"), ("34%", "C29")])
    assert short.index("C31") == long.index("C29")
    assert short.startswith("2.15x10^25 FLOP")


def closed_pipe() -> Any:
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w")


def full_disk() -> Any:
    if not os.path.exists("/dev/full"):
        pytest.skip("only Linux has a disk that is always full")
    return open("/dev/full", "w")


@contextmanager
def output(stream: Any) -> Iterator[None]:
    before, sys.stdout = sys.stdout, stream
    try:
        yield
    finally:
        sys.stdout = before


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [(closed_pipe, 141, ""), (full_disk, 1, "No space left"), (lambda: None, 1, "the standard output is closed")],
    ids=["closed pipe", "full disk", "closed output"],
)
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["lines", "json"])
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_what_cannot_be_written_is_one_line_or_none(
    arguments: tuple[str, ...],
    form: tuple[str, ...],
    kind: Callable[[], Any],
    status: int,
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with output(kind()):
        assert cli.main((*arguments, *form)) == status
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == bool(words)


PROGRAMS = [["gpt4lab", "claims"], ["gpt4lab.toys"], ["gpt4lab.distributed", "--help"]]


@pytest.mark.skipif(sys.platform != "linux", reason="a shell, and a disk that is always full")
@pytest.mark.parametrize("program", PROGRAMS, ids=" ".join)
def test_python_itself_has_nothing_to_add_at_the_end(program: list[str]) -> None:
    if program[0] != "gpt4lab":
        pytest.importorskip("torch")
    command = f"{sys.executable} -m {' '.join(program)}"
    script = f"{command} | true; echo ${{PIPESTATUS[0]}}; {command} > /dev/full; echo $?; {command} >&-; echo $?"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=os.environ | {"LC_ALL": "C"})
    assert done.stdout.split() == ["141", "1", "1"]
    full, closed = done.stderr.splitlines()
    assert "No space left" in full
    assert "closed" in closed


def test_a_reader_who_interrupts_gets_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    assert terminal.run("program", interrupted) == 130
    assert capsys.readouterr().err == ""
