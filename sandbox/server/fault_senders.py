"""Spoils a good answer on its way out: swallows it, stops it half-way, bends it, or closes the connection behind it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import orjson
from starlette.types import Message, Send

from sandbox.contract import Validator
from sandbox.server.response_timer import AbortConnection


class DropResponse:
    """Takes an answer and sends nothing: the work is done, its answer lost."""

    async def send(self, message: Message) -> None:
        """Drop a piece of the answer."""


class Truncate:
    """Stops a body after so many bytes (by default half), against the length that was promised."""

    def __init__(self, send: Send, after: int | None) -> None:
        self._send = send
        self._after = after

    async def send(self, message: Message) -> None:
        """Pass a piece of the answer on, up to the cut."""
        if message["type"] != "http.response.body":
            return await self._send(message)
        body = message["body"]
        # One byte is missing at least: a whole body would be no fault.
        cut = min(len(body) // 2 if self._after is None else self._after, max(len(body) - 1, 0))
        await self._send({"type": "http.response.body", "body": body[:cut], "more_body": True})
        raise AbortConnection


class CloseAfter:
    """Answers well, then closes the connection that the client means to keep."""

    def __init__(self, send: Send, connection: Any) -> None:
        self._send = send
        self._connection = connection

    async def send(self, message: Message) -> None:
        """Pass a piece of the answer on; after the last one, close."""
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            if self._connection is None:
                raise AbortConnection
            self._connection.close_quietly()


class Mutate:
    """Breaks the contract in one place of a JSON body."""

    def __init__(self, send: Send, schema: Validator, path: str | None, rng: random.Random) -> None:
        self._send = send
        self._schema = schema
        self._path = path
        self._rng = rng
        self._start: Message = {}

    async def send(self, message: Message) -> None:
        """Hold the start back until the body is mutated and its length known."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        body = message["body"]
        if self._start["status"] == 200:
            body = orjson.dumps(mutate_json(orjson.loads(body), self._schema, self._path, self._rng))
        headers = [(name, value) for name, value in self._start["headers"] if name != b"content-length"]
        self._start["headers"] = [*headers, (b"content-length", b"%d" % len(body))]
        await self._send(self._start)
        await self._send({**message, "body": body})


def mutate_json(value: Any, schema: Validator, path: str | None, rng: random.Random) -> Any:
    """Return a copy of a valid value with one break of its schema: at `path` (dotted), or where the rng fall."""
    places = [path.split(".")] if path else sorted(_places(value))
    tries = [(place, how) for place in places for how in _BREAKS]
    rng.shuffle(tries)
    for place, how in tries:
        mutated = orjson.loads(orjson.dumps(value))
        if _apply(mutated, place, how) and not schema.is_valid(mutated):
            return mutated
    return {"sandbox_fault": "contract"}


def _places(value: Any, above: tuple[str, ...] = ()) -> Iterator[list[str]]:
    if isinstance(value, dict) and above[-1:] != ("metadata",):
        for name, child in value.items():
            yield [*above, name]
            yield from _places(child, (*above, name))
    elif isinstance(value, list) and value:
        yield from _places(value[0], (*above, "0"))


def _apply(value: Any, place: list[str], how: str) -> bool:
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


_BREAKS = ("gone", "null", "wrong_type", "unknown")
