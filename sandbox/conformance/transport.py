"""Carry one request at a time to one server over a connection of its own, and report exactly what came."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.client import HTTPResponse
from types import TracebackType
from typing import Any

from sandbox.conformance.http_messages import ApiRequest, ApiResponse, ServerOrigin
from sandbox.conformance.output import redacted_slice


class Deadline:
    """Passes once, so many seconds after the block was entered; without seconds it never does."""

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds
        self._over = threading.Event()
        self._ends: set[Callable[[], None]] = set()
        self._timer = threading.Timer(seconds or 0, self._pass)
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        if self.seconds is not None:
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()

    @property
    def passed(self) -> bool:
        """Whether the time is over."""
        return self._over.is_set()

    def wait(self, seconds: float) -> None:
        """Wait, but no longer than there is time."""
        self._over.wait(seconds)

    @contextlib.contextmanager
    def ending(self, end: Callable[[], None]) -> Iterator[None]:
        """Have something ended when the time is over, until the block ends."""
        self._ends.add(end)
        try:
            if self.passed:
                end()
            yield
        finally:
            self._ends.discard(end)

    def _pass(self) -> None:
        self._over.set()
        for end in tuple(self._ends):
            end()


MOST_BYTES = 2 * 1024 * 1024

# What zlib must be told of each coding that a client may be answered in: a zlib or a gzip head, whichever comes.
_ANY_HEAD = zlib.MAX_WBITS | 32
_KNOWN = {"gzip", "x-gzip", "deflate"}
_PIECE = 65_536


class BodyTooLarge(Exception):
    """A body is longer than is taken."""


class BodyReader:
    """One body; `read` is what came so far, without its coding."""

    def __init__(self, response: HTTPResponse) -> None:
        self.read = bytearray()
        self._response = response
        coding = (response.getheader("content-encoding") or "").strip().lower()
        self.is_coded = coding in _KNOWN
        self._decoder = zlib.decompressobj(_ANY_HEAD) if self.is_coded else None

    def to_the_end(self) -> None:
        """Read all of it.

        Raises:
            TooLarge: it is longer than is taken; its beginning is there.
            zlib.error: it isn't in its coding.
        """
        while redacted_slice := self._response.read1(_PIECE):
            room = MOST_BYTES + 1 - len(self.read)
            self.read += self._decoder.decompress(redacted_slice, room) if self._decoder else redacted_slice
            if len(self.read) > MOST_BYTES:
                del self.read[MOST_BYTES:]
                raise BodyTooLarge
            if self._decoder and self._decoder.eof:
                return


_CUT = f"cut off after {MOST_BYTES:,} bytes"
_CODED = ("content-encoding", "content-length")


class Unreachable(Exception):
    """Nobody answers at the server's address."""


class Connector:
    """The way to one server. Both times are in seconds: until it is connected, and until an answer has ended."""

    def __init__(self, origin: ServerOrigin, *, connect: float, whole: float, deadline: Deadline | None = None) -> None:
        self.origin = origin
        self._deadline = deadline or Deadline()
        self._connect_within = connect
        self._whole_within = whole
        self._tls = ssl.create_default_context() if origin.scheme == "https" else None

    def probe(self) -> None:
        """Make sure that somebody listens.

        Raises:
            Unreachable: nobody does.
        """
        try:
            with self._connected() as way:
                if way.is_late:
                    raise Unreachable(f"{self.origin}: it listens, but {self._lateness()}")
        except OSError as error:
            raise Unreachable(f"{self.origin}: {_reason(error)}") from None

    def exchange(self, request: ApiRequest) -> ApiResponse:
        """Send a request and return what came, also where nothing did."""
        try:
            with self._connected() as way:
                answer = _exchange(way.connection, self._written(request), request)
        except OSError as error:
            return ApiResponse(request=request, status=None, trouble=f"no connection: {_reason(error)}")
        return replace(answer, is_whole=False, is_late=True, trouble=self._lateness()) if way.is_late else answer

    def _lateness(self) -> str:
        return f"no end within {self._whole_within:.0f} s"

    @contextlib.contextmanager
    def _connected(self) -> Iterator[_Way]:
        """Connect; the connection is broken off when its time is over, however slowly bytes trickle in."""
        connection = socket.create_connection((self.origin.host, self.origin.port), timeout=self._connect_within)
        way = _Way(connection)
        watch = threading.Timer(self._whole_within, way.break_off)
        watch.daemon = True
        watch.start()
        try:
            with self._deadline.ending(way.break_off):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._tls is not None:
                    # Handed over at once: a handshake may trickle in too.
                    way.connection = self._tls.wrap_socket(
                        connection, server_hostname=self.origin.host, do_handshake_on_connect=False
                    )
                    way.connection.do_handshake()
                way.connection.settimeout(self._whole_within)
                yield way
        finally:
            watch.cancel()
            way.connection.close()

    def _written(self, request: ApiRequest) -> bytes:
        named = {name.lower() for name, _ in request.headers}
        lines = [f"{request.method} {request.target} HTTP/1.1"]
        if "host" not in named:
            lines.append(f"Host: {str(self.origin).partition('://')[2]}")
        if request.body is not None and not named & {"content-length", "transfer-encoding"}:
            lines.append(f"Content-Length: {len(request.body)}")
        lines += [f"{name}: {value}" for name, value in request.headers]
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + (request.body or b"")


class _Way:
    """One connection, and whether it was broken off because its time was over."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection: Any = connection
        self._late = threading.Event()

    @property
    def is_late(self) -> bool:
        return self._late.is_set()

    def break_off(self) -> None:
        self._late.set()
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


def _exchange(connection: socket.socket, sent: bytes, request: ApiRequest) -> ApiResponse:
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
        return ApiResponse(request=request, status=None, trouble=trouble or f"no answer: {_reason(error)}")
    body = BodyReader(response)
    trouble = _trouble(body, response)
    # What was decoded has no coding any more.
    headers = (
        (name, value) for name, value in response.getheaders() if name.lower() not in _CODED or not body.is_coded
    )
    return ApiResponse(
        request=request,
        status=response.status,
        reason=response.reason,
        headers=tuple(headers),
        body=bytes(body.read),
        is_whole=not trouble,
        trouble=trouble,
    )


def _trouble(body: BodyReader, response: http.client.HTTPResponse) -> str:
    """Read a body to its end or to where it breaks; return what broke it."""
    try:
        body.to_the_end()
    except BodyTooLarge:
        return _CUT
    except zlib.error:
        return "the body isn't in the coding that Content-Encoding says"
    except http.client.IncompleteRead as error:
        body.read += error.partial
        return "the body broke off"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"the body broke off: {_reason(error)}"
    # A body that stops before its promised length is no error to `read1`.
    missing = response.length
    return f"the body broke off {missing:,} bytes before its end" if missing else ""


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, http.client.RemoteDisconnected | ConnectionResetError):
        return "the connection was closed"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return redacted_slice(" ".join(str(error).split()), 0, 200) or type(error).__name__
