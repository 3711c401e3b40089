"""Chapter 01: geometries that have a name, how far each misses the post's sums, and the coincidence in them."""

from __future__ import annotations

from typing import Any

from gpt4lab.claims import ledger
from gpt4lab.models.search.family import by_width, family
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario, change, load_scenario
from gpt4lab.units import minus


def named() -> dict[str, Scenario]:
    """The geometries that somebody has written down, or that follow from one assumption, as scenarios."""
    proxy = load_scenario("nvidia-proxy")
    changes: dict[str, dict[str, Any]] = {
        "one width for both sums": {"model.kv_heads": 84},
        "the same, one key-value head": {},
        "wider, one key-value head": {"model.d_model": 15_104, "model.heads": 118, "model.d_ff": 30_720},
        "Epoch AI": dict(ledger()["C03"].assume),
    }
    leak = load_scenario("leak")
    return {**{name: change(leak, moved) for name, moved in changes.items()}, "NVIDIA's proxy": proxy}


SUMS = ("geometry.attention_params", "geometry.expert_params", "geometry.total_params", "geometry.active_params")


def misses(scenario: Scenario) -> dict[str, float]:
    """By what share the shape of a scenario misses the post's attention, expert, total and active parameters."""
    post = load_scenario("leak")
    theirs = ("model.attention_params", "model.expert_params", "model.total_params", "model.active_params")
    return {of: value(of, scenario) / value(other, post) - 1 for of, other in zip(SUMS, theirs, strict=True)}


ROUNDED = {"model.attention_params": 0.5e9, "model.expert_params": 0.5e9}  # half of the last digit that is stated


def one_width() -> tuple[float, float]:
    """The widths that fit both rounded sums, from and to: full attention, experts four times as wide."""
    leak = load_scenario("leak")
    ends = {
        "model.attention_params": "geometry.width_from_attention",
        "model.expert_params": "geometry.width_from_expert",
    }
    spans = [
        [value(width, leak, {path: value(path, leak) + sign * ROUNDED[path]}) for sign in (-1, 1)]
        for path, width in ends.items()
    ]
    return max(low for low, _ in spans), min(high for _, high in spans)


def signed(miss: float) -> str:
    """A miss with its sign: "+0.9%"."""
    return minus(f"{round(miss, 3) + 0.0:+.1%}")


def compared() -> list[dict[str, Any]]:
    """The named geometries: their sums against the post's, and how many shapes would share their width."""
    left, rows = by_width(family(load_scenario("leak"))), list[dict[str, Any]]()
    for name, shape in named().items():
        model, off = shape.model, misses(shape)
        rows.append(
            {
                "geometry": name,
                "width": f"{model.d_model:,}",
                "heads": f"{model.heads} of {model.head_dim}",
                "kept": model.kv_heads,
                "expert width": f"{model.d_ff:,}",
                **{what: signed(off[of]) for what, of in zip(("attention", "expert", "all"), SUMS, strict=False)},
                "of this width fit": left[model.d_model],
            }
        )
    return rows
