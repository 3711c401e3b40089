"""The toy on real processes: the same loss, the bytes of the formulas, and no process that outlives its crew."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

from gpt4lab.checks.check import Checks
from gpt4lab.distributed.__main__ import main
from gpt4lab.distributed.job import DENSE, MIXTURE, RULES, SCHEDULES, DemoReport, Job
from gpt4lab.distributed.workers import WorkerLost, Workers, prepare
from gpt4lab.models.rules import LayoutError
from gpt4lab.toys.core.transformer import ToyConfig

pytestmark = pytest.mark.live

TINY = ToyConfig(d_model=32, n_layers=4, n_heads=4, n_kv_heads=4, d_ff=64)
MQA_MIXTURE = ToyConfig(d_model=32, n_layers=2, n_heads=4, n_kv_heads=1, d_ff=32, n_experts=4, top_k=2)
SMALL = {"rows": 4, "context": 16}
TOLERANCE = 5e-6  # nats; fp32 sums in another order


@pytest.fixture(scope="module")
def crew() -> Iterator[Workers]:
    with Workers(2) as crew:
        yield crew


def ratios(report: DemoReport) -> dict[str, float]:
    return {check.name: check.ratio for check in report.checks if check.what.startswith("bytes sent")}


def memory(report: DemoReport) -> Checks:
    return Checks(check for check in report.checks if check.name.startswith("rank"))


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def eventually(condition: object, seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


EXACT = [
    ("tensor", {}),
    ("data", {}),
    ("fsdp", {}),
    ("fsdp", {"reshard": False}),
    *(("pipeline", {"schedule": name}) for name in SCHEDULES),
]


@pytest.mark.parametrize(("demo", "options"), EXACT, ids=str)
def test_the_loss_is_that_of_one_process_and_the_bytes_are_those_of_the_formula(
    crew: Workers, demo: str, options: dict[str, object]
) -> None:
    report = crew.run(demo, TINY, **SMALL, **options)
    assert report.difference < TOLERANCE
    assert len({round(row["one_process"], 3) for row in report.losses}) == 3, "it learns: each step tests gradients"
    assert ratios(report) == pytest.approx(dict.fromkeys(ratios(report), 1.0))
    assert memory(report).largest == pytest.approx(0)


def test_a_lone_key_value_head_and_a_router_are_copied_and_their_gradients_summed(crew: Workers) -> None:
    report = crew.run("tensor", MQA_MIXTURE, steps=4, **SMALL)
    assert report.difference < TOLERANCE
    assert ratios(report)["all"] == pytest.approx(1.0)


def test_torch_all_reduces_where_zero1_would_scatter(crew: Workers) -> None:
    report = crew.run("zero1", TINY, **SMALL)
    assert report.difference < TOLERANCE
    assert ratios(report) == pytest.approx({"all-reduce": 2.0, "broadcast": 1.0, "all": 1.5})
    assert sum(check.found for check in memory(report)) == pytest.approx(sum(c.predicted for c in memory(report)))


def test_tokens_travel_to_their_experts(crew: Workers) -> None:
    report = crew.run("experts", replace(MIXTURE, d_model=32), **SMALL)
    assert report.difference < TOLERANCE
    assert ratios(report)["all-reduce"] == pytest.approx(1.0)
    assert ratios(report)["all-to-all"] == pytest.approx(1.0, rel=0.25), "routing is only nearly even"
    assert "stayed on their rank" in report.notes[0]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts a process's bytes")
def test_the_operating_system_sees_nearly_the_same_bytes(crew: Workers) -> None:
    report = crew.run("tensor", TINY, rows=8, context=64)
    (written,) = (check for check in report.checks if check.what == "bytes written")
    assert (written.name, written.where) == ("all", "the operating system")
    assert 1 <= written.ratio < 1.05


def test_the_bubble_is_at_least_that_of_the_formula_and_zero_bubble_has_less(crew: Workers) -> None:
    options = {"micro_batches": 4, "steps": 1, "work_s": 0.01}
    names = ("gpipe", "1f1b", "zero-bubble")
    checks = {name: crew.run("waiting", schedule=name, **options).checks for name in names}
    for bubble, held in checks.values():
        assert bubble.found > bubble.predicted - 0.03, "messages only add to it"
        assert held.found == held.predicted
    assert checks["zero-bubble"][0].predicted < checks["1f1b"][0].predicted
    assert [checks[name][1].found for name in names[:2]] == [4, 2]


BY_HAND = "F1 F2 . B1 W1 B2 W2 / . F1 B1 F2 B2 W1 W2"


def test_a_schedule_that_was_drawn_by_hand_runs_and_takes_its_slots_at_least(crew: Workers) -> None:
    seconds, waits = crew.run("hand", blocks=BY_HAND, micro_batches=2, steps=1, work_s=0.01).checks
    assert seconds.predicted == pytest.approx(0.07)
    assert seconds.found >= 0.07, "no sleeper wakes early"
    assert waits.predicted == pytest.approx(1 / 7)
    assert waits.found >= 1 / 7


def test_a_failed_check_leaves_the_crew_alive(crew: Workers) -> None:
    with pytest.raises(LayoutError, match="5 rows"):
        crew.run("data", TINY, rows=5)
    assert crew.run("data", TINY, steps=1, **SMALL).difference < TOLERANCE


IMPOSSIBLE = [
    ("tensr", 2, {}, "tensor"),
    ("tensor", 3, {}, "4 heads do not divide over 3"),
    ("tensor", 4, {"model": replace(TINY, n_kv_heads=2)}, "2 key-value heads"),
    ("tensor", 2, {"stepps": 3}, "Did you mean: steps"),
    ("tensor", 2, {"steps": 0}, "steps = 0"),
    ("tensor", 1, {}, "nothing to distribute"),
    ("pipeline", 3, {}, "4 layers do not divide into 3 stages"),
    ("pipeline", 4, {"schedule": "interleaved"}, "4 stages of 2 chunks"),
    ("pipeline", 2, {"schedule": "1f2b"}, "1f1b"),
    ("pipeline", 2, {"micro_batches": 3}, "8 rows do not divide into 3 micro-batches"),
    ("fsdp", 3, {}, "8 rows do not divide over 3 replicas"),
    ("experts", 3, {}, "8 experts do not divide over 3"),
    ("experts", 2, {"model": DENSE}, "no experts"),
    ("tensor+fsdp", 2, {}, "exactly four"),
    ("hand", 2, {"blocks": "F1", "micro_batches": 1}, "5 blocks of 2 stages and 1 micro-batches are missing"),
    ("hand", 2, {"blocks": "B1", "micro_batches": 1}, "The schedule cannot run: B1 of stage 1"),
]


@pytest.mark.parametrize(("demo", "ranks", "options", "words"), IMPOSSIBLE, ids=lambda value: str(value)[:30])
def test_impossible_layouts_are_refused_in_words(demo: str, ranks: int, options: dict, words: str) -> None:
    with pytest.raises(LayoutError, match=words):
        prepare(demo, ranks, **options)


#: Each demo with each number at its worst.
WORST = [
    (demo, option, value)
    for demo in RULES
    for option in ("ranks", "micro_batches", "rows", "context", "steps")
    for value in (-1, 0, 10**9)
    if (option, value) not in {("context", 10**9), ("steps", 10**9)} and not (value > 0 and demo == "waiting")
]


@pytest.mark.parametrize(("demo", "option", "value"), WORST)
def test_a_number_that_no_layout_can_have_is_refused_in_one_line(
    demo: str, option: str, value: int, capsys: pytest.CaptureFixture[str]
) -> None:
    ranks = {"ranks": value} if option == "ranks" else {"ranks": 4}
    try:
        prepare(demo, **ranks, **({} if option == "ranks" else {option: value}))
    except LayoutError:
        assert main([demo, "--ranks", str(ranks["ranks"]), *option_words(option, value)]) == 1
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)
    else:
        assert value > 0


def option_words(option: str, value: int) -> list[str]:
    return [] if option == "ranks" else [f"--{option.replace('_', '-')}", str(value)]


@pytest.mark.parametrize("work_s", [0, -1, float("nan"), float("inf")])
def test_work_takes_a_time(work_s: float) -> None:
    with pytest.raises(LayoutError, match="work_s"):
        prepare("waiting", 2, work_s=work_s)


def test_the_schedules_are_refused_where_torch_would_fail(crew: Workers) -> None:
    """What the rules let through, torch runs: with every schedule, and more and fewer micro-batches than stages."""
    for schedule in SCHEDULES:
        for micro_batches in (1, 2, 3, 4):
            try:
                crew.run("waiting", schedule=schedule, micro_batches=micro_batches, steps=1, work_s=0.001)
            except LayoutError as refused:
                assert str(micro_batches) in str(refused)  # noqa: PT017 - and no WorkerLost
    with pytest.raises(LayoutError, match="micro_batches = 1 is less than the 2 stages"):
        crew.run("pipeline", micro_batches=1)


def test_a_script_without_a_guard_is_not_run_again_by_its_workers(tmp_path: Path) -> None:
    import gpt4lab.distributed

    example = [line[4:] for line in str(gpt4lab.distributed.__doc__).splitlines() if line.startswith("    ")]
    script = tmp_path / "example.py"
    script.write_text("print('once')\n" + "\n".join(example) + "\nprint(report.demo)\n", "utf-8")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120)
    assert (done.stdout.split(), done.stderr, done.returncode) == (["once", "tensor"], "", 0)


def test_without_torch_the_command_says_what_to_install() -> None:
    for program in ("gpt4lab.distributed", "gpt4lab.toys"):
        code = (
            f"import sys; sys.modules['torch'] = None; from {program}.__main__ import main; sys.exit(main(['tensor']))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert "needs torch, which is not installed here" in done.stderr


def test_every_demo_has_rules() -> None:
    from gpt4lab.distributed.demos import DEMOS

    assert set(DEMOS) == set(RULES)
    with pytest.raises(LayoutError, match="2 to 8"):
        Workers(1)


@pytest.mark.parametrize(("demo", "rank"), [("tensor", 0), ("tensor", 1), ("waiting", 1)])
def test_a_killed_rank_is_told_at_once_and_nothing_is_left(demo: str, rank: int) -> None:
    crew = Workers(2)
    pids = crew.pids
    wait = crew.begin(demo, Job(work_s=1.0, steps=10_000))  # far from its end when the worker is killed
    time.sleep(0.5)
    crew.kill(rank)
    with pytest.raises(
        WorkerLost, match=rf"Worker {rank} ended during '{demo}' \((signal SIGKILL|exit status)"
    ) as lost:
        wait()
    assert "other workers were stopped" in str(lost.value)
    assert eventually(lambda: all(gone(pid) for pid in pids))
    with pytest.raises(WorkerLost, match="closed"):
        crew.run("data")


def test_an_answer_that_does_not_come_ends_the_crew() -> None:
    crew = Workers(2, timeout_s=0.5)
    pids = crew.pids
    with pytest.raises(WorkerLost, match="No answer to 'waiting'"):
        crew.run("waiting", work_s=1.0)
    assert eventually(lambda: all(gone(pid) for pid in pids))


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process group leader by POSIX signal")
def test_workers_do_not_outlive_a_killed_parent() -> None:
    code = """
