"""Renew what follows from the dependencies of pyproject.toml.

    python3 tools/dependencies.py lock              renew constraints.txt (needs uv: the extra `dev`)
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
CONSTRAINTS = ROOT / "constraints.txt"
HEADER = "# Made by `tools/dependencies.py lock`: the tested version of every package, for all platforms.\n"
CHOSEN_APART = re.compile(r"(torch|triton|nvidia-\S+|cuda-\S+)==")
UV = ["uv", "pip", "compile", "pyproject.toml", "--universal", "--all-extras", "--python-version", "3.11"]
BARE = ["--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate", "--upgrade", "--quiet"]


def lock() -> None:
    """Resolve every extra for all platforms at once and write the versions, with no address in them."""
    resolved = subprocess.run([sys.executable, "-m", *UV, *BARE], cwd=ROOT, check=True, capture_output=True, text=True)
    pins = [line for line in resolved.stdout.splitlines() if not CHOSEN_APART.match(line)]
    CONSTRAINTS.write_text(HEADER + "\n".join(pins) + "\n", encoding="utf-8", newline="\n")


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
