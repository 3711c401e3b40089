"""Every number that a reader may change. The defaults are the post's own, so `Scenario()` is the post as written.

Each line of a declaration: default, unit, bounds; label, meaning; source. A source such as "C29" is the claim of the
post that states the value, "llama2024" a line of the bibliography; "assumed: ..." is ours, with its reason.
"""

from __future__ import annotations

from typing import Any, get_type_hints

from attrs import field, frozen, has

from gpt4lab.formulas.failures import years_per_gpu
from gpt4lab.formulas.pipeline import bubble_fraction
from gpt4lab.scenario.field import ScenarioError, choice, entry, feature, number, whole
from gpt4lab.scenario.live import (
    Adjust,
    Assembly,
    Batching,
    Cache,
    Chinchilla,
    Doubt,
    Drafting,
    Equation,
    Eyes,
    Heart,
    Logits,
    Luck,
    Mixture,
    Nearness,
    Noise,
    Playbook,
    Positions,
    Repeats,
    Stages,
    Strands,
    Sweep,
)
from gpt4lab.scenario.rules import within
from gpt4lab.units import quoted

#: Years that a GPU lasted in the log of Llama 3: 419 failures in 54 days on 16,384 H100.
_LLAMA_YEARS = round(years_per_gpu(16_384, 54, 419), 2)
#: What MegaScale's 8 stages waited, with 32 micro-batches and 6 chunks a stage.
_MEGASCALE_BUBBLE = round(bubble_fraction(8, 32, 6), 3)


@frozen
class Model:
    """The network that the post describes."""

    experts: int = whole(16, "expert", 1, 1024,
        "Experts", "experts in each layer", "C06", log=True)
    top_k: int = whole(2, "expert", 1, 64,
        "Experts per token", "experts that each token is sent to", "C08", log=True)
    expert_params: float = number(111e9, "param", 1e6, 1e13,
        "Parameters per expert", "one expert, summed over the layers", "C07", log=True)
    shared_params: float = number(55e9, "param", 1e6, 1e12,
        "Shared parameters", "what every token uses: attention", "C10", log=True)
    layers: int = whole(120, "layer", 1, 1000,
        "Layers", "transformer blocks, one after the other", "C03")
    d_model: int = whole(10752, "1", 64, 65536,
        "Width", "values that represent a token between layers",
        "assumed: the one width that fits both 55B and 111B with full attention, see C03", log=True)
    d_ff: int = whole(43008, "1", 64, 1_048_576,
        "Expert width", "values in the middle of an expert", "assumed: four times the width, see C03", log=True)
    heads: int = whole(84, "head", 1, 1024,
        "Query heads", "attention heads per layer", "assumed: width / head size", log=True)
    kv_heads: int = whole(1, "head", 1, 1024,
        "Key-value heads", "heads whose keys and values are kept", "C58", log=True)
    head_dim: int = whole(128, "1", 16, 1024,
        "Head size", "values per head", "assumed: usual at this size", log=True)
    vocab: int = whole(100_277, "token", 256, 1_000_000,
        "Vocabulary", "different tokens", "assumed: cl100k, from memory", log=True)
    context: int = whole(8192, "token", 128, 1_048_576,
        "Context", "tokens in a training sequence", "C19", log=True)
    long_context: int = whole(32_768, "token", 128, 1_048_576,
        "Long context", "tokens in a sequence of the long model", "C20", log=True)
    other_experts: int = whole(64, "expert", 1, 1024,
        "Experts instead", "number of experts that the post compares with", "C45", log=True)
    # What other models are, and the post's is not (or does not say)
    gated: int = feature(0, "1", 1,
        "Gated experts", "1 where an expert has three matrices, 0 where it has two", "assumed: plain, as GPT-3's")
    shared_experts: int = feature(0, "expert", 64,
        "Shared experts", "experts that every token uses, besides those it is sent to", "assumed: the post has none")
    dense_layers: int = feature(0, "layer", 1000,
        "Layers without experts", "layers with one feed-forward instead", "assumed: the post has none")
    dense_d_ff: int = feature(0, "1", 1_048_576,
        "Width without experts", "values in the middle of the feed-forward of such a layer", "assumed: no such layer")
    dense_gated: int = feature(0, "1", 1,
        "Gated without experts", "1 where that feed-forward has three matrices", "assumed: no such layer")
    kv_rank: int = feature(0, "1", 65_536,
        "Key-value rank", "values that latent attention keeps of a token; 0 where keys and values are kept",
        "assumed: latent attention (MLA) appeared in 2024")
    query_rank: int = feature(0, "1", 65_536,
        "Query rank", "rank of the queries of latent attention; 0 where they have none", "assumed: no latent attention")
    rope_dim: int = feature(0, "1", 1024,
        "Rotary head size", "values of a head of latent attention that tell the position",
        "assumed: no latent attention")
    nope_dim: int = feature(0, "1", 1024,
        "Other head size", "values of its query and key that do not; `head_dim` is then its value's",
        "assumed: no latent attention")
    window_layers: int = feature(0, "layer", 1000,
        "Layers with a window", "layers that look back only so far", "assumed: the post has none")
    window: int = feature(0, "token", 1_048_576,
        "Window", "tokens that such a layer sees", "assumed: no such layer")
    tied_embeddings: int = feature(1, "1", 1,
        "Tied embedding", "1 where the output matrix is the embedding", "assumed: as in GPT-3")
    parallel_block: int = feature(0, "1", 1,
        "Parallel block", "1 where attention and feed-forward read the same input, side by side",
        "assumed: one after the other, as in GPT-3")
    counted: int = feature(0, "1", 1,
        "Sizes counted from the shape",
        "1 where both sizes follow from the shape, embedding and routers among them; 0 where they are stated without",
        "assumed: 16 experts and attention are all that the post's sum has room for")
    full_in_training: int = feature(1, "1", 1,
        "Full attention in training", "1 where every query head has keys and values of its own while training",
        "assumed: only so do its parts have the post's sizes, see C03")

    __attrs_post_init__ = within


