"""Send a message: keep it, let the agent reply, keep what it said (CONTRACT.md 5 and 6)."""

from __future__ import annotations

from functools import partial

import orjson

from sandbox.agent.notices import of_reply
from sandbox.agent.replies import reply
from sandbox.agent.scripted import fits, scripted
from sandbox.api.conversations import find
from sandbox.api.dialogue import hear, keep
from sandbox.api.services import Services
from sandbox.contract import encode
from sandbox.handler_types import Answer, Call, Spoken


async def apps_api_send_message(call: Call, on: Services) -> Answer:
    """Answer a message; it is kept before the agent is asked."""
    app, body = call.app, call.body.value
    conversation = await find(call, on)
    metadata = body.get("metadata")
    if metadata is not None:
        await on.conversations.set_metadata(app.id, conversation.id, encode(call.body.exact["metadata"]))
    elif conversation.metadata is not None:
        metadata = orjson.loads(conversation.metadata)
    turn = await hear(app, on, conversation, body["message"]["content"], metadata or {}, app.clock.now())
    if turn.position == 0:
        await on.announce(app, "chat.started", {"chat_id": conversation.id})
    script = on.replies.take(app.id, app.entropy, partial(fits, message=turn.message))
    spoken = scripted(script.fields, turn.here) if script else reply(turn)

    async def settle() -> None:
        await keep(app, on, conversation, turn, spoken, app.clock.now())
        for kind, data in of_reply(spoken, turn.here, conversation.id):
            await on.announce(app, kind, data)

    return Spoken(
        id="resp_" + turn.here.hex(24, "response"),
        created_at=turn.now,
        conversation_id=conversation.id,
        reply=spoken,
        streamed=app.settings.stream if body.get("stream") is None else body["stream"],
        settle=settle,
    )
