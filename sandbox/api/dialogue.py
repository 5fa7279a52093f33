"""One exchange of a conversation: what is kept of the message and of the reply, and what the agent is told between.

Requests and `populate` both come through here, so that demo data and live data are of one kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from sandbox.agent.titles import title_pair
from sandbox.agent.turn import Turn, Utterance
from sandbox.api.persona import profile
from sandbox.api.services import Services
from sandbox.apps.records import Conversation, Item, Role
from sandbox.contract import encode
from sandbox.handler_types import App
from sandbox.reply import FunctionCall, Message, OutputItem, Reply
from sandbox.sources import Entropy

# What the agent remembers of a long conversation: how it began and what was said last.
FIRST, LAST = 2, 10


async def hear(
    app: App, on: Services, conversation: Conversation, text: str, metadata: Mapping[str, Any], at: int
) -> Turn:
    """Keep a user's message and return the turn that waits for its reply."""
    earlier = await on.conversations.items(app.id, conversation.id)
    here = app.entropy.at("conversation", conversation.number)
    said = item(here, "user", at, [{"type": "text", "text": text}])
    await on.conversations.append(app.id, conversation.id, said)
    return Turn(
        profile=profile(app),
        conversation=here,
        position=sum(known.role == "user" for known in earlier),
        now=at,
        message=text,
        metadata=metadata,
        memory=_recalled(earlier),
    )


async def keep(app: App, on: Services, conversation: Conversation, turn: Turn, reply: Reply, at: int) -> None:
    """Keep what the agent said; the first exchange gives the conversation its title, if it has none."""
    parts = [part(output) for output in reply.output]
    await on.conversations.append(app.id, conversation.id, item(turn.conversation, "assistant", at, parts))
    if conversation.generated_title is None:
        pair = title_pair(
            turn.conversation, metadata=turn.metadata, custom_title=conversation.title, message=turn.message
        )
        await on.conversations.set_generated_title(app.id, conversation.id, pair)


def item(here: Entropy, role: Role, created_at: int, parts: list[dict[str, Any]]) -> Callable[[int], Item]:
    """Return what makes one item of the history (CONTRACT.md 3.4), once its place in the conversation is known."""

    def make(position: int) -> Item:
        value = {
            "id": "msg_" + here.hex(24, "message", position),
            "role": role,
            "created_at": created_at,
            "type": "message",
            "parts": parts,
        }
        return Item(role, encode(value))

    return make


def part(output: OutputItem) -> dict[str, Any]:
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


def _recalled(items: Sequence[Item]) -> list[Utterance]:
    """Return what the agent remembers of the stored items."""
    kept = items if len(items) <= FIRST + LAST else [*items[:FIRST], *items[-LAST:]]
    return [_utterance(orjson.loads(stored.json)) for stored in kept]


def _utterance(stored: dict[str, Any]) -> Utterance:
    texts = [part["text"] for part in stored["parts"] if part["type"] == "text"]
    tools = [part["toolName"] for part in stored["parts"] if part["type"] == "tool-call"]
    return Utterance(stored["role"], "\n\n".join(texts), tuple(tools))
