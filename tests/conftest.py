"""What all tests share: where the book is, which browser there is, and what to do without torch."""

from __future__ import annotations

import asyncio
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.order import GroupScheduling, in_groups
from tests.times import Times
from tools import browser

ROOT = Path(__file__).resolve().parents[1]
#: The post is not reprinted in the book: whoever has its text may leave it here, or name it.
POST = ROOT.parent / "shared" / "facts" / "leak.txt"
NO_TORCH = "torch is not installed here: live toys are not tested (python3 book.py setup looks for it)"


def has_torch() -> bool:
    return importlib.util.find_spec("torch") is not None


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def browser_path() -> str:
    """A Chromium-family browser; where there is none the test is skipped, on a CI machine it fails."""
    found = browser.find()
    if found is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(browser.MISSING)
    return found


@pytest.fixture(scope="session")
def post(request: pytest.FixtureRequest) -> str:
    """The text of the post and of the forum below it, on one line (CONTRIBUTING.md, "Add a claim")."""
    file = Path(str(request.config.getoption("--post")))
    if not file.is_file():
        pytest.skip(f"the post is not at {file}: no quote was held against it; name it with --post FILE")
    return " ".join(file.read_text("utf-8").split())


@pytest.fixture(autouse=True)
def no_loop_of_the_browser(request: pytest.FixtureRequest) -> Iterator[None]:
    """Playwright's event loop counts as running for as long as its browser is open, also for the tests that follow."""
    loop = None if request.node.get_closest_marker("browser") else asyncio._get_running_loop()
    if loop is None:
        yield
        return
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(loop)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take a seed for the order of the tests, and where the post lies."""
    parser.addoption("--shuffle", type=int, metavar="SEED", help="run the tests in the order that this seed gives")
    parser.addoption("--post", type=Path, metavar="FILE", default=POST, help="the post's text, to hold quotes against")


def pytest_configure(config: pytest.Config) -> None:
    """Add up what each test takes, where the reports of all workers arrive."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Times(), "times")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what needs a browser, and skip what needs torch where there is none."""
    if item.path.is_relative_to(ROOT / "tests" / "browser"):
        item.add_marker("browser")
    if item.get_closest_marker("live") and not has_torch():
        item.add_marker(pytest.mark.skip(reason=NO_TORCH))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests in order, and those that share something costly on one worker."""
    items[:] = in_groups(items, config.getoption("--shuffle"))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling:
    """Keep on one worker what shares something costly."""
    return GroupScheduling(config, log)


def pytest_report_header() -> list[str]:
    """Say at the top what this machine can test."""
    return [] if has_torch() else [NO_TORCH]
