"""What must be done to a text before it is shown: hide secrets, and spell out what could fool a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from json import dumps
from typing import Any

_PREFIX = re.compile(r"sk_(?:live|test)_|[a-z]+_")
_KEY = re.compile(r"\bsk_(?:live|test)_[A-Za-z0-9_-]+")


class Masker:
    """Hides API keys, and the secrets that it was told of (the control token, webhook secrets)."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """Hide this text too from now on."""
        if secret:
            self._secrets.add(secret)

    def text(self, text: str) -> str:
        """Return a text with every secret in it hidden: a key keeps its last four characters."""
        for secret in tuple(self._secrets):
            if secret in text:
                text = text.replace(secret, "…")
        return _KEY.sub(self._key, text) if "sk_" in text else text

    def finds(self, written: bytes) -> bool:
        """Say whether there may be something to hide in a JSON text: far quicker than to look at each value."""
        secrets = tuple(self._secrets)
        escaped = (dumps(secret, ensure_ascii=False)[1:-1].encode() for secret in secrets)
        return any(mark in written for mark in (b"sk_", b"whsec_", *escaped))

    def value(self, value: Any) -> Any:
        """Return a JSON value with every text in it hidden, names too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(name): self.value(child) for name, child in value.items()}
        if isinstance(value, list):
            return [self.value(child) for child in value]
        return value

    def stand_ins(self, spared: Iterable[str]) -> StandIns:
        """Return what puts the same well-formed stand-in for the same key, but for keys that are no secret."""
        return StandIns(self._secrets, spared)

    def _key(self, match: re.Match[str]) -> str:
        key = match.group()
        return f"sk_…{key[-4:]}" if len(key) > len("sk_test_") + 4 else "sk_…"


class StandIns(Masker):
    """Hides keys behind others that can be used in their place, so that what was done with them can be done again."""

    def __init__(self, secrets: Iterable[str], spared: Iterable[str]) -> None:
        super().__init__(secrets)
        self._known: dict[str, str] = {key: key for key in spared}

    def _key(self, match: re.Match[str]) -> str:
        key = match.group()
        prefix = _PREFIX.match(key)
        return self._known.setdefault(key, f"{prefix.group() if prefix else ''}stand_in_{len(self._known)}")


def escape(text: str) -> str:
    """Return a client's text with all that could fool a terminal (control, bidi, separators) spelled out."""
    return text if text.isprintable() else "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
