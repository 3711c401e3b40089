"""Exercises in code: each can be solved, and nothing that a reader may write hangs or harms the kernel."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from gpt4lab import catalog
from gpt4lab.book.exercises import limited
from gpt4lab.book.exercises.code import MUCH, Code, codes
from gpt4lab.claims import audit
from gpt4lab.formulas.memorisation import exposure
from gpt4lab.formulas.noise import gradient_noise, gradient_signal
from gpt4lab.models.gangs import longest
from gpt4lab.quantities import value
from gpt4lab.quantities.topics.scaling import balance, best_tokens
from gpt4lab.quantities.topics.vision import inserts, params
from gpt4lab.scenario import change, load_scenario
from gpt4lab.simulate.pipeline.ring import lap, ring
from gpt4lab.verdict.strands import posterior

TEXTS = {text.name[:2]: text.read_text("utf-8") for text in Path("notebooks/text").glob("*.md")}
CODES = list(codes().items())
days = Code(
    solution="def days(flop, speed):\n    return flop / speed / 86_400",
    cases=[(864e21, 1e18), (864e20, 1e17), (864e19, 1e17)],
    unit="day",
)
GOOD = "return flop / speed / 86_400"


def written(*lines: str, before: str = "") -> str:
    return f"{before}def days(flop, speed):\n" + "\n".join(f"    {line}" for line in lines)


@pytest.mark.parametrize(("key", "code"), CODES, ids=dict(CODES))
def test_the_solution_passes_and_a_function_without_a_body_is_no_answer(key: str, code: Code) -> None:
    assert code.check(code.solution).level == "right"
    assert (code.check(code.start).level, code.check("").level) == ("missing", "missing")
    assert len(code.cases) >= 3
    assert code.name in code.solved()


@pytest.mark.parametrize(("key", "code"), CODES, ids=dict(CODES))
def test_the_cell_of_the_chapter_holds_a_function_to_be_filled_in(key: str, code: Code) -> None:
    cell = re.search(rf"```\{{code-cell\}} ipython3\n%%answer {key}\n(.*?)```", TEXTS[key[:2]], re.DOTALL)
    assert cell, f"no cell %%answer {key}"
    assert code.check(cell[1]).level == "missing"
    assert '"""' in cell[1], "its docstring says what comes in and out, with units"


@pytest.mark.parametrize(("key", "code"), CODES, ids=dict(CODES))
def test_a_constant_does_not_pass(key: str, code: Code) -> None:
    first = code.truth(*code.cases[0])
    answer = code.start.replace("...", f"return {list(first) if isinstance(first, tuple) else first!r}")
    assert code.check(answer).level in ("almost", "wrong")


LEAK = load_scenario("leak")
FOUND = {(f"{r.stated[0]:.4g}", f"{r.recomputed[0]:.4g}"): r for r in audit(LEAK) if r.stated and r.recomputed}


def cost(params: float, tokens: float, peak: float, mfu: float, price: float) -> float:
    [chip] = [key for key, chip in catalog.accelerators.items() if chip.peak_bf16_flop_per_s == peak][:1]
    run = {
        "training.tokens": tokens,
        "training.mfu": mfu,
        "cluster.usd_per_gpu_hour": price,
        "cluster.accelerator": chip,
    }
    return value("training.cost", change(LEAK, run), {"model.active_params": params})


def touched(experts: int, chosen: int, tokens: int) -> float:
    return value("moe.touched", LEAK, {"model.experts": experts, "model.top_k": chosen, "decode.micro_batch": tokens})


def balanced(p: list[float], q: list[float]) -> list[float]:
    """What must be drawn for a refused guess, so that p comes out: min(p, q) has come out already."""
    kept = list(map(min, p, q))
    return [(wanted - there) / (1 - sum(kept)) for wanted, there in zip(p, kept, strict=True)]


def paced(cut: list[int], layer_ms: float, output_ms: float) -> float:
    """As many micro-batches as stages, played for a round: each leaves as soon as the slowest lets it."""
    own = lap(ring([n * layer_ms + output_ms * (at == len(cut)) for at, n in enumerate(cut, 1)], len(cut)))
    return (own[-1].end_s - own[0].came_s) / len(cut)


