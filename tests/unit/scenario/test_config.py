"""One's own model: over the config.json of two dozen public models, their published sizes; and over hostile ones."""

from __future__ import annotations

import json
import math
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpt4lab
from gpt4lab import catalog
from gpt4lab.formulas.parts import SHAPE, parts
from gpt4lab.scenario import ScenarioError, change, differences, from_json, load_scenario, share, to_json
from gpt4lab.scenario.config import from_config, own_model
from gpt4lab.scenario.files import open_scenario
from gpt4lab.scenario.origin import INSTEAD, YOURS, origin
from gpt4lab.scenario.public import public
from gpt4lab.units import show
from tests.unit.scenario.own import CONFIGS, FOLDER, own

EVERY = pytest.mark.parametrize("name", CONFIGS)

#: Published totals and actives in billions, as the makers print them (from memory, where the catalog has no entry);
#: the active ones with the input embedding, or, where `LOOKED_UP` says so, without what is only looked up.
PUBLISHED = {
    "llama-3.1-8b": (8.03, 8.03),
    "llama-3.1-70b": (70.6, 70.6),
    "llama-3.1-405b": (405.9, 405.9),
    "llama-2-7b": (6.74, 6.74),
    "mistral-7b": (7.24, 7.24),
    "mixtral-8x7b": (46.7, 12.9),
    "mixtral-8x22b": (140.6, 39.1),
    "qwen2.5-7b": (7.61, 7.61),
    "qwen2.5-72b": (72.7, 72.7),
    "qwen3-30b-a3b": (30.5, 3.3),
    "qwen3-235b-a22b": (235, 22),
    "qwen1.5-moe-a2.7b": (14.3, 2.7),
    "deepseek-v2": (236, 21),
    "deepseek-v2-lite": (15.7, 2.4),
    "deepseek-v3": (671, 37),
    "gpt-oss-20b": (20.91, 3.61),
    "gpt-oss-120b": (116.8, 5.13),
    "gemma-2-9b": (9.24, 9.24),
    "gemma-3-27b": (27.0, 27.0),
    "olmo-2-7b": (7.30, 7.30),
    "olmoe-1b-7b": (6.92, 1.28),
    "phi-3-mini": (3.82, 3.82),
    "phi-3-medium": (13.96, 13.96),
}
#: Makers whose active parameters leave out the input embedding.
LOOKED_UP = {"deepseek-v2", "deepseek-v2-lite", "gpt-oss-20b", "gpt-oss-120b"}
#: What is more than 1% off in either convention, and why: (how far at most, reason).
GAPS = {
    "qwen3-30b-a3b": (0.02, "3.3B is cut, not rounded: the count is 3.35B with the input embedding"),
    "deepseek-v2-lite": (0.025, "2.4B has two digits: 2.45B without the input embedding"),
    "deepseek-v3": (0.016, "37B lies between 37.55B with the input embedding and 36.62B without"),
}


@EVERY
def test_sizes_are_the_published_ones(name: str) -> None:
    found, (total, active) = parts(own(name).model), PUBLISHED[name]
    without = name in LOOKED_UP
    used = found.active - (found.embedding if without else 0)
    tolerance = GAPS.get(name, (0.01, ""))[0]
    assert found.total == pytest.approx(total * 1e9, rel=0.01)
    assert used == pytest.approx(active * 1e9, rel=tolerance)
    assert name not in GAPS or used != pytest.approx(active * 1e9, rel=0.01), "the gap has gone"


@EVERY
def test_it_is_the_catalogs_model_where_that_has_it(name: str) -> None:
    if name not in catalog.models:
        return
    here, there = own(name).model, public(name).model
    differ = {field for field in (*SHAPE, "window", "window_layers") if getattr(here, field) != getattr(there, field)}
    assert not differ


@EVERY
def test_what_the_file_does_not_say_is_not_known(name: str) -> None:
    scenario = own(name)
    assert scenario.unknown == {"training.tokens", "training.batch_tokens"}
    assert (scenario.model.counted, scenario.model.full_in_training) == (1, 0)
    with pytest.raises(ScenarioError, match=r"training\.tokens"):
        gpt4lab.value("training.flop", scenario)


@EVERY
def test_path_text_table_and_command_line_mean_the_same(name: str) -> None:
    path = FOLDER / f"{name}.json"
    assert from_config(path) == from_config(str(path)) == from_config(path.read_text()) == own(name)
    assert open_scenario(str(path)) == own(name)


@EVERY
def test_its_line_carries_what_differs_and_comes_back(name: str) -> None:
    scenario = attrs.evolve(own(name), title=name)
    line = share(scenario)
    assert load_scenario(line) == scenario
    assert line.startswith(f"leak?name=mine&title={name}&")
    assert all(f"{path}=" in line for path in differences(scenario, load_scenario("leak")))
    assert from_json(to_json(scenario)) == scenario
    moved = change(scenario, {"model.layers": scenario.model.layers + scenario.model.dense_layers + 1})
    assert load_scenario(share(moved)) == moved


