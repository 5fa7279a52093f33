"""An app's whole state as one JSON document: serialize it, parse it or refuse it (docs/control.md, Snapshots).

Documents that are parsed have passed `schemas/control/snapshot.json`; what no schema can say is checked here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orjson import Fragment

from sandbox.apps.records import Conversation, Item
from sandbox.apps.rule_queue import QueuedRule, QueueState
from sandbox.apps.snapshot import AppSnapshot
from sandbox.clock import unix_time
from sandbox.contract import Contract, Document, Validator, decode, encode
from sandbox.contract.explain import shorten
from sandbox.errors import InvalidRequest
from sandbox.redaction import Redactor
from sandbox.rng import SeedScope

VERSION = 1
# As deep as a body of the API may be nested, and what lies above it in a snapshot.
MAX_DEPTH = 110

# The counters of the store, and what a snapshot calls them.
_COUNTERS: Mapping[str, str] = {"conversation": "conversations", "completion": "completions", "populate": "populations"}
_QUEUES = ("faults", "replies")
_RULE_FIELDS = ("id", "times", "skip", "probability", "used", "drawn", "fields")
# What the API shows of a conversation, beside its titles.
_PUBLIC_FIELDS = ("id", "created_at", "external_user_id", "title", "metadata")


def serialize_snapshot(snapshot: AppSnapshot, redactor: Redactor | None = None) -> Iterator[bytes]:
    """Yield the document, a conversation at a time; a `redactor` redacts every secret in it."""
    head = _serialize_head(snapshot)
    yield encode(redactor.redact_json(head) if redactor else head)[:-1] + b',"conversations":['
    for index, conversation in enumerate(snapshot.conversations):
        encoded = encode(_serialize_conversation(conversation, snapshot.items_of(conversation)))
        if redactor and redactor.may_redact(encoded):
            encoded = encode(redactor.redact_json(decode(encoded, MAX_DEPTH).exact))
        yield (b"," if index else b"") + encoded
    yield b"]}"


def parse_snapshot(document: Document, contract: Contract, settings_schema: Validator) -> AppSnapshot:
    """Return the app that a document describes; its conversations keep the API's contract, its settings their schema.

    Raises:
        InvalidRequest: it contradicts itself or the contract; the message names the place.
    """
    value, exact = document.value, document.exact
    settings = Document(b"", _disable_webhooks(value["settings"]), _disable_webhooks(exact["settings"]))
    _validate("settings", settings_schema, settings)
    counters, origin = value["counters"], SeedScope(**value["origin"])
    conversation_schema, item_schema = contract.schema("Conversation"), contract.schema("ConversationItem")
    conversations: list[Conversation] = []
    items: dict[int, Sequence[Item]] = {}
    for index, (row, exact_row) in enumerate(zip(value["conversations"], exact["conversations"], strict=True)):
        place = f"conversations[{index}]"
        conversation = _parse_conversation(place, row, exact_row, conversation_schema)
        _check_identity(place, conversation, conversations, origin)
        conversations.append(conversation)
        if row["items"]:
            items[conversation.number] = tuple(_parse_items(place, row["items"], exact_row["items"], item_schema))
    last = conversations[-1].number if conversations else 0
    _check_counter("counters.conversations", counters["conversations"], last, "conversations")
    return AppSnapshot(
        origin=origin,
        settings=settings.exact,
        clock=None if value["clock"] is None else unix_time(value["clock"]),
        counters=_parse_counters(counters),
        rate_windows=_parse_rate_windows(value["rate_windows"]),
        records={conversation.number: conversation for conversation in conversations},
        items=items,
        faults=_parse_queue("faults", exact),
        replies=_parse_queue("replies", exact),
        scenario=value.get("scenario"),
    )


def _serialize_head(snapshot: AppSnapshot) -> dict[str, Any]:
    counters = dict.fromkeys(_COUNTERS.values(), 0)
    counters |= {_COUNTERS.get(name, name): count for name, count in snapshot.counters.items()}
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
        "faults": _serialize_queue(snapshot.faults),
        "replies": _serialize_queue(snapshot.replies),
        **({"scenario": snapshot.scenario} if snapshot.scenario is not None else {}),
    }


def _serialize_queue(queue: QueueState) -> list[dict[str, Any]]:
    return [{name: getattr(rule, name) for name in _RULE_FIELDS} for rule in queue.rules]


def _serialize_conversation(conversation: Conversation, items: Sequence[Item]) -> dict[str, Any]:
    titles = conversation.generated_title
    return {
        "id": conversation.id,
        "number": conversation.number,
        "created_at": conversation.created_at,
        "external_user_id": conversation.external_user_id,
        "title": conversation.title,
        "generated_title": {"en-ca": titles[0], "fr-ca": titles[1]} if titles else None,
        "metadata": None if conversation.metadata is None else Fragment(conversation.metadata),
        "deleted": conversation.deleted,
        **({"provisional": True} if conversation.provisional else {}),
        **({"ledger": Fragment(conversation.ledger)} if conversation.ledger else {}),
        "items": [Fragment(item.json) for item in items],
    }


def _parse_conversation(place: str, row: Any, exact_row: Any, schema: Validator) -> Conversation:
    titles = row["generated_title"]
    public = {name: row[name] for name in _PUBLIC_FIELDS}
    encoded = encode({**public, "metadata": exact_row["metadata"]})
    _validate(place, schema, Document(encoded, {**public, "generated_title": titles}))
    return Conversation(
        id=row["id"],
        number=row["number"],
        created_at=row["created_at"],
        external_user_id=row["external_user_id"],
        title=row["title"],
        generated_title=(titles["en-ca"], titles["fr-ca"]) if titles else None,
        metadata=None if row["metadata"] is None else encode(exact_row["metadata"]),
        deleted=row["deleted"],
        provisional=row.get("provisional", False),
        ledger=encode(row["ledger"]) if "ledger" in row else None,
    )


def _check_identity(place: str, conversation: Conversation, before: Sequence[Conversation], origin: SeedScope) -> None:
    """Refuse a conversation whose number doesn't follow those before it, or doesn't make its id."""
    if before and conversation.number <= before[-1].number:
        expected = f"more than {before[-1].number}, the number before it"
        raise _invalid(f"{place}.number", expected, conversation.number, "out_of_range")
    own_id = origin.entropy().uuid("conversation", conversation.number)
    if conversation.id != own_id:
        expected = f"{own_id}, the id that `origin` and its number make"
        raise _invalid(f"{place}.id", expected, conversation.id, "not_allowed")


def _parse_items(place: str, rows: Sequence[Any], exact_rows: Sequence[Any], schema: Validator) -> Iterator[Item]:
    ids: set[str] = set()
    for index, (row, exact_row) in enumerate(zip(rows, exact_rows, strict=True)):
        item_place, document = f"{place}.items[{index}]", Document(encode(exact_row), row, exact_row)
        _validate(item_place, schema, document)
        _add_unique(item_place, row["id"], ids)
        yield Item(row["role"], document.raw)


def _validate(place: str, schema: Validator, document: Document) -> None:
    """Refuse what could not be shown or set."""
    for violation in schema.validate(document):
        raise InvalidRequest(f"{place}.{violation}.", param=f"{place}.{violation.place}", code=violation.code)


def _disable_webhooks(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings whose webhooks are off: a file of somebody else's must not call out by itself.

    A secret that was redacted is none.
    """
    hooks = settings.get("webhooks")
    if not isinstance(hooks, list) or not all(isinstance(hook, dict) for hook in hooks):
        return dict(settings)
    return {**settings, "webhooks": [{**hook, "secret": _usable_secret(hook), "enabled": False} for hook in hooks]}


