"""Sends a reply of the agent at its pace: as JSON, or event by event, each checked against the contract."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from starlette.types import Message

from sandbox.apps.app import App
from sandbox.apps.entry import ReplyStatus
from sandbox.apps.store import Gone
from sandbox.contract import Operation, encode
from sandbox.errors import NotFound
from sandbox.handler_types import ReplyResult
from sandbox.reply import Pace
from sandbox.server import sse
from sandbox.server.context import Exchange
from sandbox.server.faults import Fault, Truncate
from sandbox.server.holds import Holds
from sandbox.server.http import send_bytes
from sandbox.server.response_timer import AbortConnection, ActiveResponses, AppDeleted, ResponseTimer, ServerStopping
from sandbox.server.response_validation import validate_response
from sandbox.server.sse import ReplyEvent, SseEncoder, Step

log = logging.getLogger("sandbox")

_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    # Asks a proxy in between (nginx) to pass each event on as it comes.
    (b"x-accel-buffering", b"no"),
]


async def send_reply(
    active_responses: ActiveResponses,
    holds: Holds,
    result: ReplyResult,
    operation: Operation,
    app: App,
    exchange: Exchange,
    fault: Fault | None,
) -> None:
    """Send a reply whole; `fault` may spoil a stream.

    Raises:
        AbortConnection: the reply is meant to break off, or the server stops.
        ClientDisconnected: the client went first.
    """
    pace = result.reply.pace or app.settings.pace
    try:
        async with ResponseTimer(exchange.receive, app.id, active_responses, exchange.since) as timer:
            await timer.sleep_until(pace.first_ms)
            if result.streamed:
                encoder = SseEncoder(app.settings.framing, partial(app.rng.random, "framing", result.id))
                wait_for_release = partial(holds.until_released, app.id, noted=exchange.entry, timer=timer)
                stream = _Stream(operation, pace, timer, exchange, encoder, wait_for_release)
                await stream.send(result, sse.stream_steps(result, fault))
            else:
                await _send_json(result, operation, exchange)
    except ServerStopping:
        raise AbortConnection from None
    except (AppDeleted, Gone):
        raise NotFound("The app was reset while it answered.", param="app_id") from None


async def _send_json(result: ReplyResult, operation: Operation, exchange: Exchange) -> None:
    send = exchange.send
    schema = operation.responses["200"]["application/json"]
    body = validate_response(schema, encode(sse.response_body(result)), operation.id)
    if result.reply.cut:
        send = Truncate(send, None)
    elif result.reply.failure is None:
        await result.commit()
    _record_status(exchange, "completed" if result.reply.failure is None else "failed")
    await send_bytes(send, 200, body)


def _record_status(exchange: Exchange, status: ReplyStatus) -> None:
    """Tell the journal what became of the reply, before the last byte leaves, which ends its entry."""
    if exchange.entry:
        exchange.entry.reply_status = status


class _Stream:
    """One stream while it is sent."""

    def __init__(
        self,
        operation: Operation,
        pace: Pace,
        timer: ResponseTimer,
        exchange: Exchange,
        encoder: SseEncoder,
        wait_for_release: Callable[[str], Awaitable[None]],
    ) -> None:
        self._operation = operation
        self._pace = pace
        self._timer = timer
        self._exchange = exchange
        self._send = exchange.send
        self._encoder = encoder
        self._wait_for_release = wait_for_release
        self._due = float(pace.first_ms)
        self._status: ReplyStatus = "failed"
        self._is_unpaced = encoder.is_plain and not pace.delta_ms

    async def send(self, result: ReplyResult, steps: Iterable[Step]) -> None:
        """Do every step, each when it is due."""
        await self._send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
        try:
            for step in steps:
                if self._is_unpaced and isinstance(step, ReplyEvent) and step.name != "response.completed":
                    await self._send_unpaced(step)
                else:
                    await self._do(step, result)
        except _InvalidEvent as error:
            await self._write(sse.failed_event(result.id, str(error)))
        except (AppDeleted, Gone):
            await self._write(sse.failed_event(result.id, "The app was reset while it answered."))
        _record_status(self._exchange, self._status)
        await self._send({"type": "http.response.body", "body": b""})

    async def _send_unpaced(self, event: ReplyEvent) -> None:
        """Send an event of a stream that has neither pace nor a hostile form: the same as `_do`, in fewer steps."""
        self._validate(event)
        await self._timer.yield_now()
        await self._send(_chunk(sse.encode_event(event)))

    async def _do(self, step: Step, result: ReplyResult) -> None:
        if isinstance(step, sse.Abort):
            raise AbortConnection
        if isinstance(step, sse.Pause):
            if step.gate:
                await self._wait_for_release(step.gate)
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
                await result.commit()
                self._status = "completed"
            await self._write(step)

    async def _write(self, event: ReplyEvent) -> None:
        for piece in self._encoder.encode(event):
            await self._send(_chunk(piece))

    def _validate(self, event: ReplyEvent) -> None:
        schema = self._operation.events.get(event.name)
        if schema is None or not schema.is_valid(event.data):
            log.error("the event %s of %s breaks the contract", event.name, self._operation.id)
            raise _InvalidEvent(f"The sandbox's own event {event.name} breaks the contract.")


def _chunk(piece: bytes) -> Message:
    return {"type": "http.response.body", "body": piece, "more_body": True}


class _InvalidEvent(Exception):
    """An event of our own breaks the contract."""
