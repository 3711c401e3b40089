"""What the models are asked about a scenario: for each of their records, which path fills which field.

These are the only bridges from a scenario to the models. A path may be a field or a quantity; what a record needs and
no field says is a small quantity of `registered`. What a scenario learns to say becomes a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import Any, Generic, TypeVar

from attrs import frozen

from gpt4lab.formulas.arith import where
from gpt4lab.formulas.pipeline import INTERLEAVED, ONE_F_ONE_B
from gpt4lab.models.board import HandMade
from gpt4lab.models.chinchilla import Fitting, Sizes
from gpt4lab.models.decode.deployment import Deployment
from gpt4lab.models.decode.line import Cutting
from gpt4lab.models.decode.prices import Prompts
from gpt4lab.models.gangs import Gang
from gpt4lab.models.inputs import Network, chip, machine
from gpt4lab.models.isoflop import Grid, Surface
from gpt4lab.models.sites import Fleet, ServingCluster
from gpt4lab.models.step.layout import Layout
from gpt4lab.quantities.registry import values
from gpt4lab.scenario import Scenario

Record = TypeVar("Record")


@frozen
class Bridge(Generic[Record]):
    """How a record is filled: what makes it, and the path of each argument. Asked with a scenario it gives the record.

    Raises LayoutError for what the record cannot hold.
    """

    make: Callable[..., Record]
    paths: Mapping[str, str]

    def __call__(self, scenario: Scenario) -> Record:
        """The record of a scenario."""
        found = values(tuple(self.paths.values()), scenario)
        return self.make(**{name: found[path] for name, path in self.paths.items()})


def _layout(interleave: Any, **more: Any) -> Layout:
    """Megatron-LM's economies and sequence parallelism are taken for granted: else activations alone overflow a GPU."""
    schedule = where(interleave > 1, INTERLEAVED, ONE_F_ONE_B)
    return Layout(interleave=interleave, schedule=schedule, sequence_parallel=True, lean=True, **more)


def _named(group: str, fields: str) -> dict[str, str]:
    """Fields that a record and a group of the scenario call alike."""
    return {name: f"{group}.{name}" for name in fields.split()}


def _network(window: Any, **more: Any) -> Network:
    """No window in a scenario is one without an end."""
    return Network(window=where(window > 0, window, inf), **more)


def _same(drafted: Any) -> Any:
    return drafted


def _flop(flop: Any) -> Any:
    return flop


_MODEL = _named("model", "layers d_model head_dim experts top_k vocab tied_embeddings parallel_block gated")
_UNLIKE = _named("model", "shared_experts dense_layers dense_d_ff dense_gated window window_layers")
_LATENT = _named("model", "kv_rank query_rank rope_dim nope_dim")
_WHOLE = {**_MODEL, **_UNLIKE, **_LATENT}
_HEADS = {"heads": "model.heads", "kv_heads": "step.kv_heads"}
_LENGTHS = {"sequence": "model.context", "max_context": "model.context"}

#: The network in training. The post's has full attention, the only one whose parts have its sizes (C03).
trained_in = Bridge(_network, {**_WHOLE, **_HEADS, **_LENGTHS, "d_ff": "model.d_ff"})

#: The network as it is served: its stated parameters, whatever its shape would have, and its long context.
_SUMS = {"d_ff": "answer.expert_width", "rest": "answer.rest", "max_context": "answer.max_context"}
served_in = Bridge(_network, {**_WHOLE, **_named("model", "heads kv_heads"), **_SUMS})

#: The layout of the training cluster, with as many whole micro-batches as the batch holds.
_CLUSTER = _named("cluster", "tensor pipeline expert interleave zero gradient_bytes recompute")
_BATCH = {"data": "cluster.replicas", "micro_batch": "training.micro_batch", "batch": "step.sequences"}
layout_in = Bridge(_layout, {**_CLUSTER, "fused_attention": "cluster.attention", **_BATCH})

#: How the serving cluster works.
_SLOTS = {"batch": "serving.tokens_in_flight", "context": "serving.mean_context"}
_BYTES = {"weight_bytes": "serving.bytes_per_weight", "kv_bytes": "serving.bytes_per_kv"}
deployment_in = Bridge(
    Deployment, {**_named("serving", "tensor pipeline overhead_bytes usable_memory"), **_SLOTS, **_BYTES}
)

#: What is asked of it, and an accelerator at the price of an hour in which it works.
drafted_in = Bridge(_same, {"drafted": "speculation.draft_length"})
traffic_in = Bridge(Prompts, {"prompt": "serving.prompt_tokens", "cached": "serving.cached_tokens"})
busy_chip_in = Bridge(chip, {"accelerator": "serving.accelerator", "usd_per_hour": "serving.usd_per_busy_hour"})

#: Which law of loss holds, what counts as the size, and how the optimum is looked for.
choice_in = Bridge(Fitting, _named("chinchilla", "law dropped order delta without"))
sizes_in = Bridge(Sizes, {"counts": "chinchilla.counts", "active": "model.active_params", "all": "model.total_params"})
surface_in = Bridge(Surface, _named("chinchilla", "A alpha B beta"))
grid_in = Bridge(Grid, _named("chinchilla", "span aim"))
flop_in = Bridge(_flop, {"flop": "training.flop"})

#: Requests of a service, as many as a lane has slots.
gang_in = Bridge(Gang, {"service": "batching.traffic", "size": "batching.slots"})

#: A schedule drawn by hand.
board_in = Bridge(HandMade, _named("assembly", "stages micro_batches blocks"))

#: How the layers that answer are cut, and its experts dealt out; a cluster that answers, and all of them.
cutting_in = Bridge(Cutting, _named("stages", "cut counts output"))


def _spread(batch: Any, expert: Any, **more: Any) -> Deployment:
    return Deployment(batch=where(batch > expert, batch / expert, 1), expert=expert, **more)


spread_in = Bridge(_spread, {**deployment_in.paths, "expert": "stages.groups"})


def _cluster(restart: Any, **more: Any) -> ServingCluster:
    return ServingCluster(restart_h=restart / 60, **more)


_BREAKS = {"years": "reliability.gpu_mtbf_years", "restart": "reliability.restart_minutes"}
cluster_in = Bridge(
    _cluster, {"nodes": "serving.pipeline", "gpus": "serving.tensor", "repair_h": "sites.repair_hours", **_BREAKS}
)
fleet_in = Bridge(Fleet, {**_named("sites", "clusters spare places"), "outage_h": "sites.outage_hours"})

#: The accelerators of training and of serving, each at its price.
machine_in = Bridge(machine, {"accelerator": "cluster.accelerator", "usd_per_hour": "cluster.usd_per_gpu_hour"})
chip_in = Bridge(chip, {"accelerator": "serving.accelerator", "usd_per_hour": "serving.usd_per_gpu_hour"})
