"""What holds for every study: its columns, its recorded run, a stop, two at a time, and that runs do not meet."""

from __future__ import annotations

import threading
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from gpt4lab.toys.__main__ import main, recorded, studies  # noqa: E402
from gpt4lab.toys.batch import trade_off  # noqa: E402
from gpt4lab.toys.core.corpus import Corpus, load_corpus  # noqa: E402
from gpt4lab.toys.core.recordings import load_recorded  # noqa: E402
from gpt4lab.toys.core.study import Columns, Study  # noqa: E402
from gpt4lab.toys.core.transformer import ToyConfig, build_model  # noqa: E402
from gpt4lab.toys.decoding.cached import CachedDecoder  # noqa: E402
from gpt4lab.units import factor  # noqa: E402

Row = dict[str, Any]
SMALL = ToyConfig(d_model=16, n_layers=1, d_ff=16)
#: Settings of each study with which it has a case or two of a few steps.
SMALLEST: dict[str, Row] = {
    "experts": {"experts": (1, 4), "steps": 2, "batch": 2, "context": 16},
    "facts": {"experts": (1, 4), "steps": 3, "batch": 8},
    "repetition": {"epochs": (2,), "steps": 2, "batch": 2, "widths": (8,)},
    "memorisation": {"widths": (8,), "epochs": (1,), "each": 1, "prompt_bytes": (6,)},
    "capacity": {"widths": (8,), "loads": (0.1,), "steps": 2},
    "batch": {"batches": {"adamw": (4, 8, 16)}, "noise_steps": 5},
    "trade-off": {"batches": (8, 16)},
    "foretold": {"level": 6.5, "batches": (8,), "seeds": 1},
    "context": {"short": 4, "long": 8, "steps": 2, "fine_tune": 1, "batch_tokens": 16, "config": SMALL},
    "healing": {"times": 2, "steps": 2},
    "isoflop": {"grid": {2e7: (8, 16)}},
    "vision": {"steps": 1, "language_steps": 1},
    "lenience": {"leniences": (1.0, 0.5), "length_bytes": 8, "prompts": ("a sample",)},
}


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_corpus(20_000)


