"""The access log: a line for each request, its response and how long it took. Lines are written in batches."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

import orjson

from sandbox.apps.request_record import RequestRecord
from sandbox.contract.explain import shorten
from sandbox.redaction import Redactor, escape

Format = Callable[[RequestRecord], str]
Redact = Callable[[str], str]

MAX_BATCHES = 10_000
# How many characters of an error's message stand in a line.
MAX_REASON = 300
# A larger response is no envelope of an error.
MAX_ENVELOPE = 64 * 1024

_COLOURS = {2: "32", 3: "36", 4: "33", 5: "31"}


class AccessLog:
    """Writes the lines of one server to a stream, in a thread: a reader that doesn't read holds no request up."""

    def __init__(self, line: Format, out: TextIO) -> None:
        self._line = line
        self._out = out
        self._waiting: list[str] = []
        self._batches: queue.Queue[str | None] = queue.Queue(MAX_BATCHES)
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()

    def __call__(self, record: RequestRecord) -> None:
        """Write the line of one request, soon."""
        if not self._waiting:
            # One batch for all the lines of this turn of the event loop: one for each would halve the speed.
            asyncio.get_running_loop().call_soon(self._hand_over)
        self._waiting.append(self._line(record))

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


def text_line(*, colour: bool, redact: Redact) -> Format:
    """Return the format for people: time, request, status, duration, then all that is not as it should be."""

    def line(record: RequestRecord) -> str:
        status = str(record.status or "–")
        if colour:
            status = f"\033[{_COLOURS.get((record.status or 500) // 100, '31')}m{status}\033[0m"
        path = escape(redact(record.path.decode("latin-1")))
        notes = [] if record.ended in ("complete", None) else [record.ended.replace("_", " ")]
        notes += [f"fault {record.fault}"] if record.fault else []
        notes += ["failed"] if record.reply_status == "failed" else []
        notes += [escape(f"{error['type']}: {error['message']}")] if (error := _error_of(record, redact)) else []
        ending = "".join(f"  {note}" for note in notes)
        return f"{time.strftime('%H:%M:%S')}  {record.method:6} {path}  {status}  {record.duration_ms:.0f} ms{ending}"

    return line


def json_line(*, redact: Redact) -> Format:
    """Return the format for programs: one JSON object a line."""

    def line(record: RequestRecord) -> str:
        value = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "id": record.id or None,
            "app_id": record.app_id,
            "operation": record.operation_id,
            "method": record.method,
            "path": redact(record.path.decode("latin-1")),
            "status": record.status,
            "duration_ms": round(record.duration_ms, 1),
            "ended": record.ended,
            "reply_status": record.reply_status,
            "fault": record.fault,
            "error": _error_of(record, redact),
        }
        # ASCII alone, so that nothing in it can fool a terminal either.
        return json.dumps(value).replace("\x7f", "\\u007f")

    return line


def _error_of(record: RequestRecord, redact: Redact) -> dict[str, str] | None:
    """Return type and message of the response's error, redacted first and then shortened; None where there is none."""
    if (record.status or 0) < 400:
        return None
    body = b"".join(chunk for _, chunk in record.chunks)
    if len(body) > MAX_ENVELOPE:
        return None
    try:
        error = orjson.loads(body)["error"]
        return {name: shorten(redact(str(error[name])), MAX_REASON) for name in ("type", "message")}
    except (ValueError, LookupError, TypeError):
        return None  # another body, as of a fault


def for_stream(out: TextIO, log_format: str, redact: Redact | None = None) -> AccessLog:
    """Return the log that fits a stream: colour only on a terminal. By default `redact` hides known secrets."""
    redact = redact or Redactor().redact_text
    line = json_line(redact=redact) if log_format == "json" else text_line(colour=out.isatty(), redact=redact)
    return AccessLog(line, out)
