"""The judge's own HTTP client: it sends exactly what it is told, to one server alone, and says exactly what came.

It keeps what was promised to the server's owner: no redirect is followed, every read ends (by bytes, by time), a 429 is
waited out, requests keep their distance, and no more messages and completions are sent than were allowed.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

MOST_BYTES = 16 * 1024 * 1024

_BILLED = re.compile(r"POST .*/apps/[^/?]+/(conversations/[^/?]+|completions)(\?.*)?")
_CREATES = re.compile(r"POST .*/apps/[^/?]+/conversations(\?.*)?")
_CONVERSATION = re.compile(r"[A-Z]+ (.*/apps/[^/?]+)/conversations/([^/?]+)(\?.*)?")
_PIECE = 65_536
_MOST_LATE = 3


class Unreachable(Exception):
    """Nobody answers at the server's address."""


class Stopped(Exception):
    """The run can't go on; the text says why."""


class Throttled(Stopped):
    """The server went on saying 429 for longer than was agreed to wait."""


class Silent(Stopped):
    """The server has left several requests, one after the other, without an end."""


class BudgetSpent(Exception):
    """As many messages and completions were sent as were allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the server is."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme] == self.port
        return f"{self.scheme}://{host}" + ("" if usual else f":{self.port}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it goes over the wire; `target` is path and query, encoded already."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    @property
    def is_billed(self) -> bool:
        """Whether a real server would have its agent answer it."""
        return _BILLED.fullmatch(f"{self.method} {self.target}") is not None

    @property
    def creates(self) -> bool:
        """Whether it asks for a new conversation."""
        return _CREATES.fullmatch(f"{self.method} {self.target}") is not None

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of one request.

    `status` is None where no answer came, and `trouble` says why. `is_whole` is false where the body stopped before the
    end that its framing promised.
    """

    request: Request
    status: int | None
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    is_whole: bool = True
    trouble: str = ""

    def header(self, name: str) -> str | None:
        """Return a header's value, or None; several are joined by commas."""
        values = [value for known, value in self.headers if known.lower() == name.lower()]
        return ", ".join(values) if values else None

    @property
    def media_type(self) -> str:
        """The type of the body, without parameters."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @property
    def is_good(self) -> bool:
        """Whether the status is of success."""
        return self.status is not None and 200 <= self.status < 300

    @cached_property
    def json(self) -> Any:
        """The body read as JSON; None where it isn't."""
        return read_json(self.body)

    @property
    def object(self) -> Mapping[str, Any]:
        """The body read as a JSON object; empty where it is none."""
        return self.json if isinstance(self.json, dict) else {}

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def summary(self) -> str:
        """What came, in a few words."""
        if self.status is None:
            return self.trouble
        short = self.text if len(self.text) <= 300 else f"{self.text[:300]}… ({len(self.body):,} bytes)"
        return " ".join(f"{self.status} {self.reason} {self.trouble} {short}".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the client promises. Times are in seconds; `rate` is the most requests a second, 0 for any number."""

    connect: float = 5
    whole: float = 30
    most_messages: int | None = None
    max_wait: float = 60
    rate: float = 0
    writes: bool = True


@dataclass(slots=True)
class Tally:
    """What the client has done so far."""

    requests: int = 0
    messages: int = 0
    waited: float = 0
    left: dict[str, str] = field(default_factory=dict)
    """Conversations that were created and not deleted: their id, and the path of their app."""


def read_json(raw: bytes) -> Any:
    """Read JSON in UTF-8, as deep as it may be; None where it isn't any."""
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def pause(seconds: float) -> None:
    """Wait."""
    threading.Event().wait(seconds)


class Client:
    """Talks to one server."""

    def __init__(
        self,
        origin: Origin,
        limits: Limits,
        *,
        heard: Callable[[Answer], None] = lambda _: None,
        wait: Callable[[float], None] = pause,
    ) -> None:
        self.origin = origin
        self.limits = limits
        self._heard = heard
        self._late_in_a_row = 0
        self.tally = Tally()
        self.history: list[Answer] = []
        self._wait = wait
        self._tls = ssl.create_default_context() if origin.scheme == "https" else None

    def send(self, request: Request, *, patient: bool = True, remember: bool = True) -> Answer:
        """Send a request and return what came; a patient one is sent again after a 429.

        Raises:
            Throttled: the wait was too long.
            Silent: the server doesn't answer any more.
            BudgetSpent: one message more than was allowed.
        """
        self._permit(request)
        answer = self._once(request)
        while patient and answer.status == 429:
            self._wait_out(answer)
            answer = self._once(request)
        self._count(request, answer)
        self._heard(answer)
        if remember:
            self.history.append(answer)
        return answer

    def probe(self) -> None:
        """Make sure that somebody listens.

        Raises:
            Unreachable: nobody does.
        """
        try:
            self._connect(self.limits.connect).close()
        except OSError as error:
            reason = error.strerror or str(error) or type(error).__name__
            raise Unreachable(f"{self.origin}: {reason}") from None

    def _permit(self, request: Request) -> None:
        if not self.limits.writes and request.method not in ("GET", "HEAD", "OPTIONS"):
            raise BudgetSpent(f"nothing may be written, and {request.method} might")
        most = self.limits.most_messages
        if request.is_billed and most is not None and self.tally.messages >= most:
            raise BudgetSpent(f"all {most} messages and completions that were allowed are sent")

    def _count(self, request: Request, answer: Answer) -> None:
        refused = answer.status is not None and 400 <= answer.status < 500
        if request.is_billed and not refused:
            self.tally.messages += 1
        if not answer.is_good:
            return
        named = _CONVERSATION.fullmatch(str(request))
        if request.creates and isinstance(answer.object.get("id"), str):
            self.tally.left[answer.object["id"]] = request.target.partition("?")[0].removesuffix("/conversations")
        elif request.method == "DELETE" and named:
            self.tally.left.pop(named[2], None)

    def _wait_out(self, answer: Answer) -> None:
        said = answer.header("retry-after") or ""
        seconds = float(said) if said.isdecimal() and len(said) < 6 else 5.0
        if self.tally.waited + seconds > self.limits.max_wait:
            raise Throttled(
                f"the server says 429, retry after {seconds:.0f} s; {self.tally.waited:.0f} s of "
                f"at most {self.limits.max_wait:.0f} s were waited already"
            )
        self.tally.waited += seconds
        self._wait(seconds)

    def _once(self, request: Request) -> Answer:
        if self._late_in_a_row >= _MOST_LATE:
            raise Silent(f"{_MOST_LATE} requests in a row had no end within {self.limits.whole:.0f} s each")
        if self.limits.rate:
            self._wait(1 / self.limits.rate)
        self.tally.requests += 1
        try:
            connection = self._connect(self.limits.whole)
        except OSError as error:
            return Answer(request=request, status=None, trouble=f"no connection: {error.strerror or error}")
        with contextlib.closing(connection), self._watched(connection) as is_late:
            answer = _exchange(connection, self._head(request) + (request.body or b""), request)
        self._late_in_a_row = self._late_in_a_row + 1 if is_late() else 0
        return _late(answer, self.limits.whole) if is_late() else answer

    def _connect(self, timeout: float) -> socket.socket:
        connection = socket.create_connection((self.origin.host, self.origin.port), timeout=self.limits.connect)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(timeout)
        if self._tls is None:
            return connection
        try:
            return self._tls.wrap_socket(connection, server_hostname=self.origin.host)
        except OSError:
            connection.close()
            raise

    @contextlib.contextmanager
    def _watched(self, connection: socket.socket) -> Iterator[Callable[[], bool]]:
        """Break a connection off when its time is over, however slowly bytes trickle in."""
        late = threading.Event()

        def break_off() -> None:
            late.set()
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

        watch = threading.Timer(self.limits.whole, break_off)
        watch.daemon = True
        watch.start()
        try:
            yield late.is_set
        finally:
            watch.cancel()

    def _head(self, request: Request) -> bytes:
        named = {name.lower() for name, _ in request.headers}
        lines = [f"{request.method} {request.target} HTTP/1.1"]
        if "host" not in named:
            lines.append(f"Host: {str(self.origin).partition('://')[2]}")
        if request.body is not None and not named & {"content-length", "transfer-encoding"}:
            lines.append(f"Content-Length: {len(request.body)}")
        lines += [f"{name}: {value}" for name, value in request.headers]
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


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
        return Answer(request=request, status=None, trouble=trouble or f"no answer: {_named(error)}")
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
    read = b""
    try:
        while piece := response.read1(_PIECE):
            read += piece
            if len(read) > MOST_BYTES:
                return read[:MOST_BYTES], f"cut off after {MOST_BYTES:,} bytes"
        # A body that stops before its promised length is no error to `read1`.
        missing = response.length
    except http.client.IncompleteRead as error:
        return read + error.partial, "the body broke off"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return read, f"the body broke off: {_named(error)}"
    return read, f"the body broke off {missing:,} bytes before its end" if missing else ""


def _late(answer: Answer, seconds: float) -> Answer:
    trouble = f"no end within {seconds:.0f} s"
    return Answer(
        request=answer.request,
        status=answer.status,
        reason=answer.reason,
        headers=answer.headers,
        body=answer.body,
        is_whole=False,
        trouble=trouble,
    )


def _named(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, http.client.RemoteDisconnected | ConnectionResetError):
        return "the connection was closed"
    return " ".join(str(error).split())[:200] or type(error).__name__
