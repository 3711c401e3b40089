"""Canaries: how they are planted, asked for and ranked, and that a small model has those best that it saw most."""

from __future__ import annotations

import math
import random
import threading
from dataclasses import replace
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from gpt4lab.formulas.memorisation import chance_exposure, exposure  # noqa: E402
from gpt4lab.rows import Row  # noqa: E402
from gpt4lab.toys.core.corpus import Corpus, decode, load_corpus  # noqa: E402
from gpt4lab.toys.core.recordings import load_recorded  # noqa: E402
from gpt4lab.toys.core.transformer import Transformer, build_model  # noqa: E402
from gpt4lab.toys.memorisation import canaries as planted  # noqa: E402
from gpt4lab.toys.memorisation import study as toy  # noqa: E402
from gpt4lab.toys.memorisation.canaries import Canary, ask, canaries, learn, plant, recall, shape  # noqa: E402
from gpt4lab.toys.memorisation.planted import OTHERS, costs, others, read  # noqa: E402
from gpt4lab.toys.memorisation.study import Memorisation, laws  # noqa: E402

SECRET = "The key lies under the third stone."


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    whole = load_corpus(20_000)
    return replace(whole, train={domain: text[:5_000] for domain, text in whole.train.items()})


@pytest.fixture(scope="module")
def learned(corpus: Corpus) -> Transformer:
    return learn(plant(SECRET, 100, corpus), epochs=16, width=32, name="").wait().result


@pytest.fixture(scope="module")
def rows(corpus: Corpus) -> list[Row]:
    return Memorisation(corpus, (32,), epochs=(1, 6), each=2, prompt_bytes=(6, 24)).start(name="").wait().result


# --- exposure


def test_exposure_in_bits() -> None:
    assert exposure(1, 256) == 8
    assert exposure(256, 256) == 0
    assert exposure(128, 256) == 1, "the median"
    assert chance_exposure(4) == pytest.approx((2 + 1 + math.log2(4 / 3) + 0) / 4)
    assert chance_exposure(4096) == pytest.approx(math.log2(math.e), abs=0.01)
    for rank, size in ((0, 8), (9, 8), (1, 0)):
        with pytest.raises(ValueError, match="rank must be between"):
            exposure(rank, size)


# --- planting


def text_of(corpus: Corpus) -> list[str]:
    return "\n".join(decode(text) for text in corpus.train.values()).split("\n")


def test_a_line_is_planted_as_often_as_asked_and_nothing_is_lost(corpus: Corpus) -> None:
    before, after = text_of(corpus), text_of(plant(SECRET, 5, corpus))
    assert before.count(SECRET) == 0
    assert after.count(SECRET) == 5
    assert [line for line in after if line != SECRET] == before
    assert text_of(plant(SECRET, 5, corpus)) == after
    assert text_of(plant(SECRET, 5, corpus, seed=1)) != after
    assert text_of(plant("another", 2, plant(SECRET, 5, corpus))).count(SECRET) == 5, "one after the other"


