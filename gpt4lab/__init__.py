"""An explorable textbook about the July 2023 post "GPT-4's details are leaked".

>>> import gpt4lab
>>> leak = gpt4lab.load_scenario("leak")
>>> gpt4lab.value("training.cost", leak)
>>> gpt4lab.explain("training.cost", leak)
>>> gpt4lab.audit(leak)
>>> gpt4lab.audit(gpt4lab.from_config("config.json"))

Everything is loaded on first use, so that importing the package costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what a reader's editor may know; loaded on first use only
    from gpt4lab.claims import audit, ledger, tally
    from gpt4lab.quantities import explain, value, values
    from gpt4lab.scenario import change, load_scenario, share
    from gpt4lab.scenario.config import from_config, own_model

__version__ = "0.1.0"

_HOMES = {
    "load_scenario": "scenario",
    "change": "scenario",
    "share": "scenario",
    "own_model": "scenario.config",
    "from_config": "scenario.config",
    "value": "quantities",
    "values": "quantities",
    "explain": "quantities",
    "audit": "claims",
    "ledger": "claims",
    "tally": "claims",
}

__all__ = [
    "__version__",
    "audit",
    "change",
    "explain",
    "from_config",
    "ledger",
    "load_scenario",
    "own_model",
    "share",
    "tally",
    "value",
    "values",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"gpt4lab.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'gpt4lab' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
