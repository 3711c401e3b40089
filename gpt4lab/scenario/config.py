"""A model of one's own as a scenario: a dozen numbers, or the config.json that lies beside a model's weights.

What a family's keys mean is data (`families.toml`). A key that nobody here understands may change the shape, so it is
refused by name; nothing is guessed. Counted are the matrices, as in `formulas.parts`; biases and norms are left out. A
config.json says nothing of the run: training tokens and batch are not known.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from attrs import define, field

from gpt4lab.formulas.parts import parts, stated_sizes
from gpt4lab.scenario.field import ScenarioError
from gpt4lab.scenario.records import Model, Scenario
from gpt4lab.units import cut, quoted, show

MINE = "mine"
LONGEST = 1_000_000  # a config.json has some kB; what is longer is something else
#: Keys by which a file is known as a config.json and not as a scenario.
MARKS = ("model_type", "architectures", "hidden_size", "num_hidden_layers", "text_config")
NOT_SAID = ("training.tokens", "training.batch_tokens")
WINDOWS = {"full_attention": 0, "sliding_attention": 1}
EXPERTS = {"sparse": 0, "dense": 1}


def own_model(
    title: str = "Your own model",
    *,
    layers: int,
    d_model: int,
    heads: int,
    d_ff: int,
    vocab: int,
    kv_heads: int | None = None,
    head_dim: int | None = None,
    gated: int = 1,
    tied_embeddings: int = 0,
    context: int | None = None,
    **more: Any,
) -> Scenario:
    """A model from a dozen numbers, as a scenario; `more` are fields of its group `model`, such as experts, top_k.

    Without others, there are as many key-value heads as query heads, a head is width / heads, a feed-forward has three
    matrices, and there is one, for every token. Raises ScenarioError for what cannot be.
    """
    shape = {"layers": layers, "d_model": d_model, "heads": heads, "d_ff": d_ff, "vocab": vocab, "gated": gated}
    shape |= {"kv_heads": heads if kv_heads is None else kv_heads, "tied_embeddings": tied_embeddings}
    shape["head_dim"] = _quotient(d_model, heads) if head_dim is None else head_dim
    return _planted(title, "A model of your own.", {**shape, "context": context, **more})


def from_config(source: Any, title: str = "") -> Scenario:
    """The model that a config.json describes, as a scenario; `source` is its path, its text or what it was parsed to.

    Raises ScenarioError, in one sentence, for a family or a key that is not understood, and for what cannot be read.
    """
    try:
        return _read(_parsed(source), title)
    except RecursionError:
        raise ScenarioError("config.json: it is nested too deep to be one.") from None


def is_config(tree: Mapping[str, Any]) -> bool:
    """Whether a parsed file is a config.json."""
    return any(key in tree for key in MARKS)


def _planted(title: str, description: str, shape: Mapping[str, Any]) -> Scenario:
    """A shape as a scenario whose sizes follow from it; without a context, that is not known."""
    told = {"experts": 1, "top_k": 1, **shape, "counted": 1, "full_in_training": 0}
    told["long_context"] = told.get("long_context", told.get("context"))
    unknown = {f"model.{name}" for name in ("context", "long_context") if told[name] is None}
    told = {name: value for name, value in told.items() if f"model.{name}" not in unknown}
    expert, shared = stated_sizes(_model(told))
    model = _model({**told, "expert_params": expert, "shared_params": shared})
    return Scenario(MINE, title, description, unknown.union(NOT_SAID), model=model)


def _model(shape: Mapping[str, Any]) -> Model:
    try:
        return Model(**shape)
    except TypeError as error:
        raise ScenarioError(f"a model has no such field: {str(error).rpartition(' ')[2]}.") from None


# --- config.json ------------------------------------------------------------------------------------------------------


@cache
def _families() -> dict[str, Any]:
    return tomllib.loads(files("gpt4lab.scenario").joinpath("families.toml").read_text("utf-8"))


def _parsed(source: Any) -> dict[str, Any]:
    """The table that a path, a text or a table means."""
    if isinstance(source, (str, Path)):
        source = _loaded(source)
    if not isinstance(source, dict):
        raise ScenarioError(f"config.json: a table of keys is expected, not {quoted(source)}.")
    return cast("dict[str, Any]", source)


def _loaded(source: str | Path) -> Any:
    inside = isinstance(source, str) and source.lstrip()[:1] in ("{", "[")
    place = "config.json" if inside else cut(str(source))
    try:
        text = str(source) if inside else Path(source).read_text("utf-8")
        if len(text) > LONGEST:
            raise ScenarioError(f"{place}: {len(text):,} characters are no config.json, which has some thousand.")
        return json.loads(text)
    except OSError as error:
        raise ScenarioError(f"{place}: {error.strerror}") from None
    except ScenarioError:
        raise
    except ValueError as error:
        raise ScenarioError(f"{place}: {error}") from None


def _read(config: dict[str, Any], title: str) -> Scenario:
    inner, said = _decoder(config)
    kind = inner.get("model_type")
    reader = _Reader(inner, _family(kind))
    shape = reader.shape()
    name = title or config.get("_name_or_path")
    words = cut(name) if name and isinstance(name, str) else f"Your own model ({kind})"
    about = f"Counted from a config.json of the kind {kind}, without biases and norms.{said}{reader.left_out}"
    return _planted(words, about + reader.convention(shape), shape)


def _decoder(config: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The part of a file that is about the decoder, and a sentence about what is left out."""
    if "text_config" not in config:
        return config, ""
    inner, wraps = config["text_config"], config.get("model_type")
    family = next((f for f in _families()["family"].values() if wraps in f.get("wraps", ())), None)
    if not isinstance(inner, dict) or family is None:
        known = sorted(name for f in _families()["family"].values() for name in f.get("wraps", ()))
        raise ScenarioError(
            f"config.json: text_config is understood of {', '.join(known)}, and not of model_type = {quoted(wraps)}."
        )
    outer = {key: config[key] for key in ("tie_word_embeddings",) if key in config}
    found = {"model_type": family["types"][0], **outer, **cast("dict[str, Any]", inner)}
    return found, " Its vision encoder is left out." if config.get("vision_config") else ""


