"""Chapter 16: what the sixteenth node may be for, each idea with its time, its money and what it holds."""

from __future__ import annotations

from typing import Any

from attrs import evolve, frozen

from gpt4lab.book.page import table
from gpt4lab.charts import Axis, bars
from gpt4lab.models.decode.line import Cutting, StageLine, draft_s, line
from gpt4lab.models.decode.part import PassPart
from gpt4lab.models.in_scenario import chip_in, cluster_in, deployment_in, served_in
from gpt4lab.models.rules import LayoutError
from gpt4lab.models.sites import cluster_away
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario
from gpt4lab.units import show

LAYERS, OUTPUT, DRAFT, SPARE, NONE = USES = (
    "layers, like the others", "embedding and output", "a draft model", "a spare", "no such node",
)  # fmt: skip
USD = Axis("usd", "Cost of 1,000 tokens, repairs counted, dollars", domain=(0, 0.006))


@frozen
class Use:
    """A use of the last node: time of a token, tokens a second, dollars for 1,000 tokens, bytes on each of its GPUs."""

    name: str
    token_s: float
    tokens_per_s: float
    away: float
    usd_per_1k: float
    held_bytes: float


def uses(scenario: Scenario) -> list[Use]:
    """All of them, on the same machines, with the same answers under way. Raises LayoutError for a single node."""
    if scenario.serving.pipeline < 2:
        raise LayoutError("Of one node none is left for something else: 2 stages or more.", "serving.pipeline = 1")
    return [_layers(scenario), _output(scenario), _draft(scenario), _spare(scenario), _none(scenario)]


def _line(scenario: Scenario, fewer: int = 0, cut: str = "", **more: Any) -> StageLine:
    """The stages of all nodes, or of all but the last."""
    way = deployment_in(scenario)
    cutting = Cutting(cut, scenario.stages.counts, scenario.stages.output)
    return line(served_in(scenario), evolve(way, pipeline=way.pipeline - fewer), chip_in(scenario), cutting, **more)


def _use(name: str, scenario: Scenario, here: StageLine, held: float, round_s: float = 0, **more: Any) -> Use:
    """paid: nodes; needed: those without which nothing runs; spare: nodes that may step in; tokens: of a round."""
    cluster = cluster_in(scenario)
    away = cluster_away(cluster._replace(nodes=more.get("needed", cluster.nodes)), more.get("spare", 0))
    took, tokens = round_s or here.round_s, more.get("tokens", 1.0)
    usd_per_s = more.get("paid", cluster.nodes) * cluster.gpus * scenario.serving.usd_per_gpu_hour / 3600
    rate = here.tokens * tokens / took
    return Use(name, took / tokens, rate, away, usd_per_s / rate * 1000 / max(1 - away, 1e-9), held)


def _layers(scenario: Scenario) -> Use:
    here = _line(scenario)
    return _use(LAYERS, scenario, here, here.stages[-1].memory.total)


def _output(scenario: Scenario) -> Use:
    """The other nodes share out the layers evenly; the last one has none."""
    bare = _line(scenario, fewer=1)
    here = _line(scenario, cut=" ".join(str(stage.layers) for stage in bare.stages))
    return _use(OUTPUT, scenario, here, here.stages[-1].memory.total)


def _draft(scenario: Scenario) -> Use:
    """The last node drafts for every micro-batch in turn, so it is one more stage of the round."""
    drafts, params, way = scenario.speculation.draft_length, scenario.stages.draft_params, deployment_in(scenario)
    here = _line(scenario, fewer=1, drafted=drafts, beside=1)
    gpu, m = PassPart(served_in(scenario), way), here.micro_batches
    seconds = [*here.seconds, drafts * draft_s(gpu, chip_in(scenario), params, here.tokens / m)]
    round_s, tokens = max(sum(seconds), m * max(seconds)), value("speculation.tokens_per_pass", scenario)
    return _use(DRAFT, scenario, here, 2 * params / way.tensor + way.overhead_bytes, round_s, tokens=tokens)


