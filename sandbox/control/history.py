"""How an app came to be as it is: where its journal begins, and the control calls that changed it since.

It lets a bundle say which state its first request met, and a replay repeat what was done between the requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from sandbox.contract import Operation, encode
from sandbox.persistence.snapshot import Snapshot

# So much is kept of all apps together; what comes then is counted as lost.
MOST_BYTES = 64 * 1024**2
CALL_BYTES = 500
# What a past costs beside its calls, and what a conversation costs in its baseline: the texts are those of the store,
# which keeps what was said for as long as the app is there.
PAST_BYTES, RECORD_BYTES = 500, 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A call of the control API that changed an app: its turn among all requests, and the server's time."""

    turn: int
    at: int
    method: str
    path: str
    body: Any


@dataclass(slots=True, kw_only=True)
class Past:
    """What is known of an app since `turn`: the state it had then (None: it was fresh), and what was done to it.

    `requests` are those that it had had by then; `lost` are the reasons for which this is not all.
    """

    turn: int = 0
    requests: int = 0
    baseline: Snapshot | None = None
    calls: list[Done] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    size: int = 0
    calls_size: int = 0


class History:
    """The pasts of all apps; an app that is not in it is as fresh as its first use."""

    def __init__(self) -> None:
        self._pasts: dict[str, Past] = {}
        self._calls_size = 0
        # About how many bytes all of it takes.
        self.size = 0

    def of(self, app_id: str) -> Past:
        """Return what is known of an app."""
        return self._pasts.get(app_id) or Past()

    def begin(self, app_id: str, baseline: Snapshot, *, turn: int, requests: int = 0) -> None:
        """Begin with the state that an app has now."""
        self.forget(app_id)
        size = RECORD_BYTES * len(baseline.world.records)
        self._keep(app_id, Past(turn=turn, requests=requests, baseline=baseline, size=size))

    def note(self, app_id: str, done: Done) -> None:
        """Keep what was done to an app."""
        past = self._past(app_id)
        size = CALL_BYTES + len(encode(done.body))
        if self._calls_size + size > MOST_BYTES:
            self.spoil(app_id, "more control calls were made than are kept")
            return
        past.calls.append(done)
        past.calls_size += size
        self._calls_size += size
        self.size += size

    def spoil(self, app_id: str, reason: str) -> None:
        """Note that something happened to an app which can't be repeated."""
        past = self._past(app_id)
        if reason not in past.lost:
            past.lost.append(reason)

    def forget(self, app_id: str) -> None:
        """Let an app begin afresh."""
        if past := self._pasts.pop(app_id, None):
            self._calls_size -= past.calls_size
            self.size -= PAST_BYTES + past.size + past.calls_size

    def forget_all(self) -> None:
        """Let every app begin afresh."""
        self._pasts, self._calls_size, self.size = {}, 0, 0

    def _past(self, app_id: str) -> Past:
        return self._pasts.get(app_id) or self._keep(app_id, Past())

    def _keep(self, app_id: str, past: Past) -> Past:
        self._pasts[app_id] = past
        self.size += PAST_BYTES + past.size
        return past


def filled(operation: Operation, path: Mapping[str, str]) -> str:
    """Return an operation's path with its parameters."""
    segments = (path[s[1:-1]] if s.startswith("{") else s for s in operation.segments)
    return "".join("/" + quote(segment, safe="") for segment in segments)
