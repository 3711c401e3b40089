"""Chapter 08: every way to lay the post's model over its GPUs, as a cloud, with the post's own among them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import altair as alt
from attrs import evolve, frozen

from gpt4lab.chapters.c08_layout.memory import chip_of
from gpt4lab.charts import Axis, axes, theme
from gpt4lab.charts.compose import shaded
from gpt4lab.charts.marks import data, layered, mark_layers, pinned
from gpt4lab.formulas.memory import RECOMPUTE
from gpt4lab.models.in_scenario import layout_in, trained_in
from gpt4lab.models.inputs import Chip, Network
from gpt4lab.models.rules import LayoutError
from gpt4lab.models.search.layout_space import divisors
from gpt4lab.models.step.layout import Layout
from gpt4lab.models.step.report import StepReport, step
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.units import counted, show

LEAK = load_scenario("leak")
TENSOR, MOST_STAGES = (1, 2, 4, 8, 16, 32, 64), 60
FROM, TO = 5e9, 4e11  # bytes that are drawn
HELD = Axis("bytes", "Bytes that the fullest GPU must hold", log=True, domain=(FROM, TO))
MFU = Axis("mfu", "MFU of a step, by the step model", form="percent", domain=(0, 0.55))
FITS, ACTIVATIONS, STATES = "fits", "activations are too large", "states alone are too large"
#: Why -> shape and colour.
LOOKS = {FITS: ("circle", theme.BLUE), ACTIVATIONS: ("cross", theme.ORANGE), STATES: ("triangle-down", theme.PURPLE)}


@frozen
class Way:
    """One layout: where it lies, and what becomes of it."""

    layout: Layout
    bytes: float
    mfu: float
    fate: str

    @property
    def words(self) -> str:
        """How it is laid out: "8 × 15 × 208, ZeRO 1, full recomputation"."""
        w, kind = self.layout, RECOMPUTE[self.layout.recompute]
        shape = f"{w.tensor} × {w.pipeline} × {w.data}"
        return f"{shape}, ZeRO {w.zero}, {'no' if kind == 'none' else kind} recomputation"


@frozen
class Cloud:
    """All ways that can be, the fastest first; and how many have a replica without a sequence."""

    ways: tuple[Way, ...]
    starved: int

    def of(self, fate: str) -> list[Way]:
        """Those that share a fate."""
        return [way for way in self.ways if way.fate == fate]


def cloud_of(scenario: Scenario) -> Cloud:
    """The cloud of a scenario's model, machine and batch, over tensor ranks, stages, ZeRO and recomputation."""
    sequences = int(value("batch.sequences", scenario))
    own = layout_in(scenario)
    shared = Layout(
        expert=own.expert,
        micro_batch=own.micro_batch,
        batch=own.micro_batch,
        fused_attention=own.fused_attention,
        gradient_bytes=own.gradient_bytes,
        sequence_parallel=own.sequence_parallel,
        lean=own.lean,
    )
    return _cloud(trained_in(scenario), shared, chip_of(scenario), scenario.cluster.gpus, sequences)


@lru_cache(32)
def _cloud(network: Network, plain: Layout, chip: Chip, gpus: int, sequences: int) -> Cloud:
    """`plain` has what all ways share: attention, precision, micro-batch, groups of experts."""
    found, starved = list[Way](), 0
    for tensor in (t for t in TENSOR if t <= chip.gpus_per_node):
        for stages in (p for p in divisors(network.layers) if p <= MOST_STAGES):
            replicas = gpus // (tensor * stages)
            rounds = sequences // (replicas * plain.micro_batch) if replicas else 0
            starved += bool(replicas and not rounds)
            if rounds:
                batch = rounds * replicas * plain.micro_batch
                here = evolve(plain, tensor=tensor, pipeline=stages, data=replicas, batch=batch)
                found += _switched(network, here, chip)
    return Cloud(tuple(sorted(found, key=lambda way: -way.mfu)), starved)


def _switched(network: Network, layout: Layout, chip: Chip) -> Iterator[Way]:
    """A structure with every stage of ZeRO and every kind of recomputation; nothing, where it cannot be."""
    for zero in (1, 2, 3):  # stage 0 is as fast as 1, and larger
        for recompute in RECOMPUTE:
            way = evolve(layout, zero=zero, recompute=recompute)
            try:
                yield judged(way, step(network, way, chip), chip)
            except LayoutError:
                return


def judged(layout: Layout, report: StepReport, chip: Chip) -> Way:
    """What becomes of a layout."""
    held = report.memory_bytes
    states = held.weights + held.gradients + held.optimiser
    fate = FITS if report.fits else STATES if states > chip.memory_bytes else ACTIVATIONS
    return Way(layout, held.total, report.mfu, fate)


def yours(scenario: Scenario) -> Way:
    """The scenario's own layout."""
    layout, chip = layout_in(scenario), chip_of(scenario)
    return judged(layout, step(trained_in(scenario), layout, chip), chip)


