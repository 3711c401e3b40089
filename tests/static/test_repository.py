"""What may not be committed: traces of one machine, outputs, big files, calls that hide errors."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_BYTES = 1_500_000
MOST_WEIGHT_BYTES = 4_000_000  # of a trained toy: its target cannot be trained while one reads
MOST_NOTEBOOK_BYTES = 150_000
MOST_CELL_LINES = 25

# Put together from parts, so that this file passes its own test.
FOLDERS = ["home/", "Users/", "root/", "work/", "tmp/[a-z]", "opt/[a-z]"]
MACHINE_PATH = re.compile(rf"(?<![\w.:/])/({'|'.join(FOLDERS)})|[A-Z]:\\Users|\.py" + "env/")
NO_HEAD = re.compile(r"^\|(?:.*\|)?\s*\|.*\n\|\s*:?-", re.MULTILINE)
HOSTS = "|".join(["py" + r"pi\.org", "python" + "hosted", "registry" + r"\.npm", "deb" + r"\.debian"])
# What stands in these is written over while somebody types.
LOSES_WORDS = re.compile(r"\bw\.(Text|Textarea|Combobox|(Bounded)?(Int|Float)Text)\(")
# An exception inside these never reaches the notebook's run.
HIDES_ERRORS = re.compile(r"\binteract(_manual)?\(|\binteractive(_output)?\(|@.*\.capture\b|\bwith .*\bOutput\(")


def committed() -> list[Path]:
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("this copy of the book is not a git checkout, or git is missing")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def texts() -> list[tuple[str, str]]:
    pairs = []
    for path in committed():
        try:
            pairs.append((path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue  # an image
    return pairs


def notebooks() -> list[tuple[str, dict]]:
    return [(name, json.loads(text)) for name, text in texts() if name.endswith(".ipynb")]


def most_bytes(path: Path) -> int:
    shipped = path.is_relative_to(ROOT / "gpt4lab" / "toys" / "drafting" / "weights") and path.suffix == ".pt"
    return MOST_WEIGHT_BYTES if shipped else MOST_BYTES


def found(pattern: str | re.Pattern[str], pairs: list[tuple[str, str]]) -> list[str]:
    lines = ((name, number, line) for name, text in pairs for number, line in enumerate(text.splitlines(), 1))
    return [f"{name}:{number}: {line.strip()[:100]}" for name, number, line in lines if re.search(pattern, line)]


def test_no_path_of_one_machine() -> None:
    assert found(MACHINE_PATH, texts()) == []


def test_no_address_of_a_package_registry() -> None:
    assert found(HOSTS, texts()) == []


def test_no_big_file() -> None:
    assert [path.name for path in committed() if path.stat().st_size > most_bytes(path)] == []


def test_no_widget_call_that_hides_errors() -> None:
    ours = [(name, text) for name, text in texts() if name.startswith(("gpt4lab/", "notebooks/"))]
    assert found(HIDES_ERRORS, ours) == []


def test_no_entry_that_loses_what_is_being_typed() -> None:
    """Text and numbers are typed into the book's own controls: a browser test holds that they keep it."""
    ours = [(name, text) for name, text in texts() if name.startswith(("gpt4lab/", "notebooks/"))]
    assert LOSES_WORDS.search("w.Text(description='Share')")
    assert found(LOSES_WORDS, ours) == []


def test_notebooks_carry_still_panels_and_nothing_that_ran() -> None:
    for name, notebook in notebooks():
        assert "widgets" not in notebook["metadata"], name
        for cell in notebook["cells"]:
            assert all(set(out["metadata"]) == {"gpt4lab"} for out in cell.get("outputs", ())), f"{name}: {cell['id']}"
            assert cell.get("execution_count") is None, f"{name}: {cell.get('id')}"


def test_no_notebook_is_heavy() -> None:
    sizes = {path.name: path.stat().st_size for path in committed() if path.suffix == ".ipynb"}
    assert {name: size for name, size in sizes.items() if size > MOST_NOTEBOOK_BYTES} == {}


def test_no_column_of_a_table_is_without_a_head() -> None:
    """A screen reader says the head of each cell."""
    assert NO_HEAD.search("| | a |\n|---|---|")
    assert NO_HEAD.search("| a | |\n|---|---|")
    assert not NO_HEAD.search("| a | b |\n|---|---|\n| | c |")
    found = [name for name, text in texts() if name.startswith("notebooks/text/") and NO_HEAD.search(text)]
    assert found == []


def test_cells_are_short() -> None:
    for name, notebook in notebooks():
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                assert len("".join(cell["source"]).splitlines()) <= MOST_CELL_LINES, f"{name}: {cell.get('id')}"


@pytest.mark.parametrize(
    "line",
    ["interact(f, x=1)", "w = interactive_output(f, {})", "with widgets.Output():", "@out.capture()", "interactive(f)"],
)
def test_the_pattern_of_hidden_errors_finds_each(line: str) -> None:
    assert HIDES_ERRORS.search(line)


@pytest.mark.parametrize("line", ["run_interact_test", "captured = capsys", "# an Output widget"])
def test_the_pattern_of_hidden_errors_lets_others_pass(line: str) -> None:
    assert not HIDES_ERRORS.search(line)


@pytest.mark.parametrize("path", ["home/ann/x.py", "tmp/ab/c", "work/main", "root/.cache"])
def test_the_pattern_of_machine_paths_finds_each(path: str) -> None:
    assert MACHINE_PATH.search("see /" + path)


@pytest.mark.parametrize("path", ["https://example.org/home/x", "./tmp/x", "/usr/bin/chromium", "a/work/b"])
def test_the_pattern_of_machine_paths_lets_others_pass(path: str) -> None:
    assert not MACHINE_PATH.search(path)
