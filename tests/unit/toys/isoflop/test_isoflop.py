"""The iso-FLOP sweep at tiny sizes and on three backends, and the fits on losses whose exponents are known."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest

torch = pytest.importorskip("torch")
np = pytest.importorskip("numpy")
pytest.importorskip("scipy")
joblib = pytest.importorskip("joblib")

from gpt4lab.quantities.topics.scaling import balance, best_params, loss, tokens_of  # noqa: E402
from gpt4lab.toys.core.corpus import Corpus  # noqa: E402
from gpt4lab.toys.core.recordings import load_recorded  # noqa: E402
from gpt4lab.toys.isoflop import exponents as module  # noqa: E402
from gpt4lab.toys.isoflop.exponents import (  # noqa: E402
    FitFailed,
    bootstrap,
    exponents,
    optima,
    parametric,
    published,
    valley_exponent,
)
from gpt4lab.toys.isoflop.runs import tuned  # noqa: E402
from gpt4lab.toys.isoflop.sweep import RECORDED, IsoFlop  # noqa: E402

TINY = {2e7: (8, 16), 5e7: (8, 16)}
LAW = {"E": 1.0, "A": 60.0, "alpha": 0.4, "B": 400.0, "beta": 0.5}
TRUE = 0.5 / 0.9
BUDGETS = (5e9, 1e10, 2e10, 4e10)


def invented(noise: float = 0.0, seed: int = 0, span: tuple[float, float] = (0.3, 3.3)) -> list[dict[str, Any]]:
    """Runs of a known law: three seeds of five sizes, `span` times the best one, with noise on log L."""
    random, shape = np.random.default_rng(seed), (LAW["alpha"], LAW["beta"])
    rows = []
    for flop in BUDGETS:
        best = best_params(flop, balance(*shape, LAW["A"], LAW["B"]), *shape)
        for width, N in enumerate(np.geomspace(*span, 5) * best):
            D = tokens_of(flop, N)
            rows += [
                {
                    "flop": flop,
                    "width": width,
                    "seed": s,
                    "lr": 0.02,
                    "parameters": float(N),
                    "tokens": float(D),
                    "bpb": float(loss(N, D, **LAW) * np.exp(noise * random.standard_normal())),
                }
                for s in range(3)
            ]
    return rows


# --- the fits


def test_without_noise_both_approaches_find_the_law() -> None:
    fit = parametric(invented())
    assert [fit.E, fit.A, fit.alpha, fit.B, fit.beta] == pytest.approx(list(LAW.values()), rel=1e-3)
    assert fit.exponent == pytest.approx(TRUE, abs=1e-4)
    assert valley_exponent(invented()) == pytest.approx(TRUE, abs=1e-3)


def test_the_optimum_in_tokens_goes_with_the_rest_of_the_compute() -> None:
    sizes, tokens = optima(invented()), optima(invented(), of="tokens")
    for size, seen in zip(sizes, tokens, strict=True):
        assert 6 * size["optimum"] * seen["optimum"] == pytest.approx(size["flop"])
    assert valley_exponent(invented(), of="tokens") == pytest.approx(1 - TRUE, abs=1e-3)


def test_with_noise_the_exponents_stay_near() -> None:
    for row in exponents(invented(noise=0.003), draws=20):
        assert row["a"] == pytest.approx(TRUE, abs=0.03)
        assert row["a"] + row["b"] == pytest.approx(1)
        assert row["low"] < row["high"]
        assert 0 <= row["failed"] < 0.5


def test_the_band_covers_the_truth_about_as_often_as_it_says() -> None:
    bands = [bootstrap(invented(0.01, seed), valley_exponent, draws=60, level=0.8) for seed in range(20)]
    assert 11 <= sum(band.low <= TRUE <= band.high for band in bands) <= 20
    assert all(band.high - band.low < 0.2 for band in bands)


def test_more_noise_makes_a_wider_band() -> None:
    quiet, loud = (bootstrap(invented(noise), valley_exponent, draws=60) for noise in (0.002, 0.02))
    assert loud.high - loud.low > 3 * (quiet.high - quiet.low)


@pytest.mark.parametrize("span", [(1.5, 10), (0.1, 0.8)])
def test_an_optimum_at_the_edge_is_flagged_and_not_fitted(span: tuple[float, float]) -> None:
    rows = optima(invented(span=span))
    assert [(row["inside"], row["optimum"], row["bpb"]) for row in rows] == 4 * [(False, None, None)]
    with pytest.raises(FitFailed, match="two budgets with their optimum inside the sizes tried, not 0"):
        valley_exponent(invented(span=span))


def test_one_budget_at_the_edge_is_left_out() -> None:
    rows = [row for row in invented() if row["flop"] < 4e10 or row["width"] >= 2]
    assert [row["inside"] for row in optima(rows)] == [True, True, True, False]
    assert valley_exponent(rows) == pytest.approx(TRUE, abs=1e-3)


def test_runs_that_determine_nothing_are_refused() -> None:
    with pytest.raises(FitFailed, match="at least five different"):
        parametric(invented()[:12])
    with pytest.raises(FitFailed, match="three sizes in each budget, not 2"):
        optima([row for row in invented() if row["width"] < 2])


#: Losses that leave at least one constant open: of no size or length, of one of the two, or of the place in the valley.
OPEN = {
    "level": lambda row: 2.0,
    "rising": lambda row: 2.0 + row["width"],
    "falling": lambda row: 7.0 - row["width"],
    "of the size alone": lambda row: 1 + 60 * row["parameters"] ** -0.4,
    "of the length alone": lambda row: 1 + 400 * row["tokens"] ** -0.5,
}


def shaken(rows: list[dict[str, Any]], by: float) -> list[dict[str, Any]]:
    """The same rows, each loss up or down by about this share: rounding, or the noise of seeds."""
    random = np.random.default_rng(round(-np.log10(by)))
    return [{**row, "bpb": float(row["bpb"] * np.exp(by * random.standard_normal()))} for row in rows]


@pytest.mark.parametrize("by", [1e-16, 1e-12, 1e-8, 1e-4])
@pytest.mark.parametrize("of", OPEN)
def test_losses_that_leave_a_constant_open_are_refused_however_they_are_rounded(
    of: str, by: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STARTS", ((0.8,), (0.2, 0.6), (0.2,)))  # fewer, to be quick
    rows = [{**row, "bpb": OPEN[of](row)} for row in invented() if row["seed"] == 0]
    with pytest.raises(FitFailed, match="no fit"):
        parametric(shaken(rows, by))


@pytest.mark.parametrize("by", [1e-16, 1e-13, 1e-10])
def test_one_budget_fixes_no_law_and_a_level_valley_has_no_bottom(by: float) -> None:
    with pytest.raises(FitFailed, match="no fit"):
        parametric(shaken([row for row in invented() if row["flop"] == BUDGETS[0]], by))
    level = shaken([{**row, "bpb": 2.0} for row in invented()], by)
    assert not any(row["inside"] for row in optima(level))
    same = [{**row, "flop": 1e10 * (1 + by * BUDGETS.index(row["flop"]))} for row in invented()]
    with pytest.raises(FitFailed, match="two budgets"):
        valley_exponent(same)


@pytest.mark.parametrize("bpb", [float("nan"), 0.0, -1.0, float("inf")])
def test_a_loss_that_is_no_positive_number_is_refused(bpb: float) -> None:
    rows = [*invented(), {**invented()[0], "bpb": bpb}]
    for fit in (parametric, optima, valley_exponent):
        with pytest.raises(ValueError, match="bpb must be a positive number"):
            fit(rows)


@pytest.mark.parametrize("wrong", [{"draws": 0}, {"level": 0.0}, {"level": 1.0}])
def test_a_band_needs_draws_and_a_level(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="draws must be at least 1 and level between 0 and 1"):
        bootstrap(invented(), valley_exponent, **wrong)


def test_tuning_keeps_the_better_rate_of_each_size() -> None:
    worse = [{**row, "lr": 0.1, "bpb": row["bpb"] * (1.1 if row["width"] < 3 else 0.9)} for row in invented()]
    kept = tuned(invented() + worse)
    assert len(kept) == len(invented())
    assert all(row["lr"] == (0.02 if row["width"] < 3 else 0.1) for row in kept)


def test_published_exponents() -> None:
    found = {(row["source"], row["approach"]): row["a"] for row in published()}
    assert found["Hoffmann 2022", "approach 3"] == 0.46
    assert found["Besiroglu 2024", "its L(N, D)"] == pytest.approx(0.51, abs=0.005)
    assert found["Kaplan 2020", "without embeddings"] == 0.73


# --- the recorded run


def test_recorded_run_is_complete_and_says_how_it_was_made() -> None:
    recorded = load_recorded("isoflop")
    assert all(recorded[key] for key in ("script", "date", "torch", "python", "machine", "settings"))
    found = {(row["flop"], row["width"], row["seed"], row["lr"]) for row in recorded["results"]}
    assert found == {
        (flop, width, seed, lr)
        for flop in RECORDED
        for width in RECORDED[flop]
        for seed in range(IsoFlop.recorded["seeds"])
        for lr in IsoFlop.recorded["lrs"]
    }
    assert all(row["epochs"] < 1 for row in recorded["results"])


def test_recorded_valleys_have_their_bottom_inside_and_move_with_compute() -> None:
    rows = tuned(load_recorded("isoflop")["results"])
    found = optima(rows)
    assert all(row["inside"] for row in found)
    for of in ("optimum", "bpb"):
        assert [row[of] for row in found] == sorted((row[of] for row in found), reverse=of == "bpb")
    assert 0 < valley_exponent(rows, "tokens") < valley_exponent(rows) < 1
    assert valley_exponent(rows, "blocks") > valley_exponent(rows), "a head left out weighs most in the small models"


# --- the sweep


@pytest.fixture(scope="module")
def serial(corpus: Corpus) -> list[dict[str, Any]]:
    return IsoFlop(corpus, TINY, seeds=2).start(jobs=1, name="").wait().result


def without_time(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key != "cpu_s"} for row in rows]


def test_rows_say_what_was_spent(serial: list[dict[str, Any]]) -> None:
    assert [(row["seed"], row["flop"], row["width"]) for row in serial] == [
        (seed, flop, width) for seed in range(2) for flop in TINY for width in TINY[flop]
    ]
    for row in serial:
        d = row["width"]
        assert (row["blocks"], row["parameters"]) == (24 * d**2, 24 * d**2 + 128 * d)
        assert 6 * row["parameters"] * row["tokens"] == pytest.approx(row["flop"], abs=3 * row["parameters"] * 512), (
            "nearest step"
        )
        assert row["attention"] == pytest.approx(2 * 2 * 32 * d / (2 * row["parameters"]))
        assert 3 < row["bpb"] < 7.1


def test_processes_give_the_serial_numbers(corpus: Corpus, serial: list[dict[str, Any]]) -> None:
    run = IsoFlop(corpus, TINY, seeds=2).start(jobs=2, name="").wait()
    assert without_time(run.result) == without_time(serial)
    assert (run.state, run.progress) == ("done", 1)


@pytest.mark.parametrize("jobs", [1, 2])
def test_stop_keeps_what_is_finished(corpus: Corpus, serial: list[dict[str, Any]], jobs: int) -> None:
    run = IsoFlop(corpus, TINY, seeds=50).start(jobs=jobs, name="")
    run.on_update(lambda run: run._stop.set() if len(run.result) >= 2 else None, every_s=0).wait()
    assert run.state == "stopped"
    assert 2 <= len(run.result) < 10
    known = {(row["seed"], row["flop"], row["width"]): row["bpb"] for row in serial}
    assert [row["bpb"] for row in run.result if row["seed"] < 2] == [
        known[row["seed"], row["flop"], row["width"]] for row in run.result if row["seed"] < 2
    ]


def test_threads_give_the_serial_numbers(corpus: Corpus, serial: list[dict[str, Any]]) -> None:
    with joblib.parallel_config("threading"):
        run = IsoFlop(corpus, TINY, seeds=2).start(jobs=4, name="")
    assert without_time(run.wait().result) == without_time(serial)


def test_dask_without_a_cluster_is_a_clear_error() -> None:
    pytest.importorskip("distributed")
    with pytest.raises(ValueError, match="first create a Dask Client"), joblib.parallel_config("dask"):
        pass


@pytest.fixture  # not for longer than one test: a client that lives serves all of joblib
def cluster() -> Iterator[Any]:
    """Two worker processes and a scheduler that talk over the loopback."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as made,
        distributed.Client(made) as client,
    ):
        client.wait_for_workers(2, timeout=120)
        yield client