#: By other ways than the solutions: quantities, the audit, every choice of the router, what must come out in all.
HEAD = ("model.head_dim", "positions.base", "model.context")
TRUE: dict[str, Callable[..., Any]] = {
    "00-residual": lambda stated, found: FOUND[f"{stated:.4g}", f"{found:.4g}"].residual,
    "01-width": lambda N, L, kept: value("geometry.width_from_mqa", LEAK, {
        "model.shared_params": N, "model.layers": L, "model.head_dim": 64,
        "model.kv_heads": kept // 64, "model.heads": kept // 64,
    }),
    "02-awake": touched,
    "03-slip": lambda stated, found: FOUND[f"{stated:.4g}", f"{found:.4g}"].slip,
    "04-fresh": lambda u, e: value("data.effective_code", LEAK, {"data.code_tokens": u, "data.code_epochs": e}),
    "05-exposure": lambda cost, others: exposure(sorted([*others, cost]).index(cost) + 1, len(others) + 1),
    "06-scale": lambda *lengths: gradient_noise(*lengths) / gradient_signal(*lengths),
    "07-hands": lambda *head: value("context.unfinished", LEAK, dict(zip(HEAD, head, strict=True))),
    "08-states": lambda N, t, p, d, zero, g: value("memory.states", LEAK, {
        "model.total_params": N, "model.layers": p, "cluster.tensor": t, "cluster.pipeline": p,
        "cluster.replicas": d, "cluster.zero": zero, "cluster.gradient_bytes": g,
    }),
    "09-rent": cost,
    "10-tokens": lambda N, A, alpha, B, beta: best_tokens(N, balance(alpha, beta, A, B), alpha, beta),
    "11-cost": lambda n, p, V: value("decode.usd_per_1k", LEAK, {
        "serving.gpus": n, "serving.usd_per_gpu_hour": p, "decode.tokens_per_s": V,
    }),
    "12-fullest": lambda n, t: 1 / value("kv.ranks", LEAK, {"model.kv_heads": n, "serving.tensor": t}),
    "17-posterior": lambda prior, strands: posterior(prior, [max(1, *of) * min(1, *of) for of in strands]),
    "13-wasted": lambda lengths: 1 - 1 / (longest(tuple(sorted(lengths)), 10**9) * len(lengths) / sum(lengths)),
    "14-second": balanced,
    "16-pace": paced,
    "15-added": lambda d, layers, every: params(d, inserts(layers, every)),
}  # fmt: skip


@pytest.mark.parametrize(("key", "code"), [pair for pair in CODES if pair[0] in TRUE], ids=[*TRUE])
def test_a_solution_gives_what_the_book_gives(key: str, code: Code) -> None:
    for case in code.cases:
        assert code.truth(*case) == pytest.approx(TRUE[key](*case), rel=1e-4)


def test_two_of_four_experts_and_two_tokens_counted_one_by_one() -> None:
    pairs = [*combinations(range(4), 2)]
    awake = [len({*first, *second}) / 4 for first in pairs for second in pairs]
    assert codes()["02-awake"].truth(4, 2, 2) == pytest.approx(sum(awake) / len(awake))


