"""Renew what follows from the dependencies of pyproject.toml.

    python3 tools/dependencies.py lock              renew constraints.txt and benchmarks/peers.txt (needs uv: `dev`)
    python3 tools/dependencies.py colab [address]   print the cell that installs the book in Colab

torch and its CUDA packages stay out of the lock: book.py and environment.yml choose the build.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS, PEERS = ROOT / "constraints.txt", ROOT / "benchmarks" / "peers.txt"
HEADER = "# Made by `tools/dependencies.py lock`: the tested version of every package, for all platforms.\n"
PEERS_HEADER = "# Made by `tools/dependencies.py lock`: what the benchmarks' peers need besides the book's packages.\n"
CHOSEN_APART = re.compile(r"(torch|triton|nvidia-\S+|cuda-\S+)==")
UV = ["uv", "pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11"]
BARE = ["--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate", "--upgrade", "--quiet"]


def lock() -> None:
    """Resolve every extra, then the peers beside them, for all platforms at once; write the versions, no addresses."""
    book = resolved("--all-extras")
    write(CONSTRAINTS, HEADER, book)
    peers = resolved("--all-extras", "--group", "peers", "--constraint", str(CONSTRAINTS))
    write(PEERS, PEERS_HEADER, [pin for pin in peers if pin not in book])


def resolved(*arguments: str) -> list[str]:
    """Return the pins that uv finds, without torch and what it brings."""
    command = [sys.executable, "-m", *UV, *arguments, *BARE]
    found = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [line for line in found.splitlines() if not CHOSEN_APART.match(line)]


def write(path: Path, header: str, pins: list[str]) -> None:
    """Write pins, with the same line ends everywhere."""
    path.write_text(header + "\n".join(pins) + "\n", encoding="utf-8", newline="\n")


def colab_cell(address: str) -> str:
    """Return the cell for Colab: the calculators' tested versions; Colab keeps its own torch and kernel."""
    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = {re.split(r"[<>=]", line)[0] for line in metadata["project"]["dependencies"]}
    tested = (line.split(" ")[0] for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines())
    pins = " ".join(line for line in tested if line.split("==")[0] in names)
    return f"%pip install -q {pins}\n%pip install -q --no-deps git+{address}"


def origin() -> str:
    """Return the address that this checkout was cloned from."""
    answer = subprocess.run(["git", "remote", "get-url", "origin"], cwd=ROOT, capture_output=True, text=True)
    return answer.stdout.strip() or "ADDRESS-OF-THE-REPOSITORY"


def main(arguments: list[str]) -> None:
    """Run the command that is named."""
    if arguments == ["lock"]:
        lock()
    elif arguments[:1] == ["colab"]:
        print(colab_cell((arguments[1:] or [origin()])[0]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
