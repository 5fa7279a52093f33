"""Speaks an answer of the agent: at its pace, as JSON or event by event, held against the contract on the way out."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from starlette.types import Receive, Send

from sandbox.calls import App, Spoken
from sandbox.contract import Operation, encode
from sandbox.errors import NotFound
from sandbox.reply import Pace
from sandbox.state.store import Gone
from sandbox.wire import events
from sandbox.wire.drift import keeping
from sandbox.wire.events import Event
from sandbox.wire.http import send_bytes
from sandbox.wire.patience import AppForgotten, Endings, Patience, ServerStops

log = logging.getLogger("sandbox")

_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    # Asks a proxy in between (nginx) to pass each event on as it comes.
    (b"x-accel-buffering", b"no"),
]


class BrokenOff(Exception):
    """An answer ends abnormally on purpose; whoever runs the application closes the connection."""


class Speaker:
    """Sends spoken answers for one server."""

    def __init__(self, endings: Endings) -> None:
        self._endings = endings

    async def speak(self, spoken: Spoken, operation: Operation, app: App, receive: Receive, send: Send) -> None:
        """Send an answer whole.

        Raises:
            BrokenOff: the reply is meant to break off, or the server stops.
            ClientGone: the client went first.
        """
        pace = spoken.reply.pace or app.settings.pace
        try:
            async with Patience(receive, app.id, self._endings) as patience:
                if spoken.streamed:
                    await self._stream(spoken, operation, pace, patience, send)
                else:
                    await self._whole(spoken, operation, pace, patience, send)
        except ServerStops:
            raise BrokenOff from None

    async def _whole(self, spoken: Spoken, operation: Operation, pace: Pace, patience: Patience, send: Send) -> None:
        try:
            await patience.until(pace.first_ms)
            body = keeping(
                operation.responses["200"]["application/json"], encode(events.json_body(spoken)), operation.id
            )
            if spoken.reply.cut:
                await _break_off(body, send)
            if spoken.reply.failure is None:
                await spoken.settle()
        except (AppForgotten, Gone):
            raise NotFound("The app was reset while it answered.", param="app_id") from None
        await send_bytes(send, 200, body)

    async def _stream(self, spoken: Spoken, operation: Operation, pace: Pace, patience: Patience, send: Send) -> None:
        whole = list(events.events(spoken))
        await patience.until(pace.first_ms)
        await send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
        due = float(pace.first_ms)
        try:
            for event in self._lawful(whole[: len(whole) // 2] if spoken.reply.cut else whole, spoken, operation):
                due += pace.delta_ms if event.is_delta else 0
                await patience.until(due)
                if event.name == "response.completed":
                    await spoken.settle()
                await _send_event(send, event)
        except (AppForgotten, Gone):
            await _send_event(send, events.failed(spoken.id, "The app was reset while it answered."))
        if spoken.reply.cut:
            raise BrokenOff
        await send({"type": "http.response.body", "body": b""})

    def _lawful(self, whole: Iterable[Event], spoken: Spoken, operation: Operation) -> Iterable[Event]:
        """Pass events on while they keep the contract; the first that does not ends the stream as failed."""
        for event in whole:
            schema = operation.events.get(event.name)
            if schema is None or not schema.is_valid(event.data):
                log.error("the event %s of %s breaks the contract", event.name, operation.id)
                yield events.failed(spoken.id, f"The sandbox's own event {event.name} breaks the contract.")
                return
            yield event


def frame(event: Event) -> bytes:
    """Return an event as it stands in the stream (CONTRACT.md 6.1)."""
    return b"event: %b\ndata: %b\n\n" % (event.name.encode(), encode(event.data))


async def _send_event(send: Send, event: Event) -> None:
    await send({"type": "http.response.body", "body": frame(event), "more_body": True})


async def _break_off(body: bytes, send: Send) -> None:
    """Promise a body and send half of it."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    raise BrokenOff
