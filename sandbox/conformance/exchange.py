"""What is said and what comes back: one request as it goes over the wire, and its answer as it came."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sandbox.conformance.shown import piece

_BILLED = re.compile(r"POST .*/apps/[^/?]+/(conversations/[^/?]+|completions)(\?.*)?")
_CREATES = re.compile(r"POST .*/apps/[^/?]+/conversations(\?.*)?")
_SHOWN = 300
_KEPT = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the server is."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme] == self.port
        return f"{self.scheme}://{host}" + ("" if usual else f":{self.port}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it goes over the wire; `target` is path and query, encoded already."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    @property
    def is_billed(self) -> bool:
        """Whether a real server would have its agent answer it."""
        return _BILLED.fullmatch(str(self)) is not None

    @property
    def creates(self) -> bool:
        """Whether it asks for a new conversation."""
        return _CREATES.fullmatch(str(self)) is not None

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of one request.

    `status` is None where no answer came, and `trouble` says why. `is_whole` is false where the body stopped before the
    end that its framing promised, `is_late` true where it was broken off because its time was over. `turn` is its place
    among all answers of a run.
    """

    request: Request
    status: int | None
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    is_whole: bool = True
    is_late: bool = False
    trouble: str = ""
    turn: int = 0

    def header(self, name: str) -> str | None:
        """Return a header's value, or None; several are joined by commas."""
        values = [value for known, value in self.headers if known.lower() == name.lower()]
        return ", ".join(values) if values else None

    @property
    def media_type(self) -> str:
        """The type of the body, without parameters."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @property
    def is_good(self) -> bool:
        """Whether the status is of success."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def json(self) -> Any:
        """The body read as JSON; None where it isn't. Kept where it is short: values take many times their text."""
        return self._json if len(self.body) <= _KEPT else read_json(self.body)

    @cached_property
    def _json(self) -> Any:
        return read_json(self.body)

    @property
    def object(self) -> Mapping[str, Any]:
        """The body read as a JSON object; empty where it is none."""
        value = self.json
        return value if isinstance(value, dict) else {}

    @property
    def remembered(self) -> Answer:
        """What a finding may need of it later: the request, the status, the id of what was made."""
        one = self.object.get("id") if self.request.creates else None
        body = json.dumps({"id": one}).encode() if isinstance(one, str) else b""
        return Answer(request=self.request, status=self.status, body=body, turn=self.turn)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def summary(self) -> str:
        """What came, in a few words."""
        if self.status is None:
            return self.trouble
        short = self.text if len(self.text) <= _SHOWN else f"{piece(self.text, 0, _SHOWN)}… ({len(self.body):,} bytes)"
        return " ".join(f"{self.status} {self.reason} {self.trouble} {short}".split())


def read_json(raw: bytes) -> Any:
    """Read JSON in UTF-8, as deep as it may be; None where it isn't any."""
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
