"""Speaks an answer of the agent: at its pace, as JSON or event by event, held against the contract on the way out."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from sandbox.apps.app import App
from sandbox.apps.entry import ReplyStatus
from sandbox.apps.store import Gone
from sandbox.contract import Operation, encode
from sandbox.errors import NotFound
from sandbox.handler_types import ReplyResult
from sandbox.reply import Pace
from sandbox.server import reply_events
from sandbox.server.context import Exchange
from sandbox.server.fault_senders import Truncate
from sandbox.server.faults import Fault
from sandbox.server.holds import Holds
from sandbox.server.http import send_bytes
from sandbox.server.reply_events import Event
from sandbox.server.response_timer import AbortConnection, ActiveResponses, AppDeleted, ResponseTimer, ServerStopping
from sandbox.server.response_validation import validate_response
from sandbox.server.sse_encoder import SseEncoder, plain
from sandbox.server.stream_plan import Abort, PartialEvent, Pause, Step, steps

log = logging.getLogger("sandbox")

_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    # Asks a proxy in between (nginx) to pass each event on as it comes.
    (b"x-accel-buffering", b"no"),
]


class Speaker:
    """Sends spoken answers for one server."""

    def __init__(self, active_responses: ActiveResponses, holds: Holds) -> None:
        self._active = active_responses
        self._holds = holds

    async def speak(
        self, spoken: ReplyResult, operation: Operation, app: App, exchange: Exchange, fault: Fault | None
    ) -> None:
        """Send an answer whole; `fault` may spoil a stream.

        Raises:
            AbortConnection: the reply is meant to break off, or the server stops.
            ClientDisconnected: the client went first.
        """
        pace = spoken.reply.pace or app.settings.pace
        try:
            async with ResponseTimer(exchange.receive, app.id, self._active, exchange.since) as timer:
                await timer.sleep_until(pace.first_ms)
                if spoken.streamed:
                    framing = SseEncoder(app.settings.framing, partial(app.rng.random, "framing", spoken.id))
                    wait_at = partial(self._holds.until_released, app.id, noted=exchange.entry, timer=timer)
                    stream = _Stream(operation, pace, timer, exchange, framing, wait_at)
                    await stream.run(spoken, steps(spoken, fault))
                else:
                    await _whole(spoken, operation, exchange)
        except ServerStopping:
            raise AbortConnection from None
        except (AppDeleted, Gone):
            raise NotFound("The app was reset while it answered.", param="app_id") from None


async def _whole(spoken: ReplyResult, operation: Operation, exchange: Exchange) -> None:
    send = exchange.send
    body = validate_response(
        operation.responses["200"]["application/json"], encode(reply_events.json_body(spoken)), operation.id
    )
    if spoken.reply.cut:
        send = Truncate(send, None).send
    elif spoken.reply.failure is None:
        await spoken.commit()
    _note(exchange, "completed" if spoken.reply.failure is None else "failed")
    await send_bytes(send, 200, body)


def _note(exchange: Exchange, reply_status: ReplyStatus) -> None:
    """Note for the journal what became of the reply; before the last byte leaves, which ends its entry."""
    if exchange.entry:
        exchange.entry.reply_status = reply_status


class _Stream:
    """One stream while it is sent."""

    def __init__(
        self,
        operation: Operation,
        pace: Pace,
        timer: ResponseTimer,
        exchange: Exchange,
        framing: SseEncoder,
        wait_at: Callable[[str], Awaitable[None]],
    ) -> None:
        self._operation = operation
        self._pace = pace
        self._timer = timer
        self._exchange = exchange
        self._send = exchange.send
        self._framing = framing
        self._wait_at = wait_at
        self._due = float(pace.first_ms)
        self._reply_status: ReplyStatus = "failed"
        self._hurries = framing.is_plain and not pace.delta_ms

    async def run(self, spoken: ReplyResult, whole: Iterable[Step]) -> None:
        """Do every step, each when it is due."""
        await self._send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
        try:
            for step in whole:
                if self._hurries and isinstance(step, Event) and step.name != "response.completed":
                    await self._hurry(step)
                else:
                    await self._do(step, spoken)
        except _Drift as drift:
            await self._write(reply_events.failed(spoken.id, str(drift)))
        except (AppDeleted, Gone):
            await self._write(reply_events.failed(spoken.id, "The app was reset while it answered."))
        _note(self._exchange, self._reply_status)
        await self._send({"type": "http.response.body", "body": b""})

    async def _hurry(self, event: Event) -> None:
        """Write an event of a stream that has neither pace nor a hostile form: the same as `_do`, in fewer steps."""
        self._keep_contract(event)
        await self._timer.yield_now()
        await self._send({"type": "http.response.body", "body": plain(event), "more_body": True})

    async def _do(self, step: Step, spoken: ReplyResult) -> None:
        if isinstance(step, Abort):
            raise AbortConnection
        if isinstance(step, Pause):
            if step.gate:
                await self._wait_at(step.gate)
            # Silent from now on, however late the stream is.
            self._due = max(self._due, self._timer.elapsed_ms) + step.ms
            await self._timer.sleep_until(self._due)
        elif isinstance(step, PartialEvent):
            text = b"".join(self._framing.pieces(step.event))
            await self._send({"type": "http.response.body", "body": text[: len(text) // 2], "more_body": True})
        else:
            self._keep_contract(step)
            self._due += self._pace.delta_ms if step.is_delta else 0
            await self._timer.sleep_until(self._due)
            if step.name == "response.completed":
                await spoken.commit()
                self._reply_status = "completed"
            await self._write(step)

    async def _write(self, event: Event) -> None:
        for piece in self._framing.pieces(event):
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    def _keep_contract(self, event: Event) -> None:
        schema = self._operation.events.get(event.name)
        if schema is None or not schema.is_valid(event.data):
            log.error("the event %s of %s breaks the contract", event.name, self._operation.id)
            raise _Drift(f"The sandbox's own event {event.name} breaks the contract.")


class _Drift(Exception):
    """An event of our own breaks the contract."""
