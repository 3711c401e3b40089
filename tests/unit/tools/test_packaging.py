"""One list of dependencies, said in several places: they must agree."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tools import dependencies
from tools import environment as bootstrap

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def pins(root: Path) -> list[str]:
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


@pytest.fixture(scope="module")
def environment(root: Path) -> dict[str, Any]:
    return yaml.safe_load((root / "environment.yml").read_text(encoding="utf-8"))


def pip_lines(environment: dict[str, Any]) -> list[str]:
    [lines] = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    return lines


def declared(project: dict[str, Any]) -> set[str]:
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    return {re.split(r"[\[<>=]", line)[0].lower() for line in lines}


def torch_pin(project: dict[str, Any]) -> str:
    [pin] = [line for line in project["optional-dependencies"]["live"] if line.startswith("torch==")]
    return pin


def test_constraints_hold_one_exact_version_each(pins: list[str]) -> None:
    assert [line for line in pins if not re.fullmatch(r"[a-z0-9.-]+==[^ ]+( ; .+)?", line)] == []


def test_constraints_cover_every_declared_package_but_torch(project: dict[str, Any], pins: list[str]) -> None:
    assert declared(project) - {line.split("==")[0] for line in pins} == {"torch"}


def test_constraints_leave_torch_and_cuda_alone(pins: list[str]) -> None:
    assert [line for line in pins if re.match(r"torch==|triton|nvidia|cuda", line)] == []


def test_peers_are_pinned_beside_the_packages_of_the_book(root: Path, pins: list[str]) -> None:
    lines = (root / "benchmarks" / "peers.txt").read_text(encoding="utf-8").splitlines()[1:]
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9.-]+==[^ ]+( ; .+)?", line)] == []
    groups = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    assert set(groups["peers"]) <= set(lines)
    assert {line.split("==")[0] for line in lines} & {line.split("==")[0] for line in pins} == set()


def test_conda_brings_python_and_pip_and_nothing_else(environment: dict[str, Any], project: dict[str, Any]) -> None:
    python, pip, _ = environment["dependencies"]
    assert pip == "pip"
    assert python.startswith("python=")
    assert project["requires-python"] == ">=" + python.removeprefix("python=")


def test_conda_installs_what_the_bootstrap_installs(environment: dict[str, Any]) -> None:
    lines = pip_lines(environment)
    [editable] = [line for line in lines if line.startswith("--editable")]
    assert set(re.findall(r"\w+", editable.split("[")[1])) == bootstrap.EVERYTHING
    assert "--constraint " + bootstrap.CONSTRAINTS.name in lines


def test_conda_asks_for_the_same_torch_from_the_same_place(
    environment: dict[str, Any], project: dict[str, Any]
) -> None:
    lines = pip_lines(environment)
    pin = torch_pin(project)
    assert [line for line in lines if line.startswith("torch")] == [
        f'{pin}+cpu; sys_platform == "linux"',
        f'{pin}; sys_platform != "linux"',
    ]
    assert "--extra-index-url " + bootstrap.TORCH_CPU_INDEX in lines


def test_binder_installs_what_a_reader_needs_and_no_more(root: Path, environment: dict[str, Any]) -> None:
    binder = root / ".binder"
    own = yaml.safe_load((binder / "environment.yml").read_text(encoding="utf-8"))
    assert own["dependencies"][:2] == environment["dependencies"][:2]
    constraint, editable = (line.split(" ") for line in pip_lines(own))
    assert constraint[0] == "--constraint"
    assert (binder / constraint[1]).resolve() == bootstrap.CONSTRAINTS
    assert editable == ["--editable", "..[lab]"]


@pytest.mark.skipif(os.name == "nt", reason="Binder runs Linux")
def test_binder_starts_under_the_settings_of_the_book(root: Path) -> None:
    start = [root / ".binder" / "start", "sh", "-c", 'echo "$JUPYTER_CONFIG_PATH"']
    found = subprocess.run(start, cwd=root, env={**os.environ, "JUPYTER_CONFIG_PATH": "/x"}, capture_output=True)
    assert found.stdout.decode().strip().split(":") == [str(root / "jupyter"), "/x"]


def test_pip_reads_the_conda_lines_as_requirements(environment: dict[str, Any]) -> None:
    """Conda hands these lines to pip as a requirements file, one each: none may be left over."""
    known = ("--constraint ", "--extra-index-url ", "--editable ", "torch==")
    assert [line for line in pip_lines(environment) if not line.startswith(known)] == []


def test_the_readme_shows_the_two_commands_and_ci_runs_its_test_command(root: Path) -> None:
    first_screen = (root / "README.md").read_text(encoding="utf-8").splitlines()[:30]
    assert "    python3 book.py lab" in first_screen
    assert "    python3 book.py test" in first_screen
    assert (root / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == "exec python3 book.py test"


def test_the_public_ci_covers_what_the_readme_promises(root: Path, project: dict[str, Any]) -> None:
    workflow = yaml.safe_load((root / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    matrix = workflow["jobs"]["test"]["strategy"]["matrix"]
    promised = [line.rsplit(" ", 1)[1] for line in project["classifiers"] if "Python :: 3." in line]
    assert matrix["python"] == promised
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert workflow["jobs"]["test"]["steps"][-1]["run"].startswith("python3 book.py test")
    assert "schedule" in workflow[True]  # YAML 1.1 reads the word `on` as true


def test_one_version(root: Path, project: dict[str, Any]) -> None:
    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == project["version"]
    assert f"## {project['version']}" in (root / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_colab_cell_pins_the_calculators(project: dict[str, Any]) -> None:
    cell = dependencies.colab_cell("ADDRESS")
    pinned = set(re.findall(r"([a-z-]+)==", cell))
    assert pinned == {re.split(r"[<>=]", line)[0] for line in project["dependencies"]}
    assert cell.endswith("--no-deps git+ADDRESS")