@pytest.fixture(autouse=True)
def short_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six steps and two easy levels instead of hundreds and seven."""
    monkeypatch.setattr(trade_off.BatchSweep, "length", lambda study, case: 6)
    monkeypatch.setattr(trade_off, "LEVELS", (6.9, 6.5))


def smallest(name: str, corpus: Corpus, **more: Any) -> Study:
    settings = {**SMALLEST[name], **more}
    if name == "lenience":
        settings |= {who: CachedDecoder(build_model(SMALL), 64) for who in ("target", "draft")}
    elif name != "facts":
        settings["corpus"] = corpus
    return studies()[name](**settings)


def without_time(rows: list[Row]) -> list[Row]:
    """The rows without the time that they took, in the tables inside them too."""
    if not isinstance(rows, list):
        return rows
    return [{key: without_time(value) for key, value in row.items() if key != "cpu_s"} for row in rows]


def hold_against(rows: list[Row], columns: Columns) -> None:
    """Every row has exactly these columns, and so have the rows of the tables inside it; every unit is known."""
    assert rows
    for row in rows:
        assert set(row) == set(columns)
    for name, unit in columns.items():
        if isinstance(unit, str):
            assert not unit or factor(f"{unit} * s", f"s * {unit}") == 1, "units.py knows it"
            assert all(isinstance(row[name], str | bool) == (not unit) for row in rows), name
        else:
            hold_against([inner for row in rows for inner in row[name]], unit)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("name", [name for name, settings in SMALLEST.items() if "steps" in settings])
def test_a_study_without_a_step_is_refused(name: str, jobs: int, corpus: Corpus) -> None:
    with pytest.raises(ValueError, match="steps must be"):
        smallest(name, corpus, steps=0).start(jobs)


def test_every_study_is_listed() -> None:
    assert set(studies()) == {study.name for study in Study.__subclasses__()}, "in gpt4lab.toys.__main__"
    assert set(SMALLEST) == set(studies())


@pytest.mark.parametrize("name", SMALLEST)
def test_a_training_finds_the_columns_that_its_study_says(name: str, corpus: Corpus) -> None:
    study = smallest(name, corpus)
    run = study.start(name="").wait(60)
    hold_against(run.result, study.columns)
    assert (run.state, run.progress) == ("done", 1), "as many steps as it said"
    cases = [[row[key] for key in case] for case in study.cases() for row in study.found(case)]
    assert [[row[key] for key in study.cases()[0]] for row in run.result] == cases, "in the order of the cases"


@pytest.mark.parametrize("name", recorded())
def test_a_recorded_run_has_the_columns_and_the_command_of_its_study(name: str) -> None:
    shipped, study = load_recorded(name), studies()[name]
    hold_against(shipped["results"], study.columns)
    assert shipped["script"] == f"python -m gpt4lab.toys record {name}"
    assert all(shipped[key] for key in ("date", "torch", "python", "machine"))
    for key in study.fixed:
        assert key in shipped["settings"]


@pytest.mark.parametrize("name", ["facts", "repetition"])
def test_two_at_a_time_give_the_numbers_of_one_after_the_other(name: str, corpus: Corpus) -> None:
    pytest.importorskip("joblib")
    study = smallest(name, corpus)
    two = study.start(jobs=2, name="").wait()
    assert without_time(two.result) == without_time(study.start(name="").wait().result)
    assert len(two.history) == two.steps == len(study.cases())


@pytest.mark.parametrize("name", ["facts", "experts", "repetition", "lenience"])
def test_a_stop_keeps_what_is_finished(name: str, corpus: Corpus) -> None:
    many = {"repetition": {"epochs": (2,) * 5_000}, "lenience": {"leniences": (0.5,) * 5_000}}
    study, finished = smallest(name, corpus, **many.get(name, {"experts": (1,) * 5_000})), threading.Event()
    run = study.start(name="").on_update(lambda run: finished.set() if run.result else None, every_s=0)
    assert finished.wait(60)
    run.stop()
    assert run.state == "stopped"
    assert 1 <= len(run.result) < 5_000
    hold_against(run.result, study.columns)


@pytest.mark.parametrize("name", ["facts", "experts", "repetition"])
def test_two_runs_at_once_draw_what_each_draws_alone(name: str, corpus: Corpus) -> None:
    study = smallest(name, corpus)
    alone = without_time(study.start(name="").wait().result)
    together = [study.start(name="") for _ in range(4)]
    assert [without_time(run.wait().result) for run in together] == [alone] * 4


def test_the_seeds_of_two_models_do_not_mix() -> None:
    """Many models at once in threads that take turns as often as can be, each with the weights of its seed."""
    from gpt4lab.toys.core.transformer import seeded
    from gpt4lab.toys.experts.facts import FactModel

    expected = {}
    for seed in range(4):
        with seeded(seed):
            expected[seed] = FactModel(16).head.weight
    found: dict[int, list[torch.Tensor]] = {seed: [] for seed in expected}

    def build(seed: int) -> None:
        for _ in range(20):
            with seeded(seed):
                found[seed].append(FactModel(16).head.weight)

    threads = [threading.Thread(target=build, args=(seed,)) for seed in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(weight, expected[seed]) for seed in expected for weight in found[seed])


def test_no_case_and_no_job_are_refused(corpus: Corpus) -> None:
    with pytest.raises(ValueError, match="has no case"):
        smallest("facts", corpus, experts=()).start()
    with pytest.raises(ValueError, match="jobs must be a whole number of at least 1, not 0"):
        smallest("facts", corpus).start(jobs=0)


def test_the_command_lists_the_studies_and_records_one(
    corpus: Corpus, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    main([])
    listed = capsys.readouterr().out
    assert all(name in listed for name in studies())
    assert listed.count("recorded 2") == len(recorded())
    from gpt4lab.toys.core import study

    monkeypatch.setattr(study, "__file__", str(tmp_path / "core" / "study.py"))
    (tmp_path / "isoflop").mkdir()
    monkeypatch.setattr(studies()["isoflop"], "recorded", {**SMALLEST["isoflop"], "bytes_per_domain": 20_000})
    main(["record", "isoflop"])
    import json

    made = json.loads((tmp_path / "isoflop" / "recorded.json").read_text(encoding="utf-8"))
    assert set(load_recorded("isoflop")) == set(made)
    assert set(load_recorded("isoflop")["settings"]) <= set(made["settings"])
    hold_against(made["results"], studies()["isoflop"].columns)
