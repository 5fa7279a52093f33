"""One answer of a server, whoever brought it: the client of an application of this process, or a raw connection."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.support.sse import Event, parse


@dataclass
class Answer:
    """What came back, and whether the server said that this was all of it."""

    status_code: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    chunks: list[bytes] = field(default_factory=list)
    is_complete: bool = False

    @property
    def content(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def text(self) -> str:
        return self.content.decode()

    @property
    def events(self) -> list[Event]:
        return parse(self.content)

    def json(self) -> Any:
        return json.loads(self.content)