def cloud_view(scenario: Scenario) -> View:
    """The cloud, the reader's layout and the post's in it."""
    cloud, here, post = cloud_of(scenario), yours(scenario), yours(LEAK)
    room = chip_of(scenario).memory_bytes
    return View(
        label="MFU of your layout, by the step model" if here.fate == FITS else "MFU of your layout, if it did fit",
        value=here.mfu,
        unit="fraction",
        post=post.mfu,
        whose="the post’s layout",
        sentence=_sentence(cloud, here, room),
        rows={
            "data": [_row(way) for way in cloud.ways if way.bytes <= TO],
            "post": [{**_row(post), "label": "the post’s layout"}],
            "you": [pinned(_row(here), HELD, MFU)],
            "ranges": [{"from": room, "to": TO, "label": f"beyond {show(room, 'byte')}"}],
        },
        alt="A cloud of layouts by bytes on a GPU and MFU: those that fit on the left of a GPU's memory, the others "
        "beyond it, told apart by what is too large.",
    )


def _row(way: Way) -> Row:
    return {"bytes": way.bytes, "mfu": way.mfu, "fate": way.fate, "layout": way.words}


def _sentence(cloud: Cloud, here: Way, room: float) -> str:
    fitting = cloud.of(FITS)
    best = f"The fastest that fits is {fitting[0].words}: {show(fitting[0].mfu, 'fraction')}." if fitting else ""
    faster = sum(way.mfu > here.mfu * 1.0001 for way in fitting)
    fits = here.fate == FITS
    many = "1 that fits is" if faster == 1 else f"{faster or 'none'} that fit are"
    fate = f"{many} faster" if fits else f"of {show(room, 'byte')} there are: {here.fate}"
    place = f"Yours, {here.words}, needs {show(here.bytes, 'byte')}; {fate}."
    starved = f" In {counted(cloud.starved, 'further split')} a replica has no sequence." if cloud.starved else ""
    return (
        f"Of {len(cloud.ways):,} layouts {len(fitting):,} fit; {len(cloud.of(STATES)):,} have too large states, "
        f"{len(cloud.of(ACTIVATIONS)):,} more too many activations.{starved} {place} {best}"
    ).strip()


def cloud_chart(view: View) -> Any:
    """Dots by fate, the GPU's memory shaded, marks on top."""
    rows: Any = view.datasets
    kinds: Any = {"type": "nominal", "legend": None, "title": "Fate"}
    shapes, shades = zip(*LOOKS.values(), strict=True)
    shape = alt.Shape("fate", scale=alt.Scale(domain=list(LOOKS), range=list(shapes)), **kinds)
    shade = alt.Color("fate", scale=alt.Scale(domain=list(LOOKS), range=list(shades)), **kinds)
    points = data().mark_point(size=26, opacity=1, strokeWidth=1, clip=True)
    shown = axes.tooltip("layout", "fate", HELD, MFU)
    marks = {name: rows[name] for name in ("post", "you")}
    points = points.encode(axes.x(HELD), axes.y(MFU), shape, shade, tooltip=shown)
    layers = [points, *_key(), *mark_layers(HELD, MFU, marks)]
    chart = layered(layers, {"data": rows["data"], **marks}, width=theme.WIDTH, height=theme.HEIGHT)
    return shaded(chart, HELD, rows["ranges"])


def _key() -> Iterator[alt.LayerChart]:
    """The fates above the plot, each behind its shape; a line each, for a narrow page."""
    for row, (fate, (shape, colour)) in enumerate(reversed(LOOKS.items())):
        one = data().transform_filter(f"datum.fate == '{fate}'").transform_aggregate(_n="count()")
        at: Any = {"x": alt.value(6), "y": alt.value(-42 - 17 * row)}
        sign = one.mark_point(shape=shape, size=60, color=colour, strokeWidth=1.5, opacity=1).encode(**at)
        both: Any = alt.layer(sign, one.mark_text(align="left", dx=10, color=theme.INK, text=fate).encode(**at))
        yield both


cloud = Panel(
    title="Every layout of these GPUs",
    legend="Each point is a way to spread the model: tensor ranks inside a node × stages (up to 60, evenly filled) × "
    "as many replicas as there is room for, with ZeRO 1 to 3 and three kinds of recomputation. Right of the border "
    "nothing fits; the shapes say why. (Beyond 400 GB they are counted, and not drawn.) Point at one to read it.",
    controls=(
        Slide("cluster.tensor", 1, 16),
        Slide("cluster.pipeline", 1, 60),
        "cluster.zero",
        "cluster.recompute",
        "cluster.attention",
        Slide("cluster.expert", 1, 16),
    ),
    folded=(
        "cluster.accelerator",
        "cluster.gradient_bytes",
        Slide("training.batch_tokens", 8e6, 200e6),
        Slide("training.micro_batch", 1, 8),
    ),
    presets={
        "The post": "leak",
        "Fused attention": {"cluster.attention": "fused"},
        "On 40 GB": {"cluster.accelerator": "a100-sxm-40gb"},
        "Gradients summed in fp32": {"cluster.gradient_bytes": 4},
        "Experts over 4 replicas": {"cluster.expert": 4},
        "Half the batch": {"training.batch_tokens": 30e6},
    },
    claims=("C38", "C39", "C40"),
    view=cloud_view,
    chart=cloud_chart,
    speed="debounced",
)
