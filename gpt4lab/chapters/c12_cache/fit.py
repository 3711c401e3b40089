"""Chapter 12: the KV cache, the sequences that fit beside the weights, and what published models keep."""

from __future__ import annotations

from collections.abc import Iterable
from math import floor
from typing import Any

from gpt4lab import catalog
from gpt4lab.catalog import PublishedModel
from gpt4lab.charts import Axis, dots
from gpt4lab.claims import ledger
from gpt4lab.models.decode.part import kv_bytes_per_token
from gpt4lab.models.inputs import NOT_DECODERS, network_of
from gpt4lab.panels.curve import Curve, Lines
from gpt4lab.panels.figure import Figure
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario, change, get, load_scenario
from gpt4lab.scenario.rules import SERVING_UNEVEN, uneven
from gpt4lab.units import show

PROXY = "nvidia-gpt-moe-1.8t"

# --- how many sequences fit -------------------------------------------------------------------------------------------

CONTEXTS = [2**power for power in range(9, 18)]
WRITTEN_FOR = "a100-sxm-40gb"  # C60
LONG_ON_40_GB = {"model.context": 32_768, "serving.accelerator": WRITTEN_FOR}
BYTE = {"serving.bytes_per_weight": 1, "serving.bytes_per_kv": 1}


def _lines(scenario: Scenario) -> Lines:
    """A line each for one head, for eight and for all; where nothing is free there is nothing to draw."""
    if value("kv.free_bytes", scenario) <= 0:
        return {}
    heads = {"one KV head": 1, "eight": 8, "one per query head": scenario.model.heads}
    return {words: {"model.kv_heads": number} for words, number in heads.items()}


def _stated(_: Scenario) -> dict[str, Any]:
    """The post's two models on the accelerator that it speaks of."""
    there = change(load_scenario("leak"), {"serving.accelerator": WRITTEN_FOR})
    named = {"the post’s 8k on 40 GB": there.model.context, "its 32k: “definitely cannot”": there.model.long_context}
    return {
        "post": [
            {"context": context, "sequences": value("kv.sequences", there, {"model.context": context}), "label": words}
            for words, context in named.items()
        ],
        "ticks": [{"context": CONTEXTS[0], "sequences": 1, "label": "one sequence: below it, nothing runs"}],
    }


def _room(scenario: Scenario) -> str:
    chip = catalog.accelerators[scenario.serving.accelerator].name
    if value("kv.free_bytes", scenario) <= 0:
        return (
            f"The weights take {{serving.weight_bytes_per_gpu}} on each {chip}: with the overhead that is more than it "
            "has. Nothing runs."
        )
    fit = value("kv.sequences", scenario)
    if not fit:
        return (
            "One sequence keeps {kv.bytes_per_sequence}, and its share does not fit into the {kv.free_bytes} free on "
            f"each {chip}."
        )
    mean = show(float(floor(value("kv.context_at_batch", scenario))), "token")
    return (
        f"On each {chip} the weights take {{serving.weight_bytes_per_gpu}} and leave {{kv.free_bytes}}; a sequence "
        f"keeps {{kv.bytes_per_sequence}}, spread over the stages. {fit:,.0f} fit. "
        f"A batch of {{serving.tokens_in_flight:,}} has room for {mean} each on average. "
        f"{' '.join(uneven(SERVING_UNEVEN, lambda path: get(scenario, path)))}".strip()
    )


