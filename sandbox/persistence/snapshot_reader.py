"""Reads a snapshot whole or refuses it, and checks what no schema can say (docs/control.md, Snapshots).

Documents that come here have passed `schemas/control/snapshot.json`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from sandbox.apps.records import Conversation, Item
from sandbox.apps.rule_queue import QueuedRule, QueueState
from sandbox.apps.snapshot import AppSnapshot
from sandbox.clock import unix_time
from sandbox.contract import Contract, Document, Validator, encode
from sandbox.contract.explain import shorten
from sandbox.errors import InvalidRequest
from sandbox.persistence.snapshot import COUNTERS, QUEUES
from sandbox.rng import SeedScope


def read(document: Document, contract: Contract, settings: Validator) -> AppSnapshot:
    """Return the app that a document describes; its conversations keep the API's contract, its settings theirs.

    Raises:
        InvalidRequest: it contradicts itself or the contract; the message names the place.
    """
    value, exact = document.value, document.exact
    quiet = Document(b"", _silenced(value["settings"]), _silenced(exact["settings"]))
    _keep("settings", settings, quiet)
    counters, origin = value["counters"], SeedScope(**value["origin"])
    conversation_law, item_law = contract.schema("Conversation"), contract.schema("ConversationItem")
    conversations: list[Conversation] = []
    items: dict[int, Sequence[Item]] = {}
    for index, (plain, written) in enumerate(zip(value["conversations"], exact["conversations"], strict=True)):
        where = f"conversations[{index}]"
        conversation = _conversation(where, plain, written, conversation_law)
        _hold(where, conversation, conversations, origin)
        conversations.append(conversation)
        if plain["items"]:
            items[conversation.number] = tuple(_items(where, plain["items"], written["items"], item_law))
    last = conversations[-1].number if conversations else 0
    _at_least("counters.conversations", counters["conversations"], last, "conversations")
    return AppSnapshot(
        origin=origin,
        settings=quiet.exact,
        clock=None if value["clock"] is None else unix_time(value["clock"]),
        counters=_counted(counters),
        rate_windows=_windows(value["rate_windows"]),
        records={conversation.number: conversation for conversation in conversations},
        items=items,
        faults=_queue("faults", exact),
        replies=_queue("replies", exact),
    )


def _conversation(where: str, plain: Any, exact: Any, law: Validator) -> Conversation:
    pair = plain["generated_title"]
    shown = {name: plain[name] for name in ("id", "created_at", "external_user_id", "title", "metadata")}
    written = encode({**shown, "metadata": exact["metadata"]})
    _keep(where, law, Document(written, {**shown, "generated_title": pair}))
    return Conversation(
        id=plain["id"],
        number=plain["number"],
        created_at=plain["created_at"],
        external_user_id=plain["external_user_id"],
        title=plain["title"],
        generated_title=(pair["en-ca"], pair["fr-ca"]) if pair else None,
        metadata=None if plain["metadata"] is None else encode(exact["metadata"]),
        deleted=plain["deleted"],
    )


def _hold(where: str, conversation: Conversation, before: Sequence[Conversation], origin: SeedScope) -> None:
    """Hold a conversation against those before it: numbers ascend, and each makes the id."""
    if before and conversation.number <= before[-1].number:
        expected = f"more than {before[-1].number}, the number before it"
        raise _wrong(f"{where}.number", expected, conversation.number, "out_of_range")
    wanted = origin.entropy().uuid("conversation", conversation.number)
    if conversation.id != wanted:
        expected = f"{wanted}, the id that `origin` and its number make"
        raise _wrong(f"{where}.id", expected, conversation.id, "not_allowed")


def _items(where: str, plain: Sequence[Any], exact: Sequence[Any], law: Validator) -> Iterator[Item]:
    ids: set[str] = set()
    for index, item, written in zip(count(), plain, exact, strict=False):
        place, document = f"{where}.items[{index}]", Document(encode(written), item, written)
        _keep(place, law, document)
        if item["id"] in ids:
            raise _wrong(f"{place}.id", "an id of its own", item["id"], "repeated")
        ids.add(item["id"])
        yield Item(item["role"], document.raw)


def _keep(where: str, law: Validator, document: Document) -> None:
    """Refuse what could not be shown or set."""
    for fault in law.accept(document):
        raise InvalidRequest(f"{where}.{fault}.", param=f"{where}.{fault.place}", code=fault.code)


def _silenced(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings whose webhooks are off: a file of somebody else's must not call out by itself.

    A secret that was redacted is none.
    """
    hooks = settings.get("webhooks")
    if not isinstance(hooks, list) or not all(isinstance(hook, dict) for hook in hooks):
        return dict(settings)
    return {**settings, "webhooks": [{**hook, "secret": _unmasked(hook), "enabled": False} for hook in hooks]}


def _unmasked(hook: Mapping[str, Any]) -> Any:
    secret = hook.get("secret")
    return None if isinstance(secret, str) and "…" in secret else secret


def _counted(counters: Mapping[str, int]) -> dict[str, int]:
    """Return the store's counters, those that have no other name in a snapshot too."""
    own = {shown: name for name, shown in COUNTERS.items()}
    return {own.get(name, name): count for name, count in counters.items() if count and name not in QUEUES}


def _windows(rows: Sequence[Mapping[str, int]]) -> dict[int, tuple[int, int]]:
    windows = {row["seconds"]: (row["start"], row["count"]) for row in rows}
    if len(windows) < len(rows):
        raise InvalidRequest("rate_windows: expected one of each length.", param="rate_windows", code="repeated")
    return windows


def _queue(name: str, value: Mapping[str, Any]) -> QueueState:
    rules = tuple(QueuedRule(**row) for row in value[name])
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        if rule.id in seen:
            raise _wrong(f"{name}[{index}].id", "an id of its own", rule.id, "repeated")
        seen.add(rule.id)
    _at_least(f"counters.{name}", value["counters"][name], len(rules), name)
    return QueueState(value["counters"][name], rules)


def _at_least(place: str, counter: int, there: int, what: str) -> None:
    """Refuse a counter that would give out again what is there."""
    if counter < there:
        raise _wrong(place, f"at least {there:,}, as many {what} as were ever made", counter, "out_of_range")


def _wrong(place: str, expected: str, got: object, code: str) -> InvalidRequest:
    return InvalidRequest(f"{place}: expected {expected}, got {shorten(str(got), 60)}.", param=place, code=code)
