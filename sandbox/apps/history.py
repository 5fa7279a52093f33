"""The state in which an app's journal began, and the control calls that changed the app since.

It lets a bundle say which state its first request met, and a replay repeat what was done between the requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.apps.limits import SharedUsage, Usage, json_size
from sandbox.apps.snapshot import AppSnapshot

# So many bytes of control calls are kept of all apps together; what comes then is counted as lost.
MAX_CALL_BYTES = 64 * 1024**2
CALL_BYTES = 500
# What a history costs beside its calls, and what a conversation costs in its baseline: the texts are those of the
# store, which keeps what was said for as long as the app is there.
HISTORY_BYTES, BASELINE_CONVERSATION_BYTES = 500, 300


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlCallRecord:
    """A call of the control API that changed an app: its seq among all requests, and the server's time."""

    seq: int
    at: int
    method: str
    path: str
    body: Any


class AppHistory:
    """What is known of an app since `seq`: the state it had then (None: it was fresh), and the calls that changed it.

    `requests` are those that it had had by then; `incomplete_reasons` are the reasons for which this is not all.
    """

    __slots__ = (
        "_bytes",
        "_call_bytes",
        "_call_usage",
        "_usage",
        "baseline",
        "calls",
        "incomplete_reasons",
        "requests",
        "seq",
    )

    def __init__(
        self,
        usage: Usage,
        call_usage: SharedUsage,
        baseline: AppSnapshot | None = None,
        *,
        seq: int = 0,
        requests: int = 0,
    ) -> None:
        self._usage = usage
        self._call_usage = call_usage
        self._call_bytes = 0
        self._bytes = HISTORY_BYTES + BASELINE_CONVERSATION_BYTES * len(baseline.records) if baseline else 0
        usage.grow(self._bytes)
        self.baseline = baseline
        self.seq = seq
        self.requests = requests
        self.calls: list[ControlCallRecord] = []
        self.incomplete_reasons: list[str] = []

    def add(self, call: ControlCallRecord) -> None:
        """Add a call that changed the app."""
        size = CALL_BYTES + json_size(call.body)
        if self._call_usage.bytes + size > self._call_usage.max_bytes:
            self.mark_incomplete("more control calls were made than are kept")
            return
        self.calls.append(call)
        self._call_bytes += size
        self._bytes += size
        self._call_usage.bytes += size
        self._usage.grow(size)

    def mark_incomplete(self, reason: str) -> None:
        """Note that something happened to the app which can't be repeated."""
        if reason not in self.incomplete_reasons:
            self.incomplete_reasons.append(reason)

    def close(self) -> None:
        """Count it no more: another history takes its place."""
        self._call_usage.bytes -= self._call_bytes
        self._usage.grow(-self._bytes)
        self._call_bytes = self._bytes = 0