def _usable_secret(hook: Mapping[str, Any]) -> Any:
    secret = hook.get("secret")
    return None if isinstance(secret, str) and "…" in secret else secret


def _parse_counters(counters: Mapping[str, int]) -> dict[str, int]:
    """Return the store's counters, those that have no other name in a snapshot too."""
    store_names = {name: store_name for store_name, name in _COUNTERS.items()}
    return {store_names.get(name, name): count for name, count in counters.items() if count and name not in _QUEUES}


def _parse_rate_windows(rows: Sequence[Mapping[str, int]]) -> dict[int, tuple[int, int]]:
    windows = {row["seconds"]: (row["start"], row["count"]) for row in rows}
    if len(windows) < len(rows):
        raise InvalidRequest("rate_windows: expected one of each length.", param="rate_windows", code="repeated")
    return windows


def _parse_queue(name: str, value: Mapping[str, Any]) -> QueueState:
    rules = tuple(QueuedRule(**row) for row in value[name])
    ids: set[str] = set()
    for index, rule in enumerate(rules):
        _add_unique(f"{name}[{index}]", rule.id, ids)
    _check_counter(f"counters.{name}", value["counters"][name], len(rules), name)
    return QueueState(value["counters"][name], rules)


def _add_unique(place: str, row_id: str, ids: set[str]) -> None:
    if row_id in ids:
        raise _invalid(f"{place}.id", "an id of its own", row_id, "repeated")
    ids.add(row_id)


def _check_counter(place: str, counter: int, existing: int, what: str) -> None:
    """Refuse a counter that would give out again what exists."""
    if counter < existing:
        raise _invalid(place, f"at least {existing:,}, as many {what} as were ever made", counter, "out_of_range")


def _invalid(place: str, expected: str, got: object, code: str) -> InvalidRequest:
    return InvalidRequest(f"{place}: expected {expected}, got {shorten(str(got), 60)}.", param=place, code=code)