import time
from gpt4lab.distributed.workers import Job, Workers
if __name__ == "__main__":
    crew = Workers(2)
    wait = crew.begin("waiting", Job(work_s=5.0))
    print(*crew.pids, flush=True)
    time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    parent.kill()
    parent.wait()
    assert eventually(lambda: all(gone(pid) for pid in pids))


def test_the_command_line_runs_under_torchrun() -> None:
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "gpt4lab.distributed",
        "data",
        "--steps",
        "2",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "all-reduce" in done.stdout
    assert done.stdout.count("data on 2 ranks") == 1


LARGE = ToyConfig(d_model=10_752, n_layers=120, n_heads=96, n_kv_heads=1, d_ff=43_008, n_experts=16, top_k=2)


def test_eight_ways_and_fifteen_stages_as_torch_cuts_them() -> None:
    from gpt4lab.distributed.cluster import RankGrid, stage_checks

    checks = stage_checks(LARGE, RankGrid(tensor=8, pipeline=15, data=208, zero=1))
    assert checks.largest < 1e-6
    parameters = [check for check in checks if check.what == "parameters"]
    assert [check.name for check in parameters] == [f"stage {stage}, 8 layers" for stage in range(15)]
    assert parameters[0].found > parameters[1].found, "the first stage has the embedding"
    whole = 8 * sum(check.found for check in parameters)
    assert whole == pytest.approx(120 * (16 * 2 * 10_752 * 43_008 + 2 * 10_752 * 10_752), rel=0.01)


