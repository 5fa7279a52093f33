"""Verifies webhooks: what was signed with your secret, not too long ago, and not seen before. The standard library."""

from __future__ import annotations

import hmac
import json
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

TOLERANCE = 300
_SIGNATURE = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")
_REMEMBERED = 10_000


class Forged(Exception):
    """Not signed with our secret, or too long ago: answer 400, and believe nothing of it."""


class Receiver:
    """Takes the raw bytes of each webhook; `take` returns what has happened, or None for what is known already."""

    def __init__(self, secret: str, *, now: Callable[[], float] = time.time) -> None:
        self._secret = secret.encode()
        self._now = now
        self._seen: OrderedDict[str, None] = OrderedDict()

    def take(self, signature: str | None, body: bytes) -> dict[str, Any] | None:
        """Verify first, over the bytes as they came; only then read them."""
        found = _SIGNATURE.fullmatch(signature or "")
        if not found:
            raise Forged("no signature")
        expected = hmac.new(self._secret, found[1].encode() + b"." + body, "sha256").hexdigest()
        # In constant time: how long a comparison takes must not tell how much of it was right.
        if not hmac.compare_digest(expected, found[2]):
            raise Forged("not signed with our secret")
        if abs(self._now() - int(found[1])) > TOLERANCE:
            raise Forged("signed too long ago")
        event: dict[str, Any] = json.loads(body)
        if event["id"] in self._seen:
            return None
        self._seen[event["id"]] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return event
