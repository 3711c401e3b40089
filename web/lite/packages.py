"""Python's packages for the browser, as Pyodide loads them: wheels, and a lock file that names them with their hashes.

All are pure Python, the tested versions of packages.txt. Of what has a compiled part, the one that also works without.
An import of gpt4lab then loads what it needs by itself, and no chapter needs a cell that installs. Python's part of the
start is halved by bytecode that comes along (web/bytecode.py), and by what is left out.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from email.parser import HeaderParser
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from web.bundle import compiled

ROOT = Path(__file__).resolve().parents[2]
PINS = Path(__file__).parent / "packages.txt"
PYODIDE = ("pyodide.js", "pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
#: Where these packages will run.
THERE = {"sys_platform": "emscripten", "platform_system": "Emscripten", "python_version": "3.14", "extra": ""}
PURE = ("--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none", "--python-version=3.14")
#: Weights are torch's; the rest is for other doors, or for tests.
LEFT_OUT = re.compile(r"/weights/|/__pycache__/|\.(so|pyc|pyi)$|/shipped/|/tests?/|/testsuite/|(lab|nb)extensions?/")
#: The page has the first two already; IPython completes names without jedi, which is larger than Pyodide's library.
NOT_NEEDED = ("widgetsnbextension", "jupyterlab_widgets", "jedi")


def lay(pyodide: Path, out: Path, kept: Path) -> None:
    """Put Pyodide's core, the wheels and their lock file into `out`; downloads are kept in `kept`."""
    out.mkdir(parents=True, exist_ok=True)
    for name in PYODIDE:
        shutil.copy(pyodide / name, out)
    wheels = [*(lean(wheel, out) for wheel in fetched(kept)), packed("markupsafe", out), packed("gpt4lab", out)]
    wheels.append(zipped(out / "jedi-0-py3-none-any.whl", wheel_of("jedi", "0", (), {})))  # its kernel asks for one
    compiled(pyodide, out / "python_stdlib.zip", *wheels)
    found = json.loads((pyodide / "pyodide-lock.json").read_text("utf-8"))
    found["packages"] = dict(map(locked, wheels))
    known = set(found["packages"])
    for entry in found["packages"].values():
        entry["depends"] = [name for name in entry["depends"] if name in known]
    (out / "pyodide-lock.json").write_text(json.dumps(found), "utf-8")


def fetched(kept: Path) -> list[Path]:
    """The pure wheels that packages.txt names, downloaded once. Raises OSError where they cannot be had."""
    done = kept / PINS.name
    if not (done.is_file() and done.read_bytes() == PINS.read_bytes()):
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", *PURE, "-d", str(kept), "-r", str(PINS)]
        if subprocess.run(command).returncode:
            raise OSError(f"pip could not download what {PINS.name} names")
        shutil.copy(PINS, done)
    return sorted(kept.glob("*.whl"))


# --- wheels of our own ----------------------------------------------------------------------------------------------


def packed(name: str, out: Path) -> Path:
    """A wheel of the book, or of an installed package without its compiled part."""
    version, files = ours() if name == "gpt4lab" else theirs(name)
    return zipped(out / f"{name}-{version}-py3-none-any.whl", files)


def lean(wheel: Path, out: Path) -> Path:
    """A wheel without what is left out."""
    with zipfile.ZipFile(wheel) as archive:
        kept = [name for name in archive.namelist() if not LEFT_OUT.search(f"/{name}")]
        return zipped(out / wheel.name, {name: archive.read(name) for name in kept})


def zipped(wheel: Path, files: Mapping[str, bytes]) -> Path:
    """A wheel of these files, the same in every build."""
    with zipfile.ZipFile(wheel, "w") as archive:
        for inside, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(inside), content, zipfile.ZIP_DEFLATED)
    return wheel


def ours() -> tuple[str, dict[str, bytes]]:
    """The version of the book, and its files, by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    paths = (path for path in (ROOT / "gpt4lab").rglob("*") if path.is_file())
    files = {path.relative_to(ROOT).as_posix(): path for path in paths}
    return project["version"], wheel_of("gpt4lab", project["version"], project["dependencies"], files)


def theirs(name: str) -> tuple[str, dict[str, bytes]]:
    """The version of an installed package, and its files, by name."""
    found = distribution(name)
    files = {file.as_posix(): Path(str(file.locate())) for file in found.files or () if file.parts[0] == name}
    return found.version, wheel_of(name, found.version, found.requires or [], files)


def wheel_of(name: str, version: str, requires: Iterable[str], files: Mapping[str, Path]) -> dict[str, bytes]:
    """What such a wheel holds, with the little that an installer asks for."""
    kept = {inside: path.read_bytes() for inside, path in files.items() if not LEFT_OUT.search(inside)}
    needs = "".join(f"Requires-Dist: {line}\n" for line in requires)
    kept[f"{name}-{version}.dist-info/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}".encode()
    )
    kept[f"{name}-{version}.dist-info/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    return kept


# --- the lock file --------------------------------------------------------------------------------------------------


def locked(wheel: Path) -> tuple[str, dict[str, Any]]:
    """The name of a wheel's package, and its entry in Pyodide's lock file."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        [about] = [name for name in names if name.endswith(".dist-info/METADATA")]
        said = HeaderParser().parsestr(archive.read(about).decode())
    name = normal(said["Name"])
    return name, {
        "name": name,
        "version": said["Version"],
        "file_name": wheel.name,
        "install_dir": "site",
        "sha256": sha256(wheel.read_bytes()).hexdigest(),
        "package_type": "package",
        "imports": sorted(imported(names)),
        "depends": sorted(set(needed(said.get_all("Requires-Dist") or []))),
        "unvendored_tests": False,
        "shared_library": False,
    }


def imported(names: Iterable[str]) -> set[str]:
    """The packages and modules at the top of a wheel."""
    tops = {name.split("/")[0].removesuffix(".py") for name in names if name.endswith(".py")}
    return {top for top in tops if top.isidentifier()}


def needed(lines: Iterable[str]) -> Iterator[str]:
    """The packages that these requirements ask for in a browser."""
    for requirement in map(Requirement, lines):
        if requirement.name not in NOT_NEEDED and (not requirement.marker or requirement.marker.evaluate(THERE)):
            yield normal(requirement.name)


def normal(name: str) -> str:
    """A package's name as lock files write it."""
    return re.sub(r"[-_.]+", "-", name).lower()
