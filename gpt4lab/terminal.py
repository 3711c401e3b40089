"""What a program prints, whatever that goes to: a terminal without "×", a pipe that closes, a disk that is full."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn
from unicodedata import category

from gpt4lab import place
from gpt4lab.units import SUPERSCRIPT

LOWERED = {raised: digit for digit, raised in SUPERSCRIPT.items()}
RAISED = re.compile(f"[{''.join(map(chr, LOWERED))}]+")
PLAIN = dict(zip("×−–—’“”·", 'x---\'"".', strict=True))  # one character each: a table keeps its columns
LIVE = ("torch", "joblib", "sklearn", "scipy", "numpy")  # packages of the extra gpt4lab[live], and what they bring
LONGEST = 4000  # characters of an error: what was pasted is not printed again in full
CLOSED_PIPE, INTERRUPTED = 128 + 13, 128 + 2  # as a shell counts a program that these signals end


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with the arguments."""

    def error(self, message: str) -> NoReturn:
        """End with status 2."""
        complain(self.prog, f"{message} (see {self.prog} --help)")
        raise SystemExit(2)

    def _print_message(self, message: str, file: Any = None) -> None:
        """Help and version: argparse's own passes over what could not be written."""
        print(fit(message), end="", file=file)


def run(program: str, command: Callable[[], int]) -> int:
    """Run a command and return its exit status; output that cannot be written is told in one line, and is a failure.

    Whoever reads the output and has enough of it closes the pipe: that ends the command without a word.
    """
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison] - started with `>&-`
        return complain(program, "nothing can be written: the standard output is closed.")
    try:
        code = _status(command)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        code = CLOSED_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except ModuleNotFoundError as error:
        if error.name not in LIVE:
            raise
        code = complain(program, place.needs(error.name))
    except OSError as error:
        code = complain(program, f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}.")
    _discard()
    return code


def _status(command: Callable[[], int]) -> int:
    try:
        return command()
    except SystemExit as end:  # argparse after --help, or after what it could not read
        return end.code if isinstance(end.code, int) else 0


def _discard() -> None:
    """Drop what is still buffered: Python would try to write it once more, and complain itself."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str) -> None:
    """Print, with the characters that the output has."""
    print(fit(text))


def complain(program: str, message: str) -> int:
    """Print one line of error, if there is anywhere to print it, and return the status of a failure."""
    with suppress(OSError, AttributeError):
        short = message if len(message) <= LONGEST else message[:LONGEST] + " ..."
        sys.stderr.write(f"{program}: {harmless(short)}\n")
    return 1


def harmless(text: str) -> str:
    """A text on one line in which nothing steers a terminal or cannot be written: names of files may hold anything."""
    return "".join(rf"\u{ord(letter):04x}" if category(letter)[0] == "C" else letter for letter in text)


def fit(text: str) -> str:
    """The text in characters that the output has: 10²⁵ is 10^25, × an x, and what has no likeness a question mark."""
    if writable(text):
        return text
    text = RAISED.sub(lambda found: "^" + found[0].translate(LOWERED), text)
    return "".join(letter if writable(letter) else PLAIN.get(letter, "?") for letter in text)


def writable(text: str) -> bool:
    """Whether the encoding of the output has all these characters."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
