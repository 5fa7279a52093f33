"""Redact keys in all output, and escape what a server sent so that it does no harm there."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

# What a CI's log would take for a command: `::` at the beginning of a word or line, `##[` anywhere.
_COMMAND = re.compile(r"(?:^|(?<=\s)):(?=:)|#(?=#\[)", re.MULTILINE)

# As how many characters one of a key may be written at most.
_MAX_SPELLING = 40
_MIN_BASE64 = 8
_BASE64 = {"+": r"(?:[+-]|%2[Bb])", "/": r"(?:\\{0,4}/|_|%2[Ff])"}


class KeyRedactor:
    """Puts the name of a variable in place of each key, however it is written, and puts other texts right."""

    def __init__(self, keys: Mapping[str, str], others: Mapping[str, str] | None = None) -> None:
        # The longer one first: a key may begin like another.
        self._keys = sorted(keys.items(), key=lambda pair: -len(pair[1]))
        self._others = others or {}
        self._forms = [(f"${name}", form) for name, key in self._keys if key for form in _forms(key)]
        self._max_length = max((_MAX_SPELLING * len(key) for _, key in self._keys), default=0)

    def __call__(self, text: str) -> str:
        for wrong, right in self._others.items():
            text = text.replace(wrong, right)
        return self.redacted_slice(text, 0, len(text))

    def redacted_slice(self, text: str, start: int, end: int) -> str:
        """Return a piece of a text; a key across one of its ends is hidden too: what is left would not be found."""
        first, pieces, at = max(start - self._max_length, 0), list[str](), start
        for begins, ends, name in self._spans(text[first : end + self._max_length], first):
            if ends > at and begins < end:
                pieces += [text[at:begins], name]
                at = ends
        return "".join([*pieces, text[at:end]])

    def body(self, raw: bytes) -> bytes:
        """Return bytes with every key in them hidden."""
        return self(raw.decode("latin-1")).encode("latin-1")

    def split(self, text: str) -> tuple[tuple[str, str | None], ...]:
        """Return a text in pieces: literal ones, each with the name of the key that follows it, if one does."""
        for name, key in self._keys:
            before, match, after = text.partition(key)
            if match:
                return (*self.split(before)[:-1], (self.split(before)[-1][0], name), *self.split(after))
        return ((self(text), None),)

    def _spans(self, text: str, offset: int) -> list[tuple[int, int, str]]:
        """Return where keys are, in order, and what stands for each."""
        matches = ((*match.span(), name) for name, pattern in self._forms for match in pattern.finditer(text))
        return sorted((begins + offset, ends + offset, name) for begins, ends, name in matches)


# What is hidden in texts that are cut where nobody knows the run: a check, an answer, a connection.
_CURRENT: ContextVar[KeyRedactor | None] = ContextVar("_CURRENT", default=None)


@contextmanager
def redacting(redact: KeyRedactor) -> Iterator[None]:
    """Hide a run's keys in all that is cut until the block ends: what is cut first can't be found any more."""
    token = _CURRENT.set(redact)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def redact_keys(text: str) -> str:
    """Return a text with the keys of the run hidden."""
    redact = _CURRENT.get()
    return redact(text) if redact else text


def redacted_slice(text: str, start: int, end: int) -> str:
    """Return a piece of a text with the keys of the run hidden, also those that lie across its ends."""
    redact = _CURRENT.get()
    return redact.redacted_slice(text, start, end) if redact else text[start:end]


def _forms(key: str) -> Iterator[re.Pattern[str]]:
    """Yield what finds a key: as it is, percent-encoded, escaped as in JSON, Python and HTML, and in base64."""
    yield re.compile("".join(map(_character, key)), re.IGNORECASE)
    raw = key.encode("utf-8", "surrogatepass")
    for before in range(3):
        # Base64 writes three bytes as four characters: how a key is written hangs on how many bytes go before it.
        written = b64encode(b"\0" * before + raw).decode()
        core = written[(0, 2, 3)[before] : (before + len(raw)) * 8 // 6]
        if len(core) >= _MIN_BASE64:
            yield re.compile("".join(_BASE64.get(character, character) for character in core))


def _character(character: str) -> str:
    """Return a pattern of the ways to write one character."""
    code = ord(character)
    ways = [
        re.escape(character),
        rf"\\{{1,4}}u{code:04x}",
        rf"\\{{1,4}}x{code:02x}",
        rf"&#(?:x0{{0,2}}{code:x}|{code});",
    ]
    ways.append("".join(f"%(?:25){{0,2}}{byte:02x}" for byte in character.encode("utf-8", "surrogatepass")))
    if character in "\"\\/'":
        ways.append(r"\\{1,4}" + re.escape(character))
    return f"(?:{'|'.join(ways)})"


def escape(text: str, *, lines: bool = False) -> str:
    """Spell out, as JSON would, all that could fool a terminal or a CI's log: control, bidi, separators, commands."""
    printable = "\n" if lines else ""
    spelled = "".join(c if c.isprintable() or c in printable else _spell(c) for c in text)
    return _COMMAND.sub(lambda match: _spell(match[0]), spelled)


def _spell(character: str) -> str:
    if ord(character) < 0x10000:
        return f"\\u{ord(character):04x}"
    high, low = divmod(ord(character) - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