def test_zero_cuts_one_part_more_at_each_stage() -> None:
    from gpt4lab.distributed.cluster import RankGrid, stage_checks

    config, pipeline = replace(LARGE, n_layers=4), 2
    second = [stage_checks(config, RankGrid(8, pipeline, 16, zero))[4:] for zero in range(4)]
    held = [sum(check.found for check in checks if check.unit == "byte") for checks in second]
    assert held == sorted(held, reverse=True)
    assert held[0] / held[3] == pytest.approx(16, rel=1e-6)


def test_sixteen_stages_are_uneven() -> None:
    from gpt4lab.distributed.cluster import RankGrid, spread, stage_checks

    assert spread(120, 16) == [7] * 8 + [8] * 8
    assert sum(spread(61, 16)) == 61
    checks = stage_checks(replace(LARGE, n_layers=15), RankGrid(8, 16 // 2, zero=0))[::4]
    assert [check.name for check in checks] == ["stage 0, 1 layers", *(f"stage {n}, 2 layers" for n in range(1, 8))]


def test_heads_that_do_not_divide_are_refused_with_counts_that_do() -> None:
    from gpt4lab.distributed.cluster import RankGrid, stage_checks

    with pytest.raises(LayoutError, match=r"84 heads do not divide over 8.*96 of 112"):
        stage_checks(replace(LARGE, n_heads=84), RankGrid())
    with pytest.raises(LayoutError, match="fewer than 15 stages"):
        stage_checks(replace(LARGE, n_layers=14), RankGrid())


def test_traffic_of_a_large_layer_is_that_of_the_formula() -> None:
    from gpt4lab.distributed.cluster import RankGrid, tensor_traffic

    *_, total = tensor_traffic(LARGE, RankGrid(8, 15, 208), context=8192)
    assert total.ratio == pytest.approx(1)
    assert total.what == "bytes sent in 7 calls", "two forward, two backward; router, key and value once a step"


def test_ranks_are_numbered_tensor_first() -> None:
    from gpt4lab.distributed.cluster import RankGrid, neighbours

    found = neighbours(RankGrid(tensor=8, pipeline=15, data=208), 9000)
    assert found["tensor_ranks"] == list(range(9000, 9008)), "one machine"
    assert (found["pipeline"], found["data"], found["tensor"]) == (5, 85, 0)
    assert found["data_ranks"][:2] == [8320, 8328]
    assert len(found["pipeline_ranks"]) == 15


def test_each_replica_trains_on_its_own_rows() -> None:
    from gpt4lab.distributed.cluster import RankGrid, pretend
    from gpt4lab.distributed.replicas import own_rows

    tokens, targets = Job(rows=8).batch(0)
    seen = []
    for rank in range(4):
        with pretend(RankGrid(tensor=1, pipeline=1, data=4), rank):
            own_rows(lambda x, y: seen.append((x, y)), Job(rows=8))(tokens, targets)
    assert [len(x) for x, _ in seen] == [2] * 4
    assert all(x.tolist() == tokens[2 * r : 2 * r + 2].tolist() for r, (x, _) in enumerate(seen))
    assert targets[:, :-1].tolist() == tokens[:, 1:].tolist()
