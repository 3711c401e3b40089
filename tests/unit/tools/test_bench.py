"""tools/bench.py, on tiny benchmarks: a run changes nothing that is shipped, and one that fails stops no other."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks import calculators, slider_to_paint
from gpt4lab.panels.panel import Panel
from gpt4lab.quantities import QUANTITIES
from tools import bench, browser, peers, readme, results

#: Writes a file of results as a benchmark does, and ends with this status.
MEASURES = """
import json, os, pathlib, sys
found = {{"rows": [{{"what": "{name}", "value": {value}, "unit": "s", "bar": 2}}], "seen": os.environ["PYTHONPATH"]}}
pathlib.Path(".gpt4lab/benchmarks/{name}.json").write_text(json.dumps(found))
sys.exit({status})
"""
BENCHMARKS = {
    "calculators": MEASURES.format(name="calculators", value=3, status=1),
    "layout_search": "raise ValueError",
    "serving": MEASURES.format(name="serving", value=1, status=0),
    "serving_peer": MEASURES.format(name="serving_peer", value=9, status=0),
    "slider_to_paint": MEASURES.format(name="slider_to_paint", value=1, status=0),
}


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A book with tiny benchmarks and one shipped result, on a machine without a browser."""
    here, shipped = tmp_path / ".gpt4lab" / "benchmarks", tmp_path / "benchmarks" / "results"
    for folder in (here, shipped):
        folder.mkdir(parents=True)
    for name, text in BENCHMARKS.items():
        (tmp_path / "benchmarks" / f"{name}.py").write_text(text)
    (shipped / "serving.json").write_text('{"rows": [{"what": "serving", "value": 0.5, "unit": "s", "bar": 2}]}')
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr(results, "HERE", here)
    monkeypatch.setattr(results, "SHIPPED", shipped)
    monkeypatch.setattr(peers, "install", lambda: True)
    monkeypatch.setattr(browser, "find", lambda: None)
    monkeypatch.setattr(readme, "main", lambda: (tmp_path / "README.md").write_text("renewed"))
    return tmp_path


def outcomes(printed: str) -> dict[str, str]:
    """The last table: benchmark and outcome."""
    lines = printed[printed.index("benchmark ") :].splitlines()[1:]
    return dict(map(str.strip, line.split("  ", 1)) for line in lines)


def test_each_says_how_it_ended_and_none_stops_another(book: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert bench.main([]) == 2
    assert outcomes(capfd.readouterr().out) == {
        "calculators": bench.MISSED,
        "layout_search": bench.FAILED,
        "serving": bench.HELD,
        "serving_peer": bench.HELD,
        "slider_to_paint": f"not measured. {browser.MISSING}",
    }


def test_the_exit_status_is_that_of_the_worst(book: Path) -> None:
    assert bench.main(["serving"]) == 0
    assert bench.main(["slider_to_paint", "serving"]) == 0
    assert bench.main(["calculators", "serving"]) == 1


def test_what_is_found_here_stands_beside_what_is_shipped(book: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bench.main(["serving", "calculators"])
    lines = [line.split() for line in capfd.readouterr().out.splitlines()]
    assert ["serving", "1", "s", "0.5", "s", "2", "s"] in lines
    assert ["calculators", "3", "s", results.NONE, "2", "s"] in lines


def files(book: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in [*results.SHIPPED.iterdir(), *book.glob("README.md")]}


def test_a_run_of_a_reader_changes_nothing_that_is_shipped(book: Path) -> None:
    before = files(book)
    bench.main([])
    assert files(book) == before


def test_recording_ships_what_was_measured_now_and_renews_the_readme(book: Path) -> None:
    (results.HERE / "layout_search.json").write_text("of an earlier run")
    bench.main(["--record", "layout_search", "serving"])
    assert set(files(book)) == {"serving.json", "README.md"}
    assert json.loads(files(book)["serving.json"])["rows"][0]["value"] == 1


def test_only_the_benchmarks_beside_peers_see_them(book: Path) -> None:
    bench.main(["serving_peer", "serving"])
    assert [results.read(results.HERE, name)["seen"] for name in ("serving_peer", "serving")] == [str(peers.FOLDER), ""]


def test_without_peers_the_other_benchmarks_run(
    book: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(peers, "install", lambda: asked.append("once"))
    assert bench.main(["serving_peer", "serving", "sweep_peer"]) == 0
    missing = f"not measured. {peers.MISSING}"
    said = {"serving_peer": missing, "serving": bench.HELD, "sweep_peer": missing}
    assert outcomes(capfd.readouterr().out) == said
    assert asked == ["once"]


def test_peers_are_installed_once_for_each_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed, asked = tmp_path / "peers.txt", []
    monkeypatch.setattr(peers, "LIST", listed)
    monkeypatch.setattr(peers, "FOLDER", tmp_path / "peers")
    monkeypatch.setattr(peers, "pip", lambda *words: (tmp_path / "peers").mkdir() or asked.append(words) or True)
    for version, times in (("1.0", 1), ("1.0", 1), ("2.0", 2)):
        listed.write_text(f"peer=={version}")
        assert peers.install()
        assert len(asked) == times


def test_peers_that_cannot_be_had_are_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "FOLDER", tmp_path / "peers")
    monkeypatch.setattr(peers, "pip", lambda *_: False)
    assert not peers.install()
    assert not peers.install()


def test_what_the_benchmarks_measure_exists() -> None:
    assert set(calculators.REPORT) <= set(QUANTITIES)
    for name in slider_to_paint.PANELS:
        module, _, panel = name.rpartition(".")
        assert isinstance(getattr(import_module(f"gpt4lab.chapters.{module}"), panel), Panel)


def test_every_benchmark_has_rows_for_the_readme() -> None:
    assert {name.removesuffix("_peer") for name in bench.every()} == set(results.READERS)
