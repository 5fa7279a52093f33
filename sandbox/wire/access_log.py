"""Writes a readable line for each request: what came, what went, how long it took. Lines leave in batches."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from sandbox.masking import escape
from sandbox.state.entry import Entry

Format = Callable[[Entry], str]

MOST_BATCHES = 10_000

_COLOURS = {2: "32", 3: "36", 4: "33", 5: "31"}


class AccessLog:
    """Writes the lines of one server to a stream, in a thread: a reader that doesn't read holds no request up."""

    def __init__(self, line: Format, out: TextIO) -> None:
        self._line = line
        self._out = out
        self._waiting: list[str] = []
        self._batches: queue.Queue[str | None] = queue.Queue(MOST_BATCHES)
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()

    def __call__(self, entry: Entry) -> None:
        """Write the line of one request, soon."""
        if not self._waiting:
            # One batch for all the lines of this turn of the loop: one for each would halve the speed.
            asyncio.get_running_loop().call_soon(self._hand_over)
        self._waiting.append(self._line(entry))

    def close(self) -> None:
        """Let what waits be written, unless nobody reads it."""
        with suppress(queue.Full):
            self._batches.put_nowait(None)
            self._writer.join(timeout=1)

    def _hand_over(self) -> None:
        lines, self._waiting = self._waiting, []
        # Where nobody reads for long, the newest lines are lost.
        with suppress(queue.Full):
            self._batches.put_nowait("\n".join(lines) + "\n")

    def _write(self) -> None:
        while (batch := self._batches.get()) is not None:
            with suppress(OSError, ValueError):  # the reader is gone
                self._out.write(batch)
                self._out.flush()


def text_line(*, colour: bool) -> Format:
    """Return the format for people: the time, the request, the status, the duration, the fault if there was one."""

    def line(entry: Entry) -> str:
        shown = str(entry.status or "–")
        if colour:
            shown = f"\033[{_COLOURS.get((entry.status or 500) // 100, '31')}m{shown}\033[0m"
        path = escape(entry.path.decode("latin-1"))
        more = [entry.ended.replace("_", " ")] if entry.ended != "complete" else []
        more += [f"fault {entry.fault}"] if entry.fault else []
        ending = "".join(f"  {word}" for word in more)
        return f"{time.strftime('%H:%M:%S')}  {entry.method:6} {path}  {shown}  {entry.duration_ms:.0f} ms{ending}"

    return line


def json_line(entry: Entry) -> str:
    """Return the format for programs: one JSON object a line."""
    value = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "id": entry.id or None,
        "app_id": entry.app_id,
        "operation": entry.operation,
        "method": entry.method,
        "path": entry.path.decode("latin-1"),
        "status": entry.status,
        "duration_ms": round(entry.duration_ms, 1),
        "ended": entry.ended,
        "fault": entry.fault,
    }
    # ASCII alone, so that nothing in it can fool a terminal either.
    return json.dumps(value).replace("\x7f", "\\u007f")


def for_stream(out: TextIO, log_format: str) -> AccessLog:
    """Return the log that fits a stream: colour only on a terminal."""
    return AccessLog(json_line if log_format == "json" else text_line(colour=out.isatty()), out)
