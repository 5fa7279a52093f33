"""Fills an app with realistic conversations, written by the same agent that answers requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import orjson

from sandbox.agent import demo, titles
from sandbox.agent.demo import Draft, Written
from sandbox.agent.dialogue import reply
from sandbox.agent.turn import Ledger
from sandbox.api.exchange import append_message, append_reply, item
from sandbox.api.persona import business_of
from sandbox.apps.app import App
from sandbox.apps.records import Conversation, Item, Role
from sandbox.apps.store import Gone
from sandbox.contract import encode
from sandbox.errors import NotFound
from sandbox.long_work import Slices
from sandbox.rng import Entropy


async def populate(
    app: App,
    *,
    conversations: int,
    messages: int | None = None,
    users: int = 10,
    external_user_id: str | None = None,
    some_deleted: bool = False,
) -> None:
    """Add that many conversations of the past 30 days, in slices that let other requests through.

    Args:
        app: the app to fill.
        conversations: how many.
        messages: how many messages each one has; None for as many as people write.
        users: over how many users they are spread.
        external_user_id: the one user to whom all of them belong; None: `users`.
        some_deleted: whether a few of them are deleted again, as people do.

    Raises:
        NotFound: the app was reset meanwhile.
    """
    filled = app.conversations
    drafts = demo.conversations(
        app.rng.at("populate", await app.next_number("populate")),
        now=app.clock.now(),
        business_name=business_of(app, app.settings),
        conversations=conversations,
        messages=messages,
        users=users,
        user_id=external_user_id,
    )
    slices, newest = Slices(), 0
    for draft in drafts:
        await slices.yield_if_due()
        if app.conversations is not filled:
            raise _was_reset()
        try:
            newest = await _add(app, draft, after=newest, delete=some_deleted and draft.deleted)
        except Gone:
            raise _was_reset() from None


async def seed_demo(app: App) -> None:
    """Give the demo app the conversations that it begins with, spread over the past days."""
    rng = app.rng.at("populate", await app.next_number("populate"))
    written = list(demo.written())
    start, step = app.clock.now() - demo.DAYS * demo.DAY, demo.DAYS * demo.DAY // (len(written) + 1)
    for place, conversation in enumerate(written):
        at = start + step * (place + 1) - int(rng.random("start", place).random() * step * 0.7)
        await _add_written(app, conversation, at)


async def _add_written(app: App, written: Written, at: int) -> None:
    """Add a conversation that was written by hand, its lines some seconds apart."""
    pair = (written.title.en, written.title.fr) if written.titled else None

    def make(number: int) -> Conversation:
        return _record(app, number, at, written.user_id, None, pair, written.metadata)

    conversation = await app.conversations.create(make)
    rng, parts = app.rng.at("conversation", conversation.number), list[dict[str, Any]]()
    for mark, text in written.lines:
        at += 4 if mark != ">" else 45
        if mark == "!":
            parts.append(_call_part(rng, text))
            continue
        parts.append({"type": "text", "text": text})
        said, parts = parts, []
        if mark == ">":
            message: Callable[[int, int], Item] = partial(_item, rng, "user", at, said)
            await app.conversations.append_message(conversation.id, message)
        else:
            await app.conversations.append_reply(conversation.id, partial(_item, rng, "assistant", at, said, None))


def _item(rng: Entropy, role: Role, at: int, parts: list[dict[str, Any]], _: int | None, position: int) -> Item:
    return item(rng, position, role, at, parts)


def _call_part(rng: Entropy, text: str) -> dict[str, Any]:
    """Return the part of a tool's call: its name and arguments as they are written."""
    name, _, arguments = text.partition(" ")
    return {
        "type": "tool-call",
        "toolCallId": "call_" + rng.hex(24, "call", text),
        "toolName": name,
        "input": orjson.loads(arguments or "{}"),
        "output": {"status": "success"} if arguments else None,
    }


def _was_reset() -> NotFound:
    return NotFound("The app was reset while it was filled.", param="app_id")


async def _add(app: App, draft: Draft, *, after: int, delete: bool) -> int:
    """Add a conversation whose number is to be higher than `after`; return its number."""

    def make(number: int) -> Conversation:
        if number <= after:
            # Another server did it: this one has not heard of it yet.
            raise _was_reset()
        user_id = draft.user.id if draft.known else None
        pair = _title_pair(app, draft, number)
        return _record(app, number, draft.start.at, user_id, draft.title, pair, draft.metadata)

    conversation = await app.conversations.create(make)
    ledger = Ledger()
    for number, (at, answered_at) in enumerate(draft.times(app.clock.now()), 1):
        last = number == draft.start.exchanges
        text = draft.customer.writes(ledger, last=last and number > 1)
        before = await append_message(app, app.settings, conversation.id, text, at)
        if before and not (last and draft.start.unanswered):
            answer = reply(before.turn)
            await append_reply(app, before.conversation, before.turn, answer, answered_at)
            ledger = Ledger.from_json(answer.ledger)
    if delete:
        await app.conversations.delete(conversation.id)
    return conversation.number


def _record(
    app: App,
    number: int,
    at: int,
    user_id: str | None,
    title: str | None,
    pair: tuple[str, str] | None,
    metadata: Mapping[str, Any],
) -> Conversation:
    return Conversation(
        id=app.rng.uuid("conversation", number),
        number=number,
        created_at=at,
        external_user_id=user_id,
        title=title,
        generated_title=pair,
        metadata=encode(metadata) if metadata else None,
        provisional=pair is not None,
    )


def _title_pair(app: App, draft: Draft, number: int) -> tuple[str, str] | None:
    """Return the provisional title that a conversation has before its first exchange."""
    if app.settings.titles == "after_first_exchange":
        return None
    return titles.provisional(app.rng.at("conversation", number), draft.customer.business)
