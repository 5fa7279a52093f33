"""Finds the known word that a misspelt one was meant to be."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the closest known word within two edits (one for words under four letters), or None."""
    most = 1 if len(word) < 4 else 2
    near = [
        (distance, other)
        for other in known
        if (distance := _distance(word, other, most)) <= most and distance < len(word)
    ]
    return min(near)[1] if near else None


def _distance(one: str, other: str, most: int) -> int:
    """Count the edits (insert, delete, replace) from one word to the other; any number above `most` means too many."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
        if min(row) > most:
            return most + 1
    return row[-1]
