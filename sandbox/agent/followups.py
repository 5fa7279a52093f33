"""Answers a few words that take up what was said last ("and variable?") with the sentence of it that they ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from sandbox.agent.rendering import ReplyBuilder
from sandbox.agent.text import kind_of, stems
from sandbox.agent.understanding import BARE, ParsedMessage
from sandbox.agent.vocabulary import alternatives

_MAX_WORDS: Final = 4
_ENDS = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_a-z]|[«“-])|\n")
_TELLING: Final = {
    "price": re.compile(r"\$|¢|%|\b(?:free|gratuite?s?|included|inclus|comprise?)\b"),
    "howlong": re.compile(alternatives("time units")),
}


def sentence(builder: ReplyBuilder, parsed: ParsedMessage) -> str | None:
    """Return the sentence of the last answer that a short message asks about, None where there is none."""
    entry = builder.business.entries.get(builder.ledger.said[-1]) if builder.ledger.said else None
    words = set(stems(parsed.rest)) - BARE
    if entry is None or entry.alone or len(words) > _MAX_WORDS:
        return None
    kind = _TELLING.get(kind_of(parsed.rest) or "")
    parts = [part for part in _sentences(builder.line(entry.says) or "") if not kind or kind.search(part.lower())]
    if not words:
        return parts[0] if kind and parts else None
    best = max(parts, key=lambda part: _shared(words, part), default="")
    return best.lstrip("- ") if _shared(words, best) * 2 >= len(words) else None


def _shared(words: set[str], part: str) -> int:
    return len(words.intersection(stems(part)))


@lru_cache(maxsize=64)
def _sentences(text: str) -> tuple[str, ...]:
    return tuple(_split(text))


def _split(text: str) -> Iterator[str]:
    return (part.strip() for part in _ENDS.split(text) if part.strip() and not part.rstrip().endswith(":"))
