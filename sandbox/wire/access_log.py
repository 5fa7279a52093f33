"""Writes a readable line for each request: what came, what went, how long it took. Lines leave in batches."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import TextIO

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.sources import monotonic
from sandbox.wire.http import raw_path

Format = Callable[[str, str, int | None, float], str]

_COLOURS = {2: "32", 3: "36", 4: "33", 5: "31"}


class AccessLog:
    """Measures each request from its first byte to the last of its answer."""

    def __init__(self, app: ASGIApp, line: Format, out: TextIO) -> None:
        self._app = app
        self._line = line
        self._out = out
        self._waiting: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        began = monotonic()
        status: int | None = None

        async def listening(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, listening)
        finally:
            path = raw_path(scope).decode("latin-1")
            self._write(self._line(scope["method"], path, status, (monotonic() - began) * 1000))

    def _write(self, line: str) -> None:
        if not self._waiting:
            # One write for all the lines of this turn of the loop: a write for each would halve the speed.
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append(line)

    def _flush(self) -> None:
        lines, self._waiting = self._waiting, []
        self._out.write("\n".join(lines) + "\n")
        self._out.flush()


def text_line(*, colour: bool) -> Format:
    """Return the format for people: the time, the request, the status, the duration."""

    def line(method: str, path: str, status: int | None, ms: float) -> str:
        shown = str(status or "cut")
        if colour:
            shown = f"\033[{_COLOURS.get((status or 500) // 100, '31')}m{shown}\033[0m"
        return f"{time.strftime('%H:%M:%S')}  {escape(method):6} {escape(path)}  {shown}  {ms:.0f} ms"

    return line


def json_line(method: str, path: str, status: int | None, ms: float) -> str:
    """Return the format for programs: one JSON object a line."""
    at = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    value = {"at": at, "method": method, "path": path, "status": status, "duration_ms": round(ms, 1)}
    return orjson.dumps(value).decode()


def escape(text: str) -> str:
    """Return a client's text with all that could fool a terminal (control, bidi, separators) spelled out."""
    return text if text.isprintable() else "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def for_stream(out: TextIO, log_format: str) -> Format:
    """Return the format that fits a stream: colour only on a terminal."""
    return json_line if log_format == "json" else text_line(colour=out.isatty())


def stderr() -> TextIO:
    """Return where the lines go."""
    return sys.stderr
