"""One exchange of a conversation: what is kept of the message and of the reply, and what the agent is told between.

Requests and `populate` both come through here, so that demo data and live data are of one kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from sandbox.agent import titles
from sandbox.agent.turn import Turn
from sandbox.api.persona import profile
from sandbox.app_settings import AppSettings
from sandbox.apps.app import App
from sandbox.apps.records import Conversation, Item, Role
from sandbox.contract import encode
from sandbox.reply import FunctionCall, Message, OutputItem, Reply
from sandbox.rng import Entropy


class Exchange(NamedTuple):
    """A message that was kept: its conversation, the turn that waits for a reply, and the items before it."""

    conversation: Conversation
    turn: Turn
    earlier: Sequence[Item]


class Metadata(NamedTuple):
    """The metadata of a message: as a value, and as compact JSON, exactly as it was sent."""

    value: Mapping[str, Any]
    raw: bytes


async def append_message(
    app: App, settings: AppSettings, conversation_id: str, text: str, at: int, metadata: Metadata | None = None
) -> Exchange | None:
    """Keep a user's message.

    `metadata`, where some is given, replaces that of the conversation. None: there is no such conversation.
    """
    parts = [{"type": "text", "text": text}]

    def make(number: int, position: int) -> Item:
        return item(app.rng.at("conversation", number), position, "user", at, parts)

    before = await app.conversations.append_message(conversation_id, make, metadata and metadata.raw)
    if before is None:
        return None
    conversation, earlier = before
    turn = Turn(
        profile=profile(app, settings),
        conversation=app.rng.at("conversation", conversation.number),
        position=sum(stored.role == "user" for stored in earlier),
        answered=any(stored.role == "assistant" for stored in earlier),
        now=at,
        message=text,
        metadata=metadata.value if metadata else orjson.loads(conversation.metadata or b"{}"),
        ledger=conversation.ledger,
    )
    return Exchange(conversation, turn, earlier)


async def append_reply(
    app: App, conversation: Conversation, turn: Turn, reply: Reply, at: int, title: tuple[str, str] | None = None
) -> None:
    """Keep the agent's reply; the first exchange gives the conversation its final title: `title`, or the agent's own.

    Raises:
        Gone: the app was reset meanwhile.
    """
    parts = [_part(output) for output in reply.output]
    pair = None
    if conversation.generated_title is None or conversation.provisional:
        pair = title or titles.of_exchange(
            turn.profile.business, message=turn.message, metadata=turn.metadata, title=conversation.title
        )
    make: Callable[[int], Item] = lambda position: item(turn.conversation, position, "assistant", at, parts)  # noqa: E731
    await app.conversations.append_reply(conversation.id, make, pair, reply.ledger)


def item(rng: Entropy, position: int, role: Role, created_at: int, parts: list[dict[str, Any]]) -> Item:
    """Return one item of the history (docs/contract.md 3.4)."""
    value = {
        "id": "msg_" + rng.hex(24, "message", position),
        "role": role,
        "created_at": created_at,
        "type": "message",
        "parts": parts,
    }
    return Item(role, encode(value))


def _part(output: OutputItem) -> dict[str, Any]:
    """Return an output item as the history shows it."""
    if isinstance(output, Message):
        return {"type": "text", "text": output.text}
    if isinstance(output, FunctionCall):
        return {
            "type": "tool-call",
            "toolCallId": output.call_id,
            "toolName": output.name,
            "input": output.arguments or {},
            "output": output.output,
        }
    return {"type": "data-spec", "data": {"type": "patch", "patch": output.patch}}
