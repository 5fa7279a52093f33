"""Carry one request at a time to one server over a connection of its own, and report exactly what came.

What is sent is sent to the byte, no redirect is followed, and every read ends: by bytes, and by time.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import threading
import zlib
from collections.abc import Callable
from contextlib import closing, suppress
from math import inf
from typing import Any, TypeVar, cast

from sandbox.clock import monotonic
from sandbox.conformance.http_messages import ApiRequest, ApiResponse, ServerOrigin
from sandbox.conformance.output import redacted_slice

# Bytes of a body that are read, after decoding: a few bytes can stand for gigabytes.
MAX_BYTES = 2 * 1024 * 1024

_CODED = ("content-encoding", "content-length")
_CODINGS = {"gzip", "x-gzip", "deflate"}
# What zlib must expect of these: a zlib or a gzip head, whichever comes.
_ANY_HEAD = zlib.MAX_WBITS | 32
_PIECE = 65_536

T = TypeVar("T")


class CannotRun(Exception):
    """The run can't be carried out; the text says why in one line."""


class Deadline:
    """The time that a run has, from now on; without seconds it has no end. `sleep` is what waits."""

    def __init__(self, seconds: float | None = None, sleep: Callable[[float], object] | None = None) -> None:
        self.seconds = seconds
        self._sleep = sleep
        self._end = None if seconds is None else monotonic() + seconds

    @property
    def has_passed(self) -> bool:
        """Whether the time is over."""
        return self.time_left() <= 0

    def time_left(self, maximum: float = inf) -> float:
        """Return how many seconds are left, at most so many."""
        return maximum if self._end is None else min(maximum, self._end - monotonic())

    def wait(self, seconds: float) -> None:
        """Wait, but no longer than there is time."""
        (self._sleep or threading.Event().wait)(max(self.time_left(seconds), 0))


class Connector:
    """The way to one server. Both times are in seconds: until it is connected, and until a response has ended."""

    def __init__(self, origin: ServerOrigin, *, connect: float, whole: float, deadline: Deadline | None = None) -> None:
        self.origin = origin
        self._deadline = deadline or Deadline()
        self._connect_within = connect
        self._whole_within = whole
        self._tls = ssl.create_default_context() if origin.scheme == "https" else None

    def probe(self) -> None:
        """Make sure that somebody listens.

        Raises:
            CannotRun: nobody does.
        """
        try:
            self._connect().close()
        except OSError as error:
            raise CannotRun(f"can't reach {self.origin}: {_reason(error)}") from None

    def exchange(self, request: ApiRequest) -> ApiResponse:
        """Send a request and return what came, also where nothing did."""
        try:
            connection = self._connect()
        except OSError as error:
            return ApiResponse(request=request, status=None, trouble=f"no connection: {_reason(error)}")
        with closing(connection):
            response, body, trouble = _exchange(connection, self._encode(request), request.method)
        late = connection.is_late
        if late:
            trouble = f"no end within {self._whole_within:.0f} s"
        if response is None:
            return ApiResponse(request=request, status=None, is_whole=not late, is_late=late, trouble=trouble)
        # What was decoded has no coding any more.
        dropped = _CODED if _is_coded(response) else ()
        return ApiResponse(
            request=request,
            status=response.status,
            reason=response.reason,
            headers=tuple((name, value) for name, value in response.getheaders() if name.lower() not in dropped),
            body=body,
            is_whole=not trouble,
            is_late=late,
            trouble=trouble,
        )

    def _connect(self) -> _Connection:
        timeout = max(self._deadline.time_left(self._connect_within), 0.001)
        plain = socket.create_connection((self.origin.host, self.origin.port), timeout=timeout)
        connection = _Connection(plain, self._whole_within, self._deadline)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                connection.start_tls(self._tls, self.origin.host)
        except OSError:
            connection.close()
            raise
        return connection

    def _encode(self, request: ApiRequest) -> bytes:
        names = {name.lower() for name, _ in request.headers}
        lines = [f"{request.method} {request.target} HTTP/1.1"]
        if "host" not in names:
            lines.append(f"Host: {str(self.origin).partition('://')[2]}")
        if request.body is not None and not names & {"content-length", "transfer-encoding"}:
            lines.append(f"Content-Length: {len(request.body)}")
        lines += [f"{name}: {value}" for name, value in request.headers]
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + (request.body or b"")


class _Connection(io.RawIOBase):
    """One connection, which ends when its time is over, however slowly bytes trickle in or out."""

    def __init__(self, connection: socket.socket, seconds: float, deadline: Deadline) -> None:
        self._socket = connection
        self._time, self._deadline = Deadline(seconds), deadline
        self.is_late = False

    def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Encrypt from now on."""
        tls = context.wrap_socket(self._socket, server_hostname=host, do_handshake_on_connect=False)
        self._socket = tls
        self._in_time(tls.do_handshake)

    def send(self, data: bytes) -> None:
        """Send all of it."""
        view = memoryview(data)
        while view:
            view = view[self._in_time(self._socket.send, view) :]

    def readable(self) -> bool:
        """Say that it can be read, as `io` asks for."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what has come."""
        return self._in_time(self._socket.recv_into, buffer)

    def makefile(self, _: str) -> io.BufferedReader:
        """Return what `http.client` reads a response from."""
        return io.BufferedReader(self)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()
        super().close()

    def _in_time(self, operation: Callable[..., T], *arguments: Any) -> T:
        while (left := self._deadline.time_left(self._time.time_left())) > 0:
            self._socket.settimeout(left)
            with suppress(TimeoutError):
                return operation(*arguments)
        self.is_late = True
        raise TimeoutError


def _exchange(
    connection: _Connection, request: bytes, method: str
) -> tuple[http.client.HTTPResponse | None, bytes, str]:
    """Send a request; return the response, if one came, with its body, decoded, and what went wrong."""
    trouble = ""
    try:
        connection.send(request)
    except OSError:
        trouble = "the connection was closed while the request was sent"
    # A server that has read enough answers before it closes: its response may be there all the same.
    response = http.client.HTTPResponse(cast("socket.socket", connection), method=method)
    try:
        response.begin()
    except (OSError, http.client.HTTPException, ValueError) as error:
        return None, b"", trouble or f"no answer: {_reason(error)}"
    body = bytearray()
    trouble = _read_body(response, body)
    return response, bytes(body), trouble


def _read_body(response: http.client.HTTPResponse, body: bytearray) -> str:
    """Read a body to its end or to where it breaks; return what broke it."""
    decoder = zlib.decompressobj(_ANY_HEAD) if _is_coded(response) else None
    try:
        while piece := response.read1(_PIECE):
            body += decoder.decompress(piece, MAX_BYTES + 1 - len(body)) if decoder else piece
            if len(body) > MAX_BYTES:
                del body[MAX_BYTES:]
                return f"cut off after {MAX_BYTES:,} bytes"
            if decoder and decoder.eof:
                break
    except zlib.error:
        return "the body isn't in the coding that Content-Encoding says"
    except http.client.IncompleteRead as error:
        body += error.partial
        return "the body broke off"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"the body broke off: {_reason(error)}"
    # A body that stops before its promised length is no error to `read1`.
    missing = response.length
    return f"the body broke off {missing:,} bytes before its end" if missing else ""


def _is_coded(response: http.client.HTTPResponse) -> bool:
    return (response.getheader("content-encoding") or "").strip().lower() in _CODINGS


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, http.client.RemoteDisconnected | ConnectionResetError):
        return "the connection was closed"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return redacted_slice(" ".join(str(error).split()), 0, 200) or type(error).__name__
