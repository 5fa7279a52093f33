"""The suite's session with one server: it keeps what was promised to the server's owner, and remembers the answers.

A 429 is waited out, requests keep their distance, and no more messages and completions are sent than were allowed. A
server that has gone silent is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sandbox.conformance.http_messages import ApiRequest, ApiResponse, ServerOrigin
from sandbox.conformance.transport import Connector, Deadline

_DELETED = re.compile(r"DELETE .*/apps/[^/?]+/conversations/([^/?]+)(?:\?.*)?")
_READING = ("GET", "HEAD", "OPTIONS")
_MAX_LATE = 3
# Few answers of a server that conforms are long; read as JSON they take many times their bytes.
_LONG_BYTES, _MAX_LONG_TOTAL = 256 * 1024, 12 * 1024 * 1024
# What is waited after a 429 that doesn't say how long, in seconds.
_DEFAULT_WAIT = 5.0


class RunStopped(Exception):
    """The run can't go on; the text says why."""


class BudgetExceeded(Exception):
    """As many messages and completions were sent as were allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """What the client promises. Times are in seconds; `rate` is the most requests a second, 0 for any number."""

    connect: float = 5
    whole: float = 30
    max_messages: int | None = None
    max_wait: float = 60
    rate: float = 0
    writes: bool = True


@dataclass(slots=True)
class SessionTotals:
    """What the client has done so far; `waited` is in seconds."""

    requests: int = 0
    messages: int = 0
    waited: float = 0
    left: dict[str, str] = field(default_factory=dict)
    """Conversations that were created and not deleted: their id, and the path of their app."""

    def count(self, answer: ApiResponse) -> None:
        """Count what a request has come to."""
        request = answer.request
        refused = answer.status is not None and 400 <= answer.status < 500
        if request.is_billed and not refused:
            self.messages += 1
        deleted = _DELETED.fullmatch(str(request)) if answer.is_good else None
        if answer.created_id:
            self.left[answer.created_id] = request.target.partition("?")[0].removesuffix("/conversations")
        elif deleted:
            self.left.pop(deleted[1], None)


class Session:
    """Talks to one server."""

    def __init__(self, origin: ServerOrigin, limits: SessionLimits, deadline: Deadline | None = None) -> None:
        self.origin = origin
        self.limits = limits
        self.totals = SessionTotals()
        self.answers: list[ApiResponse] = []
        self.on_response: Callable[[ApiResponse], None] = lambda _: None
        self._deadline = deadline or Deadline()
        self.connector = Connector(origin, connect=limits.connect, whole=limits.whole, deadline=self._deadline)
        self._late_in_a_row = 0
        self._long = 0

    def send(self, request: ApiRequest, *, patient: bool = True, remember: bool = True) -> ApiResponse:
        """Send a request and return what came; a patient one is sent again after a 429.

        Raises:
            RunStopped: the deadline has passed, a 429 asks to wait for too long, the server doesn't answer any more, or
                its answers are long again and again.
            BudgetExceeded: one message more than was allowed.
        """
        self._permit(request)
        answer = self._once(request)
        while patient and answer.status == 429:
            self._wait_out(answer)
            answer = self._once(request)
        self.totals.count(answer)
        self.on_response(answer)
        if remember:
            self.answers.append(answer.remembered)
        return answer

    def _permit(self, request: ApiRequest) -> None:
        if not self.limits.writes and request.method not in _READING:
            raise BudgetExceeded(f"nothing may be written, and {request.method} might")
        maximum = self.limits.max_messages
        if request.is_billed and maximum is not None and self.totals.messages >= maximum:
            raise BudgetExceeded(f"all {maximum} messages and completions that were allowed are sent")

    def _wait_out(self, answer: ApiResponse) -> None:
        value = answer.header("retry-after") or ""
        seconds = float(value) if value.isdecimal() and len(value) < 6 else _DEFAULT_WAIT
        if self.totals.waited + seconds > self.limits.max_wait:
            raise RunStopped(
                f"the server says 429, retry after {seconds:.0f} s; {self.totals.waited:.0f} s of "
                f"at most {self.limits.max_wait:.0f} s were waited already"
            )
        self.totals.waited += seconds
        self._deadline.wait(seconds)

    def _once(self, request: ApiRequest) -> ApiResponse:
        if self._late_in_a_row >= _MAX_LATE:
            raise RunStopped(f"{_MAX_LATE} requests in a row had no end within {self.limits.whole:.0f} s each")
        if self._long > _MAX_LONG_TOTAL:
            raise RunStopped(
                f"answers of more than {_LONG_BYTES:,} bytes came to more than {_MAX_LONG_TOTAL:,} bytes in all"
            )
        if self.limits.rate:
            self._deadline.wait(1 / self.limits.rate)
        self._check_time()
        self.totals.requests += 1
        answer = replace(self.connector.exchange(request), turn=self.totals.requests)
        # What it broke off is not the server's doing.
        self._check_time()
        self._late_in_a_row = self._late_in_a_row + 1 if answer.is_late else 0
        self._long += len(answer.body) if len(answer.body) > _LONG_BYTES else 0
        return answer

    def _check_time(self) -> None:
        if self._deadline.has_passed:
            raise RunStopped(f"the {self._deadline.seconds:.0f} s of --deadline are over")
