"""The colours of the book, computed: what can be read, and what can be seen to be movable."""

from __future__ import annotations

import re

import pytest

from gpt4lab.charts import theme

GROUND = {"light": "#ffffff", "dark": "#111111", "print": "#ffffff"}
TEXT, SIGN = 4.5, 3.0  # WCAG 2.2: 1.4.3 for text, 1.4.11 for what shows a control


def tokens(css: str) -> dict[str, str]:
    """Name -> colour; of a variable of JupyterLab, what stands in where there is none."""
    found = re.findall(r"--g4l-([\w-]+): (?:var\([\w-]+, )?(#[0-9a-f]{3,6})\b", css)
    return dict(found)


def looks() -> dict[str, dict[str, str]]:
    blocks = re.findall(r"body \{(.*?)\}", theme.read("tokens.css"), re.DOTALL)
    light, dark, printed = (tokens(block) for block in blocks[:3])
    return {"light": light, "dark": {**light, **dark}, "print": {**light, **printed}}


def luminance(colour: str) -> float:
    """Relative luminance of "#rgb" or "#rrggbb" (WCAG 2.2)."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_ratio_is_that_of_the_standard() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("look", GROUND)
def test_all_text_can_be_read(look: str) -> None:
    found = looks()[look]
    text = {name: colour for name, colour in found.items() if name in ("ink", "ink-2") or name.endswith("-text")}
    assert len(text) == 8
    assert {name: colour for name, colour in text.items() if contrast(colour, GROUND[look]) < TEXT} == {}


@pytest.mark.parametrize("look", GROUND)
def test_what_can_be_moved_typed_or_pressed_can_be_seen(look: str) -> None:
    found = looks()[look]
    assert contrast(found["line"], GROUND[look]) >= SIGN
    assert contrast(found["blue"], GROUND[look]) >= SIGN


@pytest.mark.parametrize(
    "part",
    [
        r"\.g4l-track::before, \.g4l-track::after",
        r":is\(\.g4l-control, \.g4l-band\) \.g4l-entry",
        r"\.jupyter-button:not\(\.g4l-move\)\)",
    ],
)
def test_tracks_entries_and_presets_are_drawn_in_it(part: str) -> None:
    from gpt4lab.panels import controls

    css = controls.read_beside("controls.css") + controls.read_beside("panel.css")
    rule = re.search(part + r" \{(.*?)\}", css, re.DOTALL)
    assert rule
    assert "var(--g4l-line)" in rule.group(1)