fit = Curve(
    title="What fits beside the weights",
    legend="Each line says how many full sequences the machines can hold at once, by their length: with one key-value "
    "head, with eight, and with one for every query head. The diamonds are the post's two models on the 40 GB "
    "A100 that it speaks of. GPUs are tensor ranks × stages. The heads of a stage are dealt out to its ranks; one "
    "head cannot be cut and is copied to each. The fullest rank and stage decide.",
    of="kv.sequences",
    along="model.context",
    at=CONTEXTS,
    x=Axis("context", "Tokens in each sequence", log=True, form="count", domain=(512, 131_072)),
    y=Axis("sequences", "Full sequences at once, on all GPUs together", log=True, form="count", domain=(0.1, 100_000)),
    series="cache",
    lines=_lines,
    also=_stated,
    label="Full sequences that fit at once",
    says=_room,
    alt="Sequences that fit against their length, falling lines on log axes, with the post's two models on 40 GB.",
    controls=(
        Slide("model.context", 512, 131_072),
        Slide("model.kv_heads", 1, 84),
        "serving.accelerator",
        Slide("serving.bytes_per_kv", 0.5, 4),
        Slide("serving.bytes_per_weight", 0.5, 4),
        Slide("serving.pipeline", 1, 60),
    ),
    folded=(
        Slide("serving.tensor", 1, 64),
        Slide("serving.overhead_bytes", 0, 3e10),
        "serving.usable_memory",
        "model.head_dim",
        "model.layers",
        Slide("serving.tokens_in_flight", 1, 100_000),
    ),
    presets={
        "The post": "leak",
        "Its 32k on 40 GB": LONG_ON_40_GB,
        "The same in 15 stages": {**LONG_ON_40_GB, "serving.pipeline": 15},
        "The same, MHA": {**LONG_ON_40_GB, "model.kv_heads": load_scenario("leak").model.heads},
        "The same, a prompt in one piece": {**LONG_ON_40_GB, **ledger()["C60"].assume},
        "H100, 8-bit": {"serving.accelerator": "h100-sxm-80gb", **BYTE},
    },
    tour=(
        ({}, "With one key-value head {kv.sequences} of {model.context} fit."),
        (LONG_ON_40_GB, "The 32k model on 40 GB, which “cannot run”: {kv.sequences} fit."),
        (
            {**LONG_ON_40_GB, "model.kv_heads": load_scenario("leak").model.heads},
            "With a head for each query: {kv.sequences}.",
        ),
    ),
    claims=("C59", "C60", "C61"),
)


# --- what published models keep ---------------------------------------------------------------------------------------

KEPT = Axis("bytes", "Bytes kept for each token, 16 bits a value", log=True, form="number", domain=(3e3, 1e7))
OLD = {"gpt-j-6b", "llama-2-13b", "palm-62b", "falcon-40b", "glam-64b-64e", "olmoe-1b-7b", "mpt-30b", "gopher-280b"}


def decoders() -> dict[str, PublishedModel]:
    """The catalog's decoders of which attention and heads are known, oldest first; the post's own left out."""
    found = [
        (key, m)
        for key, m in catalog.models.items()
        if key not in (*NOT_DECODERS, "gpt-4-leak", PROXY) and m.attention and m.n_layers and m.d_model
    ]
    return dict(
        sorted(((k, m) for k, m in found if m.n_heads and k != "gshard-600b"), key=lambda pair: pair[1].released)
    )


def bytes_kept(key: str) -> float:
    """Bytes of cache that one token of a published model takes, over all layers, at two bytes a value."""
    return float(kv_bytes_per_token(network_of(key)))


def models_view() -> View:
    """One lane a model, oldest first, the post's GPT-4 in its place by date."""
    leak, post = catalog.models["gpt-4-leak"], load_scenario("leak")
    listed: list[tuple[Any, dict[str, Any]]] = [
        (m.released, {"model": _lane(m), "bytes": bytes_kept(key), "mark": "published"})
        for key, m in decoders().items()
        if key not in OLD
    ]
    here = value("kv.bytes_per_token", post)
    listed.append(
        (leak.released, {"model": f"GPT-4, the post ({leak.released:%Y}, MQA)", "bytes": here, "mark": "post"})
    )
    before = _releases(m for m in decoders().values() if m.released < leak.released)
    after = _releases(m for m in decoders().values() if m.released >= leak.released)
    return View(
        "Cache of a token",
        here,
        "byte/token",
        rows={"data": [row for _, row in sorted(listed, key=lambda pair: pair[0])]},
        sentence=f"Of {len(before)} releases of decoders in the catalog older than GPT-4, {before.count('MQA')} had "
        f"one key-value head (models of one day and one kind of attention are one release). Of {len(after)} that came "
        f"out with it or later, {after.count('MQA')} had; {after.count('GQA')} had a few (GQA), {after.count('MLA')} "
        f"keep a compressed vector instead (MLA), {after.count('MHA')} kept them all.",
        alt="Bytes of cache a token, one lane a model by date; the post's GPT-4 lies at the lower end.",
    )


def _releases(models: Iterable[PublishedModel]) -> list[str]:
    """The kind of attention of each release: sizes of one model, published together, had one choice made for them."""
    return [kind for _, kind in sorted({(m.released, m.attention or "") for m in models})]


def _lane(m: PublishedModel) -> str:
    return f"{m.name} ({m.released:%Y}, {m.attention})"


def models() -> Figure:
    """The published models on the page."""
    return Figure(
        "What models keep of a token",
        models_view(),
        chart=lambda view: dots(view.rows["data"], KEPT, "model"),
        legend="Bytes of keys and values that one token adds, over all layers, at 16 bits a value, oldest model first. "
        "In brackets year and kind: one head for all (MQA), a few (GQA), all (MHA), or a compressed vector (MLA).",
    )