@EVERY
def test_all_of_its_model_is_the_readers(name: str) -> None:
    scenario = own(name)
    fields = [f"model.{field.name}" for field in attrs.fields(type(scenario.model))]
    assert {origin(scenario, path) for path in fields if path != INSTEAD} == {YOURS}


def test_a_dozen_numbers_are_a_model() -> None:
    llama = own_model(layers=32, d_model=4096, heads=32, kv_heads=8, d_ff=14336, vocab=128256, context=131072)
    assert llama.model == own("llama-3.1-8b").model
    mixture = own_model(layers=4, d_model=512, heads=8, d_ff=1024, vocab=1000, experts=8, top_k=2)
    assert mixture.unknown == {"model.context", "model.long_context", "training.tokens", "training.batch_tokens"}
    assert (mixture.model.kv_heads, mixture.model.head_dim) == (8, 64)


# --- what is not understood -------------------------------------------------------------------------------------------

LLAMA = CONFIGS["llama-3.1-8b"]

#: What public files carry besides the shape: generation, quantisation, training, the hub's own words. The first four
#: stand in the files of SmolLM2 and Phi-4-mini; the others are from memory.
HARMLESS: dict[str, Any] = {
    "is_llama_config": True,
    "rope_interleaved": False,
    "full_attn_mod": 1,
    "interpolate_factor": 1,
    "repetition_penalty": 1.05,
    "length_penalty": 1.0,
    "no_repeat_ngram_size": 3,
    "max_new_tokens": 512,
    "typical_p": 1.0,
    "num_return_sequences": 1,
    "suppress_tokens": [1],
    "early_stopping": True,
    "min_p": 0.1,
    "do_sample": True,
    "temperature": 0.6,
    "top_p": 0.9,
    "top_k": 50,
    "is_encoder_decoder": False,
    "quantization": {"bits": 4, "group_size": 64},
    "quantization_config": {"quant_method": "mxfp4"},
    "neftune_noise_alpha": 5,
    "gradient_checkpointing": True,
    "use_bfloat16": True,
    "torchscript": True,
    "_flash_attn_2_enabled": True,
    "_attn_implementation_autoset": True,
    "fused_mlp": True,
    "license": "mit",
    "rope_scaling": {"rope_type": "llama3"},
    "pretraining_tp": 1,
    "transformers_version": "4.55.0",
}


@EVERY
def test_what_changes_no_shape_is_passed_over(name: str) -> None:
    file = CONFIGS[name]
    assert from_config({**HARMLESS, **file}).model == own(name).model
    inner = file.get("text_config", file)
    changed = {**inner, "full_attn_mod": 2}
    with pytest.raises(ScenarioError, match="'full_attn_mod' is not understood"):
        from_config({**file, "text_config": changed} if "text_config" in file else changed)


def test_the_window_of_a_file_that_does_not_say_is_its_familys_and_null_is_none() -> None:
    file = {key: value for key, value in CONFIGS["mistral-7b"].items() if key != "sliding_window"}
    assert (from_config(file).model.window, from_config(file).model.window_layers) == (4096, file["num_hidden_layers"])
    for name in ("mistral-7b", "gemma-2-9b", "mixtral-8x7b"):
        none = from_config({**CONFIGS[name], "sliding_window": None, "layer_types": None}).model
        assert (none.window, none.window_layers) == (0, 0)


