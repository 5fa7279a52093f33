"""Complete a prompt: one text, nothing kept (docs/contract.md 2 and 6.2)."""

from __future__ import annotations

from functools import partial

from sandbox.agent.completions import complete
from sandbox.agent.turn import Prompt
from sandbox.api import Services
from sandbox.api.model_prompt import write_completion
from sandbox.api.persona import profile
from sandbox.api.scenario_replies import Heard, scenario_reply
from sandbox.api.scripted import fits, scripted
from sandbox.apps.app import App
from sandbox.handler_types import OperationRequest, OperationResult, ReplyResult
from sandbox.reply import Reply


async def create_completion(request: OperationRequest, app: App, services: Services) -> OperationResult:
    """Answer a prompt."""
    body, now = request.body.value, request.clock.now()
    rng = app.rng.at("completion", await app.next_number("completion"))
    text, metadata = body["prompt"], body.get("metadata") or {}
    prompt = Prompt(profile=profile(app, request.settings), here=rng, now=now, text=text, metadata=metadata)
    script = await app.replies.take(partial(fits, message=text))
    told = None if script else scenario_reply(app, request.settings, Heard(text, prompt.profile.name, metadata), rng)
    own = scripted(script.fields, rng, text, metadata) if script else told and told[0]
    return ReplyResult(
        id="cmpl_" + rng.hex(24, "completion"),
        created_at=now,
        conversation_id=None,
        reply=own or complete(prompt),
        streamed=body.get("stream") is True,
        commit=_commit_nothing,
        writer=write_completion(services.model, app, prompt) if services.model and not script else None,
    )


async def _commit_nothing(_: Reply) -> None:
    """Completions leave no trace."""
