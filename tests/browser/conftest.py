"""One JupyterLab and one browser for all browser tests; a tab that is as new, and new kernels, for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.browser import harness as _harness
from tests.browser.harness import Lab

KeepOpen = Callable[..., Iterator[Lab]]


@pytest.fixture(scope="session")
def harness() -> ModuleType:
    """harness.py as a module."""
    return _harness


@pytest.fixture(scope="session")
def browser(browser_path: str) -> Iterator[Any]:
    """The browser."""
    with _harness.chromium(browser_path) as found:
        yield found


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that JupyterLab serves: notebooks are copied here, never run in place."""
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="session")
def server(served: Path) -> Iterator[str]:
    """The address of JupyterLab."""
    with _harness.jupyterlab(served) as url:
        yield url


@pytest.fixture(scope="session")
def tab(browser: Any, server: str) -> Iterator[Lab]:
    """A tab for JupyterLab at 1280 px, for one reader after the other."""
    opened = _harness.Lab(browser, server)
    yield opened
    opened.close()


@pytest.fixture
def lab(tab: Lab) -> Iterator[Lab]:
    """The tab, for one test."""
    yield tab
    tab.clear()


@pytest.fixture
def open_cells(lab: Lab, served: Path, request: pytest.FixtureRequest) -> Callable[[Sequence[str]], Lab]:
    """Write a notebook of these code cells, open it and run it."""

    def open_and_run(cells: Sequence[str]) -> Lab:
        name = f"{request.node.name}.ipynb".replace("[", "-").replace("]", "")
        _harness.write_notebook(served / name, cells)
        lab.open(name)
        lab.run_all()
        return lab

    return open_and_run


@pytest.fixture(scope="session")
def keep_open(browser: Any, server: str, served: Path) -> KeepOpen:
    """The same for as long as the tests of a file go on, in a window of its own; at the end all must have been well."""

    def opened(name: str, cells: Sequence[str], charts: int = 1, **window: int) -> Iterator[Lab]:
        _harness.write_notebook(served / f"{name}.ipynb", cells)
        lab = _harness.Lab(browser, server, **window)
        lab.open(f"{name}.ipynb")
        lab.run_all()
        lab.charts(charts)
        yield lab
        lab.no_trouble()
        lab.close()

    return opened


@pytest.fixture
def open_copy(lab: Lab, served: Path) -> Callable[[Path], Lab]:
    """Copy a notebook into the served folder, open it and run it."""

    def open_and_run(notebook: Path) -> Lab:
        shutil.copy(notebook, served)
        lab.open(notebook.name)
        lab.run_all()
        return lab

    return open_and_run