@EVERY
def test_a_makers_other_count_of_active_parameters_is_said(name: str) -> None:
    found, about = parts(own(name).model), own(name).description
    assert ("without the input embedding" in about) == (name in LOOKED_UP)
    assert name not in LOOKED_UP or show(found.active - found.embedding, "param") in about


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"model_type": "mamba2"}, "model_type = 'mamba2' is not understood; known: .*llama"),
        ({"model_type": None}, "model_type = None is not understood"),
        ({"num_local_experts": 8}, "'num_local_experts' is not understood of model_type = 'llama'"),
        ({"num_nextn_predict_layers": 1}, "'num_nextn_predict_layers' is not understood"),
        ({"sliding_window": 4096}, "'sliding_window' is not understood"),
        ({"is_encoder_decoder": True}, "'is_encoder_decoder' is not understood"),
        ({"attn_layer_period": 8}, "'attn_layer_period' is not understood"),
        ({"layer_types": ["linear_attention"] * 32}, "'layer_types' is not understood"),
        ({"kv_lora_rank": 512}, "'kv_lora_rank' is not understood"),
        ({"vocab_size": None, "hidden_size": None}, "hidden_size, vocab_size not given"),
        ({"num_key_value_heads": 5}, "5 key-value heads do not divide 32 query heads: 4 or 8"),
        ({"tie_word_embeddings": "yes"}, "tie_word_embeddings = 'yes' is neither true nor false"),
    ],
)
def test_one_sentence_says_what_is_not_understood(keys: dict[str, Any], words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        from_config({**LLAMA, **keys})


@pytest.mark.parametrize(
    ("name", "keys", "words"),
    [
        ("qwen3-30b-a3b", {"layer_types": ["linear_attention"] * 48}, "kind 'linear_attention'"),
        ("gpt-oss-20b", {"layer_types": ["full_attention"] * 3}, "kind of each of 24 layers"),
        ("gpt-oss-20b", {"layer_types": ["chunked_attention"] * 24}, "kind 'chunked_attention'"),
        ("qwen1.5-moe-a2.7b", {"shared_expert_intermediate_size": 5000}, "no multiple of"),
        ("qwen3-30b-a3b", {"mlp_only_layers": 3}, "mlp_only_layers = 3 is not a list"),
        ("deepseek-v3", {"index_topk": 2048}, "'index_topk' is not understood"),
        ("gemma-3-27b", {"model_type": "mllama"}, "text_config is understood of gemma3"),
    ],
)
def test_patterns_that_it_cannot_express_are_named(name: str, keys: dict[str, Any], words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        from_config({**CONFIGS[name], **keys})


def test_layers_without_experts_and_windows_follow_their_rules() -> None:
    mixed = CONFIGS["qwen3-30b-a3b"]
    assert from_config({**mixed, "decoder_sparse_step": 2}).model.dense_layers == 24
    assert from_config({**mixed, "mlp_only_layers": [0, 5]}).model.dense_layers == 2
    assert (
        from_config({**CONFIGS["qwen2.5-7b"], "use_sliding_window": True, "max_window_layers": 21}).model.window_layers
        == 7
    )


deep: Any = []
for _ in range(100_000):
    deep = [deep]
HOSTILE: tuple[Any, ...] = (
    *(-1, 0.5, 10**400, 10**5000, math.nan, math.inf, -math.inf, True, "seven", "", [], {}, [1], {"a": 1}, deep),
    *("x" * 3_000_000, 1e300, 2**63, "\0", b"bytes", object()),
)


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(sorted(CONFIGS)), data=st.data())
def test_hostile_configs_get_one_error_or_are_a_model(name: str, data: st.DataObject) -> None:
    config = dict(CONFIGS[name])
    for _ in range(data.draw(st.integers(1, 3))):
        key = data.draw(st.sampled_from([*config, "mamba_d_state", "layer_types", "text_config", "head_dim"]))
        config[key] = data.draw(st.sampled_from(HOSTILE))
        if data.draw(st.booleans()):
            del config[data.draw(st.sampled_from(sorted(config)))]
    try:
        words = from_config(config).title
    except ScenarioError as error:
        words = str(error)
    assert 0 < len(words) < 1000


@pytest.mark.parametrize("key", [key for key, value in LLAMA.items() if type(value) is int])
@pytest.mark.parametrize(
    "bad", [value for value in HOSTILE if value not in ([], {}, "")], ids=lambda bad: type(bad).__name__
)
def test_no_size_takes_it(key: str, bad: Any) -> None:
    with pytest.raises(ScenarioError, match=key):
        from_config({**LLAMA, key: bad})


@settings(max_examples=100, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), lambda some: st.lists(some)
       | st.dictionaries(st.text(), some), max_leaves=10))  # fmt: skip
def test_anything_else_gets_one_error(source: Any) -> None:
    with pytest.raises(ScenarioError):
        from_config(source)
    with pytest.raises(ScenarioError):
        from_config(json.dumps(source))


@pytest.mark.parametrize(
    "text",
    ["{", "[" * 100_000, "{" + '"a":{' * 100_000, "1" * 10_000, "{}", "[]", "", "\0", '{"a": 1' + "0" * 9000 + "}"],
)
def test_no_text_brings_it_down(text: str) -> None:
    with pytest.raises(ScenarioError):
        from_config(text)


@pytest.mark.parametrize("bad", [-1, 0, 10**400, math.nan, math.inf, "seven", None, [1], {}])
@pytest.mark.parametrize("field", ["layers", "d_model", "heads", "d_ff", "vocab"])
def test_no_dozen_numbers_take_it(field: str, bad: Any) -> None:
    numbers: dict[str, Any] = {"layers": 4, "d_model": 512, "heads": 8, "d_ff": 2048, "vocab": 1000}
    with pytest.raises(ScenarioError):
        own_model(**{**numbers, field: bad})
    with pytest.raises(ScenarioError, match="no such field"):
        own_model(**numbers, colour=3)
