"""The rule about failures: a client that goes on as if a broken answer had been a good one has not noticed it.

Much of that can't be seen from here: what a client shows or throws never comes over the wire. What can be seen is the
use of an id that no good answer gave, and the next message that follows a broken answer without a look.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson

from sandbox.apps.journal import RequestRecord
from sandbox.control.verdict.evidence import CREATE, LISTS, SEND, any_between, conversation_of, in_short, next_of
from sandbox.control.verdict.findings import Finding, Seen

# What stands in a path where a program has filled in a value that isn't there.
NO_VALUE = frozenset({"undefined", "null", "None", "nil", "NaN", "[object Object]"})

_ID = re.compile(rb'"id"\s*:\s*"?([^",}\s]+)')
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def unnoticed_failures(seen: Seen) -> Iterator[Finding]:
    """Find broken answers that were taken for good ones."""
    yield from _used_ids(seen)
    yield from _next_messages(seen)


def _used_ids(seen: Seen) -> Iterator[Finding]:
    """Find calls to a conversation whose id can only be from a create that failed."""
    lists = [entry for entry in seen.entries if entry.operation in LISTS and entry.status == 200]
    failed: RequestRecord | None = None
    for entry in seen.entries:
        if entry.operation == CREATE:
            failed = None if _gave_id(entry) else entry
            continue
        used = conversation_of(entry, seen.operation(entry))
        if failed is None or used is None or any_between(lists, failed, entry):
            continue
        if used in NO_VALUE or used == _id_in(failed):
            yield Finding(f"{in_short(entry)}: goes on after a create that failed", [failed, entry])
            failed = None


def _next_messages(seen: Seen) -> Iterator[Finding]:
    """Find another message that follows at once where the answer to one was broken, and looked good by its status."""
    conversations: dict[str, list[RequestRecord]] = {}
    for entry in seen.entries:
        if used := conversation_of(entry, seen.operation(entry)):
            conversations.setdefault(used, []).append(entry)
    for calls in conversations.values():
        for entry in calls:
            following = next_of(calls, entry) if _looks_good_and_is_broken(entry) else None
            if following and following.operation == SEND and following.body != entry.body:
                said = "the next message was sent after a broken answer, without a look at the conversation"
                yield Finding(f"{in_short(entry)}: {said}", [entry, following])


def _looks_good_and_is_broken(entry: RequestRecord) -> bool:
    broken = entry.ended == "cut" or entry.fault in ("malformed", "wrong_type")
    return entry.operation == SEND and entry.status == 200 and broken


def _gave_id(entry: RequestRecord) -> bool:
    """Say whether a create was answered with an id that can be read."""
    try:
        answer = orjson.loads(b"".join(chunk for _, chunk in entry.chunks))
    except orjson.JSONDecodeError:
        return False
    given = answer.get("id") if isinstance(answer, dict) else None
    return entry.status == 200 and isinstance(given, str) and _UUID.fullmatch(given) is not None


def _id_in(entry: RequestRecord) -> str | None:
    """Return what whoever doesn't check an answer would take for its id."""
    found = _ID.search(b"".join(chunk for _, chunk in entry.chunks))
    return found[1].decode("utf-8", "replace") if found else None