@frozen
class Training:
    """The run that made the model."""

    tokens: float = number(13e12, "token", 1e6, 1e16,
        "Training tokens", "tokens seen, epochs counted", "C15", log=True)
    mfu: float = number(0.34, "fraction", 0.01, 1,
        "MFU", "model FLOP used, as a share of the hardware's peak", "C29: middle of 32-36%")
    best_mfu: float = number(0.552, "fraction", 0.01, 1,
        "Best credible MFU", "the highest that you believe of a run of this size",
        "jiang2024megascale: 55.2% on 12,288 A100")
    best_bubble: float = number(_MEGASCALE_BUBBLE, "fraction", 0, 0.9,
        "Bubble in that MFU", "share of the step that the best credible run itself waited for its pipeline",
        "jiang2024megascale: 8 stages, 32 micro-batches, and 6 chunks from memory")
    batch_tokens: float = number(60e6, "token", 1e3, 1e10,
        "Batch", "tokens per optimiser step", "C22", log=True)
    first_batch: float = number(12.58e6, "token", 1e3, 1e10,
        "First batch", "tokens of the first optimiser step", "assumed: DeepSeek-V3's 3,072 × 4,096", log=True)
    ramp_tokens: float = number(469e9, "token", 1e6, 1e16,
        "Ramp", "tokens seen until the batch has its full size", "assumed: as DeepSeek-V3's", log=True)
    extension_steps: int = whole(1000, "step", 1, 1_000_000,
        "Steps of the extension", "optimiser steps on long sequences after the training, with its batch",
        "chen2023pi: 32,768 tokens within 1,000 steps", log=True)
    micro_batch: int = whole(1, "sequence", 1, 1024,
        "Micro-batch", "sequences that pass a pipeline stage together", "assumed: smallest", log=True)


