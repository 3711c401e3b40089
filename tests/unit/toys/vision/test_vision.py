"""Eyes: captions that need the image, gates that start shut, a frozen model that stays what it was, and the counts."""

from __future__ import annotations

import math
import threading
from itertools import pairwise
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from gpt4lab.chapters.c15_eyes.gate import IMAGES, pixels  # noqa: E402
from gpt4lab.quantities.topics.kv import bytes_per_token  # noqa: E402
from gpt4lab.toys.core.background import BackgroundRun  # noqa: E402
from gpt4lab.toys.core.corpus import Corpus, decode  # noqa: E402
from gpt4lab.toys.core.training import evaluate  # noqa: E402
from gpt4lab.toys.core.transformer import ToyConfig, Transformer, build_model  # noqa: E402
from gpt4lab.toys.vision.captions import (  # noqa: E402
    CAPTIONS,
    IMAGE,
    NAMES,
    WITHHELD,
    Pictures,
    as_image,
    load_pictures,
    prior_bits,
    text_sampler,
)
from gpt4lab.toys.vision.checks import cache_check, flamingo_image_in_tokens, flop_checks, parameter_checks  # noqa: E402
from gpt4lab.toys.vision.model import Plan, Seeing, build_seeing, caption_shares, describe, look_rows, write  # noqa: E402
from gpt4lab.toys.vision.study import SHOWN  # noqa: E402
from gpt4lab.toys.vision.training import (  # noqa: E402
    case_rows,
    curve_rows,
    gate_rows,
    learn_language,
    open_eyes,
    score,
    shut,
    text_rows,
)

CONFIG = ToyConfig(d_model=32, n_layers=2, n_heads=2, n_kv_heads=2, d_ff=64)
SHORT = Plan(every=1, steps=4, batch=4)
LEARNS = Plan(steps=100)


@pytest.fixture(scope="module")
def held_out() -> Pictures:
    return load_pictures().writers


@pytest.fixture(scope="module")
def language(corpus: Corpus) -> Transformer:
    return learn_language(corpus, 200, CONFIG, name="").wait().result


@pytest.fixture(scope="module")
def learnt(language: Transformer) -> BackgroundRun[Seeing]:
    return open_eyes(language, LEARNS, name="").wait()


def weights(model: Transformer) -> dict[str, Any]:
    return {name: weight.clone() for name, weight in model.state_dict().items()}


def same(one: dict[str, Any], two: dict[str, Any]) -> bool:
    return all(torch.equal(one[name], two[name]) for name in one)


# --- captions ---------------------------------------------------------------------------------------------------------


def test_every_image_has_a_caption_that_names_its_digit() -> None:
    train, writers, combinations = load_pictures()
    assert [len(train), len(writers), len(combinations)] == [1146, 193, 399]
    assert train.images.shape == (1146, 64)
    seen = {caption.split()[2] for caption in train.captions}
    assert seen == set(NAMES)
    assert {*train.captions} | {*combinations.captions} == {*CAPTIONS}


def test_what_is_withheld_is_never_shown_though_every_word_is() -> None:
    train, writers, combinations = load_pictures()
    assert not WITHHELD & ({*train.captions} | {*writers.captions})
    assert {*combinations.captions} == WITHHELD
    words = {word for caption in train.captions for word in caption.split()}
    assert {word for caption in WITHHELD for word in caption.split()} <= words


def test_the_images_on_the_page_are_those_of_the_recorded_run() -> None:
    writers = load_pictures().writers
    for at, (picture, caption) in zip(SHOWN, IMAGES, strict=True):
        assert pixels(picture) == writers.images[at].tolist()
        assert caption == writers.captions[at]


def test_tokens_and_targets_are_the_caption(held_out: Pictures) -> None:
    length = len(held_out.captions[0])
    assert decode(held_out.tokens[0, : length + 1]) == IMAGE + held_out.captions[0]
    assert decode(held_out.targets[0, : length + 1]) == held_out.captions[0] + "\n"
    assert held_out.words[0, :length].tolist() == [held_out.captions[0][:i].count(" ") for i in range(length)]


