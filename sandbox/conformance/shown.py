"""Keeps keys out of all that is shown, and server text from doing harm where it is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping

# What a CI's log would take for a command: `::` at the beginning of a word or line, `##[` anywhere.
_COMMAND = re.compile(r"(?:^|(?<=\s)):(?=:)|#(?=#\[)", re.MULTILINE)


class Masked:
    """Puts the name of a variable in place of each key, and puts other texts right."""

    def __init__(self, keys: Mapping[str, str], others: Mapping[str, str] | None = None) -> None:
        # The longer one first: a key may begin like another.
        self._keys = sorted(keys.items(), key=lambda pair: -len(pair[1]))
        self._others = others or {}

    def __call__(self, text: str) -> str:
        for other, right in self._others.items():
            text = text.replace(other, right)
        for name, key in self._keys:
            text = text.replace(key, f"${name}")
        return text

    def split(self, text: str) -> tuple[tuple[str, str | None], ...]:
        """Return a text in pieces: literal ones, each with the name of the key that follows it, if one does."""
        for name, key in self._keys:
            before, found, after = text.partition(key)
            if found:
                return (*self.split(before)[:-1], (self.split(before)[-1][0], name), *self.split(after))
        return ((text, None),)


def harmless(text: str, *, lines: bool = False) -> str:
    """Spell out, as JSON would, all that could fool a terminal or a CI's log: control, bidi, separators, commands."""
    kept = "\n" if lines else ""
    shown = "".join(c if c.isprintable() or c in kept else _spelled(c) for c in text)
    return _COMMAND.sub(lambda found: _spelled(found[0]), shown)


def _spelled(character: str) -> str:
    if ord(character) < 0x10000:
        return f"\\u{ord(character):04x}"
    high, low = divmod(ord(character) - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