@frozen
class Cluster:
    """The machines that trained it."""

    accelerator: str = entry("a100-sxm-80gb", "accelerators",
        "Accelerator", "the GPU or TPU used", "C28")
    gpus: int = whole(25_000, "GPU", 1, 10_000_000,
        "GPUs", "accelerators in the run", "C28", log=True)
    days: float = number(95, "day", 0.1, 3650,
        "Days", "length of the run as stated", "C28: middle of 90-100", log=True)
    usd_per_gpu_hour: float = number(1, "USD/GPU/hour", 0.01, 100,
        "Price", "rent of one accelerator", "C32", log=True)
    stated_usd: float = number(63e6, "USD", 1e3, 1e12,
        "Stated cost", "rent of the run as stated", "C33", log=True)
    watts_per_gpu: float = number(797.6, "W/GPU", 10, 10_000,
        "Power", "one accelerator with its share of server, network and cooling",
        "epoch2026: 19.94 MW for 25,000", log=True)
    tensor: int = whole(8, "GPU", 1, 1024,
        "Tensor parallel", "GPUs that share each layer", "C38", log=True)
    pipeline: int = whole(15, "stage", 1, 1024,
        "Pipeline stages", "groups of layers in a row", "C39", log=True)
    expert: int = whole(1, "replica", 1, 1024,
        "Expert parallel", "replicas that share out the experts among them", "assumed: the post names no such thing",
        log=True)
    interleave: int = whole(1, "1", 1, 64,
        "Interleaving", "chunks of layers per stage", "assumed: plain 1F1B", log=True)
    zero: int = whole(1, "1", 0, 3,
        "ZeRO stage", "what the replicas share out: 1 optimiser state, 2 and gradients, 3 and weights", "C40")
    gradient_bytes: int = whole(2, "byte/param", 2, 4,
        "Gradient bytes", "precision of the summed gradients: 2 is bf16, 4 is fp32", "assumed: the smaller")
    recompute: str = choice("full", ("none", "selective", "full"),
        "Recomputation", "which activations are thrown away and computed again on the way back",
        "assumed: the only one whose activations fit, see C40")
    attention: str = choice("plain", ("plain", "fused"),
        "Attention kernel", "plain: scores travel through memory; fused: they stay on the chip",
        "assumed: FlashAttention appeared in May 2022, about when the run began")

    __attrs_post_init__ = within


@frozen
class Reliability:
    """What breaks, and what is done about it."""

    gpu_mtbf_years: float = number(_LLAMA_YEARS, "year", 0.05, 1000,
        "Years between failures", "mean time between unexpected failures of one GPU",
        "llama2024: 419 in 54 days on 16,384", log=True)
    checkpoint_minutes: float = number(1, "minute", 0.01, 600,
        "Checkpoint time", "the run stands still while one is written",
        "assumed: twice what Llama 3's 90% of useful time implies", log=True)
    restart_minutes: float = number(10, "minute", 0.1, 2880,
        "Restart time", "from a failure until the run goes on",
        "assumed: twice what Llama 3's 90% of useful time implies", log=True)
    checkpoint_interval_hours: float = number(0.5, "hour", 0.01, 168,
        "Checkpoint every", "hours of work between checkpoints", "assumed: a common habit", log=True)


@frozen
class Rerun:
    """The newer machines on which the post trains and serves everything again."""

    accelerator: str = entry("h100-sxm-80gb", "accelerators",
        "Newer accelerator", "the GPU or TPU of the second run", "C35")
    gpus: int = whole(8192, "GPU", 1, 10_000_000,
        "Newer GPUs", "accelerators in the second run", "C35", log=True)
    days: float = number(55, "day", 0.1, 3650,
        "Days of the second run", "as stated", "C35", log=True)
    usd_per_gpu_hour: float = number(2, "USD/GPU/hour", 0.01, 100,
        "Newer price", "rent of one newer accelerator", "C37", log=True)
    mfu: float = number(0.34, "fraction", 0.01, 1,
        "MFU of the second run", "share of the newer hardware's peak", "assumed: no better than the first run")
    bytes_per_weight: float = number(2, "byte/param", 0.5, 4,
        "Newer precision", "2 is bf16; 1 is FP8, at twice the rate", "assumed: as on the older machines")
    usd_per_1k_tokens: float = number(0.0021, "USD/ktoken", 1e-7, 10,
        "Newer cost per 1k tokens", "what serving costs there, as stated", "C53, read as dollars", log=True)
    tokens_in_flight: int = whole(4096, "sequence", 1, 10_000_000,
        "Newer batch", "answers under way at once on the newer machines", "assumed: as many as on the older", log=True)
    years: float = number(1.25, "year", 0.1, 20,
        "Years later", "between the two runs", "F02: a year to a year and a half")


