"""tools/browser.py: the browser that is there is found; only a CI machine gets one that is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import browser


def test_the_browser_on_the_path_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GPT4LAB_BROWSER", raising=False)
    monkeypatch.setattr(browser.shutil, "which", lambda name: str(tmp_path) if name == "google-chrome" else None)
    assert browser.find() == str(tmp_path)


@pytest.mark.parametrize(("ci", "expected"), [("true", ["apt-get", "apt-get"]), ("", [])])
def test_a_browser_is_installed_on_a_ci_machine_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ci: str, expected: list[str]
) -> None:
    calls: list[str] = []
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(browser, "find", lambda: None)
    monkeypatch.setattr(browser.shutil, "which", lambda name: name)
    monkeypatch.setattr(browser.subprocess, "call", lambda command, env: calls.append(command[0]) or 0)
    browser.main()
    assert calls == expected
    assert (browser.MISSING in capsys.readouterr().out) is (ci == "")