@pytest.mark.parametrize("text", ["", "two\nlines", "naïve", "x" * 128, "tab\there"])
def test_a_text_that_cannot_be_planted_is_named(corpus: Corpus, text: str) -> None:
    with pytest.raises(ValueError, match="text must be one line of 1 to 127 ASCII characters"):
        plant(text, 1, corpus)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"each": 0}, "each"),
        ({"seeds": 1.5}, "seeds"),
        ({"widths": (30,)}, "d_model"),
        ({"widths": (0,)}, "width"),
        ({"epochs": (1, 0)}, "epochs"),
        ({"prompt_bytes": (-1,)}, "prompt_bytes"),
        ({"widths": ()}, "at least one"),
    ],
)
def test_bad_input_is_named(corpus: Corpus, wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Memorisation(corpus, **wrong).cases()
    with pytest.raises(ValueError, match="duplicates"):
        plant(SECRET, 0, corpus)
    with pytest.raises(ValueError, match="epochs"):
        learn(corpus, epochs=0)


def test_canaries_of_a_kind_differ_in_words_alone() -> None:
    assert len(set(planted.WORDS)) == 32, "five bits a word"
    found = canaries(3)
    assert len(found) == 2 * len(planted.DUPLICATES) * 3
    assert found == canaries(3) != canaries(3, seed=1)
    for kind in planted.KINDS:
        mine = [canary for canary in found if canary.kind == kind]
        assert len({(len(canary.prompt), len(canary.secret)) for canary in mine}) == 1
        assert len({canary.prompt + canary.secret for canary in mine}) == len(mine)
        assert len("\n" + mine[0].prompt) >= 24, "the longest prompt that is asked with"


# --- asking


def test_a_planted_sentence_comes_back_from_its_beginning(learned: Transformer) -> None:
    assert recall(learned, SECRET[:13]) == SECRET
    assert len(recall(learned, "zebra", longest=7)) <= 5 + 7


def test_extracted_is_what_recall_says(learned: Transformer) -> None:
    once = Canary("own", SECRET[:21], SECRET[21:])
    never = Canary("own", SECRET[:21], SECRET[21:-2] + "s.")
    extracted, cost = ask(learned, [once, never], given=99)
    assert extracted.tolist() == [True, False]
    assert cost[0] < cost[1]
    untrained = build_model(shape(32))
    assert ask(untrained, [once], given=99)[1].item() == pytest.approx(7 * len(once.secret)), "128 bytes alike"


def test_a_canary_planted_often_stands_out_and_one_never_planted_does_not(rows: list[Row]) -> None:
    def mean(of: str, duplicates: tuple[int, ...]) -> float:
        chosen = [row[of] for row in rows if row["duplicates"] in duplicates and row["epochs"] == 6]
        return sum(chosen) / len(chosen)

    assert mean("exposure", (64,)) > mean("exposure", (0,)) + 2
    assert mean("exposure", (32, 64)) > mean("exposure", (1, 2)) + 1
    assert mean("extracted", (0,)) == 0
    assert 0 <= mean("exposure", (0,)) < 4, "eight canaries: far from the eight bits of a known one"


def test_rows_cover_the_sweep(rows: list[Row]) -> None:
    assert len(rows) == 2 * 2 * 2 * len(planted.DUPLICATES), "epochs, kinds, prompts, duplicates"
    for row in rows:
        assert row["canaries"] == 2
        assert 0 <= row["extracted"] <= 1
        assert 0 <= row["exposure"] <= math.log2(toy.REFERENCES + 1)
        assert row["parameters"] == sum(p.numel() for p in build_model(shape(32)).parameters())


def test_more_duplicates_and_epochs_expose_more(rows: list[Row]) -> None:
    found = {row["law"]: row for row in laws(rows)}
    assert set(found) == {"duplicates", "prompt_bytes", "epochs"}, "one size alone is no law"
    assert found["duplicates"]["exposure_slope"] > 0
    assert found["epochs"]["exposure_slope"] > 0


def test_same_seed_same_rows(corpus: Corpus) -> None:
    tiny = {"widths": (8,), "epochs": (1,), "each": 1, "prompt_bytes": (24,), "corpus": corpus}
    one, two = Memorisation(**tiny).start(name="").wait().result, Memorisation(**tiny).start(name="").wait().result
    assert one == two
    assert len({row["seed"] for row in Memorisation(**{**tiny, "seeds": 2}).start(name="").wait().result}) == 2


def test_stopping_keeps_what_was_asked(corpus: Corpus) -> None:
    asked = threading.Event()
    run = Memorisation(corpus, (8,), epochs=(1, 500), each=1, prompt_bytes=(24,)).start(name="")
    run.on_update(lambda run: asked.set() if run.result else None, every_s=0)
    assert asked.wait(60)
    run.stop()
    assert run.state == "stopped"
    assert {row["epochs"] for row in run.result} == {1}


# --- the laws


def test_laws_are_straight_in_the_logarithm() -> None:
    base = {"parameters": 1, "prompt_bytes": 24, "epochs": 1}
    made = [{**base, "duplicates": 10**n, "extracted": 0.3 * n, "exposure": 2 + n} for n in range(3)]
    made += [{**base, "duplicates": 0, "extracted": 0.9, "exposure": 9}]
    (law,) = laws(made)
    assert (law["law"], law["slope"], law["r_squared"]) == ("duplicates", pytest.approx(0.3), pytest.approx(1))
    assert law["exposure_slope"] == pytest.approx(1)
    assert [point["duplicates"] for point in law["points"]] == [1, 10, 100], "the control is no point of the line"


def test_the_recorded_run_shows_the_three_laws_and_an_honest_control() -> None:
    recorded = load_recorded("memorisation")
    for key in ("script", "date", "torch", "machine", "settings"):
        assert recorded[key]
    results = recorded["results"]
    assert {row["seed"] for row in results} == {0, 1, 2}
    for law in laws(results):
        assert law["slope"] > 0.05, law["law"]
        assert law["r_squared"] > 0.7, law["law"]
        assert law["exposure_slope"] > 0.3, law["law"]
    control = [row for row in results if row["duplicates"] == 0]
    assert all(row["extracted"] == 0 for row in control)
    mean = sum(row["exposure"] for row in control) / len(control)
    assert mean == pytest.approx(chance_exposure(toy.REFERENCES + 1), abs=0.6)


def test_the_same_random_numbers_make_the_same_canary() -> None:
    for make in planted.KINDS.values():
        assert make(random.Random(3)) == make(random.Random(3)) != make(random.Random(4))


# --- a sentence of one's own


@pytest.mark.parametrize("sentence", [SECRET, "Abracadabra", "To be, or not to be"])
def test_other_orders_are_as_long_of_the_same_letters_and_not_the_sentence(sentence: str) -> None:
    found = others(sentence)
    assert len(set(found)) == OTHERS
    assert sentence not in found
    assert {(len(other), *sorted(other)) for other in found} == {(len(sentence), *sorted(sentence))}


def test_what_has_one_order_alone_has_no_other() -> None:
    assert others("aaaa") == others("x") == []
    run = read("aaaa", 1, 1, width=16, most_steps=9).wait()
    assert "others" not in run.history[-1]
    assert run.history[-1]["exposure"] == 0


def test_a_sentence_that_is_planted_gets_cheaper_than_its_words_in_other_orders() -> None:
    run = read(SECRET, 100, 6, width=32).wait()
    last = run.history[-1]
    assert last["own"] < last["others"] / 2
    assert last["exposure"] == math.log2(OTHERS + 1)
    assert costs(run.result, [SECRET]).sum().item() == pytest.approx(last["own"], rel=1e-4)


def test_without_a_copy_the_text_stays_as_it_was() -> None:
    bare, often = (read(SECRET, copies, 1, width=16, most_steps=2).wait().history[-1]["read"] for copies in (0, 200))
    assert bare > often, "a reading is longer by the lines"