@frozen
class Data:
    """Where the tokens could come from."""

    web_tokens: float = number(5e12, "token", 1e9, 1e15,
        "Web text", "unique tokens of web text", "C88", log=True)
    code_tokens: float = number(0.75e12, "token", 0, 1e15,
        "Code", "unique tokens of code", "assumed: what closes 13T, see C17")
    text_epochs: float = number(2, "1", 1, 100,
        "Epochs of text", "times each text was seen", "C17", log=True)
    code_epochs: float = number(4, "1", 1, 100,
        "Epochs of code", "times each program was seen", "C17", log=True)
    instruction_rows: float = number(1e7, "row", 1e3, 1e10,
        "Instruction rows", "rows of instruction data", "C18: millions", log=True)
    tokens_per_row: float = number(1000, "token/row", 10, 1e5,
        "Tokens per row", "length of a row", "assumed: a long paragraph", log=True)
    books: float = number(4e6, "book", 1e3, 1e9,
        "Books", "books in the shadow library", "C92", log=True)
    tokens_per_book: float = number(1.38e5, "token/book", 1e3, 1e7,
        "Tokens per book", "length of a book", "gao2020", log=True)
    books_used: float = number(0, "fraction", 0, 1,
        "Books used", "share of the shadow library's books that is in the mix", "assumed: none, a speculation")
    papers: float = number(80e6, "paper", 1e3, 1e10,
        "Papers", "papers in the shadow library", "C93", log=True)
    tokens_per_paper: float = number(7.8e3, "token/paper", 100, 1e6,
        "Tokens per paper", "length of a paper", "gao2020", log=True)
    papers_used: float = number(0, "fraction", 0, 1,
        "Papers used", "share of the shadow library's papers that is in the mix", "assumed: none, a speculation")
    repository_tokens: float = number(0.9e12, "token", 1e9, 1e15,
        "GitHub", "unique tokens of public code", "lozhkov2024", log=True)
    textbooks: float = number(1e5, "book", 1, 1e8,
        "Textbooks", "college textbooks", "assumed: a generous guess", log=True)
    tokens_per_textbook: float = number(2.5e5, "token/book", 1e3, 1e7,
        "Tokens per textbook", "length of a textbook", "assumed: from memory", log=True)
    textbooks_used: float = number(0, "fraction", 0, 1,
        "Textbooks used", "share of the college textbooks that is in the mix", "assumed: none, a speculation")
    video_hours: float = number(1e6, "hour", 1, 1e10,
        "Video", "hours of speech transcribed", "nyt2024", log=True)
    speech_used: float = number(0, "fraction", 0, 1,
        "Speech used", "share of the transcribed speech that is in the mix", "assumed: none, a rumour")
    words_per_minute: float = number(150, "word/minute", 10, 1000,
        "Speech", "words spoken per minute", "assumed: usual")
    words_per_token: float = number(0.75, "word/token", 0.1, 2,
        "Words per token", "of English", "openai-pricing")


