"""Inputs: declared once, refused in one style, saved and shared without loss."""

from __future__ import annotations

import json
import math
import re

import pytest

from gpt4lab.catalog import references
from gpt4lab.claims import ledger
from gpt4lab.scenario import (
    FIELDS,
    RENAMED,
    Scenario,
    ScenarioError,
    change,
    differences,
    from_json,
    from_text,
    get,
    load_scenario,
    names,
    parse,
    share,
    to_json,
)
from gpt4lab.units import factor

LEAK = load_scenario("leak")


def test_the_leak_is_the_default() -> None:
    assert load_scenario() == LEAK
    assert not differences(LEAK, Scenario())
    assert names()[0] == "leak"


@pytest.mark.parametrize("path", FIELDS)
def test_every_field_says_what_it_is(path: str) -> None:
    field = FIELDS[path]
    assert field.label
    assert field.meaning
    assert field.path == path
    if not (field.choices or field.catalog):
        assert field.lo <= field.default <= field.hi
        assert factor(field.unit, f"({field.unit})") == pytest.approx(1), "a unit that pint knows"


@pytest.mark.parametrize("path", FIELDS)
def test_every_field_has_a_source(path: str) -> None:
    source, _, detail = FIELDS[path].source.partition(":")
    origin, _, _ = source.partition(",")
    assert origin == "assumed" or origin in ledger() or origin in references, f"no such source: {source}"
    assert origin != "assumed" or len(detail.strip()) > 3, "an assumption gives its reason"


def test_labels_are_unique_within_a_group() -> None:
    named = [(path.partition(".")[0], field.label) for path, field in FIELDS.items()]
    assert len(named) == len(set(named))


def test_change_by_path_leaves_the_original_alone() -> None:
    changed = change(LEAK, {"training.mfu": 0.4, "cluster.gpus": 20_000})
    assert (changed.training.mfu, changed.cluster.gpus) == (0.4, 20_000)
    assert LEAK.training.mfu == 0.34
    assert differences(changed, LEAK) == {"training.mfu": (0.4, 0.34), "cluster.gpus": (20_000, 25_000)}


