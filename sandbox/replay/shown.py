"""Keeps what a bundle says from commanding a terminal, or the CI that reads a log."""

from __future__ import annotations

import re

from sandbox.redaction import escape

# What GitHub's runner takes for a command: `::` at the beginning of a line (here of any word), `##[` anywhere.
_COMMAND = re.compile(r"(?:^|(?<=\s)):(?=:)|#(?=#\[)")
_LONGEST = 2_000


def shown(text: str) -> str:
    """Return a text as one line in which nothing can be taken for more than text."""
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return _COMMAND.sub(lambda found: f"\\u{ord(found[0]):04x}", escape(short))
