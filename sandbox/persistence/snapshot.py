"""An app's whole state as one JSON document, written in pieces (docs/control.md, Apps: snapshot)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orjson import Fragment

from sandbox.apps.records import Conversation, Item
from sandbox.apps.rule_queue import QueuedRule
from sandbox.apps.snapshot import AppSnapshot
from sandbox.contract import decode, encode
from sandbox.redaction import Redactor

VERSION = 1
# As deep as a body of the API may be nested, and what lies above it in a snapshot.
MAX_DEPTH = 110

# The counters of the store, and what a snapshot calls them.
COUNTERS: Mapping[str, str] = {
    "conversation": "conversations",
    "completion": "completions",
    "populate": "populations",
}
QUEUES = ("faults", "replies")


def pieces(snapshot: AppSnapshot, redactor: Redactor | None = None) -> Iterator[bytes]:
    """Yield the document, a conversation at a time; a `redactor` hides every secret in it."""
    head = _head(snapshot)
    yield encode(redactor.redact_json(head) if redactor else head)[:-1] + b',"conversations":['
    for index, conversation in enumerate(snapshot.conversations):
        written = encode(_conversation(conversation, snapshot.items_of(conversation)))
        yield (b"," if index else b"") + (
            _redacted(written, redactor) if redactor and redactor.may_redact(written) else written
        )
    yield b"]}"


def _head(snapshot: AppSnapshot) -> dict[str, Any]:
    counters = dict.fromkeys(COUNTERS.values(), 0)
    counters |= {COUNTERS.get(name, name): count for name, count in snapshot.counters.items()}
    return {
        "object": "snapshot",
        "version": VERSION,
        "origin": snapshot.origin._asdict(),
        "settings": snapshot.settings,
        "clock": snapshot.clock,
        "counters": {**counters, "faults": snapshot.faults.queued, "replies": snapshot.replies.queued},
        "rate_windows": [
            {"seconds": length, "start": start, "count": count}
            for length, (start, count) in sorted(snapshot.rate_windows.items())
        ],
        "faults": [_rule(rule) for rule in snapshot.faults.rules],
        "replies": [_rule(rule) for rule in snapshot.replies.rules],
    }


def _rule(rule: QueuedRule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "times": rule.times,
        "skip": rule.skip,
        "probability": rule.probability,
        "used": rule.used,
        "drawn": rule.drawn,
        "fields": rule.fields,
    }


def _conversation(conversation: Conversation, items: Any) -> dict[str, Any]:
    pair = conversation.generated_title
    return {
        "id": conversation.id,
        "number": conversation.number,
        "created_at": conversation.created_at,
        "external_user_id": conversation.external_user_id,
        "title": conversation.title,
        "generated_title": {"en-ca": pair[0], "fr-ca": pair[1]} if pair else None,
        "metadata": None if conversation.metadata is None else Fragment(conversation.metadata),
        "deleted": conversation.deleted,
        "items": [_item(item) for item in items],
    }


def _item(item: Item) -> Fragment:
    return Fragment(item.json)


def _redacted(written: bytes, redactor: Redactor) -> bytes:
    return encode(redactor.redact_json(decode(written, MAX_DEPTH).exact))
