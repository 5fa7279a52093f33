"""Finds the path that an unknown one was meant to be: a base that is missing or doubled, slashes too many, a typo."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sandbox.suggestions import nearest

# A longer path is nobody's slip of the pen.
LONGEST = 1_000

_IN_FRONT = re.compile("|api|v[0-9]+", re.IGNORECASE)


def under_base(path: str, base: str) -> str:
    """Return a path as it would stand under the base, with nothing else in front."""
    segments = path.split("/")
    is_front = (segment == base.removeprefix("/") or _IN_FRONT.fullmatch(segment) for segment in segments)
    first = next((place for place, front in enumerate(is_front) if not front), len(segments))
    return "/".join([base, *segments[first:]])


def meant(path: str, base: str, templates: Iterable[Sequence[str]]) -> str | None:
    """Return the path that another one comes near to, None where there is none or the path itself is one.

    `templates` are the known paths in segments, parameters in braces.
    """
    if len(path) > LONGEST:
        return None
    segments = [segment for segment in under_base(path, base).split("/") if segment]
    close = {_mended(segments, template) for template in templates} - {None, path}
    return min(close, key=str, default=None)


def question(path: str, meant_path: str) -> str:
    """Ask whether another path was meant."""
    slash = " A slash at the end makes another path." if path == f"{meant_path}/" else ""
    return f"did you mean {meant_path}?{slash}"


def _mended(segments: Sequence[str], template: Sequence[str]) -> str | None:
    """Return a path with its misspelt words put right, if it is one of this template."""
    if len(segments) != len(template):
        return None
    mended = [
        sent if wanted.startswith("{") else nearest(sent, [wanted])
        for sent, wanted in zip(segments, template, strict=True)
    ]
    return None if None in mended else "/" + "/".join(word or "" for word in mended)
