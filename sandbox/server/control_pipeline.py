"""The stages of a request of the control API: the Apps API's own, without those of keys, faults and limits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sandbox.apps.responses import OpenResponses
from sandbox.contract import Document, Operation, encode
from sandbox.errors import NotFound
from sandbox.handler_types import EventStream, FileResult, NegotiatedResult, PendingResult
from sandbox.long_work import MAX_INLINE_BYTES, in_thread
from sandbox.redaction import Redactor
from sandbox.server.context import RequestContext
from sandbox.server.pipeline import read_body, validate_request
from sandbox.server.request_checks import validate_large_response, validate_response
from sandbox.server.response_timer import ResponseTimer, ServerStopping

# Seconds of silence after which a listener of live events gets a comment.
COMMENT_INTERVAL = 15.0
# Milliseconds between two pieces of live events.
PAUSE_MS = 100

_EVENT_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # Asks a proxy in between (nginx) to pass each event on as it comes.
    (b"x-accel-buffering", b"no"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlDeps:
    """What the stages work with.

    `run` lets the handler of an operation answer a request: its path, its query, its body. `redactor` hides secrets,
    whatever handler they come from. `listeners` are the streams of live events; they get a comment after so many
    seconds of silence.
    """

    run: Callable[[Operation, Mapping[str, str], Mapping[str, Any], Document], Awaitable[Any]]
    redactor: Redactor
    listeners: OpenResponses
    comment_interval: float = COMMENT_INTERVAL


def check_path(ctx: RequestContext, deps: ControlDeps) -> None:
    """Require ids that could be."""
    if not ctx.operation.path_schema.is_valid(ctx.path_parameters):
        raise NotFound("No such path: no app has such an id.", param="app_id")


async def handle(ctx: RequestContext, deps: ControlDeps) -> None:
    """Let the operation's handler do it."""
    ctx.result = await deps.run(ctx.operation, ctx.path_parameters, ctx.query, ctx.body)


async def respond(ctx: RequestContext, deps: ControlDeps) -> None:
    """Send the answer, held against the contract, without its secrets."""
    result, status = ctx.result, ctx.operation.success
    if isinstance(result, PendingResult):
        result = await _wait(ctx, result, deps)
    if result is None:
        await ctx.send({"type": "http.response.start", "status": status, "headers": []})
        await ctx.send({"type": "http.response.body", "body": b""})
    elif isinstance(result, dict):
        await ctx.respond(status, await _serialize(ctx, result, deps))
    elif isinstance(result, NegotiatedResult):
        await _respond_negotiated(ctx, result, deps)
    elif isinstance(result, str):
        text = await _redact(result, deps)
        await ctx.respond(status, text, content_type=b"text/plain; charset=utf-8")
    elif isinstance(result, FileResult):
        await _respond_file(ctx, result)
    else:
        await _stream_events(ctx, result, deps)


ControlStage = Callable[[RequestContext, ControlDeps], Awaitable[None] | None]

CONTROL_STAGES: tuple[ControlStage, ...] = (check_path, read_body, validate_request, handle, respond)


async def run_control_stages(ctx: RequestContext, deps: ControlDeps) -> None:
    """Run the stages one after the other."""
    for stage in CONTROL_STAGES:
        step = stage(ctx, deps)
        if step is not None:
            await step


async def _wait(ctx: RequestContext, pending: PendingResult, deps: ControlDeps) -> dict[str, Any]:
    """Wait for a result, as long as the client does and the server runs."""
    try:
        async with ResponseTimer(ctx.receive, deps.listeners, ctx.turns, ctx.since) as timer:
            return await timer.wait_for(pending.wait())
    except ServerStopping:
        return await pending.now()


