"""uvicorn's HTTP protocol, with bounds on what a client may send, and ways to break a connection on purpose.

Pipelined requests are parsed a piece at a time, and no further than to the first one that has to wait.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any, NoReturn

import orjson
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from sandbox.clock import monotonic
from sandbox.errors import InvalidRequest
from sandbox.server.context import CAME, CONNECTION

# Bounds of a request's headers, its trailers among them.
MAX_HEADERS = 200
MAX_HEADER_BYTES = 64 * 1024
# How many bytes are parsed at once, and how many are read before they are parsed; one packet may be on top.
PIECE = 8 * 1024
MAX_UNPARSED = 64 * 1024
# How many bytes may wait for a client to read them before writing to it stops.
MAX_UNREAD = 16 * 1024

_REASONS = {400: b"Bad Request", 408: b"Request Timeout", 431: b"Request Header Fields Too Large"}


class PausedFlow(FlowControl):
    """Keeps reading paused while `is_full`, whoever asks to go on."""

    is_full = False

    def resume_reading(self) -> None:
        """Read on, if there is room for what comes."""
        if not self.is_full:
            super().resume_reading()


class CarefulCycle(RequestResponseCycle):
    """One response to a client of HTTP/1.0 or one that sent `Expect: 100-continue`: uvicorn's way falls short."""

    ends_with_connection = False

    async def send(self, message: Any) -> None:
        """Send a piece of the response; where its length isn't known, it ends with the connection, not with chunks."""
        if message["type"] == "http.response.start":
            # Never asked for, the body may come or not: nobody could say where the next request begins.
            self.keep_alive = self.keep_alive and not self.waiting_for_100_continue
            self.ends_with_connection = _is_old_http(self.scope) and _has_unknown_length(message)
            if self.ends_with_connection:
                self.chunked_encoding = False
            if not self.keep_alive:
                # Not every version of uvicorn says so itself.
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        elif self.ends_with_connection:
            # To uvicorn each piece is as long as was promised.
            self.expected_content_length = len(message.get("body", b""))
        await super().send(message)

    @property
    def would_look_whole(self) -> bool:
        """Whether a response that is closed now could be taken for one that came to its end."""
        return self.ends_with_connection and not self.response_complete


