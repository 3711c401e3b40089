"""Chapter 11: one roofline for claims and measurements, each on the scale of its own machine."""

from __future__ import annotations

from attrs import evolve

from gpt4lab import catalog
from gpt4lab.charts import Axis
from gpt4lab.charts.marks import pinned
from gpt4lab.checks.serving.points import binding, points
from gpt4lab.models.decode.report import PassReport, decode
from gpt4lab.models.in_scenario import chip_in, deployment_in, served_in
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario, load_scenario

INTENSITY = Axis("intensity", "Time to compute over time to read, at full peaks", log=True, domain=(4e-3, 20))
SHARE = Axis("share", "Share of the peak that is reached", log=True, form="percent", domain=(5e-4, 20))
ROOF, FIRST, LATER = LINES = ("the roof", "196 ms a token", "94 ms a token")
BATCHES = [2 ** (power / 2) for power in range(8, 33)]
CENTS = {"serving.usd_per_1k_tokens": 0.000049}


def _seen(slug: str) -> float:
    return catalog.latencies[slug].need("ms_per_token") / 1000


def _share(report: PassReport, tokens_per_s: float) -> float:
    """Share of peak at a throughput of the whole cluster."""
    return float(tokens_per_s * report.mfu / report.tokens_per_s)


def _rows(scenario: Scenario) -> list[Row]:
    """The roof, and where a token of 196 and of 94 ms can lie: a line each, since nobody knows the batch."""
    network, way, machine = served_in(scenario), deployment_in(scenario), chip_in(scenario)
    reports = [(batch, decode(network, evolve(way, batch=batch), machine)) for batch in BATCHES]
    roof = [{"intensity": x, "share": min(1.0, x), "line": ROOF} for x in (*[10 ** (k / 8) for k in range(-19, 1)], 20)]
    times = {FIRST: _seen("gpt-4-first"), LATER: _seen("gpt-4-later")}
    return roof + [
        {"intensity": float(report.intensity), "share": share, "line": words}
        for words, seconds in times.items()
        for batch, report in reports
        if (share := _share(report, batch / seconds)) <= min(1, float(report.intensity))
    ]


def controlled() -> float:
    """GPT-4's first time, in s, if it had been served as GPT-3.5 was at Azure and not at OpenAI."""
    return _seen("gpt-4-first") * _seen("gpt-3.5-azure-first") / _seen("gpt-3.5-first")


def roofline_view(scenario: Scenario) -> View:
    """Where the stated cost puts the machines, and what the model of answering would reach there."""
    report = decode(served_in(scenario), deployment_in(scenario), chip_in(scenario))
    x, paid = float(report.intensity), value("serving.paid_mfu", scenario)
    y = _share(report, value("serving.paid_tokens_per_s", scenario))
    leak = load_scenario("leak")
    at_post = decode(served_in(leak), deployment_in(leak), chip_in(leak))
    few = decode(served_in(scenario), evolve(deployment_in(scenario), batch=64), chip_in(scenario))
    return View(
        "Share of the peak that the stated cost asks for",
        paid,
        "fraction",
        f"{_judged(y, x, float(report.mfu))} The longest term here is {binding(report)}.",
        post=value("serving.paid_mfu", leak),
        rows={
            "data": _rows(scenario),
            "you": [pinned({"intensity": x, "share": y}, INTENSITY, SHARE)],
            "post": [{"intensity": float(at_post.intensity),
                      "share": _share(at_post, value("serving.paid_tokens_per_s", leak)),
                      "label": "the post, A100"}],
            "published": [
                {"intensity": point.intensity, "share": point.share, "label": point.label}
                for point in points()
            ],
            "ticks": [{"intensity": x, "share": float(report.mfu), "label": "the model of answering"},
                      {"intensity": float(few.intensity), "share": _share(few, 64 / controlled()),
                       "label": "as at Azure"}],
        },
        alt="Share of peak against computing over reading, on log axes: the roof rises to 1 and stays there; triangles "
        "of measured serving below it; two lines for the times of a token that a user measured.",
    )  # fmt: skip


def _judged(y: float, x: float, reached: float) -> str:
    roof = min(1.0, x)
    if y > 1:
        return f"With attention counted, the machines would compute at {y:.3g} times their peak: no batch can do that."
    if y > roof:
        return f"That is above the roof, {y / roof:.3g} times what reading leaves time for."
    held = "more" if y > reached else "less"
    return f"That is {y / roof:.0%} of the roof, and {held} than the {reached:.1%} that the model of answering reaches."


roofline = Panel(
    title="One roofline",
    legend="Along: how long a step computes over how long it reads, at full peaks; left of 1 memory is waited for. Up: "
    "the share of the machine’s own peak, in the precision of each product. Nothing can lie above the roof. Triangles "
    "are measured: TensorRT-LLM’s rows (2023), DeepSeek’s profile and its day (2025), InferenceX (2026). Two lines are "
    "a user’s times for GPT-4, placed on these machines: a time without a batch is no point. The dot “as at Azure” is "
    "the first of them, had GPT-4 been served as GPT-3.5 was there.",
    controls=(
        Slide("serving.usd_per_1k_tokens", 1e-5, 0.1),
        Slide("serving.tokens_in_flight", 16, 65_536),
        Slide("serving.mean_context", 16, 8192),
        "serving.accelerator",
        Slide("serving.usd_per_gpu_hour", 0.2, 10),
        Slide("serving.bytes_per_weight", 0.5, 4),
    ),
    presets={
        "Dollars": "leak",
        "Cents": CENTS,
        "H100, dollars": {"serving.accelerator": "h100-sxm-80gb", "serving.usd_per_gpu_hour": 2,
                          "serving.usd_per_1k_tokens": 0.0021},
        "64 readers": {"serving.tokens_in_flight": 64},
    },
    tour=(
        (CENTS, "Read as cents, the figure asks for {serving.paid_mfu} of the peak: far above any roof."),
        ({}, "Read as dollars, for {serving.paid_mfu}: below the roof, among what others measured."),
        ({"serving.tokens_in_flight": 64}, "With {serving.tokens_in_flight} in flight it is above the roof again."),
    ),
    claims=("C52", "C53", "C55"),
    view=roofline_view,
    chart=lines_chart(INTENSITY, SHARE, series="line", order=LINES, right=60, height=420),
)  # fmt: skip


def held() -> list[Row]:
    """What was measured in 2025 and 2026, and the largest models of 2023: its place, and its binding term."""
    chosen = [point for point in points() if "in, " not in point.name or "alcon" in point.name]
    return [
        {
            "measured": point.name,
            "at once": point.batch,
            "computing / reading": point.intensity,
            "of peak": f"{point.share:.1%}",
            "of its roof": f"{point.share / min(1, point.intensity):.0%}",
            "longest term": binding(point.report),
        }
        for point in chosen
    ]