def test_what_a_caption_says_can_be_seen_in_the_pixels() -> None:
    """Each word parts the training images in halves, and by its own measure."""
    train = load_pictures().train
    thick = torch.tensor([" thick " in caption for caption in train.captions])
    right = torch.tensor([caption.endswith("right") for caption in train.captions])
    ink = train.images.sum(1)
    assert ink[thick].min() > ink[~thick].max()
    top = train.images[:, :24].unflatten(1, (3, 8)).sum(1)  # (n, x) of the upper three rows
    centre = (top * torch.arange(8)).sum(1) / top.sum(1)
    assert centre[right].mean() > centre[~right].mean() + 0.3
    for half in (thick, right):
        assert half.float().mean().item() == pytest.approx(0.5, abs=0.06)


def test_a_reader_who_sees_nothing_pays_for_thirty_captions(held_out: Pictures) -> None:
    assert prior_bits(load_pictures().train, held_out) == pytest.approx(math.log2(30), abs=0.15)


def test_every_fourth_row_of_the_text_is_captions(corpus: Corpus) -> None:
    one, two = (text_sampler(corpus, 8, 64)(torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(one.tokens, two.tokens)
    assert torch.equal(one.tokens[:, 1:], one.targets[:, :-1])
    assert [decode(row).startswith(IMAGE) for row in one.tokens] == 2 * [False, False, False, True]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ([0] * 63, "64 numbers, row by row, not 63"),
        ([], "not 0"),
        ([0] * 65, "not 65"),
        ([0] * 63 + [17], r"image\[63\] must be a number from 0 \(paper\) to 16 \(ink\), not 17"),
        ([-1] + [0] * 63, r"image\[0\]"),
        ([0, math.nan] + [0] * 62, r"image\[1\] .* not nan"),
        ([0] * 63 + ["8"], "not '8'"),
        (torch.zeros(8, 8), "not 8"),
    ],
)
def test_images_that_are_none_are_refused(language: Transformer, image: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        as_image(image)
    with pytest.raises(ValueError, match=message):
        describe(build_seeing(language), image)


# --- eyes shut, and frozen --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("every", [1, 2])
def test_before_the_first_step_it_writes_bit_for_bit_what_it_wrote(
    language: Transformer, held_out: Pictures, every: int
) -> None:
    model = build_seeing(language, Plan(every=every))
    assert torch.equal(model(held_out.tokens, held_out.images), language(held_out.tokens))
    assert len(model.gates()) == math.ceil(CONFIG.n_layers / every)
    assert all(row["attention"] == row["feed_forward"] == 0 for row in model.gates())


def test_no_frozen_weight_changes_and_every_new_one_does(language: Transformer) -> None:
    before, new = weights(language), build_seeing(language, SHORT).eyes.state_dict()
    model = open_eyes(language, SHORT, name="").wait().result
    assert same(weights(model.language), before)
    assert same(weights(language), before)
    assert not any(torch.equal(weight, new[name]) for name, weight in model.eyes.state_dict().items())


def test_unfrozen_the_copy_learns_and_the_original_stays(language: Transformer) -> None:
    before = weights(language)
    model = open_eyes(language, Plan(steps=3, language="learns"), name="").wait().result
    assert not same(weights(model.language), before)
    assert same(weights(language), before)


def test_from_scratch_nothing_is_left_of_what_was_learned(language: Transformer) -> None:
    model = build_seeing(language, Plan(language="scratch"))
    assert not same(weights(model.language), weights(language))
    assert all(p.requires_grad for p in model.language.parameters())


def test_without_gates_the_first_step_begins_with_another_model(language: Transformer, held_out: Pictures) -> None:
    model = build_seeing(language, Plan(every=1, gated=False))
    assert not torch.equal(model(held_out.tokens, held_out.images), language(held_out.tokens))
    assert [row["attention"] for row in model.gates()] == [1, 1]
    assert not [name for name, _ in model.named_parameters() if name.endswith("gate")]


def test_with_the_gates_shut_again_it_is_the_language_model(
    language: Transformer, learnt: BackgroundRun[Seeing], held_out: Pictures
) -> None:
    model = learnt.result
    assert torch.equal(shut(model)(held_out.tokens, held_out.images), language(held_out.tokens))
    assert not torch.equal(model(held_out.tokens, held_out.images), language(held_out.tokens))
    with pytest.raises(ValueError, match="attention, feed_forward, not 'front'"):
        shut(model, ["front"])


# --- eyes open --------------------------------------------------------------------------------------------------------


def test_it_sees(learnt: BackgroundRun[Seeing], held_out: Pictures) -> None:
    """It knows digits that it has never seen; another's image misleads it, and without one it guesses."""
    cases = {row["case"]: row for row in case_rows(learnt.result, held_out)}
    own, chance = cases["its own image"], cases["no image"]
    assert own["bits"] < chance["bits"] - 1.5
    assert own["digit"] > 3 / len(NAMES)
    assert chance["digit"] < 2 / len(NAMES)
    assert cases["another's image"]["bits"] > chance["bits"]
    assert cases["all gates shut"] == {**chance, "case": "all gates shut"}
    assert cases["attention gates shut"]["digit"] < 2 / len(NAMES)


def test_gates_open(learnt: BackgroundRun[Seeing]) -> None:
    rows = gate_rows(learnt.history)
    assert all(row["opening"] == 0 for row in rows if row["step"] == 1)
    last = [row["opening"] for row in rows if row["step"] == LEARNS.steps]
    assert len(last) == 4
    assert all(0 < opening < 1 for opening in last)
    assert max(last) > 0.1


def test_curves_of_training_and_held_out(learnt: BackgroundRun[Seeing], held_out: Pictures) -> None:
    rows = curve_rows(learnt.history)
    measured = [row for row in rows if row["images"] == "new writers"]
    assert len(rows) == LEARNS.steps + 2 * len(measured)
    assert [row["step"] for row in measured] == list(range(10, 101, 10))
    assert measured[-1]["bits"] == score(learnt.result, held_out, held_out.images)["bits"] < measured[0]["bits"]
    assert all(a["cpu_s"] < b["cpu_s"] for a, b in pairwise(learnt.history))


def test_text_without_an_image_costs_what_it_did(
    language: Transformer, learnt: BackgroundRun[Seeing], corpus: Corpus
) -> None:
    rows = {row["case"]: row for row in text_rows(language, learnt.result, corpus, rows=8, context=32)}
    assert rows["no image"]["bpb"] == rows["before"]["bpb"]
    assert rows["before"]["bpb"] == pytest.approx(evaluate(language, corpus, rows=8, context=32)["all"], rel=1e-5)
    assert rows["blank image"]["bpb"] != rows["before"]["bpb"]
    assert rows["digit"]["lost"] == rows["digit"]["bpb"] - rows["before"]["bpb"]


def test_a_description_is_the_likeliest_caption(learnt: BackgroundRun[Seeing], held_out: Pictures) -> None:
    """`score` judges one pass over the true captions: that must be the same as writing them."""
    model, some = learnt.result, range(12)
    written = [describe(model, held_out.images[i]).caption == held_out.captions[i] for i in some]
    few = Pictures(held_out.images[:12], held_out.captions[:12], held_out.tokens[:12], held_out.targets[:12])
    assert score(model, few, few.images)["exact"] == pytest.approx(sum(written) / len(written))


def test_a_description_says_how_sure_it_is(learnt: BackgroundRun[Seeing], held_out: Pictures) -> None:
    found = describe(learnt.result, held_out.images[0].tolist())
    assert "".join(row["char"] for row in found.rows).strip() == found.caption
    for row in found.rows:
        assert 0 <= row["other_probability"] <= row["probability"] <= 1
    assert describe(learnt.result, None).caption == describe(shut(learnt.result), [0] * 64).caption


def test_written_at_once_is_written_one_by_one(learnt: BackgroundRun[Seeing], held_out: Pictures) -> None:
    few = held_out.images[:6]
    assert write(learnt.result, few, 40) == [describe(learnt.result, image).caption.strip() for image in few]


def test_shares_of_the_forty_captions(learnt: BackgroundRun[Seeing], held_out: Pictures) -> None:
    """Each is the product of its characters' probabilities, as `score` sums their bits."""
    shares = caption_shares(learnt.result, held_out.images[0])
    one = Pictures(held_out.images[:1], held_out.captions[:1], held_out.tokens[:1], held_out.targets[:1])
    assert set(shares) == {*CAPTIONS}
    assert 0 < sum(shares.values()) <= 1 + 1e-5
    assert -math.log2(shares[held_out.captions[0]]) == pytest.approx(
        score(learnt.result, one, one.images)["bits"], abs=1e-3
    )


def test_where_the_latents_look(learnt: BackgroundRun[Seeing], held_out: Pictures) -> None:
    rows = look_rows(learnt.result, held_out.images[0])
    assert len(rows) == LEARNS.latents * 64
    assert {(row["x"], row["y"]) for row in rows} == {(x, y) for x in range(8) for y in range(8)}
    for latent in range(1, LEARNS.latents + 1):
        assert sum(row["weight"] for row in rows if row["latent"] == latent) == pytest.approx(1)
    assert rows != look_rows(learnt.result, held_out.images[1])


def test_the_encoder_keeps_places_apart(language: Transformer) -> None:
    """A dot changes the features of its own neighbourhood, two places to every side, and no other."""
    encoder = build_seeing(language).eyes.encoder
    dot = torch.zeros(1, 64)
    dot[0, 8 * 3 + 5] = 16
    changed = (encoder(dot) != encoder(torch.zeros(1, 64))).any(-1)[0]
    places = {(i // 8, i % 8) for i in changed.nonzero()[:, 0].tolist()}
    assert places
    assert all(abs(y - 3) <= 2 and abs(x - 5) <= 2 for y, x in places)


def test_same_seed_same_numbers(language: Transformer) -> None:
    a, b, other = (open_eyes(language, SHORT, seed, name="").wait() for seed in (1, 1, 2))
    losses = [[row["loss"] for row in run.history] for run in (a, b, other)]
    assert losses[0] == losses[1] != losses[2]
    assert same(weights(a.result.language), weights(other.result.language))


def test_stop_keeps_the_eyes_so_far(language: Transformer, held_out: Pictures) -> None:
    begun = threading.Event()
    run = open_eyes(language, Plan(steps=1_000_000), name="")
    run.on_update(lambda run: begun.set() if len(run.history) >= 3 else None, every_s=0)
    assert begun.wait(60)
    run.stop()
    assert run.state == "stopped"
    assert describe(run.result, held_out.images[0]).rows


@pytest.mark.parametrize("wrong", [{"every": 0}, {"latents": 0}, {"steps": -1}, {"batch": math.nan}, {"every": 1.5}])
def test_impossible_plans_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be a whole number of at least 1"):
        Plan(**wrong)


def test_more_layers_between_insertions_than_there_are(language: Transformer) -> None:
    with pytest.raises(ValueError, match="every must be from 1 to 2 layers, not 3"):
        open_eyes(language, Plan(every=3), name="")


# --- cross-checks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("every", "latents", "kv_heads"), [(1, 4, 2), (2, 4, 1), (4, 7, 2)])
def test_counts_equal_formulas(every: int, latents: int, kv_heads: int) -> None:
    config = ToyConfig(d_model=32, n_layers=4, n_heads=2, n_kv_heads=kv_heads, d_ff=64)
    model = build_seeing(build_model(config), Plan(every=every, latents=latents))
    cross, resampler, flamingo = parameter_checks(model)
    inserts = math.ceil(config.n_layers / every)
    assert cross.found - 2 * inserts == cross.predicted
    assert resampler.ratio == 1
    assert (flamingo.found, flamingo.where) == (10e9, "alayrac2022")
    assert flamingo.ratio == pytest.approx(1, abs=0.1)
    assert all(check.ratio == pytest.approx(1) for check in flop_checks(model))
    cache = cache_check(model)
    assert cache.found == cache.predicted == latents * inserts / config.n_layers * config.n_heads / kv_heads
    large = 64 * bytes_per_token(12, 2 * 64 * 128, 2) / bytes_per_token(80, 2 * 64 * 128, 2)
    assert flamingo_image_in_tokens() == pytest.approx(large)