async def _respond_negotiated(ctx: RequestContext, result: NegotiatedResult, deps: ControlDeps) -> None:
    """Send the media type that the client would rather have; JSON where it doesn't matter."""
    media_type = best_match(ctx.headers.get(b"accept", b"*/*"), ["application/json", *result.texts])
    if media_type in result.texts:
        body = await _redact(result.texts[media_type](), deps)
    else:
        body = await _serialize(ctx, result.document, deps)
    vary = [(b"vary", b"Accept")]
    await ctx.respond(ctx.operation.success, body, content_type=media_type.encode(), headers=vary)


async def _serialize(ctx: RequestContext, result: dict[str, Any], deps: ControlDeps) -> bytes:
    schema = ctx.operation.responses[str(ctx.operation.success)]["application/json"]
    body = encode(result)

    def redacted() -> bytes:
        return encode(deps.redactor.redact_json(result)) if deps.redactor.may_redact(body) else body

    if len(body) <= MAX_INLINE_BYTES:
        return validate_response(schema, redacted(), ctx.operation.id)
    body = await in_thread(redacted)
    await in_thread(validate_large_response, schema, body, ctx.operation.id)
    return body


async def _redact(text: str, deps: ControlDeps) -> bytes:
    redact = deps.redactor.redact_text
    return (await in_thread(redact, text) if len(text) > MAX_INLINE_BYTES else redact(text)).encode()


async def _respond_file(ctx: RequestContext, file: FileResult) -> None:
    """Send a document that was written already, as a file to be kept where it has a name."""
    schema, status = ctx.operation.responses[str(ctx.operation.success)][file.media_type], ctx.operation.success
    if file.media_type == "application/json":
        # Away from the event loop, so that other requests get through meanwhile.
        await in_thread(validate_large_response, schema, file.content, ctx.operation.id)
    headers = [(b"content-disposition", f'attachment; filename="{file.name}"'.encode())] if file.name else []
    await ctx.respond(status, file.content, content_type=file.media_type.encode(), headers=headers)


async def _stream_events(ctx: RequestContext, events: EventStream, deps: ControlDeps) -> None:
    try:
        async with ResponseTimer(ctx.receive, deps.listeners, ctx.turns, ctx.since) as timer:
            await ctx.send({"type": "http.response.start", "status": 200, "headers": _EVENT_HEADERS})
            if ctx.scope["method"] == "HEAD":
                return await ctx.send({"type": "http.response.body", "body": b""})
            # A first comment, so that a client knows that it is heard from now on.
            await ctx.send({"type": "http.response.body", "body": b": listening\n\n", "more_body": True})
            while True:
                text = await timer.wait_for(_next_events(events, deps.comment_interval))
                await ctx.send({"type": "http.response.body", "body": text, "more_body": True})
                # What happens meanwhile goes out as one piece: a hundred listeners must not hold requests up.
                await timer.sleep_until(timer.elapsed_ms + PAUSE_MS)
    except ServerStopping:
        await ctx.send({"type": "http.response.body", "body": b""})
    finally:
        events.close()


async def _next_events(events: EventStream, comment_interval: float) -> bytes:
    """Return the next events, or a comment where none come: a proxy in between would take silence for an end."""
    with suppress(TimeoutError):
        async with asyncio.timeout(comment_interval):
            return await events.next()
    return b": nothing new\n\n"


def best_match(accept: bytes, offered: Sequence[str]) -> str:
    """Return the media type that an `Accept` prefers (RFC 9110, 12.5.1); the first where none is better or accepted."""
    # Of a range that is named twice, the first counts.
    weights = dict(map(_parse_range, reversed(accept.decode("latin-1").lower().split(","))))

    def weight(media_type: str) -> float:
        """Return the weight that the narrowest fitting range gives."""
        ranges = (media_type, media_type.partition("/")[0] + "/*", "*/*")
        return next((weights[name] for name in ranges if name in weights), 0.0)

    return max(offered, key=weight)


def _parse_range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return name, float(parameter.removeprefix("q="))
            except ValueError:
                return name, 0.0
    return name, 1.0
