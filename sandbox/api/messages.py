"""Send a message: keep it, let the agent reply, keep the reply (docs/contract.md 5 and 6)."""

from __future__ import annotations

from functools import partial

from sandbox.agent.dialogue import reply
from sandbox.api import Services
from sandbox.api.conversations import no_conversation
from sandbox.api.exchange import Metadata, append_message, append_reply
from sandbox.api.model_prompt import write_reply
from sandbox.api.scenario_replies import Heard, scenario_reply
from sandbox.api.scripted import fits, scripted
from sandbox.apps.app import App
from sandbox.contract import encode
from sandbox.handler_types import OperationRequest, OperationResult, ReplyResult
from sandbox.reply import Reply
from sandbox.webhook_samples import of_reply


async def send_message(request: OperationRequest, app: App, services: Services) -> OperationResult:
    """Answer a message; it is kept before the agent is asked."""
    body, settings, now = request.body.value, request.settings, request.clock.now()
    given = body.get("metadata") is not None
    metadata = Metadata(body["metadata"], encode(request.body.exact["metadata"])) if given else None
    text = body["message"]["content"]
    conversation_id = request.path_parameters["conversation_id"]
    before = await append_message(app, settings, conversation_id, text, now, metadata)
    if before is None:
        raise no_conversation()
    conversation, turn, earlier = before
    if turn.position == 0:
        await services.enqueue_webhook(app, "chat.started", {"chat_id": conversation.id}, settings)
    script = await app.replies.take(partial(fits, message=text))
    heard = Heard(text, turn.profile.name, turn.metadata, turn.position + 1, earlier)
    told = None if script else scenario_reply(app, settings, heard, turn.here)
    answer = scripted(script.fields, turn.here, text, turn.metadata) if script else told[0] if told else reply(turn)
    title, writer = told[1] if told else None, None
    if services.model and not (script or told):
        writer = await write_reply(services.model, app, conversation.id, turn, answer)

    async def commit(said: Reply) -> None:
        await append_reply(app, conversation, turn, said, request.clock.now(), title)
        for kind, data in of_reply(said, turn.here, conversation.id):
            await services.enqueue_webhook(app, kind, data, settings)

    return ReplyResult(
        id="resp_" + turn.here.hex(24, "response"),
        created_at=turn.now,
        conversation_id=conversation.id,
        reply=answer,
        streamed=settings.stream if body.get("stream") is None else body["stream"],
        commit=commit,
        writer=writer,
    )
