"""What one entry tells of the request and of what became of it. Pure functions."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

from sandbox.apps.journal import RequestRecord
from sandbox.contract import Operation
from sandbox.control.entries import content_type

CREATE = "apps_api_create_conversation"
SEND = "apps_api_send_message"
GET = "apps_api_get_conversation"
LISTS = ("apps_api_list_conversations", "apps_api_list_user_conversations")


# Seconds within which the server notices that a client has closed its connection.
NOTICED = 0.25


def over(entry: RequestRecord) -> float:
    """Return when the client had its answer or left, in seconds of real time as `began`."""
    late = NOTICED if entry.ended == "client_gone" else 0.0
    return max(entry.started, entry.started + entry.duration_ms / 1000 - late)


def next_of(entries: Sequence[RequestRecord], after: RequestRecord) -> RequestRecord | None:
    """Return the first of the entries (in order of `began`) that came once another one's answer was over."""
    place = bisect_left(entries, over(after), key=lambda entry: entry.started)
    return next((entry for entry in entries[place:] if entry is not after), None)


def any_between(entries: Sequence[RequestRecord], one: RequestRecord, other: RequestRecord) -> bool:
    """Say whether one of the entries came after the first one's answer and before the other one."""
    found = next_of(entries, one)
    return found is not None and found.started < other.started


def same_requests(entries: Iterable[RequestRecord]) -> list[list[RequestRecord]]:
    """Put together what is one request sent again: the same method, path, query and body."""
    groups: dict[tuple[str, bytes, bytes, bytes], list[RequestRecord]] = {}
    for entry in entries:
        groups.setdefault((entry.method, entry.path, entry.query, entry.body), []).append(entry)
    return list(groups.values())


def is_stream(entry: RequestRecord) -> bool:
    """Say whether the answer was a stream."""
    return content_type(entry).startswith("text/event-stream")


def conversation_of(entry: RequestRecord, operation: Operation | None) -> str | None:
    """Return the conversation that a path names."""
    if operation is None or "{conversation_id}" not in operation.segments:
        return None
    segments = entry.path.decode("latin-1").split("/")[1:]
    return unquote(segments[operation.segments.index("{conversation_id}")])


def is_lost(entry: RequestRecord) -> bool:
    """Say whether a client can't know from the answer what was done: none came, half of one, or one that misleads.

    One that breaks the contract in a place (the fault `contract`) can be read, and says that the work was done.
    """
    if entry.fault == "after" or entry.status is None or entry.ended == "cut":
        return True
    if entry.fault in ("malformed", "wrong_type"):
        return entry.status == 200
    return entry.fault == "stream_stall" and entry.ended == "client_gone"


def in_short(entry: RequestRecord) -> str:
    """Return method and path, as a sentence names a request."""
    path = entry.path.decode("latin-1")
    return f"{entry.method} {path[:200]}"