def _family(kind: Any) -> dict[str, Any]:
    for family in _families()["family"].values():
        if kind in family["types"]:
            return family
    known = sorted(name for family in _families()["family"].values() for name in family["types"])
    raise ScenarioError(
        f"config.json: model_type = {quoted(kind)} is not understood; known: {', '.join(known)}. "
        "Give its numbers instead: own_model(layers=..., d_model=...)."
    )


@define
class _Reader:
    """One config.json of a known family."""

    config: dict[str, Any]
    family: dict[str, Any]
    missing: list[str] = field(factory=list[str])

    def shape(self) -> dict[str, Any]:
        """The fields of `model`. Raises ScenarioError for keys that are missing or not understood."""
        self._refuse_unknown()
        found = {name: self.need(name) for name in ("layers", "d_model", "heads", "vocab")}
        self._complete()
        found |= self._attention(found) | self._windows(found["layers"])
        found |= self._experts(found["layers"]) if "mixed" in self.family else {"d_ff": self.need("width"), "gated": 1}
        found |= {"tied_embeddings": self._yes("tied_embeddings"), "context": self.whole("context", None)}
        self._complete()
        return found

    def _complete(self) -> None:
        if self.missing:
            raise ScenarioError(f"config.json: {', '.join(self.missing)} not given, and nothing stands in for it.")

    @property
    def left_out(self) -> str:
        """A sentence about what the shape leaves out."""
        words = [f" Left out: {why} ({key})." for key, why in self.family.get("without", {}).items() if self.raw(key)]
        return "".join(words)

    def convention(self, shape: Mapping[str, Any]) -> str:
        """A sentence on the active parameters, where the maker counts them otherwise than this book."""
        if self.config["model_type"] not in self.family.get("looked_up", ()):
            return ""
        found = parts(_model(shape))
        return (
            " Its maker counts active parameters without the input embedding, which is only looked up: "
            f"{show(found.active - found.embedding, 'param')}. Here it counts, as of every model: "
            f"{show(found.active, 'param')}."
        )

    def raw(self, key: str) -> Any:
        """What the file says, or means by saying nothing; None is nothing."""
        value = self.config.get(key)
        return self.family.get("defaults", {}).get(key) if value is None else value

    def whole(self, name: str, otherwise: Any, least: int = 1) -> Any:
        """The whole number of a field, or of a key."""
        for key in _families()["keys"].get(name, [name]):
            if (value := self.raw(key)) is not None:
                return _whole(key, value, least)
        return otherwise

    def need(self, name: str) -> int:
        """The same; what is missing is remembered, and one stands in until it is told."""
        found = self.whole(name, None)
        if found is None:
            self.missing.append(" or ".join(_families()["keys"].get(name, [name])))
        return found or 1

    def _yes(self, name: str) -> int:
        key = _families()["keys"][name][0]
        value = self.raw(key)
        if value not in (None, True, False):
            raise ScenarioError(f"config.json: {key} = {quoted(value)} is neither true nor false.")
        return int(value or 0)

    def _refuse_unknown(self) -> None:
        known = self._understood()
        for key, value in self.config.items():
            if value and key not in known and not _neutral(key, value):
                raise ScenarioError(
                    f"config.json: {quoted(key)} is not understood of model_type = "
                    f"{quoted(self.config['model_type'])}, and may change the shape. If it does not, leave it out."
                )

    def _understood(self) -> set[str]:
        """All keys that this family reads."""
        data, family = _families(), self.family
        kinds = {"windowed": ["window"], "mixed": ["experts", "top_k", "shared_experts"]}
        kinds["latent"] = ["query_rank", "kv_rank", "rope_dim", "nope_dim"]
        unread = {name for kind, names in kinds.items() if kind not in family for name in names}
        found = {key for name, keys in data["keys"].items() if name not in unread for key in keys}
        return found.union(*(data["more"][kind] for kind in kinds if kind in family), family.get("without", ()))

    def _attention(self, found: dict[str, Any]) -> dict[str, int]:
        if "latent" in self.family:
            ranks = {name: self.need(name) for name in ("kv_rank", "rope_dim", "nope_dim")}
            query = self.whole("query_rank", 0, least=0)
            return {**ranks, "query_rank": query, "kv_heads": 1, "head_dim": self.need("v_head_dim")}
        kv_heads = self.whole("kv_heads", found["heads"]) if "same_kv" in self.family else self.need("kv_heads")
        head_dim = self.whole("head_dim", None) or _quotient(found["d_model"], found["heads"])
        return {"kv_heads": kv_heads, "head_dim": head_dim}

    def _windows(self, layers: int) -> dict[str, int]:
        """Which layers have a window, and how long it is."""
        told = "windowed" in self.family and self.config.get("sliding_window", 0) is not None  # null is none
        window = self.whole("window", 0, least=0) if told else 0
        if not window:
            self._kinds("layer_types", {"full_attention": 0}, layers)
            return {}
        told = self._kinds("layer_types", WINDOWS, layers)
        number = min(layers, max(0, self._windowed(layers))) if told is None else told
        return {"window_layers": number, "window": window} if number else {}

    def _windowed(self, layers: int) -> int:
        """How many layers have a window, by the rule of the family."""
        if self.family["windowed"] == "all":
            return layers
        if self.family["windowed"] == "from":
            return layers - self.need("max_window_layers") if self.raw("use_sliding_window") is True else 0
        pattern = self.whole("sliding_window_pattern", None) or self.need("_sliding_window_pattern")
        return layers - layers // pattern

    def _experts(self, layers: int) -> dict[str, int]:
        d_ff = self.need(self.family["mixed"])
        found = {"experts": self.need("experts"), "top_k": self.need("top_k"), "d_ff": d_ff, "gated": 1}
        shared = self.whole("shared_experts", 0, least=0) + self._shared_width(d_ff)
        dense = self._dense(layers)
        width = {"dense_d_ff": self.need("width"), "dense_gated": 1} if dense else {}
        return {**found, "shared_experts": shared, "dense_layers": dense, **width}

    def _shared_width(self, d_ff: int) -> int:
        """A shared expert of another width, as so many of the routed ones."""
        width = self.whole("shared_expert_intermediate_size", 0, least=0)
        if width % d_ff:
            raise ScenarioError(
                f"config.json: shared_expert_intermediate_size = {width:,} is not understood: it is no multiple of "
                f"moe_intermediate_size = {d_ff:,}."
            )
        return width // d_ff

    def _dense(self, layers: int) -> int:
        """How many layers have no experts."""
        told = self._kinds("mlp_layer_types", EXPERTS, layers)
        if told is not None:
            return told
        first, step = self.whole("first_k_dense_replace", 0, least=0), self.whole("decoder_sparse_step", 1)
        often, only = self.whole("moe_layer_freq", 1), cast("list[Any]", self.raw("mlp_only_layers") or [])
        if not isinstance(only, list):  # pyright: ignore[reportUnnecessaryIsInstance] - a file may say anything
            raise ScenarioError(f"config.json: mlp_only_layers = {quoted(only)} is not a list of layers.")
        with_experts = (i >= first and i % often == 0 and (i + 1) % step == 0 for i in range(min(layers, 10_000)))
        return sum(not mixed or i in only for i, mixed in enumerate(with_experts))

    def _kinds(self, key: str, kinds: Mapping[str, int], layers: int) -> int | None:
        """How many layers are of the kind that counts, where a list says so of each."""
        told = self.raw(key)
        if told is None or told == []:
            return None
        if not isinstance(told, list) or len(cast("list[Any]", told)) != layers:
            raise ScenarioError(
                f"config.json: {key} = {quoted(told)} does not name the kind of each of {layers} layers."
            )
        for kind in cast("list[Any]", told):
            if not isinstance(kind, str) or kind not in kinds:
                raise ScenarioError(
                    f"config.json: a layer of the kind {quoted(kind)} ({key}) is not understood; known here: "
                    f"{', '.join(kinds)}."
                )
        return sum(kinds[kind] for kind in cast("list[str]", told))


@cache
def _patterns() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{key})" for key in _families()["neutral"]["keys"]))


def _neutral(key: Any, value: Any) -> bool:
    """Whether a key changes nothing of what is counted: whatever it says, or at this value."""
    at = _families()["neutral"]["at"]
    return isinstance(key, str) and (_patterns().fullmatch(key[:200]) is not None or (key in at and value == at[key]))


def _whole(key: str, value: Any, least: int) -> int:
    whole = not isinstance(value, bool) and (
        isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    )
    if not whole or not least <= value <= 1e12:
        raise ScenarioError(f"config.json: {key} = {quoted(value)} is not a whole number from {least} to 1e12.")
    return int(value)


def _quotient(d_model: Any, heads: Any) -> Any:
    """Width of a head, where it is not given; where there is none, the field says what would do."""
    try:
        return d_model / heads
    except (TypeError, ArithmeticError):
        return d_model
