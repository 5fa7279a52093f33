"""Acts out the faults of CONTROL.md on the wire. Which one acts is the queue's business; a request may bring its own.

Faults act after the key check and only on matched operations.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from sandbox.apps.app import App
from sandbox.contract import InvalidJson, Operation, Validator, decode, encode
from sandbox.contract.json import EXACT, MAX_DEPTH
from sandbox.errors import ApiError, InvalidRequest, SandboxFault
from sandbox.server import fault_senders
from sandbox.server.checks import refuse
from sandbox.server.context import Exchange
from sandbox.server.holds import LONGEST_MS, Holds
from sandbox.server.http import send_bytes
from sandbox.server.response_timer import AbortConnection, ActiveResponses, AppDeleted, ResponseTimer, ServerStopping
from sandbox.server.sse import STREAM_FAULTS
from sandbox.sources import monotonic

# They answer by themselves; nothing is done and nothing counted.
INSTEAD = frozenset({"status", "hang", "reset", "malformed", "wrong_type"})
# They hold an answer on purpose.
HOLDING = frozenset({"latency", "hang", "stream_stall"})
# They need an answer with a JSON body.
ON_JSON = frozenset({"truncate", "contract"})

_NAME = re.compile(r"\s*([a-z_]+)\s*=\s*")
_BROKEN_JSON = b'{"id": "conv_1", "created_at": 17, "object": "conv'
_HTML = b"<!doctype html><title>502 Bad Gateway</title><h1>Bad Gateway</h1><p>The proxy got no answer.</p>"

Fault = Mapping[str, Any]
Work = Callable[[], Awaitable[None]]


class Faults:
    """Chooses and acts out faults for one server."""

    def __init__(self, law: Validator, active_responses: ActiveResponses, holds: Holds) -> None:
        self._law = law
        self._active = active_responses
        self._holds = holds

    async def choose(self, exchange: Exchange, operation: Operation, app: App, asked: bytes | None) -> Fault | None:
        """Return the fault of this request: the one it asked for, or the oldest queued one.

        It must be able to act on the answer.
        """
        named = None if asked is None else self._named(asked.decode("latin-1"))
        streamed = bool(operation.events) and await self._will_stream(exchange, operation, app)
        cannot_act = ON_JSON if streamed else STREAM_FAULTS

        def matches(fault: Fault) -> bool:
            return fault.get("operation") in (None, operation.id) and fault["kind"] not in cannot_act

        if named is not None:
            return named if matches(named) else None
        rule = await app.faults.take(matches)
        return {**rule.fields, "id": rule.id} if rule else None

    async def apply(self, fault: Fault, exchange: Exchange, operation: Operation, app: App, work: Work) -> None:
        """Act a fault out around the work of a request, or instead of it.

        Raises:
            AbortConnection: the connection is to be closed in the middle of an answer, or without one.
            SandboxFault: the answer is an error.
            StoreFull: too many requests are held already.
        """
        if exchange.entry:
            exchange.entry.fault = fault["kind"]
        if fault["kind"] in HOLDING:
            with self._holds.hold(exchange.path["app_id"]):
                return await self._apply(fault, exchange, operation, app, work)
        return await self._apply(fault, exchange, operation, app, work)

    async def _apply(self, fault: Fault, exchange: Exchange, operation: Operation, app: App, work: Work) -> None:
        kind, send = fault["kind"], exchange.send
        if kind in INSTEAD:
            return await self._instead(fault, exchange)
        if kind == "latency":
            await self._wait(fault, exchange)
        elif kind == "truncate":
            exchange.send = fault_senders.Truncate(send, fault.get("bytes")).send
        elif kind == "stale":
            exchange.send = fault_senders.CloseAfter(send, exchange.connection).send
        elif kind == "contract":
            where = [value for name, value in exchange.path.items() if name != "app_id"]
            rng = app.rng.random("bend", operation.id, *where)
            schema = operation.responses["200"]["application/json"]
            exchange.send = fault_senders.Mutate(send, schema, fault.get("path"), rng).send
        elif kind == "after":
            return await self._after(fault, exchange, work)
        await work()
        return None

    async def _after(self, fault: Fault, exchange: Exchange, work: Work) -> None:
        """Do the work and lose its answer, a refusal too."""
        send, exchange.send = exchange.send, fault_senders.DropResponse().send
        with suppress(ApiError, AbortConnection):
            await work()
        exchange.send = send
        raise SandboxFault(fault["status"])

    async def _instead(self, fault: Fault, exchange: Exchange) -> None:
        kind = fault["kind"]
        # Heard out first, so that the journal has what was sent, even to a connection that is reset.
        await exchange.body()
        if kind == "reset":
            if exchange.connection is not None:
                exchange.connection.reset()
            raise AbortConnection
        if kind == "hang":
            await self._wait(fault, exchange)
            raise AbortConnection
        if kind == "status" and "body" not in fault:
            raise SandboxFault(fault["status"], headers=fault.get("headers"))
        if kind == "status":
            own = {name.lower().encode(): value.encode() for name, value in fault.get("headers", {}).items()}
            kind_of = own.pop(b"content-type", b"application/json")
            body = encode(fault["body"])
            await send_bytes(exchange.send, fault["status"], body, content_type=kind_of, headers=own.items())
        elif kind == "malformed":
            await send_bytes(exchange.send, fault.get("status", 200), _BROKEN_JSON)
        else:
            await send_bytes(
                exchange.send,
                fault.get("status", 502),
                _HTML,
                content_type=b"text/html; charset=utf-8",
                headers=[(b"content-security-policy", b"sandbox")],
            )

    async def _wait(self, fault: Fault, exchange: Exchange) -> None:
        app_id = exchange.path["app_id"]
        # The body first: a client that is heard out is one whose leaving can be noticed.
        await exchange.body()
        try:
            async with ResponseTimer(exchange.receive, app_id, self._active, exchange.since) as timer:
                if "until" in fault:
                    await self._holds.until_released(app_id, fault["id"], exchange.entry, timer)
                else:
                    await timer.sleep_until(fault.get("ms", LONGEST_MS))
        except (ServerStopping, AppDeleted):
            raise AbortConnection from None
        exchange.held_until = monotonic()

    async def _will_stream(self, exchange: Exchange, operation: Operation, app: App) -> bool:
        """Look ahead into the body: will this answer be a stream?"""
        try:
            value = decode(await exchange.body()).value
        except (ApiError, InvalidJson):
            return False
        asked = value.get("stream") if isinstance(value, dict) else None
        if asked is None:
            # A completion never streams when the request does not say.
            return app.exists and app.settings.stream and operation.id == "apps_api_send_message"
        return asked is True

    def _named(self, header: str) -> Fault:
        """Read `kind; name=value; …` and hold it against the contract of faults."""
        kind, _, rest = header.partition(";")
        fields = [("kind", json.dumps(kind.strip())), *_fields(rest)]
        document = decode("{{{}}}".format(",".join(f'"{name}":{value}' for name, value in fields)).encode())
        try:
            refuse(self._law.accept(document))
        except InvalidRequest as error:
            raise InvalidRequest(f"Sandbox-Fault: {error.message}", param=error.param, code=error.code) from None
        if "until" in document.value:
            text = "Sandbox-Fault: until: only a queued fault can be released, by its id."
            raise InvalidRequest(text, param="until", code="not_allowed")
        named: Fault = document.exact
        return named


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Read `name=value; …`; a value is JSON, or a text up to the next semicolon. Return each as JSON."""
    while text.strip():
        match = _NAME.match(text)
        if not match:
            raise InvalidRequest(f"Sandbox-Fault: expected `kind; name=value`, got {text.strip()[:80]!r}.")
        end = _end_of_json(text, match.end())
        if end is None:
            value, _, rest = text[match.end() :].partition(";")
            yield match[1], json.dumps(value.strip())
        else:
            yield match[1], _strict(match[1], text[match.end() : end])
            rest = text[end:].lstrip().removeprefix(";")
        text = rest


def _end_of_json(text: str, start: int) -> int | None:
    """Return where the JSON value that starts there ends; None where there is none up to a semicolon or the end."""
    try:
        _, end = EXACT.raw_decode(text, start)
    except RecursionError:
        return len(text)
    except ValueError:
        return None
    return end if text[end:].lstrip()[:1] in ("", ";") else None


def _strict(name: str, text: str) -> str:
    """Hold a value against the rules for a body: the reader that found its end takes more than JSON."""
    try:
        decode(text.encode(), MAX_DEPTH - 1)
    except InvalidJson as error:
        problem = str(error).removeprefix("the body ")
        raise InvalidRequest(f"Sandbox-Fault: {name} {problem}.", param=name, code=error.code) from None
    return text
