"""The agent that an app has where nobody has said so."""

from __future__ import annotations

import re

from sandbox.agent.persona import persona
from sandbox.rng import Entropy

DRAWN = [persona(Entropy(seed)) for seed in range(300)]


def test_an_address_has_one_persona_and_others_have_others() -> None:
    assert persona(Entropy(1).at("app")) == persona(Entropy(1).at("app"))
    assert len({drawn.name for drawn in DRAWN}) > 20
    assert len({drawn.primary_color for drawn in DRAWN}) > 8


def test_the_primary_colour_can_be_read_on_the_secondary_and_on_white() -> None:
    pale = [
        drawn
        for drawn in set(DRAWN)
        if min(_contrast(drawn.primary_color, beside) for beside in (drawn.secondary_color, "#ffffff")) < 4.5
    ]
    assert pale == []


def test_a_name_is_of_letters_alone() -> None:
    assert [drawn.name for drawn in DRAWN if not drawn.name.isalpha()] == []


def _contrast(dark: str, light: str) -> float:
    return (_luminance(light) + 0.05) / (_luminance(dark) + 0.05)


def _luminance(color: str) -> float:
    """Return the relative luminance of WCAG 2."""
    assert re.fullmatch(r"#[0-9a-f]{6}", color)
    channels = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
