"""Faults (docs/control.md): chooses the one that acts on a request, and spoils its response as it says.

Faults act after the check of the key, and only on operations that they match.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import orjson
from starlette.types import Message, Send

from sandbox.apps.responses import AppDeleted
from sandbox.clock import monotonic
from sandbox.contract import InvalidJson, Validator, decode, encode
from sandbox.contract.json import EXACT, MAX_DEPTH
from sandbox.errors import ApiError, InvalidRequest, SandboxFault
from sandbox.server.context import RequestContext
from sandbox.server.request_checks import raise_violations
from sandbox.server.response_timer import AbortConnection, ResponseTimer, ServerStopping
from sandbox.server.sse import STREAM_FAULTS

# Kinds that respond in place of the handler: nothing is done and nothing counted.
REPLACING_FAULTS = frozenset({"status", "hang", "reset", "malformed", "wrong_type"})
# Kinds that hold a response on purpose.
HOLDING_FAULTS = frozenset({"latency", "hang", "stream_stall"})
# Kinds that need a response with a JSON body.
JSON_FAULTS = frozenset({"truncate", "contract"})

# After how many milliseconds a response goes on that nobody releases.
MAX_HOLD_MS = 600_000

_NAME = re.compile(r"\s*([a-z_]+)\s*=\s*")
_BREAKS = ("gone", "null", "wrong_type", "unknown")
_BROKEN_JSON = b'{"id": "conv_1", "created_at": 17, "object": "conv'
_HTML = b"<!doctype html><title>502 Bad Gateway</title><h1>Bad Gateway</h1><p>The proxy got no answer.</p>"

Fault = Mapping[str, Any]
Work = Callable[[], Awaitable[None]]


async def find_fault(ctx: RequestContext, header: bytes | None, schema: Validator) -> Fault | None:
    """Return the fault that the header asks for, or the oldest queued one, if it can act on the response.

    `schema` is the contract of a fault.
    """
    requested = None if header is None else _parse_header(header.decode("latin-1"), schema)
    is_stream = bool(ctx.operation.events) and await _will_stream(ctx)
    cannot_act = JSON_FAULTS if is_stream else STREAM_FAULTS

    def matches(fault: Fault) -> bool:
        return fault.get("operation") in (None, ctx.operation.id) and fault["kind"] not in cannot_act

    if requested is not None:
        return requested if matches(requested) else None
    rule = await ctx.app.faults.take(matches)
    return {**rule.fields, "id": rule.id} if rule else None


async def apply_fault(ctx: RequestContext, work: Work) -> None:
    """Apply the fault of a request around the rest of its work, or instead of it.

    Raises:
        AbortConnection: the connection is to be closed in the middle of a response, or without one.
        SandboxFault: the response is an error.
        StoreFull: too many requests are held already.
    """
    assert ctx.fault is not None  # noqa: S101 - called where there is one
    ctx.fault_kind = ctx.fault["kind"]
    if ctx.fault_kind in HOLDING_FAULTS:
        with ctx.app.responses.hold():
            return await _apply(ctx, ctx.fault, work)
    return await _apply(ctx, ctx.fault, work)


async def _apply(ctx: RequestContext, fault: Fault, work: Work) -> None:
    kind = fault["kind"]
    if kind in REPLACING_FAULTS:
        return await _respond_instead(ctx, fault)
    if kind == "latency":
        await _wait(ctx, fault)
    elif kind == "truncate":
        ctx.fault_sender = truncate(ctx.send_unfaulted, fault.get("bytes"))
    elif kind == "stale":
        ctx.fault_sender = close_after(ctx.send_unfaulted, ctx.connection)
    elif kind == "contract":
        where = [value for name, value in ctx.path_parameters.items() if name != "app_id"]
        rng = ctx.app.rng.random("bend", ctx.operation.id, *where)
        schema = ctx.operation.responses["200"]["application/json"]
        ctx.fault_sender = mutate(ctx.send_unfaulted, schema, fault.get("path"), rng)
    elif kind == "after":
        return await _after(ctx, fault, work)
    await work()
    return None


async def _after(ctx: RequestContext, fault: Fault, work: Work) -> None:
    """Do the work and lose its response, an error too."""
    ctx.fault_sender = drop_response
    with suppress(ApiError, AbortConnection):
        await work()
    ctx.fault_sender = None
    raise SandboxFault(fault["status"])


async def _respond_instead(ctx: RequestContext, fault: Fault) -> None:
    kind = fault["kind"]
    # The body first, so that the journal has what was sent, even to a connection that is reset.
    await ctx.read_body()
    if kind == "reset":
        if ctx.connection is not None:
            ctx.connection.reset()
        raise AbortConnection
    if kind == "hang":
        await _wait(ctx, fault)
        raise AbortConnection
    if kind == "status" and "body" not in fault:
        raise SandboxFault(fault["status"], headers=fault.get("headers"))
    if kind == "status":
        own = {name.lower().encode(): value.encode() for name, value in fault.get("headers", {}).items()}
        content_type = own.pop(b"content-type", b"application/json")
        await ctx.respond(fault["status"], encode(fault["body"]), content_type=content_type, headers=own.items())
    elif kind == "malformed":
        await ctx.respond(fault.get("status", 200), _BROKEN_JSON)
    else:
        headers = [(b"content-security-policy", b"sandbox")]
        await ctx.respond(fault.get("status", 502), _HTML, content_type=b"text/html; charset=utf-8", headers=headers)


async def _wait(ctx: RequestContext, fault: Fault) -> None:
    # The body first: once it was read, the client's leaving can be noticed.
    await ctx.read_body()
    try:
        async with ResponseTimer(ctx.receive, ctx.app.responses, ctx.turns, ctx.since) as timer:
            if "until" in fault:
                await wait_for_release(ctx, fault["id"], timer)
            else:
                await timer.sleep_until(fault.get("ms", MAX_HOLD_MS))
    except (ServerStopping, AppDeleted):
        raise AbortConnection from None
    ctx.held_until = monotonic()


async def wait_for_release(ctx: RequestContext, fault_id: str, timer: ResponseTimer) -> None:
    """Wait until the fault is released; meanwhile the journal says which one holds the request.

    Raises:
        ClientDisconnected, ServerStopping, AppDeleted: as `ResponseTimer.sleep_until` does.
    """
    with ctx.app.responses.waiting_for_release(fault_id, timer):
        ctx.held_by = fault_id
        try:
            await timer.wait_until_woken(MAX_HOLD_MS)
        finally:
            ctx.held_by = None


async def _will_stream(ctx: RequestContext) -> bool:
    """Look ahead into the body: will this response be a stream?"""
    try:
        value = decode(await ctx.read_body()).value
    except (ApiError, InvalidJson):
        return False
    stream = value.get("stream") if isinstance(value, dict) else None
    if stream is None:
        # A completion never streams when the request does not say.
        return ctx.app.exists and ctx.app.settings.stream and ctx.operation.id == "apps_api_send_message"
    return stream is True


def _parse_header(header: str, schema: Validator) -> Fault:
    """Read `kind; name=value; …` and hold it against the contract of faults."""
    kind, _, rest = header.partition(";")
    fields = [("kind", json.dumps(kind.strip())), *_parse_fields(rest)]
    document = decode("{{{}}}".format(",".join(f'"{name}":{value}' for name, value in fields)).encode())
    try:
        raise_violations(schema.validate(document))
    except InvalidRequest as error:
        raise InvalidRequest(f"Sandbox-Fault: {error.message}", param=error.param, code=error.code) from None
    if "until" in document.value:
        text = "Sandbox-Fault: until: only a queued fault can be released, by its id."
        raise InvalidRequest(text, param="until", code="not_allowed")
    fault: Fault = document.exact
    return fault


def _parse_fields(text: str) -> Iterator[tuple[str, str]]:
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
            yield match[1], _checked_json(match[1], text[match.end() : end])
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


def _checked_json(name: str, text: str) -> str:
    """Check a value by the rules for a body: the decoder that found its end accepts more than JSON."""
    try:
        decode(text.encode(), MAX_DEPTH - 1)
    except InvalidJson as error:
        problem = str(error).removeprefix("the body ")
        raise InvalidRequest(f"Sandbox-Fault: {name} {problem}.", param=name, code=error.code) from None
    return text


async def drop_response(message: Message) -> None:
    """Send nothing: the work is done, its response lost."""


def truncate(send: Send, size: int | None) -> Send:
    """Stop a body after so many bytes (by default half), against the length that was promised."""

    async def send_part(message: Message) -> None:
        if message["type"] != "http.response.body":
            return await send(message)
        body = message["body"]
        # One byte is missing at least: a complete body would be no fault.
        end = min(len(body) // 2 if size is None else size, max(len(body) - 1, 0))
        await send({"type": "http.response.body", "body": body[:end], "more_body": True})
        raise AbortConnection

    return send_part


def close_after(send: Send, connection: Any) -> Send:
    """Respond well, then close the connection that the client means to keep."""

    async def send_and_close(message: Message) -> None:
        await send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            if connection is None:
                raise AbortConnection
            connection.close_quietly()

    return send_and_close


def mutate(send: Send, schema: Validator, path: str | None, rng: random.Random) -> Send:
    """Break the contract in one place of a JSON body."""
    start: Message = {}

    async def send_mutated(message: Message) -> None:
        if message["type"] == "http.response.start":
            # Held back until the body is mutated and its length known.
            start.update(message)
            return
        body = message["body"]
        if start["status"] == 200:
            body = orjson.dumps(mutate_json(orjson.loads(body), schema, path, rng))
        headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        await send({**start, "headers": [*headers, (b"content-length", b"%d" % len(body))]})
        await send({**message, "body": body})

    return send_mutated


def mutate_json(value: Any, schema: Validator, path: str | None, rng: random.Random) -> Any:
    """Return a copy of a valid value with one break of its schema: at `path` (dotted), or where `rng` decides."""
    places = [path.split(".")] if path else sorted(_places(value))
    tries = [(place, how) for place in places for how in _BREAKS]
    rng.shuffle(tries)
    for place, how in tries:
        mutated = orjson.loads(orjson.dumps(value))
        if _break_place(mutated, place, how) and not schema.is_valid(mutated):
            return mutated
    return {"sandbox_fault": "contract"}


def _places(value: Any, above: tuple[str, ...] = ()) -> Iterator[list[str]]:
    if isinstance(value, dict) and above[-1:] != ("metadata",):
        for name, child in value.items():
            yield [*above, name]
            yield from _places(child, (*above, name))
    elif isinstance(value, list) and value:
        yield from _places(value[0], (*above, "0"))


def _break_place(value: Any, place: list[str], how: str) -> bool:
    """Break one place; say whether it was there."""
    for name in place[:-1]:
        value = value.get(name) if isinstance(value, dict) else _at(value, name)
    last = place[-1]
    if not isinstance(value, dict) or last not in value:
        return False
    if how == "gone":
        del value[last]
    elif how == "null":
        value[last] = None
    elif how == "wrong_type":
        value[last] = 12 if isinstance(value[last], str) else "twelve"
    else:
        value[last] = "sandbox_unknown"
    return True


def _at(value: Any, name: str) -> Any:
    return value[int(name)] if isinstance(value, list) and name.isdecimal() and int(name) < len(value) else None
