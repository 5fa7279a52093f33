"""One request of the control API: its checks, its handler, and its answer held against its own contract."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol

from sandbox.contract import Document, Operation, encode
from sandbox.errors import ApiError, InternalError, NotFound
from sandbox.handler_types import FileResult, NegotiatedResult
from sandbox.redaction import Redactor
from sandbox.server import checks
from sandbox.server.content_negotiation import best_match
from sandbox.server.context import Exchange
from sandbox.server.http import send_bytes, send_error
from sandbox.server.response_timer import ActiveResponses, ClientDisconnected, ResponseTimer, ServerStopping
from sandbox.server.response_validation import validate_large_response, validate_response
from sandbox.slices import in_thread

log = logging.getLogger("sandbox")

# Seconds of silence after which a listener of live events gets a comment.
COMMENT_EVERY = 15.0
# Milliseconds between two pieces of live events.
REST_MS = 100

_LIVE_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # Asks a proxy in between (nginx) to pass each event on as it comes.
    (b"x-accel-buffering", b"no"),
]

# A body of more bytes is read and written away from the event loop, so that other requests get through meanwhile.
LARGE = 64 * 1024

# Every listener of live events counts as one answer of this "app", which no app id can be.
LISTENERS = "/_sandbox/events"


class Live(Protocol):
    """An answer that goes on."""

    async def next(self) -> bytes:
        """Wait for the next event; return what has happened by then, as server-sent events."""
        ...

    def close(self) -> None:
        """Unsubscribe."""
        ...


Run = Callable[[Any, Any, Document], Awaitable[Any]]


class ControlPipeline:
    """The checks before one operation of the control API, and its answer."""

    def __init__(
        self,
        operation: Operation,
        run: Run,
        active_responses: ActiveResponses,
        redactor: Redactor,
        comment_every: float = COMMENT_EVERY,
    ) -> None:
        self.operation = operation
        self._run = run
        self._active = active_responses
        self._redactor = redactor
        self.comment_every = comment_every

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request, well or with an error."""
        try:
            await self._answer(exchange)
        except ApiError as error:
            error.message = self._redactor.redact_text(error.message)
            await send_error(exchange.send, error)
        except ClientDisconnected:
            return

    async def _answer(self, exchange: Exchange) -> None:
        operation = self.operation
        if not operation.path_schema.is_valid(exchange.path):
            raise NotFound("No such path: no app has such an id.", param="app_id")
        body = await self._body(exchange) if operation.body else checks.NO_BODY
        query = checks.parameters(operation, exchange.path, exchange.scope["query_string"])
        await self._send(exchange, await self._handled(exchange, query, body))

    async def _body(self, exchange: Exchange) -> Document:
        checks.media_type(exchange.headers, self.operation.media_types)
        raw = await exchange.body(self.operation.max_bytes)
        if len(raw) <= LARGE:
            return checks.accepted_body(self.operation, raw)
        return await in_thread(checks.accepted_body, self.operation, raw)

    async def _handled(self, exchange: Exchange, query: Any, body: Document) -> Any:
        try:
            return await self._run(exchange.path, query, body)
        except ApiError:
            raise
        except Exception:
            log.exception("%s failed", self.operation.id)
            raise InternalError() from None

    async def _send(self, exchange: Exchange, answer: Any) -> None:
        status = self.operation.success
        if answer is None:
            await exchange.send({"type": "http.response.start", "status": status, "headers": []})
            await exchange.send({"type": "http.response.body", "body": b""})
        elif isinstance(answer, dict):
            await send_bytes(exchange.send, status, await self._written(answer))
        elif isinstance(answer, NegotiatedResult):
            await self._send_form(exchange, answer)
        elif isinstance(answer, str):
            text = await self._redacted(answer)
            await send_bytes(exchange.send, status, text, content_type=b"text/plain; charset=utf-8")
        elif isinstance(answer, FileResult):
            await self._send_file(exchange, answer)
        else:
            await self._stream(exchange, answer)

    async def _send_form(self, exchange: Exchange, answer: NegotiatedResult) -> None:
        """Send the form that the client would rather have; JSON where it doesn't matter."""
        status, vary = self.operation.success, [(b"vary", b"Accept")]
        chosen = best_match(exchange.headers.get(b"accept", b"*/*"), ["application/json", *answer.texts])
        if chosen in answer.texts:
            body = await self._redacted(answer.texts[chosen]())
        else:
            body = await self._written(answer.document)
        await send_bytes(exchange.send, status, body, content_type=chosen.encode(), headers=vary)

    async def _written(self, answer: dict[str, Any]) -> bytes:
        """Return a JSON answer without its secrets: whatever handler it comes from, they are hidden here."""
        schema = self.operation.responses[str(self.operation.success)]["application/json"]
        body = encode(answer)
        if len(body) <= LARGE:
            return validate_response(schema, self._hidden(answer, body), self.operation.id)
        body = await in_thread(self._hidden, answer, body)
        await in_thread(validate_large_response, schema, body, self.operation.id)
        return body

    def _hidden(self, answer: dict[str, Any], written: bytes) -> bytes:
        return encode(self._redactor.redact_json(answer)) if self._redactor.may_redact(written) else written

    async def _redacted(self, text: str) -> bytes:
        """Return a text without its secrets."""
        hidden = self._redactor.redact_text
        return (await in_thread(hidden, text) if len(text) > LARGE else hidden(text)).encode()

    async def _send_file(self, exchange: Exchange, file: FileResult) -> None:
        """Send a document that was written already, as a file to be kept where it has a name."""
        schema, body = self.operation.responses[str(self.operation.success)][file.media_type], file.content
        if file.media_type == "application/json":
            # Away from the event loop, so that other requests get through meanwhile.
            await in_thread(validate_large_response, schema, body, self.operation.id)
        kept = [(b"content-disposition", f'attachment; filename="{file.name}"'.encode())] if file.name else []
        kind = file.media_type.encode()
        await send_bytes(exchange.send, self.operation.success, body, content_type=kind, headers=kept)

    async def _stream(self, exchange: Exchange, live: Live) -> None:
        try:
            async with ResponseTimer(exchange.receive, LISTENERS, self._active, exchange.since) as timer:
                await exchange.send({"type": "http.response.start", "status": 200, "headers": _LIVE_HEADERS})
                if exchange.scope["method"] == "HEAD":
                    return await exchange.send({"type": "http.response.body", "body": b""})
                # A first comment, so that a client knows that it is heard from now on.
                await exchange.send({"type": "http.response.body", "body": b": listening\n\n", "more_body": True})
                while True:
                    text = await timer.wait_for(self._next_of(live))
                    await exchange.send({"type": "http.response.body", "body": text, "more_body": True})
                    # What happens meanwhile goes out as one piece: a hundred listeners must not hold requests up.
                    await timer.sleep_until(timer.elapsed_ms + REST_MS)
        except ServerStopping:
            await exchange.send({"type": "http.response.body", "body": b""})
        finally:
            live.close()

    async def _next_of(self, live: Live) -> bytes:
        """Return the next events, or a comment where none come: a proxy in between would take silence for an end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.comment_every):
                return await live.next()
        return b": nothing new\n\n"