def test_a_dask_cluster_gives_the_serial_numbers(corpus: Corpus, serial: list[dict[str, Any]], cluster: Any) -> None:
    with joblib.parallel_config("dask"):
        run = IsoFlop(corpus, TINY, seeds=2).start(jobs=2, name="")
    assert without_time(run.wait().result) == without_time(serial)
    workers = cluster.run(os.getpid)
    assert len(set(workers.values()) - {os.getpid()}) == 2
    assert all(cluster.run(lambda: "gpt4lab.toys.isoflop.sweep" in sys.modules).values()), "each of them took part"


def test_a_backend_that_hands_over_at_the_end_serves_too(corpus: Corpus, serial: list[dict[str, Any]]) -> None:
    class AtTheEnd(joblib._parallel_backends.ThreadingBackend):
        supports_return_generator = False

    joblib.register_parallel_backend("at-the-end", AtTheEnd)
    with joblib.parallel_config("at-the-end"):
        run = IsoFlop(corpus, TINY, seeds=2).start(jobs=2, name="")
    assert without_time(run.wait().result) == without_time(serial)


def test_without_joblib_a_sentence_says_what_to_install(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "joblib", None)
    with pytest.raises(RuntimeError, match="needs joblib, which is not installed"):
        IsoFlop(corpus, TINY).start(jobs=2)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"grid": {0.0: (8,)}}, "a budget must be a positive number of FLOP, not 0.0"),
        ({"grid": {float("nan"): (8,)}}, "a budget must be a positive number of FLOP, not nan"),
        ({"grid": {1e6: (64,)}}, "1e[+]06 FLOP do not pay for one batch of 512 tokens at width 64"),
        ({"grid": {1e9: (7,)}}, "d_model must be a multiple"),
        ({"grid": {}}, "has no case"),
        ({"lrs": ()}, "has no case"),
        ({"seeds": 0}, "seeds must be a whole number of at least 1, not 0"),
        ({"jobs": 0}, "jobs must be a whole number of at least 1, not 0"),
        ({"lrs": (-0.1,)}, "a learning rate must be a positive number, not -0.1"),
    ],
)
def test_impossible_sweeps_are_refused(corpus: Corpus, wrong: dict[str, Any], message: str) -> None:
    jobs = wrong.pop("jobs", 1)
    with pytest.raises(ValueError, match=message):
        IsoFlop(corpus, **{"grid": TINY, **wrong}).start(jobs, name="")


def test_an_error_in_a_worker_reaches_the_reader() -> None:
    short = Corpus({d: torch.zeros(8) for d in ("prose", "code")}, {}, "3")
    run = IsoFlop(short, {2e7: (8,)}).start(name="")
    with pytest.raises(RuntimeError):
        run.wait()
    assert run.state == "failed"