def test_changes_are_judged_together() -> None:
    eight_of_32 = change(LEAK, {"model.experts": 32, "model.top_k": 20})
    assert change(eight_of_32, {"model.experts": 4, "model.top_k": 2}).model.experts == 4
    with pytest.raises(ScenarioError, match=r"cannot meet 20 experts of 4: 4 or fewer"):
        change(eight_of_32, {"model.experts": 4})


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (
            "training.mfu",
            34,
            r"training\.mfu = 34 is out of range; allowed: 0.01 to 1 \(1% to 100%\)\. Did you.+0.34\?",
        ),
        ("heart.sentence", "", "Your sentence: nothing is written there; allowed: one line of 1 to 100 characters"),
        ("heart.sentence", "Grüße", "Your sentence: 'ü' is none of the characters that are known; allowed: one line"),
        ("heart.sentence", "two\nlines", "Your sentence: .* is none of the characters that are known"),
        ("heart.sentence", "x" * 101, "Your sentence: 101 characters are too many; allowed: one line of 1 to 100"),
        ("heart.cutoff", 2030, r"allowed: January 2002 to April 2023\."),
        ("training.mfu", 0, r"allowed: 0.01 to 1 \(1% to 100%\)"),
        ("cluster.gpus", 0, r"cluster\.gpus = 0 is out of range; allowed: 1 to 10,000,000 GPU"),
        ("cluster.gpus", 2.5, "is not a whole number"),
        ("training.mfu", "much", "'much' is not a number"),
        ("training.mfu", True, "True is not a number"),
        ("training.mfu", math.nan, "nan is not a number"),
        ("training.tokens", 13, r"Did you mean 13,000,000,000,000\?"),
        ("training.mfo", 0.4, r"unknown field 'training.mfo'; did you mean training.mfu"),
    ],
)
def test_bad_input_is_answered_in_one_style(path: str, value: object, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        change(LEAK, {path: value})


def test_an_unknown_accelerator_lists_near_ones() -> None:
    with pytest.raises(ScenarioError, match=r"cluster\.accelerator = 'h100' is not known.*h100-sxm-80gb"):
        change(LEAK, {"cluster.accelerator": "h100"})


def test_an_unknown_scenario_lists_near_ones() -> None:
    with pytest.raises(ScenarioError, match="nvidia-proxy"):
        load_scenario("nvidia")


@pytest.mark.parametrize(
    ("text", "number"),
    [("25,000", 25_000), ("25k", 25e3), ("1.8T", 1.8e12), ("34%", 0.34), ("2.15e25", 2.15e25), ("55 B", 55e9)],
)
def test_numbers_as_people_write_them(text: str, number: float) -> None:
    assert from_text(text) == number


def test_a_text_that_is_no_number_is_refused() -> None:
    with pytest.raises(ScenarioError, match="write it like"):
        from_text("many")


def test_words_stay_words() -> None:
    assert parse("cluster.accelerator", "tpu-v4") == "tpu-v4"


@pytest.mark.parametrize("name", names())
def test_every_named_scenario_survives_saving_and_sharing(name: str) -> None:
    changed = change(load_scenario(name), {"training.mfu": 1 / 3, "cluster.accelerator": "tpu-v4"})
    assert from_json(to_json(changed)) == changed
    assert load_scenario(share(changed)) == changed
    assert load_scenario(share(load_scenario(name))) == load_scenario(name)


def test_sharing_says_only_what_differs() -> None:
    assert share(change(LEAK, {"training.mfu": 0.4})) == "leak?training.mfu=0.4"


def another(path: str) -> object:
    """A value that a field may have and does not have by itself."""
    field = FIELDS[path]
    return field.choices[-2] if field.choices else field.hi if field.hi != field.default else field.lo


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_what_was_kept_under_an_old_name_still_loads(old: str, new: str) -> None:
    assert old not in FIELDS
    assert new in FIELDS
    now = change(LEAK, {new: another(new)})
    assert now != LEAK
    assert get(now, old) == another(new)
    assert change(LEAK, {old: another(new)}) == now
    assert change(LEAK, {old: parse(old, str(another(new)))}) == now
    assert load_scenario(share(now).replace(new, old)) == now
    (group, name), (today, field), tree = old.split("."), new.split("."), json.loads(to_json(LEAK))
    with pytest.raises(ScenarioError, match=f"^{re.escape(new)} is set twice, once by an older name"):
        from_json(json.dumps(tree | {group: {name: another(new)}}))
    del tree[today][field]
    assert from_json(json.dumps(tree | {group: {name: another(new)}})) == now


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_a_bad_value_under_an_old_name_is_refused_under_the_new_one(old: str, new: str) -> None:
    with pytest.raises(ScenarioError, match=f"^{re.escape(new)} = "):
        change(LEAK, {old: "no such word"})


def test_json_with_an_unknown_field_is_refused() -> None:
    with pytest.raises(ScenarioError, match=r"unknown field 'training\.mfo'"):
        from_json('{"training": {"mfo": 1}}')


@pytest.mark.parametrize("name", names())
def test_named_scenarios_say_what_they_are(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.title
    assert scenario.description.endswith(".")
    assert name == "leak" or differences(scenario, LEAK)
    assert all(get(scenario, path) is not None for path in FIELDS)


@pytest.mark.parametrize(
    ("path", "text", "number"),
    [("batching.latency_limit_s", "400 ms", 0.4), ("training.mfu", "34%", 0.34), ("cluster.gpus", "25k", 25_000)],
)
def test_a_number_may_be_written_as_it_is_printed(path: str, text: str, number: float) -> None:
    assert get(change(LEAK, {path: text}), path) == number


def test_the_models_of_the_design_are_scenarios() -> None:
    assert {"llama-3.1-405b", "deepseek-v3", "kimi-k2", "nvidia-proxy", "hotz-8x220b"} <= set(names())


NO_SCENARIO = (
    *("", "[]", "5", "null", "{", "[" * 100_000, '{"name": 5}', '{"name": {}}', '{"unknown": {"a": 1}}'),
    *('{"training": 5}', '{"training": []}', '{"training": null}', '{"trainning": {"mfu": 0.5}}'),
    *('{"training": {"mfu": 0.4, "mfu": 0.5}}', '{"training": {"mfu": {}}}', '{"training": {"mfu": true}}'),
    *('{"training": {"mfu": NaN}}', '{"training": {"mfu": 1e999}}', '{"model": {"layers": "120"}}'),
    *('{"training": {"tokens": 1' + 400 * "0" + "}}", '{"cluster": {"gpus": 1' + 5000 * "0" + "}}"),
    *(
        '{"training": {"mfu": "' + 10**6 * "x" + '"}}',
        '{"' + 10**6 * "x" + '": {}}',
        '{"cluster": {"accelerator": []}}',
    ),
)


@pytest.mark.parametrize("text", NO_SCENARIO, ids=lambda text: text[:30])
def test_what_is_no_scenario_is_told_in_one_short_sentence(text: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        from_json(text)
    assert len(str(refused.value)) < 400


def test_a_part_of_a_scenario_a_byte_order_mark_and_null_are_read() -> None:
    assert from_json("\ufeff" + to_json(LEAK)) == LEAK
    assert from_json('{"training": {"mfu": 0.4}}').training.mfu == 0.4
    assert "training.mfu" in from_json('{"training": {"mfu": null}}').unknown


@pytest.mark.parametrize("path", [path for path, field in FIELDS.items() if not (field.choices or field.catalog)])
def test_numbers_of_any_library_are_numbers_and_huge_ones_are_refused(path: str) -> None:
    numpy = pytest.importorskip("numpy")
    here = get(LEAK, path)
    for kind in (numpy.float64, numpy.int64 if float(here).is_integer() else numpy.float64, numpy.array):
        assert change(LEAK, {path: kind(here)}) == LEAK
        assert type(get(change(LEAK, {path: kind(here)}), path)) is type(here)
    for huge in (10**400, -(10**400), 1e308, float("inf"), float("nan"), 1j, [here], None):
        with pytest.raises(ScenarioError, match=f"^{re.escape(path)} = ") as refused:
            change(LEAK, {path: huge})
        assert len(str(refused.value)) < 400