@frozen
class Serving:
    """The machines that answer, and what they charge."""

    accelerator: str = entry("a100-sxm-80gb", "accelerators",
        "Accelerator", "the GPU or TPU used", "C52")
    tensor: int = whole(8, "GPU", 1, 1024,
        "Tensor parallel", "GPUs that share each layer", "C80", log=True)
    pipeline: int = whole(16, "stage", 1, 1024,
        "Pipeline stages", "groups of layers in a row", "C80", log=True)
    usd_per_gpu_hour: float = number(1, "USD/GPU/hour", 0.01, 100,
        "Price", "rent of one GPU", "C32", log=True)
    usd_per_1k_tokens: float = number(0.0049, "USD/ktoken", 1e-7, 10,
        "Cost per 1k tokens", "what serving costs, as stated", "C52, read as dollars", log=True)
    price_per_1k_tokens: float = number(0.06, "USD/ktoken", 1e-7, 10,
        "Price per 1k tokens", "what a customer pays for output", "openai-pricing", log=True)
    price_per_1k_input: float = number(0.03, "USD/ktoken", 1e-7, 10,
        "Price per 1k input", "what a customer pays for the tokens of a prompt", "openai-pricing", log=True)
    cost_vs_davinci: float = number(3, "x", 0.1, 100,
        "Cost against davinci", "cost of a token, in tokens of the 175B model", "C50", log=True)
    tokens_in_flight: int = whole(4096, "sequence", 1, 10_000_000,
        "Sequences in flight", "answers under way at once; a step writes a token of each", "S03", log=True)
    mean_context: float = number(1024, "token", 1, 1_048_576,
        "Mean context", "tokens already in a sequence, on average", "assumed: a short conversation", log=True)
    bytes_per_weight: float = number(2, "byte/param", 0.25, 4,
        "Bytes per weight", "2 is fp16, 1 is int8", "S05")
    bytes_per_kv: float = number(2, "byte", 0.25, 4,
        "Bytes per cached value", "2 is fp16, 1 is int8", "assumed: fp16")
    overhead_bytes: float = number(2e9, "byte", 0, 1e11,
        "Overhead", "memory per GPU for all else", "assumed: from memory")
    usable_memory: float = number(1, "fraction", 0.8, 1,
        "Usable memory", "share of a GPU's memory that weights, cache and overhead may fill together",
        "assumed: all; engines take 0.8 to 1 of it, vLLM 0.9, beside which the overhead is smaller")
    prompt_tokens: float = number(1024, "token", 2, 1_048_576,
        "Prompt", "tokens of a question, on average", "assumed: as long as the mean context", log=True)
    cached_share: float = number(0.5, "fraction", 0.01, 0.99,
        "Cached", "share of a prompt whose keys and values are still there", "assumed: about half; DeepSeek says 56%")
    output_tokens: float = number(250, "token", 1, 1_048_576,
        "Answer", "tokens of an answer, on average", "assumed: near the mean of Azure's conversations",
        log=True)
    idle_share: float = number(0, "fraction", 0, 0.99,
        "Idle", "share of the time in which the machines have nothing to do", "assumed: none")
    lifetime_tokens: float = number(13e12, "token", 0, 1e18,
        "Tokens served", "tokens that the model answers with in its life", "assumed: as many as it was trained on",
        log=True)
    words_per_minute: float = number(250, "word/minute", 10, 10_000,
        "Reading speed", "words that a reader takes in per minute", "S02")


@frozen
class Sites:
    """Several clusters in several places, each with a copy of the model."""

    clusters: int = whole(8, "cluster", 1, 1000,
        "Clusters needed", "clusters that the traffic needs", "assumed: C79 gives no number", log=True)
    spare: int = whole(1, "cluster", 0, 100,
        "Spare clusters", "clusters beyond those that the traffic needs", "assumed: one cluster, the least that helps")
    places: int = whole(4, "site", 1, 100,
        "Sites", "places over which the clusters are dealt out", "assumed: C79 gives no number")
    repair_hours: float = number(12, "hour", 0.05, 2000,
        "Repair time", "until a node whose GPU has failed is back", "assumed: a reset takes minutes, a new board days",
        log=True)
    outage_hours: float = number(9, "hour", 0, 2000,
        "Outage of a site", "hours a year in which a whole site is away", "assumed: 99.9% of a year is there")


@frozen
class Speculation:
    """A small model drafts, the large one checks."""

    acceptance: float = number(0.8, "fraction", 0, 0.999,
        "Acceptance", "chance that a drafted token is kept", "assumed: a good draft on plain prose")
    draft_length: int = whole(4, "token", 0, 64,
        "Draft length", "tokens drafted per pass", "semianalysis2023: likely about 4")
    draft_cost: float = number(0.05, "fraction", 0, 1,
        "Draft cost", "time of a draft step, in target steps", "leviathan2023")


