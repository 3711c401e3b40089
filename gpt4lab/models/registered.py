"""What the models find, as quantities: `value("step.mfu", scenario)`, `explain("answer.latency", scenario)`.

Each is a number of a report, which no formula of one line gives; instead `explain` shows its named parts and all that
the model read. The registry imports this module when the first of these names is asked for.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from typing import Any

from gpt4lab.formulas.arith import Num, ceil, maximum, where
from gpt4lab.models.board import HandMade, fewest_slots
from gpt4lab.models.chinchilla import Law, chosen_law, counted, stretched
from gpt4lab.models.decode.deployment import Deployment
from gpt4lab.models.decode.line import line
from gpt4lab.models.decode.part import largest_batch
from gpt4lab.models.decode.prices import token_prices
from gpt4lab.models.decode.report import PassReport, decode
from gpt4lab.models.gangs import gang_lengths
from gpt4lab.models.in_scenario import (
    Bridge,
    board_in,
    busy_chip_in,
    chip_in,
    choice_in,
    cluster_in,
    cutting_in,
    deployment_in,
    drafted_in,
    fleet_in,
    flop_in,
    gang_in,
    grid_in,
    layout_in,
    machine_in,
    served_in,
    sizes_in,
    spread_in,
    surface_in,
    traffic_in,
    trained_in,
)
from gpt4lab.models.inputs import Chip, Network
from gpt4lab.models.isoflop import parabolas
from gpt4lab.models.sites import cluster_away, short
from gpt4lab.models.step.report import step
from gpt4lab.quantities.registry import QUANTITIES, Quantity, again, declaring, quantity

# What a record needs and no field says


@quantity(
    "step.sequences",
    "sequence",
    source="arithmetic",
    d="cluster.replicas",
    m="pipeline.micro_batches",
    b="training.micro_batch",
)
def sequences(d: Num, m: Num, b: Num) -> Num:
    """Sequences in a step: as many whole micro-batches as the batch holds."""
    return d * m * b


@quantity("step.kv_heads", "head", source="narayanan2021", full="model.full_in_training", a="model.heads",
          n="model.kv_heads")  # fmt: skip
def kv_heads(full: Num, a: Num, n: Num) -> Num:
    """Key-value heads in training: one for every query head where attention is full."""
    return where(full == 1, a, n)


@quantity("answer.expert_width", "1", source="arithmetic", N="model.expert_params", g="model.gated",
          L_e="geometry.expert_layers", d="model.d_model")  # fmt: skip
def expert_width(N: Num, g: Num, L_e: Num, d: Num) -> Num:
    """Width of an expert that has the stated parameters."""
    return N / ((2 + g) * L_e * d)


@quantity("answer.rest", "param", source="arithmetic", N="model.attention_params", N_attn="geometry.attention_params",
          L="model.layers")  # fmt: skip
def rest(N: Num, N_attn: Num, L: Num) -> Num:
    """Shared parameters of a layer beyond the attention that its heads would have."""
    return (N - N_attn) / L


@quantity("answer.max_context", "token", source="arithmetic", s="model.context", s_long="model.long_context")
def max_context(s: Num, s_long: Num) -> Num:
    """Tokens that the longer of the two models can see."""
    return maximum(s, s_long)


# What the models find


def _asked(model: Callable[..., Any], *bridges: Bridge[Any]) -> Callable[..., Any]:
    """A model as a function of every number that its records are filled with."""

    def ask(*numbers: Any) -> Any:
        left = iter(numbers)
        return model(*(bridge.make(**dict(zip(bridge.paths, left, strict=False))) for bridge in bridges))

    remembered = lru_cache(maxsize=64)(ask)  # many names ask the same

    def report(*numbers: Any) -> Any:
        plain = all(isinstance(number, (int, float, str)) for number in numbers)
        return remembered(*numbers) if plain else ask(*numbers)

    return report


class Family:
    """Numbers that one model finds about a scenario."""

    def __init__(self, model: Callable[..., Any], *bridges: Bridge[Any], source: str) -> None:
        self._asked, self._source = _asked(model, *bridges), source
        self._inputs = {symbol: path for bridge in bridges for symbol, path in bridge.paths.items()}
        self._words = f"{model.__name__}({', '.join(list(inspect.signature(model).parameters)[: len(bridges)])})"

    def modelled(self, name: str, unit: str, read: str, about: str, *parts: str) -> None:
        """Declares what is `read` off the report as the quantity `name`, shown with its `parts`. A yes counts as 1."""
        get: Callable[[Any], Any] = attrgetter(read) if read else lambda found: found

        def number(*numbers: Any) -> Any:
            return get(self._asked(*numbers)) * 1

        shown = {part.partition(".")[2]: part for part in parts}
        words = f"{self._words}.{read}".rstrip(".")
        QUANTITIES.declare(Quantity(name, unit, number, self._inputs, self._source, about, declaring(), shown, words))


STEP = Family(step, trained_in, layout_in, machine_in, source="narayanan2021")
STEP.modelled("step.matmul_s", "s", "seconds.matmul", "Matrix products of a step, or the reading of their weights.")
STEP.modelled("step.memory_s", "s", "seconds.memory", "All that lies between the matrix products of a step.")
STEP.modelled("step.tensor_s", "s", "seconds.tensor", "Traffic between tensor-parallel ranks in a step.")
STEP.modelled("step.context_s", "s", "seconds.context", "Traffic between context-parallel ranks in a step.")
STEP.modelled("step.expert_s", "s", "seconds.expert", "Tokens on their way to experts on other GPUs in a step.")
STEP.modelled("step.host_s", "s", "seconds.host", "Waiting for the host to launch what a short layer needs in a step.")
STEP.modelled("step.pipeline_s", "s", "seconds.pipeline", "Activations on their way to the next stage in a step.")
STEP.modelled("step.bubble_s", "s", "seconds.bubble", "Waiting while the pipeline fills and drains in a step.")
STEP.modelled("step.data_s", "s", "seconds.data", "What traffic between replicas costs in a step, hidden or not.")
STEP.modelled("step.optimiser_s", "s", "seconds.optimiser", "The optimiser's update in a step.")
_SECONDS = ("matmul", "memory", "tensor", "context", "expert", "host", "pipeline", "bubble", "data", "optimiser")
STEP.modelled("step.seconds", "s", "time_s", "Time of one training step.", *(f"step.{part}_s" for part in _SECONDS))

STEP.modelled("step.weight_bytes", "byte", "memory_bytes.weights", "Weights on a GPU of the fullest stage in training.")
STEP.modelled("step.gradient_bytes", "byte", "memory_bytes.gradients", "Gradients on a GPU of the fullest stage.")
STEP.modelled(
    "step.optimiser_bytes", "byte", "memory_bytes.optimiser", "Optimiser state on a GPU of the fullest stage."
)
STEP.modelled("step.activation_bytes", "byte", "memory_bytes.activations", "Activations that the fullest stage keeps.")
STEP.modelled(
    "step.reserved_bytes", "byte", "memory_bytes.reserved", "What the allocator holds idle between activations."
)
_HELD = (f"step.{part}_bytes" for part in ("weight", "gradient", "optimiser", "activation", "reserved"))
STEP.modelled(
    "step.memory_bytes", "byte", "memory_bytes.total", "All that a GPU of the fullest stage holds in training.", *_HELD
)
STEP.modelled(
    "step.fits", "1", "fits", "1 where a training step fits into a GPU's memory, else 0.", "step.memory_bytes"
)
STEP.modelled(
    "step.mfu", "fraction", "mfu", "Model FLOP of a training step over what its GPUs could do.", "step.seconds"
)
STEP.modelled(
    "step.hfu",
    "fraction",
    "hfu",
    "FLOP of a training step, repeated ones counted, over what its GPUs could do.",
    "step.seconds",
)
STEP.modelled("step.gpus", "GPU", "gpus", "GPUs that the layout uses.")
STEP.modelled("step.tokens_per_s", "token/s", "tokens_per_s", "Tokens a second in training.", "step.seconds")
STEP.modelled("step.usd", "USD", "usd", "Rent of the GPUs for one training step.", "step.seconds", "step.gpus")

ANSWER = Family(decode, served_in, deployment_in, chip_in, source="pope2022")
ANSWER.modelled(
    "answer.weights_s", "s", "seconds.weights", "Matrix products of a token: reading weights, or computing."
)
ANSWER.modelled(
    "answer.attention_s", "s", "seconds.attention", "Attention of a token: reading the cache, or computing."
)
ANSWER.modelled("answer.between_s", "s", "seconds.between", "All that lies between the matrix products of a token.")
ANSWER.modelled("answer.tensor_s", "s", "seconds.tensor", "Traffic between tensor-parallel ranks for a token.")
ANSWER.modelled("answer.expert_s", "s", "seconds.expert", "A token's way to experts on other GPUs.")
ANSWER.modelled("answer.pipeline_s", "s", "seconds.pipeline", "A token's way from stage to stage.")
ANSWER.modelled("answer.fixed_s", "s", "seconds.fixed", "Launches of kernels for a token.")
ANSWER.modelled("answer.waiting_s", "s", "seconds.waiting", "Waiting of a token for other micro-batches.")
ANSWER.modelled("answer.hidden_s", "s", "seconds.hidden", "Traffic of a token behind other work, counted below zero.")
_WORK = ("weights", "attention", "between", "tensor", "expert", "pipeline", "fixed", "waiting", "hidden")
ANSWER.modelled(
    "answer.latency", "s", "time_s", "Time of a token at measured rates.", *(f"answer.{part}_s" for part in _WORK)
)
ANSWER.modelled("answer.floor", "s", "floor_s", "The least time of a token: reading or computing, at full peak.")
ANSWER.modelled("answer.tokens_per_s", "token/s", "tokens_per_s", "Tokens a second of one cluster.", "answer.latency")
ANSWER.modelled(
    "answer.usd_per_1k", "USD/ktoken", "usd_per_1k", "Cost of 1,000 tokens at measured rates.", "answer.latency"
)
ANSWER.modelled("answer.mfu", "fraction", "mfu", "FLOP of a token over what the GPUs could do.", "answer.latency")
ANSWER.modelled("answer.experts_touched", "expert", "experts_touched", "Experts of a layer that a micro-batch reads.")
ANSWER.modelled("answer.weight_bytes", "byte", "memory_bytes.weights", "Weights on a GPU of the first serving stage.")
ANSWER.modelled(
    "answer.cache_bytes", "byte", "memory_bytes.cache", "Key-value cache on a GPU of the first serving stage."
)
ANSWER.modelled(
    "answer.memory_bytes",
    "byte",
    "memory_bytes.total",
    "All that a GPU of the first serving stage holds.",
    "answer.weight_bytes",
    "answer.cache_bytes",
)
ANSWER.modelled(
    "answer.fits", "1", "fits", "1 where it fits into a serving GPU's memory, else 0.", "answer.memory_bytes"
)


def checking(network: Network, deployment: Deployment, chip: Chip, drafted: Num) -> PassReport:
    """The report of a step that also checks so many drafted tokens of each sequence."""
    return decode(network, deployment, chip, drafted=drafted)


Family(checking, served_in, deployment_in, chip_in, drafted_in, source="pope2022").modelled(
    "answer.checking_s", "s", "time_s", "Time of a pass that checks drafted tokens, at measured rates."
)
again({
    "speculation.check_cost": ("answer.check_cost", "Time of a checking pass in plain passes, at measured rates."),
    "speculation.batch_speedup": ("answer.speedup", "Theorem 3.8 with a checking pass at measured rates: traffic, "
                                                    "launches and waiting included."),
}, instead={"speculation.pass_s": "answer.checking_s", "decode.latency": "answer.latency"})  # fmt: skip

PRICES = Family(token_prices, served_in, deployment_in, busy_chip_in, traffic_in, source="pope2022")
PRICES.modelled(
    "answer.usd_per_million_input", "USD/Mtoken", "usd_per_million_input",
    "Cost of a million tokens of prompts that are computed, at measured rates.",
)  # fmt: skip
PRICES.modelled(
    "answer.usd_per_million_cached", "USD/Mtoken", "usd_per_million_cached",
    "Cost of a million tokens of prompts whose keys and values were still there, at measured rates.",
)  # fmt: skip
PRICES.modelled(
    "answer.usd_per_million_output", "USD/Mtoken", "usd_per_million_output",
    "Cost of a million tokens that are written, at measured rates.", "answer.latency",
)  # fmt: skip


@quantity("answer.request_usd", "USD", source="arithmetic", s="serving.prompt_tokens", x="serving.cached_tokens",
          c_in="answer.usd_per_million_input", c_x="answer.usd_per_million_cached", o="serving.output_tokens",
          c_out="answer.usd_per_million_output")  # fmt: skip
def request_usd(s: Num, x: Num, c_in: Num, c_x: Num, o: Num, c_out: Num) -> Num:
    """Cost of a question and its answer: fresh tokens of the prompt, cached ones, and those that are written."""
    return ((s - x) * c_in + x * c_x + o * c_out) / 1e6


@quantity("answer.usd_per_1k_blended", "USD/ktoken", source="arithmetic", C_usd="answer.request_usd",
          s="serving.prompt_tokens", o="serving.output_tokens")  # fmt: skip
def usd_per_1k_blended(C_usd: Num, s: Num, o: Num) -> Num:
    """Cost of 1,000 tokens where those of a prompt, cached or not, count like those that are written."""
    return C_usd / (s + o) * 1000


@quantity("answer.usd_per_1k_written", "USD/ktoken", source="arithmetic", c_out="answer.usd_per_million_output")
def usd_per_1k_written(c_out: Num) -> Num:
    """Cost of 1,000 tokens that are written, idle hours of the machines paid for."""
    return c_out / 1000


@quantity("answer.margin", "fraction", source="arithmetic", C_usd="answer.request_usd", p="serving.request_price")
def margin(C_usd: Num, p: Num) -> Num:
    """Share of the price of a question and its answer that the cost at measured rates leaves."""
    return 1 - C_usd / p


@quantity("answer.markup", "fraction", source="arithmetic", C_usd="answer.request_usd", p="serving.request_price")
def markup(C_usd: Num, p: Num) -> Num:
    """What the price of a question and its answer adds to that cost, as a share of the cost."""
    return p / C_usd - 1


PRICES.modelled("answer.first_token", "s", "first.time_s", "Time from a question that comes alone to its first token.")
PRICES.modelled("answer.prompts_s", "s", "prompts.time_s", "Time to compute a batch of prompts, cached parts apart.")
PRICES.modelled("answer.prompts_mfu", "fraction", "prompts.mfu", "FLOP of prompts over what the GPUs could do.")

Family(largest_batch, served_in, deployment_in, chip_in, source="pope2022").modelled(
    "answer.batch_that_fits", "sequence", "", "Sequences of the mean context that fit into the serving GPUs' memory."
)

# Gangs: answers that are begun together and given back together

GANG = Family(gang_lengths, gang_in, source="patel2024")
GANG.modelled("gang.mean", "token", "mean", "Tokens of an answer of the traced service, on average.")
GANG.modelled("gang.longest", "token", "longest", "Tokens of the longest answer of a gang that fills a lane's slots.")


@quantity("gang.padding", "x", source="arithmetic", o_most="gang.longest", o="gang.mean")
def padding(o_most: Num, o: Num) -> Num:
    """Places that a full gang computes for each token that was asked for: its longest answer over the mean."""
    return o_most / o


@quantity("gang.under_way", "sequence", source="arithmetic", r="batching.lane_requests_per_s", o="gang.mean",
          t="batching.step_s")  # fmt: skip
def under_way(r: Num, o: Num, t: Num) -> Num:
    """Answers under way in a lane: arrivals times the length of a stay (Little's law), at the pace of full slots."""
    return r * o * t


# Chinchilla's optimum, by whichever law and size are chosen

LAW = Family(chosen_law, choice_in, source="besiroglu2024")
LAW.modelled("chinchilla.E", "1", "E", "The loss that the chosen law leaves to any model, in nats a token.")
LAW.modelled("chinchilla.A", "1", "A", "Factor of the size's term in the chosen law.")
LAW.modelled("chinchilla.alpha", "1", "alpha", "Power of the size in the chosen law.")
LAW.modelled("chinchilla.B", "1", "B", "Factor of the tokens' term in the chosen law.")
LAW.modelled("chinchilla.beta", "1", "beta", "Power of the tokens in the chosen law.")
Family(counted, sizes_in, source="arithmetic").modelled(
    "chinchilla.size", "param", "", "Parameters of the dense model that the mixture is taken for."
)
Family(stretched, flop_in, source="hoffmann2022").modelled(
    "chinchilla.stretch", "x", "", "Compute of the run over that of the largest training behind the points."
)
again({
    "scaling.besiroglu_balance": ("chinchilla.balance", ""),
    "scaling.besiroglu_params": ("chinchilla.params", "Parameters of the best dense model, by the chosen law."),
    "scaling.besiroglu_tokens": ("chinchilla.tokens", ""),
    "scaling.besiroglu_tokens_active": ("chinchilla.best_tokens", "Tokens that the chosen size should see."),
    "scaling.besiroglu_ratio_active": ("chinchilla.ratio", "Tokens that the chosen size should see, over the stated."),
    "scaling.besiroglu_loss": ("chinchilla.loss", ""),
    "scaling.besiroglu_lifetime_tokens": ("chinchilla.lifetime_tokens", ""),
    "scaling.besiroglu_lifetime_params": ("chinchilla.lifetime_params", ""),
    "scaling.besiroglu_lifetime_flop": ("chinchilla.lifetime_flop", ""),
    "scaling.besiroglu_lifetime_saving": ("chinchilla.lifetime_saving", ""),
}, instead={
    "model.active_params": "chinchilla.size",
    **{f"catalog/constants/besiroglu2024/{symbol}": f"chinchilla.{symbol}" for symbol in Law._fields},
})  # fmt: skip

PARABOLAS = Family(parabolas, surface_in, grid_in, flop_in, source="czech2026")
PARABOLAS.modelled("chinchilla.parabola_exponent", "1", "exponent", "Power of C that parabolas find in the chosen law.")
PARABOLAS.modelled("chinchilla.parabola_params", "param", "params", "Best size for this compute, as parabolas find it.")


@quantity("chinchilla.exponent", "1", source="hoffmann2022", alpha="chinchilla.alpha", beta="chinchilla.beta")
def exponent(alpha: Num, beta: Num) -> Num:
    """The power of compute with which the best size grows, by the chosen law."""
    return beta / (alpha + beta)


@quantity("chinchilla.parabola_off", "x", source="czech2026", N="chinchilla.parabola_params",
          N_best="chinchilla.params")  # fmt: skip
def parabola_off(N: Num, N_best: Num) -> Num:
    """Best size as parabolas find it, over the true one."""
    return N / N_best


# A schedule drawn by hand


def by_hand(board: HandMade) -> HandMade:
    """The board itself has the numbers."""
    return board


BOARD = Family(by_hand, board_in, source="qi2023")
BOARD.modelled("assembly.slots", "1", "slots", "Slots from the first to the last block of a schedule drawn by hand.")
BOARD.modelled("assembly.held", "1", "held", "Micro-batches that the fullest stage of the board keeps at once.")
BOARD.modelled("assembly.open", "1", "open", "Blocks of the board that are missing, or that break a rule.")
BOARD.modelled("assembly.waiting", "fraction", "waiting", "Share of the board's slots, to the last, that stand empty.")
quantity("assembly.fewest", "1", source="arithmetic", p="assembly.stages", m="assembly.micro_batches",
         about="Slots below which no schedule of the board comes.")(fewest_slots)  # fmt: skip


# A line of stages that is cut by hand, and many of them in several places

LINE = Family(line, served_in, deployment_in, chip_in, cutting_in, source="pope2022")
LINE.modelled("stages.slowest_s", "s", "slowest_s", "Time of the slowest serving stage for a micro-batch.")
LINE.modelled("stages.best_s", "s", "best_s", "The same with the best cut of the layers.")
LINE.modelled("stages.behind", "fraction", "behind", "How much longer the slowest stage takes than with the best cut.")
LINE.modelled("stages.latency", "s", "round_s", "Time of a token that goes once through all stages, waiting included.")
LINE.modelled("stages.waiting", "fraction", "waiting", "Share of that time in which it waits for the slowest stage.")
LINE.modelled("stages.tokens_per_s", "token/s", "tokens_per_s", "Tokens a second of the stages that are cut so.")
LINE.modelled("stages.usd_per_1k", "USD/ktoken", "usd_per_1k", "Rent of these stages for 1,000 tokens.")
LINE.modelled("stages.output_in_layers", "x", "output_in_layers", "Time of the output, in layers.")
LINE.modelled("stages.fullest_bytes", "byte", "fullest_bytes", "All that a GPU of the fullest stage holds.")
LINE.modelled("stages.fits", "1", "fits", "1 where every stage has room, else 0.", "stages.fullest_bytes")

SPREAD = Family(decode, served_in, spread_in, chip_in, source="pope2022")
SPREAD.modelled("stages.floor", "s", "floor_s", "Least time of a token where groups share the experts, at full peak.")
SPREAD.modelled("stages.token_s", "s", "time_s", "Time of a token where groups share the experts, at measured rates.")
SPREAD.modelled("stages.token_usd", "USD/ktoken", "usd_per_1k", "Cost of 1,000 tokens where groups share the experts.")


@quantity("stages.gpus_of_layers", "GPU", source="arithmetic", t="serving.tensor", p="serving.even_stages")
def gpus_of_layers(t: Num, p: Num) -> Num:
    """GPUs of the nodes that the layers fill, each node as full as the fullest."""
    return t * p


@quantity("stages.fewest", "stage", source="arithmetic", p="serving.even_stages")
def fewest(p: Num) -> Num:
    """Stages that are enough for the fullest to be no fuller than it is."""
    return ceil(p)


again(
    {
        "stages.latency": ("stages.fewest_latency", "Time of a token in no more stages than that."),
        "stages.usd_per_1k": ("stages.fewest_usd", "Rent of no more stages than that for 1,000 tokens."),
    },
    instead={"serving.pipeline": "stages.fewest"},
)

Family(cluster_away, cluster_in, source="arithmetic").modelled(
    "sites.cluster_away", "fraction", "", "Share of the time in which a cluster is being repaired or restarted."
)
Family(short, cluster_in, fleet_in, source="arithmetic").modelled(
    "sites.short", "fraction", "", "Share of the time in which fewer clusters are there than the traffic needs."
)


@quantity("sites.hours_short", "hour", source="arithmetic", x="sites.short")
def hours_short(x: Num) -> Num:
    """Hours of a year in which fewer clusters are there than the traffic needs."""
    return x * 24 * 365.25


@quantity(
    "sites.spare_usd", "USD", source="arithmetic", k="sites.spare", n="serving.gpus", p="serving.usd_per_gpu_hour"
)
def spare_usd(k: Num, n: Num, p: Num) -> Num:
    """Rent of the spare clusters for a year."""
    return k * n * p * 24 * 365.25


again(
    {
        "goodput.failures_per_day": ("sites.failures_per_day", "Failures a day in one cluster that answers."),
        "goodput.mtbf": ("sites.mtbf", "Mean time between failures of one cluster that answers."),
    },
    instead={"cluster.gpus": "serving.gpus"},
)
