"""Shapes of public models as their config.json has them, for tests of one's own model."""

from __future__ import annotations

import json
from pathlib import Path

from gpt4lab.scenario import Scenario
from gpt4lab.scenario.config import from_config

FOLDER = Path(__file__).parent / "configs"
CONFIGS = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}


def own(name: str) -> Scenario:
    """The scenario of one of them."""
    return from_config(CONFIGS[name])
