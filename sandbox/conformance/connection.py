"""Takes one request at a time to one server, over a connection of its own, and says exactly what came.

It sends to the byte what it is told, follows no redirect, and ends every read: by bytes, and by time.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace

from sandbox.conformance.exchange import Answer, Origin, Request
from sandbox.conformance.shown import piece

MOST_BYTES = 16 * 1024 * 1024

_PIECE = 65_536


class Unreachable(Exception):
    """Nobody answers at the server's address."""


class Connector:
    """The way to one server. Both times are in seconds: until it is connected, and until an answer has ended."""

    def __init__(self, origin: Origin, *, connect: float, whole: float) -> None:
        self.origin = origin
        self._connect_within = connect
        self._whole_within = whole
        self._tls = ssl.create_default_context() if origin.scheme == "https" else None

    def probe(self) -> None:
        """Make sure that somebody listens.

        Raises:
            Unreachable: nobody does.
        """
        try:
            self._connect().close()
        except OSError as error:
            raise Unreachable(f"{self.origin}: {_reason(error)}") from None

    def exchange(self, request: Request) -> Answer:
        """Send a request and return what came, also where nothing did."""
        try:
            connection = self._connect()
        except OSError as error:
            return Answer(request=request, status=None, trouble=f"no connection: {_reason(error)}")
        with contextlib.closing(connection), self._watched(connection) as late:
            answer = _exchange(connection, self._written(request), request)
        if not late.is_set():
            return answer
        return replace(answer, is_whole=False, is_late=True, trouble=f"no end within {self._whole_within:.0f} s")

    def _connect(self) -> socket.socket:
        connection = socket.create_connection((self.origin.host, self.origin.port), timeout=self._connect_within)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            try:
                connection = self._tls.wrap_socket(connection, server_hostname=self.origin.host)
            except OSError:
                connection.close()
                raise
        connection.settimeout(self._whole_within)
        return connection

    @contextlib.contextmanager
    def _watched(self, connection: socket.socket) -> Iterator[threading.Event]:
        """Break a connection off when its time is over, however slowly bytes trickle in; say whether it was."""
        late = threading.Event()

        def break_off() -> None:
            late.set()
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

        watch = threading.Timer(self._whole_within, break_off)
        watch.daemon = True
        watch.start()
        try:
            yield late
        finally:
            watch.cancel()

    def _written(self, request: Request) -> bytes:
        named = {name.lower() for name, _ in request.headers}
        lines = [f"{request.method} {request.target} HTTP/1.1"]
        if "host" not in named:
            lines.append(f"Host: {str(self.origin).partition('://')[2]}")
        if request.body is not None and not named & {"content-length", "transfer-encoding"}:
            lines.append(f"Content-Length: {len(request.body)}")
        lines += [f"{name}: {value}" for name, value in request.headers]
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + (request.body or b"")


def _exchange(connection: socket.socket, sent: bytes, request: Request) -> Answer:
    trouble = ""
    try:
        connection.sendall(sent)
    except OSError:
        trouble = "the connection was closed while the request was sent"
    # A server that has heard enough answers before it closes: what it said may be there all the same.
    response = http.client.HTTPResponse(connection, method=request.method)
    try:
        response.begin()
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(request=request, status=None, trouble=trouble or f"no answer: {_reason(error)}")
    body, trouble = _read(response)
    return Answer(
        request=request,
        status=response.status,
        reason=response.reason,
        headers=tuple(response.getheaders()),
        body=body,
        is_whole=not trouble,
        trouble=trouble,
    )


def _read(response: http.client.HTTPResponse) -> tuple[bytes, str]:
    """Read a body to its end or to where it breaks; return it and what broke it."""
    read = bytearray()
    try:
        while piece := response.read1(_PIECE):
            read += piece
            if len(read) > MOST_BYTES:
                return bytes(read[:MOST_BYTES]), f"cut off after {MOST_BYTES:,} bytes"
    except http.client.IncompleteRead as error:
        return bytes(read + error.partial), "the body broke off"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return bytes(read), f"the body broke off: {_reason(error)}"
    # A body that stops before its promised length is no error to `read1`.
    missing = response.length
    return bytes(read), f"the body broke off {missing:,} bytes before its end" if missing else ""


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, http.client.RemoteDisconnected | ConnectionResetError):
        return "the connection was closed"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return piece(" ".join(str(error).split()), 0, 200) or type(error).__name__