class SandboxProtocol(HttpToolsProtocol):
    """Gives itself to the application in the scope, and answers invalid HTTP in the API's envelope.

    `header_timeout`: seconds for the whole head of a request, silence included.
    """

    header_timeout = 10

    flow: PausedFlow
    # Bytes that were read and wait to be parsed.
    _unparsed = b""
    # Which part of a request is being read; between two requests neither is true.
    _in_head = False
    _in_body = False
    # Whether an upgrade is being declined: the parser is given the head again.
    _declining = False
    # Bytes since a request began or a piece of its body came: of a head, of trailers, of what is between chunks.
    _head_bytes = 0
    _has_progress = False
    # The request that is being answered; those of `pipeline` come after it.
    _running: RequestResponseCycle | None = None
    # Status and text for what can't be parsed; once set, nothing more is read.
    _refusal: tuple[int, str] | None = None
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Set up the connection and start the timer of its first head."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(MAX_UNREAD)
        self.flow = PausedFlow(transport)
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the running request, and drop all references: nothing is left to the garbage collector."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._stop_head_timer()
        # uvicorn tells the last request alone, which may be one that waits.
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()
        self.pipeline.clear()
        self._unparsed = b""
        self._running = self.cycle = self.scope = None  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Parse what came, as far as it may be."""
        self._unset_keepalive_if_required()
        if self._refusal:
            return
        self._parse(self._unparsed + data)
        if self._in_body or not self._is_answering():
            self._start_timer()

    def on_message_begin(self) -> None:
        """Note that a request begins."""
        if self._declining:
            return
        self._has_progress = self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Start a request: the application finds the connection in the scope."""
        if len(self.headers) > MAX_HEADERS:
            self._too_large(f"The request has more than {MAX_HEADERS} headers.")
        if self.parser.should_upgrade():
            return
        scope: Any = self.scope
        scope["extensions"] = {CONNECTION: self}
        # The scope has the list; trailers, which come behind the body, go into another one.
        self.headers = []
        ahead = len(self.pipeline)
        super().on_headers_complete()
        if self.expect_100_continue or _is_old_http(scope):
            _send_carefully(self.cycle)
        self._stop_head_timer()
        self._in_head, self._in_body, self._declining = False, True, False
        if len(self.pipeline) == ahead:
            self._running = self.cycle

    def on_body(self, body: bytes) -> None:
        """Pass a piece of the body on."""
        self._has_progress = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Record when the request was whole: delays are counted from then, not from when its turn came."""
        if self._in_head:
            # Only an offer to upgrade is complete without having begun.
            return
        self._in_body = False
        scope: Any = self.scope
        scope[CAME] = monotonic()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Start the next pipelined request, and read on."""
        if self.pipeline:
            self._running, _ = self.pipeline[-1]
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self._refusal:
            if not self._is_answering():
                self._refuse(*self._refusal)
        elif self._unparsed or self._in_head:
            self._unset_keepalive_if_required()
            self._parse(self._unparsed)
            if not self.transport.is_closing():
                self.flow.resume_reading()
                self._start_timer()

    def reset(self) -> None:
        """Break the connection at once, with a reset and no byte more."""
        connection: socket.socket | None = self.transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def close_quietly(self) -> None:
        """Close the connection as soon as what was written is out; reset it where a close would look like an end."""
        if isinstance(self._running, CarefulCycle) and self._running.would_look_whole:
            self.reset()
        else:
            self.transport.close()

    def _is_answering(self) -> bool:
        return self._running is not None and not self._running.response_complete

    def _parse(self, data: bytes) -> None:
        """Parse until a request has to wait; keep the rest."""
        start = 0
        try:
            while start < len(data) and not self.pipeline:
                self._feed(data[start : start + PIECE])
                start += PIECE
            self._unparsed = data[start:]
        except HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self._unparsed = b""
            self._stop()
        if self._unparsed or self.flow.is_full:
            self.flow.is_full = len(self._unparsed) > MAX_UNPARSED
            if self.flow.is_full:
                self.flow.pause_reading()

    def _feed(self, piece: bytes) -> None:
        self._has_progress = False
        size = len(piece)
        while piece:
            try:
                self.parser.feed_data(piece)
                break
            except HttpParserUpgrade as offer:
                piece = piece[offer.args[0] :]
            self._decline()
        self._head_bytes = 0 if self._has_progress else self._head_bytes + size
        if self._head_bytes > MAX_HEADER_BYTES:
            self._too_large(f"The headers are larger than {MAX_HEADER_BYTES:,} bytes.")

    def _decline(self) -> None:
        """Go on as if no upgrade had been offered, nor a tunnel.

        The parser takes what follows such a head for another protocol. A fresh one gets the head without the offer, so
        that it knows where the body ends; what the application sees is the head as it came.
        """
        method = self.parser.get_method()
        lines = [b"%b: %b\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        start = b"%b %b HTTP/%b\r\n" % (_parsed_method(method), self.url, self.parser.get_http_version().encode())
        self.url, self.headers = b"", []
        self._declining = True
        # Fresh, as one that has seen `Connection: close` takes nothing more.
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(b"%b%b\r\n" % (start, b"".join(lines)))
        self.scope["method"] = method.decode("ascii")

    def _too_large(self, text: str) -> NoReturn:
        self._refusal = (431, text)
        raise HttpParserError(text)

    def _stop(self) -> None:
        """Answer what can't be parsed, after the responses to what came before it."""
        self._refusal = self._refusal or (400, "Invalid HTTP request received. Expected HTTP/1.1.")
        is_running = self.cycle is self._running
        if self._in_body and is_running and self.cycle.response_started:
            # It has its response, or a part of it.
            return self.close_quietly()
        if self._in_body and not is_running:
            self.pipeline.popleft()
        if not self._is_answering() or (self._in_body and is_running):
            self._refuse(*self._refusal)
        return None

    def _refuse(self, status: int, text: str) -> None:
        body = orjson.dumps(InvalidRequest(text).envelope())
        head = b"HTTP/1.1 %d %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(head % (status, _REASONS[status], len(body)) + body)
        self.transport.close()

    def _start_timer(self) -> None:
        """Start the timer of what the client has to send next, unless it is the server's turn."""
        if self.transport.is_closing():
            return
        answering = self._is_answering()
        if self._in_body and (not answering or self.cycle is self._running):
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        elif not answering:
            self._start_head_timer()

    def _start_head_timer(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.header_timeout, self._head_timed_out)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_timed_out(self) -> None:
        if self._in_head:
            self._refuse(408, f"The headers did not come within {self.header_timeout} seconds.")
        else:
            self.transport.close()


def bound_handshakes(loop: asyncio.AbstractEventLoop, seconds: float) -> None:
    """Limit the TLS handshakes of a loop's servers to so many seconds: uvicorn has no setting for it."""
    create_server: Any = loop.create_server

    def create_bounded_server(*args: Any, ssl: Any = None, **kwargs: Any) -> Any:
        return create_server(*args, ssl=ssl, ssl_handshake_timeout=seconds if ssl else None, **kwargs)

    loop.create_server = create_bounded_server  # type: ignore[method-assign]


def _parsed_method(method: bytes) -> bytes:
    """Return a method that lets the body be read; the parser sees a tunnel in CONNECT alone."""
    return b"POST" if method == b"CONNECT" else method


def _send_carefully(cycle: RequestResponseCycle) -> None:
    """Let a response that has not begun be sent with care; most don't need that, and go the shorter way."""
    cycle.__class__ = CarefulCycle
    if _is_old_http(cycle.scope):
        # HTTP/1.0 has no `Expect` (RFC 9110, 10.1.1), and nobody needs its connections kept.
        cycle.waiting_for_100_continue = False
        cycle.keep_alive = False


def _is_old_http(scope: Any) -> bool:
    """Say whether a client speaks a version of HTTP that knows no chunks."""
    return bool(scope["http_version"] != "1.1")


def _has_unknown_length(start: Any) -> bool:
    return all(name.lower() != b"content-length" for name, _ in start["headers"])
