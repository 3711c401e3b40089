"""The records of the tables: which facts an accelerator, a model, a price ... has, and in which unit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Literal, cast

import attrs

from gpt4lab.catalog.entry import Entry, Source, count, fact, source_from, word

Attention = Literal["MHA", "GQA", "MQA", "MLA"]
Stance = Literal["for", "against", "neither"]
Strand = Literal["leak", "rumour", "NVIDIA", "OpenAI", "behaviour", "court", "press", "derived"]
Value = float | str


@attrs.frozen(kw_only=True)
class Rental:
    """A quoted price of one accelerator for one hour, on demand and with a commitment."""

    date: dt.date
    until: dt.date | None = None
    vendor: str
    on_demand: float | None = fact("USD/GPU/hour", "on demand")
    one_year: float | None = fact("USD/GPU/hour", "with a 1-year commitment")
    three_years: float | None = fact("USD/GPU/hour", "with a 3-year commitment")
    source: Source


def _rental(row: Mapping[str, Any] | Rental) -> Rental:
    """Make a rental from a flat row: the keys of a `Source` are its source, the others its own."""
    if isinstance(row, Rental):
        return row
    named = attrs.fields_dict(Source)
    source = source_from({key: value for key, value in row.items() if key in named})
    return Rental(source=source, **{key: value for key, value in row.items() if key not in named})


def _rentals(rows: Iterable[Mapping[str, Any] | Rental]) -> tuple[Rental, ...]:
    return tuple(_rental(row) for row in rows)


@attrs.frozen(kw_only=True)
class Accelerator(Entry):
    """One accelerator chip or module. Rates are dense: no structured sparsity."""

    released: dt.date
    peak_bf16_flop_per_s: float | None = fact("FLOP/s", "dense bf16 peak")
    peak_fp8_flop_per_s: float | None = fact("FLOP/s", "dense fp8 peak")
    peak_fp4_flop_per_s: float | None = fact("FLOP/s", "dense fp4 peak")
    peak_int8_op_per_s: float | None = fact("FLOP/s", "dense int8 peak, an operation counted as a FLOP")
    memory_bytes: float | None = fact("byte", "memory")
    bandwidth_bytes_per_s: float | None = fact("byte/s", "memory bandwidth")
    sm_clocks_per_s: float | None = fact("1/s", "ticks of all multiprocessors at the clock of the peak")
    link_bytes_per_s: float | None = fact("byte/s", "NVLink or its like, both directions together")
    link_domain: int | None = count("GPU", "accelerators that reach each other over that link")
    network_bits_per_s: float | None = fact("bit/s", "network per accelerator, one direction")
    tdp_w: float | None = fact("W", "thermal design power")
    rentals: tuple[Rental, ...] = attrs.field(default=(), converter=_rentals)


@attrs.frozen(kw_only=True)
class PublishedModel(Entry):
    """A published model: its shape, its size as published, and its training run.

    `n_layers` counts all layers; those that are not among the `n_moe_layers` have a dense MLP of width `d_ff`.
    `gap` explains where a count of the shape is more than 1% off the published size.
    """

    released: dt.date
    attention: Attention | None = word("attention")  # noqa: RUF009 (a field declaration, as the others)
    n_layers: int | None = count("layer", "layers")
    d_model: int | None = count("1", "width of the residual stream")
    n_heads: int | None = count("head", "query heads")
    n_kv_heads: int | None = count("head", "key-value heads")
    head_dim: int | None = count("1", "width of a head")
    d_ff: int | None = count("1", "width of a dense MLP")
    gated_mlp: bool | None = word("dense MLP gated (three matrices)")
    gated_experts: bool | None = word("experts gated, where they differ from the dense MLP")
    vocab_size: int | None = count("token", "vocabulary")
    context: int | None = count("token", "longest context")
    window: int | None = count("token", "tokens that a windowed layer sees")
    n_window_layers: int | None = count("layer", "layers with a window")
    parallel_block: bool | None = word("attention and MLP read the same input, side by side")
    tied_embeddings: bool | None = word("input and output embedding are one matrix")
    n_experts: int | None = count("expert", "routed experts per MoE layer")
    top_k: int | None = count("expert", "routed experts used per token")
    n_shared_experts: int | None = count("expert", "experts that every token uses")
    expert_d_ff: int | None = count("1", "width of an expert")
    n_moe_layers: int | None = count("layer", "layers with experts")
    q_lora_rank: int | None = count("1", "MLA: rank of the query projection")
    kv_lora_rank: int | None = count("1", "MLA: rank of the key-value projection")
    rope_head_dim: int | None = count("1", "MLA: width of a head's rotary part")
    nope_head_dim: int | None = count("1", "MLA: width of a head's other part")
    v_head_dim: int | None = count("1", "MLA: width of a head's value")
    params_total: float | None = fact("param", "parameters")
    params_active: float | None = fact("param", "parameters used per token")
    training_tokens: float | None = fact("token", "tokens seen in training")
    batch_tokens: float | None = fact("token", "batch (its largest)")
    training_flop: float | None = fact("FLOP", "training compute")
    hardware: str | None = word("trained on")
    accelerator_hours: float | None = fact("GPU*hour", "accelerator-hours")
    mfu: float | None = fact("fraction", "model FLOP utilisation")
    gap: str = ""


@attrs.frozen(kw_only=True)
class Utilisation(Entry):
    """The share of peak that a published training run reached."""

    released: dt.date
    mfu: float | None = fact("fraction", "share of the dense peak")
    hardware: str | None = word("trained on")
    counts_recomputation: bool = False  # then it is HFU, which flatters


def _stages(rows: Iterable[Iterable[float]]) -> tuple[tuple[float, float], ...]:
    return tuple((float(seen), float(batch)) for seen, batch in rows)


@attrs.frozen(kw_only=True)
class Ramp(Entry):
    """How the batch of a published training grew; what is known of the run stands here if it has no entry in `models`.

    rows: (tokens seen, batch in tokens from there on). even: it grows evenly between the rows; else it jumps at each.
    """

    rows: tuple[tuple[float, float], ...] = attrs.field(converter=_stages)
    even: bool
    training_tokens: float | None = fact("token", "tokens seen in training")
    params_active: float | None = fact("param", "parameters used per token")

    def at(self, seen: float) -> float:
        """Tokens in a batch, after so many seen."""
        for (begin, small), (end, large) in pairwise(self.rows):
            if seen < end:
                return small + (large - small) * (seen - begin) / (end - begin) * self.even
        return self.rows[-1][1]


@attrs.frozen(kw_only=True)
class Price(Entry):
    """A list price of an API."""

    date: dt.date
    until: dt.date | None = None
    usd_per_1k_input: float | None = fact("USD/ktoken", "input")
    usd_per_1k_output: float | None = fact("USD/ktoken", "output")
    usd_per_1k_cached: float | None = fact("USD/ktoken", "input that is still cached")


@attrs.frozen(kw_only=True)
class Latency(Entry):
    """A measured time per generated token, on a page without a date: which model, who answered, which version."""

    model: str
    service: str
    version: str
    not_before: dt.date
    ms_per_token: float | None = fact("ms", "time per token")


@attrs.frozen(kw_only=True)
class Dataset(Entry):
    """A body of training data: its tokens, or what to multiply to get them."""

    released: dt.date | None = None
    tokens: float | None = fact("token", "tokens")
    items: float | None = fact("1", "items")
    tokens_per_item: float | None = fact("token", "tokens per item")
    hours: float | None = fact("hour", "hours of speech")


@attrs.frozen(kw_only=True)
class Constant:
    """One constant: value, unit, and its uncertainty where the source gives one."""

    value: float
    unit: str
    se: float | None = None  # standard error
    low: float | None = None  # of the interval that the entry's note names
    high: float | None = None
    note: str = ""


def _numbers(rows: Mapping[str, Mapping[str, Any] | Constant]) -> Mapping[str, Constant]:
    numbers = {s: row if isinstance(row, Constant) else Constant(**row) for s, row in rows.items()}
    return MappingProxyType(numbers)


@attrs.frozen(kw_only=True)
class Constants(Entry):
    """Numbers that belong together: a fitted law, a set of estimates. `law.alpha` is the value of `alpha`."""

    formula: str = ""  # LaTeX, in the symbols of `values`
    values: Mapping[str, Constant] = attrs.field(converter=_numbers)

    def __getattr__(self, symbol: str) -> float:
        """A value by its symbol."""
        values = cast("Mapping[str, Constant]", object.__getattribute__(self, "values"))
        if symbol not in values:
            raise AttributeError(f"{self.slug} has no {symbol!r}; it has {', '.join(values)}")
        return values[symbol].value

    def unit(self, field: str) -> str:
        """The unit of a value."""
        return self.values[field].unit

    def label(self, field: str) -> str:
        """What a value is: the note beside it, or its symbol."""
        return self.values[field].note or field


@attrs.frozen(kw_only=True)
class MeasuredKey:
    """What a key of `Measurement.setup` and `Measurement.measured` means."""

    slug: str
    unit: str
    label: str


def _frozen(rows: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(rows))


@attrs.frozen(kw_only=True)
class Measurement(Entry):
    """A published measurement to hold a model of ours against: what was run, and what came out.

    The keys of `setup` and `measured` are explained once, in the table `measured_keys`.
    """

    topic: str
    accelerator: str | None = None  # a slug of `accelerators`
    setup: Mapping[str, Value] = attrs.field(converter=_frozen)
    measured: Mapping[str, float] = attrs.field(converter=_frozen)

    def need(self, field: str) -> Any:
        """A fact, or what was measured under this key."""
        return self.measured[field] if field in self.measured else super().need(field)

    def unit(self, field: str) -> str:
        """The unit of a field, or of what was measured under this key."""
        return _key(field).unit if field in self.measured else super().unit(field)

    def label(self, field: str) -> str:
        """What a field is, or what was measured under this key."""
        return _key(field).label if field in self.measured else super().label(field)


def _key(name: str) -> MeasuredKey:
    from gpt4lab.catalog import measured_keys

    return measured_keys[name]


def _rows(value: Any) -> tuple[PrintedBatch, ...]:
    return tuple(PrintedBatch(*row) for row in value)


@attrs.frozen
class PrintedBatch:
    """Prompts answered together until the last is done, and output tokens per second as printed."""

    model: str  # a slug or name of `models`
    batch: int
    tensor: int
    input_tokens: int
    output_tokens: int
    tokens_per_s: float = attrs.field(converter=float)


@attrs.frozen(kw_only=True)
class PrintedBatches(Entry):
    """A table of static batches that somebody measured with one version of an engine on one kind of accelerator."""

    version: str
    accelerator: str  # a slug of `accelerators`
    weights: str
    per_gpu: bool  # whether the rows count the tokens of one GPU or of all
    rows: tuple[PrintedBatch, ...] = attrs.field(converter=_rows)


@attrs.frozen(kw_only=True)
class Evidence(Entry):
    """Something that became public after the leak, and what it does to the claims it bears on."""

    date: dt.date
    until: dt.date | None = None
    says: str
    bears_on: tuple[str, ...] = attrs.field(converter=tuple)
    stance: Stance
    effect: str
    independent: bool  # False where it goes back to the leak itself
    strand: Strand  # whose word it is in the end


@attrs.frozen(kw_only=True)
class Term:
    """One word of the glossary: what it means, with numbers in braces, and where it is at work."""

    slug: str
    name: str
    says: str
    chapters: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    numbers: tuple[str, ...] = attrs.field(default=(), converter=tuple)  # quantities or fields
    see: tuple[str, ...] = attrs.field(default=(), converter=tuple)  # other terms


def describe(record: type[Any]) -> dict[str, tuple[str, str | None]]:
    """Label and unit of each fact of a record class, in the order of their declaration."""
    fields = attrs.fields_dict(cast("type[attrs.AttrsInstance]", record))
    return {n: (f.metadata["label"], f.metadata["unit"]) for n, f in fields.items() if "label" in f.metadata}
