"""Complete a prompt: one text, nothing kept (CONTRACT.md 2 and 6.2)."""

from __future__ import annotations

from functools import partial

from sandbox.agent.completions import complete
from sandbox.agent.scripted import fits, scripted
from sandbox.agent.turn import Prompt
from sandbox.api.persona import profile
from sandbox.api.services import Services
from sandbox.handler_types import Answer, Call, Spoken


async def apps_api_create_completion(call: Call, on: Services) -> Answer:
    """Answer a prompt."""
    app, body = call.app, call.body.value
    number = await on.worlds.number(app.id, "completion")
    here = app.entropy.at("completion", number)
    prompt = Prompt(
        profile=profile(app), here=here, now=app.clock.now(), text=body["prompt"], metadata=body.get("metadata") or {}
    )
    script = on.replies.take(app.id, app.entropy, partial(fits, message=prompt.text))
    return Spoken(
        id="cmpl_" + here.hex(24, "completion"),
        created_at=app.clock.now(),
        conversation_id=None,
        reply=scripted(script.fields, here) if script else complete(prompt),
        streamed=body.get("stream") is True,
        settle=_nothing,
    )


async def _nothing() -> None:
    """Completions leave no trace."""
