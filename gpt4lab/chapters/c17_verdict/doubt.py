"""Chapter 17: what uncertain assumptions leave of a number, and what a published range does to it."""

from __future__ import annotations

from functools import lru_cache

from IPython.display import HTML

from gpt4lab.book.page import shown, table
from gpt4lab.charts import Axis, dots
from gpt4lab.charts.marks import pinned
from gpt4lab.claims import Claim, judge, ledger
from gpt4lab.claims.sensitivity import flips
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.verdicts import sealed
from gpt4lab.panels.view import View
from gpt4lab.quantities import find, value
from gpt4lab.scenario import FIELDS, Scenario, load_scenario
from gpt4lab.units import show
from gpt4lab.verdict.joint import joint_flip, tornado
from gpt4lab.verdict.uncertain import Sampled, causes, sampled

DRAWS = 10_000  # of the panel: a slider waits for them
SHARES = [share / 50 for share in range(1, 50)]
TIMES = Axis("times", "In units of the post’s own value", log=True, domain=(0.5, 6))
BELOW = Axis("below", "Share of the draws below", form="percent", domain=(0, 1))


@lru_cache(maxsize=16)
def _sampled(scenario: Scenario) -> Sampled:
    return sampled(scenario.doubt.of, scenario, DRAWS, scenario.doubt.seed)


def doubt_view(scenario: Scenario) -> View:
    """The draws of a quantity, as a rising curve."""
    name, found = scenario.doubt.of, _sampled(scenario)
    unit, post, here = find(name).unit, value(name, load_scenario("leak")), value(name, scenario)
    low, high = found.band()
    drawn = ", ".join(FIELDS[one.path].label for one in found.spreads)
    return View(
        f"{find(name).meaning.rstrip('.')}: the median",
        found.median,
        unit,
        f"Nine draws of ten lie from {show(low, unit)} to {show(high, unit)}; their mean is {show(found.mean, unit)}. "
        f"With every assumption where it stands it is {show(here, unit)}, above {found.below(here):.0%} of the draws. "
        f"Drawn: {drawn}. {found.note}".strip(),
        post=post,
        rows={
            "data": [{"times": found.at(share) / post, "below": share} for share in SHARES],
            "you": [pinned({"times": here / post, "below": found.below(here)}, TIMES, BELOW)],
        },
        alt="The share of draws below each value: a curve that rises from 0 to 1.",
    )


doubt = Panel(
    title="A number with its band",
    legend=f"{DRAWS:,} draws of all assumptions at once: what the post rounds, anywhere within its last digit; rents "
    "and utilisations, anywhere that somebody has published. What shares a cause moves together, as closely as this "
    f"book judges, where 1 is in step: {', '.join(f'{cause} {rho:g}' for cause, rho in causes().items())}.",
    controls=(
        "doubt.of",
        Slide("training.tokens", 1e12, 1e14),
        Slide("cluster.gpus", 5_000, 100_000),
        "cluster.accelerator",
        "doubt.seed",
    ),
    folded=("rerun.accelerator",),
    presets={
        "Cost of the run": "leak",
        "Days": {"doubt.of": "training.days"},
        "“3×”": {"doubt.of": "rerun.improvement"},
    },
    claims=("F02",),
    view=doubt_view,
    chart=lines_chart(TIMES, BELOW),
    speed="debounced",
)


THREE = "rerun.improvement"


def tornado_view(scenario: Scenario) -> View:
    """What each assumption does to the post's "3x", over what was published for it."""
    unit, here = find(THREE).unit, value(THREE, scenario)
    bars = tornado(THREE, scenario)[0]
    ends = [(bar, *end) for bar in bars for end in ((bar.at_lo, bar.lo), (bar.at_hi, bar.hi))]
    rows = [
        pinned(
            {"lane": FIELDS[bar.path].label, "times": at, "mark": "published",
             "label": show(there, FIELDS[bar.path].unit)}, GAIN)
        for bar, at, there in ends
    ]  # fmt: skip
    yours = {"times": here, "mark": "you", "label": ""}
    rows += [pinned({**yours, "lane": FIELDS[bar.path].label}, GAIN) for bar in bars]
    widest = bars[0]
    both = show(sorted((widest.at_lo, widest.at_hi)), unit)
    return View(
        "How many times cheaper the same run is",
        here,
        unit,
        f"{FIELDS[widest.path].label} alone takes it from {both} ({widest.source}). The forum read 3×; the long trend "
        f"of FLOP/s per dollar gives {show(value('rerun.trend', scenario), 'x')} in {scenario.rerun.years:.2g} years.",
        post=3.0,
        whose="the forum",
        rows={"data": rows},
        alt="For each assumption the gain at the least and at the most that was published for it.",
    )


GAIN = Axis("times", "How many times cheaper", log=True, domain=(0.2, 10))
three = Panel(
    title="Three times in a year?",
    legend="Each lane moves one assumption from the least to the most that anybody has published for it, and leaves "
    "the others where your sliders stand (the dots).",
    controls=(
        Slide("cluster.usd_per_gpu_hour", 0.5, 6),
        Slide("rerun.usd_per_gpu_hour", 1, 13),
        Slide("training.mfu", 0.1, 0.6),
        Slide("rerun.mfu", 0.1, 0.6),
        "rerun.bytes_per_weight",
        "rerun.years",
    ),
    presets={
        "The post’s two prices": "leak",
        "As the 55 days need": {"rerun.mfu": 0.561},
        "FP8 as well": {"rerun.mfu": 0.28, "rerun.bytes_per_weight": 1},
        "Rents of $1.10 and $4.40": {"cluster.usd_per_gpu_hour": 1.10, "rerun.usd_per_gpu_hour": 4.4},
    },
    claims=("F01", "F02"),
    number="rerun.improvement",
    view=tornado_view,
    chart=lambda view: dots(view.rows["data"], GAIN, "lane"),
)


def all_flips(scenario: Scenario | None = None) -> HTML:
    """Every claim that arithmetic decides: the smallest single change that flips it, and the smallest joint one."""
    here = scenario or load_scenario("leak")
    open_to_all = [claim for claim in ledger().values() if claim.checkable and not sealed(claim.id)]
    head = ("Claim", "Verdict", "One change", "Several at once")
    found = table("What flips each verdict", head, [_flip_row(claim, here) for claim in open_to_all])
    return shown(f"<details><summary>All {len(open_to_all)} claims that arithmetic decides</summary>{found}</details>")


def _flip_row(claim: Claim, scenario: Scenario) -> tuple[str, ...]:
    single, joint = next(iter(flips(claim, scenario, 1)), None), joint_flip(claim, scenario)
    smaller = joint and len(joint.moves) > 1 and (single is None or joint.change < abs(single.change))
    none = "none smaller" if single else "none"
    words = f"{joint} (each by at most {joint.change:.1%})" if joint and smaller else none
    return claim.id, judge(claim, scenario).verdict.replace("-", " "), str(single or "none"), words
