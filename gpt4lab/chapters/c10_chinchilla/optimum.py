"""Chapter 10: the best number of tokens by size and law, how far that is stretched, and what answering adds."""

from __future__ import annotations

from math import log10
from typing import Any

from gpt4lab import catalog
from gpt4lab.charts import Axis
from gpt4lab.charts.compose import shaded
from gpt4lab.charts.marks import pinned
from gpt4lab.panels.curve import Curve, lines_chart
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value, values
from gpt4lab.quantities.topics.scaling import balance, best_tokens
from gpt4lab.scenario import Scenario, change, load_scenario
from gpt4lab.units import show

LEAK = load_scenario("leak")
LINES = ("fitted here", "Hoffmann", "Besiroglu", "Muennighoff")
CONSTANTS = tuple(f"chinchilla.{symbol}" for symbol in ("A", "alpha", "B", "beta"))
FITTED = catalog.constants["hoffmann2022-tex"].values["N_fitted"]
SIZES = [1e7 * 10 ** (step / 4) for step in range(25)]
SIZE = Axis("size", "Parameters of the model", log=True, form="count", domain=(1e7, 1e13))
TOKENS = Axis("tokens", "Best number of tokens", log=True, form="count", domain=(1e8, 1e16))
LAWS = lines_chart(SIZE, TOKENS, series="law", order=LINES)


def optimum_view(scenario: Scenario) -> View:
    """Best tokens against size by each law, with the post's two points and the reader's."""
    size, best, law = values(("chinchilla.size", "chinchilla.best_tokens", "chinchilla.params"), scenario).values()
    stated = value("training.tokens", LEAK)
    return View(
        label=f"Best number of tokens for {show(size, 'param')}",
        value=best,
        unit="token",
        post=stated,
        sentence=f"For the run’s compute this law wants {show(law, 'param')} and "
        f"{show(value('chinchilla.tokens', scenario), 'token')}. The size lies {_far(size / FITTED.value)}, the run "
        f"{_far(value('chinchilla.stretch', scenario))}.",
        rows={
            "data": [row for name in LINES for row in _line(scenario, name)],
            "you": [pinned({"size": size, "tokens": best}, SIZE, TOKENS)],
            "post": [
                {"size": value(f"model.{name}_params", LEAK), "tokens": stated, "label": words}
                for name, words in (("active", "active"), ("total", "all"))
            ],
            "ranges": [{"from": FITTED.low, "to": FITTED.value, "label": "trained here"}],
        },
        alt="Best number of tokens against parameters, one line a law; they part beyond the range that was fitted.",
    )


def _line(scenario: Scenario, law: str) -> list[dict[str, Any]]:
    A, alpha, B, beta = values(CONSTANTS, change(scenario, {"chinchilla.law": law})).values()
    G = balance(alpha, beta, A, B)
    return [{"size": N, "tokens": best_tokens(N, G, alpha, beta), "law": law} for N in SIZES]


def _far(times: float) -> str:
    return f"{log10(times):.1f} powers of ten beyond its largest training" if times > 1 else "inside what was fitted"


optimum = Panel(
    title="The optimum, and how far it is stretched",
    legend="Each line is a law: how many tokens a dense model of that size should see. The shaded part is where models "
    "were trained. The diamonds are the post’s model, counted in two ways, at its stated tokens.",
    controls=("chinchilla.law", "chinchilla.counts", "chinchilla.dropped", Slide("model.expert_params", 1e9, 1e12)),
    folded=("chinchilla.order", "model.experts", "model.top_k"),
    presets={
        "The post": "leak",
        "All parameters": {"chinchilla.counts": "all"},
        "Hoffmann": {"chinchilla.law": "Hoffmann"},
        "Llama 3.1 405B": "llama-3.1-405b",
    },
    claims=("C85",),
    view=optimum_view,
    chart=lambda view: shaded(LAWS(view), SIZE, view.rows["ranges"]),
)

lifetime = Curve(
    title="A model that will answer",
    legend="Chinchilla counts training alone. Whoever also pays for the answers makes the model smaller and shows it "
    "more. Each line: the training tokens of the model with the same loss as the post’s and the least compute over its "
    "life. Prompts count like answers.",
    of="chinchilla.lifetime_tokens",
    along="serving.lifetime_tokens",
    at=[1e11 * 10 ** (step / 4) for step in range(25)],
    x=Axis("served", "Tokens that it will answer with", log=True, form="count", domain=(1e11, 1e17)),
    y=Axis("tokens", "Best number of training tokens", log=True, form="count", domain=(1e12, 1e15)),
    series="law",
    lines={law: {"chinchilla.law": law} for law in LINES},
    label="Best number of training tokens, answers counted",
    post=lambda _: value("training.tokens", LEAK),
    also=lambda _: {"post": [{"tokens": value("training.tokens", LEAK), "label": "the stated tokens"}]},
    says="With {serving.lifetime_tokens} of answers the best model of this loss has {chinchilla.lifetime_params} and "
    "sees {chinchilla.lifetime_tokens}; over its life it costs {chinchilla.lifetime_flop}. The stated model spends "
    "{chinchilla.lifetime_saving} of that.",
    alt="Best training tokens against tokens of answers: flat while answers are few, then rising.",
    controls=(Slide("serving.lifetime_tokens", 1e11, 1e17), "chinchilla.law", "chinchilla.counts"),
    folded=("chinchilla.dropped", Slide("training.tokens", 1e12, 1e14), "model.top_k"),
    presets={
        "As many as it was trained on": "leak",
        "A hundred times as many": {"serving.lifetime_tokens": 13e14},
        "None to speak of": {"serving.lifetime_tokens": 1e11},
    },
)