@frozen
class Vision:
    """Eyes added to the model."""

    tokens: float = number(2e12, "token", 1e6, 1e15,
        "Vision tokens", "tokens of the added training", "C67", log=True)
    every: int = whole(7, "layer", 1, 100,
        "Cross-attention every", "layers between insertions", "alayrac2022")
    side: int = whole(512, "pixel", 32, 8192,
        "Image side", "pixels on each side of a square image", "assumed: a readable part of a page", log=True)
    patch: int = whole(16, "pixel", 4, 256,
        "Patch", "pixels on each side of what the encoder sees at once", "assumed: usual for vision transformers",
        log=True)
    tokens_per_image: int = whole(64, "token", 1, 65_536,
        "Tokens per image", "visual tokens that the language model gets of an image or frame", "alayrac2022", log=True)
    text_tokens: float = number(400, "token", 1, 1e6,
        "Text about an image", "tokens of question and answer that look at it", "assumed: some three hundred words",
        log=True)
    screenshots: float = number(1e9, "1", 1, 1e13,
        "Screenshots", "pictures of web pages", "assumed: a billion", log=True)
    pages: float = number(1e9, "1", 1, 1e13,
        "Rendered pages", "pages of LaTeX and text, rendered", "assumed: a billion", log=True)
    frames_per_second: float = number(1, "1/s", 0.001, 60,
        "Frames per second", "frames of each second of video that are looked at", "alayrac2022: one", log=True)


def _readable(scenario: Any, attribute: Any, word: Any) -> None:
    """Refuse what is no text, or cannot be written: half of a pair of surrogates, as JSON may hold it."""
    if not isinstance(word, str):
        raise ScenarioError(f"the {attribute.name} of a scenario is a text, not {quoted(word)}.")
    if any("\ud800" <= letter <= "\udfff" for letter in word):
        raise ScenarioError(f"the {attribute.name} of a scenario, {quoted(word)}, has a letter that cannot be written.")


@frozen(cache_hash=True)
class Scenario:
    """All assumptions of the book in one frozen tree. `Scenario()` is the post as written.

    `unknown` are the paths whose values nobody has published: what stands in those fields counts for nothing, and a
    quantity that needs one refuses.
    """

    name: str = field(default="leak", validator=_readable)
    title: str = field(default="The post as written", validator=_readable)
    description: str = field(default="", validator=_readable)
    unknown: frozenset[str] = field(default=frozenset(), converter=frozenset)
    model: Model = field(factory=Model)
    training: Training = field(factory=Training)
    cluster: Cluster = field(factory=Cluster)
    reliability: Reliability = field(factory=Reliability)
    rerun: Rerun = field(factory=Rerun)
    data: Data = field(factory=Data)
    serving: Serving = field(factory=Serving)
    stages: Stages = field(factory=Stages)
    sites: Sites = field(factory=Sites)
    speculation: Speculation = field(factory=Speculation)
    vision: Vision = field(factory=Vision)
    mixture: Mixture = field(factory=Mixture)
    repeats: Repeats = field(factory=Repeats)
    cache: Cache = field(factory=Cache)
    drafting: Drafting = field(factory=Drafting)
    equation: Equation = field(factory=Equation)
    noise: Noise = field(factory=Noise)
    chinchilla: Chinchilla = field(factory=Chinchilla)
    sweep: Sweep = field(factory=Sweep)
    heart: Heart = field(factory=Heart)
    nearness: Nearness = field(factory=Nearness)
    logits: Logits = field(factory=Logits)
    positions: Positions = field(factory=Positions)
    batching: Batching = field(factory=Batching)
    eyes: Eyes = field(factory=Eyes)
    assembly: Assembly = field(factory=Assembly)
    playbook: Playbook = field(factory=Playbook)
    luck: Luck = field(factory=Luck)
    adjust: Adjust = field(factory=Adjust)
    strands: Strands = field(factory=Strands)
    doubt: Doubt = field(factory=Doubt)


#: The record behind each group, by the group's name.
GROUPS: dict[str, type[Any]] = {
    name: kind for name, kind in get_type_hints(Scenario).items() if has(kind) and kind is not Scenario
}
