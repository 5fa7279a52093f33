"""Which of several media types a client would rather have, as its `Accept` says (RFC 9110, 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence


def best_match(accept: bytes, offered: Sequence[str]) -> str:
    """Return the offered media type of the highest weight; the first one where none is better, or none is accepted."""
    ranges = [_range(part) for part in accept.decode("latin-1").lower().split(",")]
    weights = [_weight(media_type, ranges) for media_type in offered]
    return offered[weights.index(max(weights))]


def _range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return name, float(parameter.removeprefix("q="))
            except ValueError:
                return name, 0.0
    return name, 1.0


def _weight(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """Return the weight that the narrowest fitting range gives."""
    for wanted in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        for name, weight in ranges:
            if name == wanted:
                return weight
    return 0.0
