"""Redacts secrets in texts, and escapes what could fool a terminal.

A key is found by its form wherever it stands: after a letter, in capitals, percent-encoded, JSON-escaped, in base64.
Only its prefix and its last four characters remain (docs/control.md, Requests).
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any
from urllib.parse import unquote_to_bytes

# A key or token of no more characters than this is hidden whole: its last four would be most of it.
MAX_HIDDEN_WHOLE = 12

_KEY_PREFIXES = ("sk_live_", "sk_test_", "whsec_")
# A given secret that was cut off is still found by this many of its first characters.
_ENOUGH = 8

_CREDENTIALS = frozenset(
    {"authorization", "proxy-authorization", "sandbox-control-token", "x-api-key", "api-key", "x-auth-token"}
)
_SCHEMES = frozenset({"bearer", "basic", "digest", "token", "apikey", "negotiate"})

_PERCENT = r"%(?:25){0,8}"
# A JSON escape may be percent-encoded in its turn, as in a query.
_BACKSLASHES = rf"(?:\\|{_PERCENT}5c){{1,8}}"
_ESCAPE = _BACKSLASHES + "u00"
# Each character of a key, as it is or encoded: letters, digits, - and _.
_ENCODED = r"(?:2d|3[0-9]|[46][1-9a-f]|5[0-9af]|7[0-9a])"
_KEY_CHARACTER = rf"(?:[a-z0-9_-]|{_PERCENT}{_ENCODED}|{_ESCAPE}{_ENCODED})"
_ESCAPED = re.compile(r"\\+u([0-9a-fA-F]{4})")
_NESTED_PERCENT = re.compile(r"%(?:25)+")
_ENCODED_BACKSLASH = re.compile(r"%5c", re.IGNORECASE)
# A long text is searched in pieces that end where no key goes on, so that other threads get their turn in between.
_LONG = 16 * 1024
_PIECES = re.compile(rf'.{{1,{_LONG}}}[^\s"]*[\s"]?', re.DOTALL)
# The rest of a text in base64, in either alphabet, its own characters encoded or not.
_BASE64_REST = re.compile(r"(?:[A-Za-z0-9+/_-]|%(?:25){0,8}2[bBfF]|\\{1,8}/)*(?:=|%(?:25){0,8}3[dD]){0,2}")


def _spelled(text: str) -> str:
    """Return a pattern for a text whose characters may each be a capital, percent-encoded or JSON-escaped."""
    cased = ({character, character.lower(), character.upper()} for character in text)
    return "".join(f"(?:{'|'.join(each for form in sorted(forms) for each in _spellings(form))})" for forms in cased)


def _spellings(character: str) -> Iterator[str]:
    yield re.escape(character)
    yield "".join(_PERCENT + f"{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    units = character.encode("utf-16-be", "surrogatepass")
    yield "".join(f"{_BACKSLASHES}u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
    if character == "+":
        yield " "  # as a query has it, once read
    if character in '"\\/':
        yield r"\\{1,8}" + re.escape(character)


def _base64_marks(text: str) -> Iterator[str]:
    """Yield what stands in any base64 text, of either alphabet, that has this one somewhere in it."""
    raw = text.encode("utf-8", "surrogatepass")
    for before in range(3):
        written = b64encode(b"\0" * before + raw).decode()
        mark = written[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        yield from {mark, mark.replace("+", "-").replace("/", "_")}


_WELL_FORMED = re.compile(r"(?:sk_(?:live|test)|whsec)_", re.IGNORECASE)
_KEY_MARKS = [
    mark for prefix in _KEY_PREFIXES for cased in (prefix, prefix.upper()) for mark in sorted(_base64_marks(cased))
]


@cache
def _key_pattern() -> re.Pattern[str]:
    """Return what finds a key in any spelling; made on first use, as it takes longer than all else at a start."""
    prefix = "|".join(_spelled(prefix) for prefix in _KEY_PREFIXES)
    # After a letter it may be a word of its own ("task_test_x"): a key is longer.
    bare, inside = rf"(?<![a-z0-9_])(?:{prefix}){_KEY_CHARACTER}+", rf"(?:{prefix}){_KEY_CHARACTER}{{8,}}"
    # Looked for only where its first characters may stand, S or W before K or H: five times as fast, and more where a
    # text is full of them.
    start = rf"s[k%\\]|w[h%\\]|{_PERCENT}(?:[57][37]|5c)|\\{{1,8}}(?:u00[57][37]|%)"
    return re.compile(rf"(?=[sw%\\])(?={start})(?:{bare}|{inside})[+/=]*", re.IGNORECASE)


class Redactor:
    """Hides API keys and webhook secrets by their form, and given secrets (the control token) by their text."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        for secret in secrets:
            self._secrets |= {secret} - {""}
        marks = [*_KEY_MARKS, *(mark for secret in self._secrets for mark in _base64_marks(secret[:_ENOUGH]))]
        self._base64 = re.compile("|".join(map(re.escape, marks)))
        # Longest first: one secret may begin as another does.
        self._known = [_secret_pattern(secret) for secret in sorted(self._secrets, key=len, reverse=True)]
        # Up to the first character that may be spelled in another way without a mark of its own.
        starts = {secret[:1].lower() + re.split(r"[\W_]", secret[1:_ENOUGH].lower())[0] for secret in self._secrets}
        self._marks = ("sk_", "whsec", "%", "\\", *starts, *{mark.lower() for mark in marks})

    def redact_text(self, text: str) -> str:
        """Return a text with every secret in it hidden: a key keeps its last four characters."""
        if not self._may_hold_secret(text):
            return text
        for known in self._known:
            text = known.sub(lambda match: self._hidden(match.group()), text)
        pieces = (piece.group() for piece in _PIECES.finditer(self._without_base64(text)))
        return "".join(_key_pattern().sub(self._key, piece) for piece in pieces)

    def redact_header(self, name: str, value: str) -> str:
        """Return a header's value without its secrets: whole credentials, the values of cookies, keys elsewhere."""
        lowered = name.lower()
        if lowered in _CREDENTIALS:
            return self._credentials(value)
        if lowered == "cookie":
            return "; ".join(self._cookie(pair) for pair in value.split(";"))
        if lowered == "set-cookie":
            pair, *attributes = value.split(";")
            return self.redact_text(";".join([self._cookie(pair), *attributes]))
        return self.redact_text(value)

    def may_redact(self, written: bytes) -> bool:
        """Say whether there may be a secret in a JSON text: far quicker than to look at each value."""
        return self._may_hold_secret(written.decode("utf-8", "replace"))

    def redact_json(self, value: Any) -> Any:
        """Return a JSON value with the secrets in all its texts hidden, names included."""
        if isinstance(value, str):
            return self.redact_text(value)
        if isinstance(value, dict):
            return {self.redact_text(name): self.redact_json(child) for name, child in value.items()}
        if isinstance(value, list):
            return [self.redact_json(child) for child in value]
        return value

    def pseudonymizer(self, kept: Iterable[str]) -> Pseudonymizer:
        """Return a redactor that puts the same well-formed pseudonym for the same secret, and keeps the keys `kept`."""
        return Pseudonymizer(self._secrets, kept)

    def _may_hold_secret(self, text: str) -> bool:
        lowered = text.lower()
        return any(mark in lowered for mark in self._marks)

    def _credentials(self, value: str) -> str:
        scheme, space, token = value.partition(" ")
        if scheme.lower() not in _SCHEMES:
            scheme, space, token = "", "", value
        key = _key_pattern().fullmatch(token)
        return scheme + space + (self._key(key) if key else self._opaque(token))

    def _cookie(self, pair: str) -> str:
        name, equals, value = pair.strip().partition("=")
        return f"{self.redact_text(name)}={self._hidden(value)}" if equals else self._hidden(name)

    def _without_base64(self, text: str) -> str:
        """Hide each text in base64 from where a secret begins in it to its end."""
        written, done = "", 0
        for mark in self._base64.finditer(text):
            if mark.start() < done:
                continue
            rest = _BASE64_REST.match(text, mark.end())
            end = rest.end() if rest else mark.end()
            written += text[done : mark.start()] + self._hidden(text[mark.start() : end])
            done = end
        return written + text[done:]

    def _key(self, match: re.Match[str]) -> str:
        key = _decoded(match.group())
        kind = key[: key.index("_") + 1]
        return f"{kind}…{key[-4:]}" if len(key) > MAX_HIDDEN_WHOLE else f"{kind}…"

    def _opaque(self, secret: str) -> str:
        """Hide a secret that has no form of its own but for its last four characters."""
        return f"…{secret[-4:]}" if len(secret) > MAX_HIDDEN_WHOLE else "…"

    def _hidden(self, secret: str) -> str:  # noqa: ARG002 - a pseudonym depends on it
        return "…"


