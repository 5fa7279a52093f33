"""Suggests the known word or path that a misspelt one was meant to be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

# Longer words and paths are no typing mistakes, and comparing them would take too long.
MAX_WORD = 100
MAX_PATH = 1_000
# From 0 (nothing alike) to 1 (the same), as difflib counts it.
MIN_SIMILARITY = 0.8

_IN_FRONT = re.compile("|api|v[0-9]+", re.IGNORECASE)


def closest_word(word: str, known: Iterable[str]) -> str | None:
    """Return the most similar known word, None where none is similar enough."""
    if len(word) > MAX_WORD:
        return None
    return next(iter(get_close_matches(word, list(known), 1, MIN_SIMILARITY)), None)


def closest_path(path: str, base: str, templates: Iterable[Sequence[str]]) -> str | None:
    """Return the known path that another one resembles, None where there is none or the path itself is one.

    It finds a base that is missing or doubled, superfluous slashes, and misspelt words. `templates` are the known paths
    in segments, parameters in braces.
    """
    if len(path) > MAX_PATH:
        return None
    segments = [segment for segment in under_base(path, base).split("/") if segment]
    close = {_corrected(segments, template) for template in templates} - {None, path}
    return min(close, key=str, default=None)


def under_base(path: str, base: str) -> str:
    """Return a path with the base in front, in place of any other front (`/api`, `/v2`, the base itself)."""
    segments = path.split("/")
    is_front = (segment == base.removeprefix("/") or _IN_FRONT.fullmatch(segment) for segment in segments)
    first = next((place for place, front in enumerate(is_front) if not front), len(segments))
    return "/".join([base, *segments[first:]])


def did_you_mean(path: str, suggestion: str) -> str:
    """Return the question whether another path was meant."""
    slash = " A slash at the end makes another path." if path == f"{suggestion}/" else ""
    return f"did you mean {suggestion}?{slash}"


def _corrected(segments: Sequence[str], template: Sequence[str]) -> str | None:
    """Return a path with its misspelt words corrected, if it is one of this template."""
    if len(segments) != len(template):
        return None
    corrected = [
        segment if known.startswith("{") else closest_word(segment, [known])
        for segment, known in zip(segments, template, strict=True)
    ]
    return None if None in corrected else "/" + "/".join(word or "" for word in corrected)
