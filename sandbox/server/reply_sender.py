"""Sends a reply of the agent at its pace: as JSON, or event by event, each checked against the contract."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import partial

from starlette.types import Message

from sandbox.apps.request_record import ReplyStatus
from sandbox.apps.responses import AppDeleted
from sandbox.apps.store import Gone
from sandbox.contract import encode
from sandbox.errors import ApiError, BrokenContract, NotFound
from sandbox.handler_types import ReplyResult, TextWriter
from sandbox.reply import Message as Text
from sandbox.reply import Pace, Reply
from sandbox.server import sse
from sandbox.server.context import RequestContext
from sandbox.server.faults import truncate, wait_for_release
from sandbox.server.request_checks import validate_response
from sandbox.server.response_timer import AbortConnection, ResponseTimer, ServerStopping
from sandbox.server.sse import ReplyEvent, SseEncoder, Step

log = logging.getLogger("sandbox")

_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    # Asks a proxy in between (nginx) to pass each event on as it comes.
    (b"x-accel-buffering", b"no"),
]


async def send_reply(ctx: RequestContext, result: ReplyResult) -> None:
    """Send a reply whole; the fault of the request may spoil a stream.

    Raises:
        AbortConnection: the reply is meant to break off, or the server stops.
        ClientDisconnected: the client went first.
    """
    app = ctx.app
    pace = result.reply.pace or ctx.settings.pace
    writer = result.writer
    try:
        async with ResponseTimer(ctx.receive, app.responses, ctx.turns, ctx.since) as timer:
            await timer.sleep_until(pace.first_ms)
            # A fault counts the events: it needs all of the text.
            if result.writer and not (result.streamed and ctx.fault is None):
                result = await _write_whole(ctx, result, result.writer, timer)
            if result.streamed:
                framing = ctx.settings.framing
                ctx.framing = framing if isinstance(framing, str) else ",".join(framing)
                encoder = SseEncoder(framing, partial(app.rng.random, "framing", result.id))
                await _Stream(ctx, pace, timer, encoder).send(result, sse.stream_steps(result, ctx.fault))
            else:
                await _send_json(ctx, result)
    except ServerStopping:
        raise AbortConnection from None
    except (AppDeleted, Gone):
        raise NotFound("The app was reset while it answered.", param="app_id") from None
    finally:
        if writer:
            await writer.close()


async def _write_whole(
    ctx: RequestContext, result: ReplyResult, writer: TextWriter, timer: ResponseTimer
) -> ReplyResult:
    """Wait for a text until it is whole; return the reply that it became."""
    text = ""
    while (piece := await timer.wait_for(writer.next())) is not None:
        text += piece
    ctx.warning = writer.warning
    return _finished(result, writer, text)


def _finished(result: ReplyResult, writer: TextWriter, text: str) -> ReplyResult:
    """Return a reply with the text that was written for it, if any was."""
    reply = result.reply
    if writer.failure:
        reply = Reply(failure=writer.failure)
    elif text:
        reply = reply._replace(output=(Text(text),))
    return result._replace(reply=reply, writer=None)


async def _send_json(ctx: RequestContext, result: ReplyResult) -> None:
    schema = ctx.operation.responses["200"]["application/json"]
    body = validate_response(schema, encode(sse.response_body(result)), ctx.operation.id)
    if result.reply.cut:
        ctx.fault_sender = truncate(ctx.fault_sender or ctx.send_unfaulted, None)
    elif result.reply.failure is None:
        await result.commit(result.reply)
    ctx.reply_status = "completed" if result.reply.failure is None else "failed"
    await ctx.respond(200, body)


class _Stream:
    """One stream while it is sent."""

    def __init__(self, ctx: RequestContext, pace: Pace, timer: ResponseTimer, encoder: SseEncoder) -> None:
        self._ctx = ctx
        self._send = ctx.fault_sender or ctx.send_unfaulted
        self._pace = pace
        self._timer = timer
        self._encoder = encoder
        self._due = float(pace.first_ms)
        self._status: ReplyStatus = "failed"
        # Counts an event of a type, where that is asked for.
        self._count: Callable[[str], None] | None = None
        self._is_unpaced = encoder.is_plain and not pace.delta_ms

    async def send(self, result: ReplyResult, steps: Iterable[Step]) -> None:
        """Do every step, each when it is due."""
        metrics = self._ctx.metrics
        with metrics.stream() if metrics else nullcontext(None) as self._count:
            await self._send_counted(result, steps)

    async def _send_counted(self, result: ReplyResult, steps: Iterable[Step]) -> None:
        await self._send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
        try:
            if result.writer:
                result, steps = await self._send_deltas(result, result.writer)
            for step in steps:
                if self._is_unpaced and isinstance(step, ReplyEvent) and step.name != "response.completed":
                    await self._send_unpaced(step)
                else:
                    await self._do(step, result)
        except ApiError as error:
            # It has begun: there is no other status to give it.
            self._ctx.count_error(error)
            await self._write(sse.failed_event(result.id, error.message))
        except (AppDeleted, Gone):
            await self._write(sse.failed_event(result.id, "The app was reset while it answered."))
        # Before the last byte leaves, which ends the journal's record.
        self._ctx.reply_status = self._status
        await self._send({"type": "http.response.body", "body": b""})

    async def _send_deltas(self, result: ReplyResult, writer: TextWriter) -> tuple[ReplyResult, Iterable[Step]]:
        """Send a text as it is written; return the reply that it became, and what is left to send of it."""
        await self._do(next(sse.reply_events(result)), result)
        text, waiting, piece = "", "", await self._timer.wait_for(writer.next())
        while piece is not None:
            text += piece
            # More of the last delta may come with the next piece.
            *deltas, waiting = sse.split_graphemes(waiting + piece)
            for delta in deltas:
                await self._do(sse.delta_event(delta), result)
            piece = await self._timer.wait_for(writer.next())
        if waiting:
            await self._do(sse.delta_event(waiting), result)
        self._ctx.warning = writer.warning
        result = _finished(result, writer, text)
        sent = ("response.created", "response.output_text.delta")[: 2 if text else 1]
        return result, (event for event in sse.reply_events(result) if event.name not in sent)

    async def _send_unpaced(self, event: ReplyEvent) -> None:
        """Send an event of a stream that has neither pace nor a hostile form: the same as `_do`, in fewer steps."""
        self._validate(event)
        await self._timer.yield_now()
        if self._count:
            self._count(event.name)
        await self._send(_chunk(sse.encode_event(event)))

    async def _do(self, step: Step, result: ReplyResult) -> None:
        if isinstance(step, sse.Abort):
            raise AbortConnection
        if isinstance(step, sse.Pause):
            if step.gate:
                await wait_for_release(self._ctx, step.gate, self._timer)
            # Silent from now on, however late the stream is.
            self._due = max(self._due, self._timer.elapsed_ms) + step.ms
            await self._timer.sleep_until(self._due)
        elif isinstance(step, sse.PartialEvent):
            text = b"".join(self._encoder.encode(step.event))
            await self._send(_chunk(text[: len(text) // 2]))
        else:
            self._validate(step)
            self._due += self._pace.delta_ms if step.is_delta else 0
            await self._timer.sleep_until(self._due)
            if step.name == "response.completed":
                await result.commit(result.reply)
                self._status = "completed"
            await self._write(step)

    async def _write(self, event: ReplyEvent) -> None:
        if self._count:
            self._count(event.name)
        for piece in self._encoder.encode(event):
            await self._send(_chunk(piece))

    def _validate(self, event: ReplyEvent) -> None:
        schema = self._ctx.operation.events.get(event.name)
        if schema is None or not schema.is_valid(event.data):
            log.error("the event %s of %s breaks the contract", event.name, self._ctx.operation.id)
            raise BrokenContract(f"The sandbox's own event {event.name} breaks the contract.")


def _chunk(piece: bytes) -> Message:
    return {"type": "http.response.body", "body": piece, "more_body": True}
