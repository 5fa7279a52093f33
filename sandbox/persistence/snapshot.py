"""An app's whole state as one JSON document, written in pieces (CONTROL.md, Apps: snapshot)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orjson import Fragment

from sandbox.app_settings import AppSettings
from sandbox.apps.image import WorldImage
from sandbox.apps.records import Conversation, Item
from sandbox.apps.rule_queue import Backlog, Waiting
from sandbox.contract import decode, encode
from sandbox.redaction import Masker

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One app: what the store keeps, what waits in its queues, and its settings as a JSON document."""

    world: WorldImage
    settings: Mapping[str, Any]
    faults: Backlog = field(default_factory=Backlog)
    replies: Backlog = field(default_factory=Backlog)


def pieces(snapshot: Snapshot, masker: Masker | None = None) -> Iterator[bytes]:
    """Yield the document, a conversation at a time; a `masker` hides every secret in it."""
    head = _head(snapshot)
    yield encode(masker.value(head) if masker else head)[:-1] + b',"conversations":['
    for index, conversation in enumerate(snapshot.world.conversations):
        written = encode(_conversation(conversation, snapshot.world.items_of(conversation)))
        yield (b"," if index else b"") + (_masked(written, masker) if masker and masker.finds(written) else written)
    yield b"]}"


def whole_settings(settings: AppSettings | None) -> dict[str, Any]:
    """Return settings as a JSON document; a setting that is none is left out."""
    document: dict[str, Any] = plain(settings or AppSettings(), keep_none=False)
    return document


def changes_from(base: AppSettings, settings: AppSettings) -> dict[str, Any]:
    """Return what has to be set over `base` to have `settings`."""
    whole = plain(settings)
    return {name: value for name, value in whole.items() if getattr(base, name) != getattr(settings, name)}


def plain(value: Any, *, keep_none: bool = True) -> Any:
    """Return what settings hold as JSON would."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {
            name: plain(child, keep_none=keep_none) for name, child in value.items() if keep_none or child is not None
        }
    if isinstance(value, list | tuple):
        return [plain(child, keep_none=keep_none) for child in value]
    return sorted(value) if isinstance(value, frozenset) else value


def _head(snapshot: Snapshot) -> dict[str, Any]:
    world = snapshot.world
    counted = dict.fromkeys(COUNTERS.values(), 0)
    counted |= {COUNTERS.get(name, name): count for name, count in world.counters.items()}
    return {
        "object": "snapshot",
        "version": VERSION,
        "origin": world.origin._asdict(),
        "settings": snapshot.settings,
        "clock": world.clock,
        "counters": {**counted, "faults": snapshot.faults.given, "replies": snapshot.replies.given},
        "rate_windows": [
            {"seconds": length, "start": start, "count": count}
            for length, (start, count) in sorted(world.windows.items())
        ],
        "faults": [_waiting(waiting) for waiting in snapshot.faults.waiting],
        "replies": [_waiting(waiting) for waiting in snapshot.replies.waiting],
    }


def _waiting(waiting: Waiting) -> dict[str, Any]:
    return {
        "id": waiting.id,
        "times": waiting.times,
        "skip": waiting.skip,
        "probability": waiting.probability,
        "used": waiting.used,
        "drawn": waiting.drawn,
        "fields": waiting.fields,
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


def _masked(written: bytes, masker: Masker) -> bytes:
    return encode(masker.value(decode(written, MAX_DEPTH).exact))
