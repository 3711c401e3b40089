"""How far each law is stretched: what it is asked about, over the upper end of what it was fitted on.

A stretch of 1 or less lies inside the data. All laws on experts, and most on tokens, are asked here about a model 10 to
1,000 times beyond theirs; the ranges and where they are from stand with each law's constants.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from gpt4lab import catalog
from gpt4lab.formulas.arith import Num
from gpt4lab.quantities.registry import quantity, unit_of, value, values
from gpt4lab.scenario import Scenario

N, D, C = "model.active_params", "training.tokens", "training.flop"
#: Law -> entry of `catalog.constants`, and its inputs: name -> (key of the fitted range, what is used here).
LAWS: Mapping[str, tuple[str, Mapping[str, tuple[str, str]]]] = {
    "kaplan": ("kaplan2020", {"params": ("N_fitted", N), "tokens": ("D_fitted", D)}),
    "hoffmann": ("hoffmann2022-printed", {"params": ("N_fitted", N), "tokens": ("D_fitted", D)}),
    "hoffmann_tex": ("hoffmann2022-tex", {"params": ("N_fitted", N), "tokens": ("D_fitted", D)}),
    "besiroglu": ("besiroglu2024", {"params": ("N_fitted", N), "tokens": ("D_fitted", D)}),
    "muennighoff": ("muennighoff2023", {"params": ("N_fitted", N), "tokens": ("D_fitted", D)}),
    "repetition": ("repetition", {"params": ("N_fitted", N), "tokens": ("D_fitted", "data.tokens_seen")}),
    "clark": ("clark2022-s-base", {
        "params": ("N_fitted", "model.base_params"), "tokens": ("D_fitted", D), "experts": ("E_fitted", "model.experts")
    }),
    "krajewski": ("krajewski2024", {
        "params": ("N_fitted", N), "tokens": ("D_fitted", D), "granularity": ("G_fitted", "moe.granularity"),
    }),
    "abnar": ("abnar2025", {"flop": ("C_fitted", C)}),
    "ludziejewski": ("ludziejewski2025", {
        "params": ("N_active_fitted", N), "all_params": ("N_total_fitted", "model.total_params"),
    }),
    "deepseek_batch": ("deepseek2024-batch", {"flop": ("C_highest_fitted", C)}),
    "interpolation": ("context-extension", {"context": ("interpolation_context", "model.long_context")}),
}
#: Reference of an entry that is not named after its own.
NAMED_AFTER_TOPIC = {"repetition": "muennighoff2023", "context-extension": "chen2023pi"}


def _source(slug: str) -> str:
    return NAMED_AFTER_TOPIC.get(slug, slug.partition("-")[0])


@quantity("stretch.{law}_{what}", "x", source="{source}", used="{path}", fitted="catalog/constants/{slug}/{key}", each=[
    {"law": law, "what": what, "source": _source(slug), "path": path, "slug": slug, "key": key}
    for law, (slug, inputs) in LAWS.items() for what, (key, path) in inputs.items()
])
def stretch(used: Num, fitted: Num) -> Num:
    """What is used here over the upper end of the fitted range: above 1 the law is extrapolated."""
    return used / fitted


@frozen
class Stretch:
    """One input of one law: what is used here, the ends of the fitted range (the lower if known), and the stretch."""

    law: str
    what: str
    unit: str
    used: float
    lowest: float | None
    highest: float
    stretch: float
    source: str


def stretches(scenario: Scenario) -> tuple[Stretch, ...]:
    """How far each law is stretched under a scenario, the farthest first."""
    rows = [_row(scenario, law, what) for law, (_, inputs) in LAWS.items() for what in inputs]
    return tuple(sorted(rows, key=lambda row: -row.stretch))


def farthest(law: str, scenario: Scenario) -> float:
    """The largest stretch of one law's inputs. Raises UnknownQuantity for an unknown law."""
    names = tuple(f"stretch.{law}_{what}" for what in LAWS[law][1]) if law in LAWS else (f"stretch.{law}",)
    return max(values(names, scenario).values())


def _row(scenario: Scenario, law: str, what: str) -> Stretch:
    slug, inputs = LAWS[law]
    key, path = inputs[what]
    fitted, used = catalog.constants[slug].values[key], value(path, scenario)
    times = value(f"stretch.{law}_{what}", scenario)
    return Stretch(law, what, unit_of(path), used, fitted.low, fitted.value, times, _source(slug))
