"""What a client sent and what became of it: the queries that the rules are made of. Pure functions."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from sandbox.apps.request_record import RequestRecord
from sandbox.contract import Contract

CREATE = "apps_api_create_conversation"
SEND = "apps_api_send_message"
GET = "apps_api_get_conversation"
LISTS = ("apps_api_list_conversations", "apps_api_list_user_conversations")

# Seconds within which the server notices that a client has closed its connection.
DISCONNECT_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class ClientTraffic:
    """The requests to one app, in the order in which they came, and the contract."""

    records: Sequence[RequestRecord]
    contract: Contract

    def conversation_id(self, record: RequestRecord) -> str | None:
        """Return the id of the conversation that a request's path names."""
        operation = self.contract.operation(record.operation_id)
        if operation is None or "{conversation_id}" not in operation.segments:
            return None
        segments = record.path.decode("latin-1").split("/")[1:]
        return unquote(segments[operation.segments.index("{conversation_id}")])


def finished_at(record: RequestRecord) -> float:
    """Return when the client had its answer or left, in seconds of real time as `started`."""
    delay = DISCONNECT_SECONDS if record.ended == "client_gone" else 0.0
    return max(record.started, record.started + record.duration_ms / 1000 - delay)


def next_after(records: Sequence[RequestRecord], previous: RequestRecord) -> RequestRecord | None:
    """Return the first of the records (in order of `started`) that came once another one's answer was complete."""
    start = bisect_left(records, finished_at(previous), key=lambda record: record.started)
    return next((record for record in records[start:] if record is not previous), None)


def any_between(records: Sequence[RequestRecord], first: RequestRecord, last: RequestRecord) -> bool:
    """Say whether one of the records came after the answer to the first one and before the last one."""
    following = next_after(records, first)
    return following is not None and following.started < last.started


def group_identical(records: Iterable[RequestRecord]) -> list[list[RequestRecord]]:
    """Group the requests that are the same one sent again: the same method, path, query and body."""
    groups: dict[tuple[str, bytes, bytes, bytes], list[RequestRecord]] = {}
    for record in records:
        groups.setdefault((record.method, record.path, record.query, record.body), []).append(record)
    return list(groups.values())


def is_lost(record: RequestRecord) -> bool:
    """Say whether a client can't know from the answer what was done: none came, half of one, or one that misleads.

    One that breaks the contract in a place (the fault `contract`) can be read, and says that the work was done.
    """
    if record.fault == "after" or record.status is None or record.ended == "cut":
        return True
    if record.fault in ("malformed", "wrong_type"):
        return record.status == 200
    return record.fault == "stream_stall" and record.ended == "client_gone"


def method_and_path(record: RequestRecord) -> str:
    """Return method and path, as a sentence names a request."""
    path = record.path.decode("latin-1")
    return f"{record.method} {path[:200]}"