class Pseudonymizer(Redactor):
    """Replaces secrets by pseudonyms that a client can use in their place, so that a replay can repeat the requests."""

    def __init__(self, secrets: Iterable[str], kept: Iterable[str]) -> None:
        super().__init__(secrets)
        self._pseudonyms: dict[str, str] = {key: key for key in kept}

    def _key(self, match: re.Match[str]) -> str:
        key = _decoded(match.group())
        prefix = _WELL_FORMED.match(key)
        return self._pseudonym(key, prefix.group() if prefix else "")

    def _opaque(self, secret: str) -> str:
        return self._pseudonym(secret)

    def _hidden(self, secret: str) -> str:
        return self._pseudonym(secret)

    def _pseudonym(self, secret: str, prefix: str = "") -> str:
        return self._pseudonyms.setdefault(secret, f"{prefix}stand_in_{len(self._pseudonyms)}")


def _secret_pattern(secret: str) -> re.Pattern[str]:
    """Return a pattern for a secret in any spelling, whole or cut off after enough of it."""
    optional = "".join(f"(?:{_spelled(character)}" for character in secret[_ENOUGH:])
    return re.compile(_spelled(secret[:_ENOUGH]) + optional + ")?" * len(secret[_ENOUGH:]), re.IGNORECASE)


def _decoded(text: str) -> str:
    """Return a key without the encoding of its characters."""
    unnested = _ENCODED_BACKSLASH.sub(r"\\", _NESTED_PERCENT.sub("%", text))
    return unquote_to_bytes(_ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), unnested)).decode(
        "utf-8", "replace"
    )


def escape(text: str) -> str:
    """Return a client's text with all that could fool a terminal (control, bidi, separators) spelled out."""
    return text if text.isprintable() else "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
