"""One request and its answer, as the journal keeps them: in bytes, as they came and went."""

from __future__ import annotations

import marshal
from typing import Any, Literal, NamedTuple

RawHeaders = list[tuple[bytes, bytes]]
Ended = Literal["complete", "client_gone", "cut"]
ReplyStatus = Literal["completed", "failed"]


class RequestRecord(NamedTuple):
    """One request and its answer.

    `at` is when it came, in Unix seconds with a fraction; `seq` is its place among all requests, `started` when it came
    on a clock that never goes back, in seconds; `frozen_at` is where the app's time stood still then, None where it
    ran. `status` is None where no response was begun; `response_body` is one that was sent whole, `response_pieces`
    those of one that was not, each with the milliseconds since the request began; of a long one `omitted` bytes are not
    kept, an empty piece stands in their place.
    `ended` is None while the request is under way, `duration_ms` then how long it has been so; `reply_status` is what
    the client was told of the agent's reply, None where it was told nothing, or not to the end. `held_by` is the id of
    the fault that holds the request until it is released; `framing` has the names of a stream's framings, with commas,
    `warning` what went wrong with a model's text.
    """

    id: str
    app_id: str | None
    operation_id: str | None
    at: float
    seq: int
    started: float
    scheme: str
    method: str
    path: bytes
    query: bytes
    headers: RawHeaders
    body: bytes = b""
    status: int | None = None
    response_headers: RawHeaders = []  # noqa: RUF012 - never changed
    response_body: bytes = b""
    response_pieces: list[tuple[float, bytes]] = []  # noqa: RUF012 - never changed
    duration_ms: float = 0.0
    ended: Ended | None = "complete"
    fault: str | None = None
    violation: str | None = None
    frozen_at: float | None = None
    reply_status: ReplyStatus | None = None
    omitted: int = 0
    held_by: str | None = None
    framing: str = ""
    warning: str | None = None

    @property
    def chunks(self) -> list[tuple[float, bytes]]:
        """The pieces of the answer's body, each with the milliseconds since the request began."""
        return [(self.duration_ms, self.response_body)] if self.response_body else self.response_pieces

    @property
    def response_bytes(self) -> int:
        """How long the body of the answer was, whether all of it is kept or not."""
        return sum(len(chunk) for _, chunk in self.chunks) + self.omitted


def pack(fields: tuple[Any, ...]) -> bytes:
    """Return the fields of a record in one piece."""
    # Later formats of the same look for values that occur twice: work without a gain here.
    return marshal.dumps(fields, 2)


def unpack(packed: bytes) -> RequestRecord:
    """Return the record whose fields `pack` was given."""
    return RequestRecord._make(marshal.loads(packed))  # noqa: S302 - never leaves the process