def _spare(scenario: Scenario) -> Use:
    nodes = scenario.serving.pipeline
    return _use(SPARE, scenario, _line(scenario, fewer=1), 0.0, needed=nodes - 1, spare=1)


def _none(scenario: Scenario) -> Use:
    nodes = scenario.serving.pipeline
    return _use(NONE, scenario, _line(scenario, fewer=1), 0.0, needed=nodes - 1, paid=nodes - 1)


# --- what is shown ----------------------------------------------------------------------------------------------------


def sixteenth_view(scenario: Scenario) -> View:
    """All uses, the cheapest in the headline."""
    found = uses(scenario)
    best = min(found, key=lambda use: use.usd_per_1k)
    return View(
        f"Cheapest use of the last node: {best.name}",
        best.usd_per_1k,
        "USD/ktoken",
        _said({use.name: use for use in found}, value("serving.accelerator.memory_bytes", scenario)),
        rows={"data": [{"use": use.name, "usd": use.usd_per_1k} for use in found]},
        text=scores(found),
        alt="Cost of 1,000 tokens with five uses of the sixteenth node, a bar each.",
    )


def _said(found: dict[str, Use], room: float) -> str:
    layers, output, draft, spare, none = (found[name] for name in USES)
    full = "" if draft.held_bytes <= room else " The draft model does not fit its node."
    return (
        f"Against a line that is one node shorter, layers on that node make a token {_dearer(layers, none)}, and the "
        f"output there {_dearer(output, none)}: {1e3 * layers.token_s:.0f} and {1e3 * output.token_s:.0f} ms a token, "
        f"instead of {1e3 * none.token_s:.0f}. "
        f"A draft model with such guesses makes it {_dearer(draft, none)}. A spare costs its rent and brings the time "
        f"in which a cluster is away from {show(none.away, 'fraction')} to {show(spare.away, 'fraction')}: "
        f"{_dearer(spare, none)}.{full}"
    )


def _dearer(one: Use, other: Use) -> str:
    ratio = one.usd_per_1k / other.usd_per_1k - 1
    if ratio > 10:
        return "more than ten times as dear"
    if abs(ratio) < 5e-4:
        return "as dear as before"
    return f"{abs(ratio):.1%} {'dearer' if ratio > 0 else 'cheaper'}"


def scores(found: list[Use]) -> str:
    """Memory, time and money of each use as a table."""
    head = ("Use of the last node", "A token, ms", "Tokens a second", "Cluster away", "1,000 tokens", "On its GPUs, GB")
    return table("Scores", head, [
        (use.name, f"{1e3 * use.token_s:.0f}", f"{use.tokens_per_s:,.0f}", f"{use.away:.2%}",
         f"${use.usd_per_1k:.5f}", f"{use.held_bytes / 1e9:.1f}")
        for use in found
    ])  # fmt: skip


sixteenth = Panel(
    title="What is the sixteenth node for?",
    legend="Five uses of the last node, the same answers under way in all of them. Layers are cut evenly over the "
    "nodes that have any. A node whose GPU fails is away for its repair, and its cluster with it, or a spare steps in.",
    controls=(
        Slide("sites.repair_hours", 0.1, 200),
        "speculation.acceptance",
        Slide("speculation.draft_length", 0, 8),
        Slide("stages.draft_params", 1e9, 3e11),
        Slide("serving.tokens_in_flight", 64, 16_384),
        "stages.counts",
    ),
    folded=(
        Slide("serving.pipeline", 8, 24),
        "reliability.gpu_mtbf_years",
        "serving.usd_per_gpu_hour",
        "stages.output",
    ),
    presets={
        "The post": {},
        "Repairs take two days": {"sites.repair_hours": 48},
        "A poor draft": {"speculation.acceptance": 0.5},
        "A draft of 70 billion": {"stages.draft_params": 7e10},
        "Computing alone": {"stages.counts": "computing alone"},
        "Few answers": {"serving.tokens_in_flight": 256},
    },
    claims=("C78", "C83"),
    view=sixteenth_view,
    chart=lambda view: bars(view.rows["data"], USD, "use"),
    html_of=lambda view: str(view.text or ""),
)