SAID = {
    "a wrong answer": (written("return flop / speed / 86.4"), "wrong", "be 10.0 days. The power of ten is off by +3"),
    "some cases": (written("return 10.0"), "almost", "days(8.64e21, 1e17) gives 10 days; it should be 1 day. The"),
    "an exception": (written("return flop / 0"), "wrong", "stops with ZeroDivisionError in line 2"),
    "nothing": (written("print(flop)"), "wrong", "returns nothing: its last line should begin with “return”. It pr"),
    "another type": (written("return {}"), "wrong", "returns something of type dict"),
    "text": (written("return '10'"), "wrong", "gives '10'; it should be 10.0 days"),
    "yes": (written("return True"), "wrong", "gives True"),
    "no number": (written("return float('nan')"), "wrong", "gives nan"),
    "too few arguments": ("def days(flop): return 1", "wrong", "must take 2 arguments (flop, speed); yours takes flop"),
    "not defined": ("hours = 3", "wrong", "days is not defined yet"),
    "no Python": ("def days(:", "wrong", "Line 1 cannot be read as Python"),
    "a null": ("def days(a, b): return 1\0", "wrong", "cannot be read as Python"),
    "a book": ("#" * 20_000, "wrong", "longer than"),
    "an end": (written("import os", "os._exit(0)"), "wrong", "ends Python itself"),
    "a polite end": (written("raise SystemExit"), "wrong", "stops with SystemExit"),
    "deep": (written("return days(flop, speed)"), "wrong", "RecursionError"),
    "memory": (written("return [0] * 10**10"), "wrong", "asks for more memory than the 512 MB"),
    "a file": (written("open('there', 'w')"), "wrong", "an exercise opens no file"),
    "a program": (written("import subprocess", "subprocess.run(['true'])"), "wrong", "has no use for subprocess.Popen"),
    "the net": (written("import socket", "socket.socket()"), "wrong", "has no use for socket"),
    "on the way": (written(GOOD, before="1 / 0\n"), "wrong", "The cell stops with ZeroDivisionError in line 1"),
    "a talker": (written(f"print('x' * {2 * MUCH})", GOOD), "right", "It also prints 12,"),
    "no end": (written("return 1e999"), "wrong", "gives inf; it should be 10.0 days"),
    "below any number": (written("return -1e999"), "wrong", "gives -inf"),
    "half a letter": ("def days(a, b): return '\ud800'", "wrong", "surrogates not allowed"),
    "a deep default": (f"def days(flop={'1+' * 900}1): return 1", "wrong", "yours takes flop."),
    "by name": ("def days(*, flop, speed): return 1", "wrong", "yours takes flop by name, speed by name."),
    "numpy": (written(GOOD, before="import numpy\n"), "wrong", "Only what comes with Python is there."),
    "within": (f"try:\n    def days(flop, speed): {GOOD}\nfinally:\n    pass", "right", "All 3 cases"),
    "a lambda": ("days = lambda flop, speed: flop / speed / 86400", "right", "All 3 cases"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "level", "words"), SAID.values(), ids=SAID)
def test_what_a_reader_may_write_is_answered_in_a_sentence(source: str, level: str, words: str) -> None:
    feedback = days.check(source)
    assert feedback.level == level
    assert words in feedback.text
    assert len(feedback.text) < 700


@pytest.mark.parametrize("loop", ["while True: pass", "import time; time.sleep(1e6)", "return 10 ** 10 ** 9"])
def test_what_does_not_end_is_stopped(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "WALL_S", 2)
    before = threading.active_count()
    feedback = days.check(written("if flop < 1e22:", f"    {loop}", GOOD))
    assert (feedback.level, "days(8.64e21, 1e17) does not come to an end" in feedback.text) == ("almost", True)
    assert threading.active_count() == before


FORGED = [b'{"value": 10.0}', b'{"value": [[]], "printed": "1"}', b'{"error": {}, "line": "x"}', b"[1]", b"\xff{"]
FORGED += [b'{"value": 1e999, "printed": 1e999}', b'{"value": 1' + b"0" * 4000 + b"}"]


@pytest.mark.parametrize("line", FORGED)
def test_what_a_process_says_is_only_data(line: bytes) -> None:
    write = f"        os.write(handle, {line!r} + bytes([10]))"
    tell = ("for handle in range(3, 16):", "    try:", write, "    except OSError: pass")
    assert days.check(written("import os", *tell, "os._exit(0)")).level in ("wrong", "almost")


def test_nothing_of_the_environment_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "42")
    told = limited.run("import os\ndef f(): return [*os.environ]", "f", [()])
    assert "A_SECRET" not in told.found[0]["value"]


def test_where_there_are_no_processes_it_says_so_and_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr(limited, "possible", lambda: False)
    monkeypatch.setattr(limited, "run", refuse)
    monkeypatch.setenv("GPT4LAB_PLACE", "lite")
    assert "a process of its own, which the browser's Python does not have" in days.check(days.solution).text
