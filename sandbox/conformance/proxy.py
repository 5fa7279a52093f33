"""A door of this process, through which the fuzzer's requests go to the server: what was promised holds for them too.

It listens on loopback, sends what comes on through the judge's own client, and gives back what came. What may not be
sent (writes on a run that only reads, messages that are billed) is answered 405 here and never leaves.
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from sandbox.conformance.http_messages import ApiRequest, ApiResponse
from sandbox.conformance.output import redact_keys
from sandbox.conformance.session import BudgetExceeded, RunStopped, Session

REFUSAL = b'{"error":{"message":"kept back by the judge","type":"method_not_allowed","param":null,"code":null}}'
_NO_BODY = (204, 304)
_NOT_PASSED_ON = {"connection", "proxy-connection", "keep-alive", "host"}
# A coding that was not decoded is none of the fuzzer's business either: it would decode it without a bound.
_FRAMING = {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"}
_MOST_HEAD = 1024 * 1024
_PIECE = 65_536
_MOST_VALUES = 10_000


class Proxy:
    """One door; `mark` is put into the metadata of conversations that are created through it."""

    def __init__(self, client: Session, *, messages: bool, mark: tuple[str, str] | None) -> None:
        self._client = client
        self._messages = messages
        self._mark = mark
        self.stopped: RunStopped | None = None
        self._closing = False

    @contextlib.contextmanager
    def open(self) -> Iterator[str]:
        """Hold the door open until the block ends; give its origin."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            # In the context of who opens it: the run's keys are hidden here too.
            serve = partial(contextvars.copy_context().run, self._serve, listener)
            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            try:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                # An accept that waits is woken by a last caller who says nothing.
                self._closing = True
                with contextlib.suppress(OSError), socket.create_connection(listener.getsockname(), timeout=1):
                    pass
                thread.join()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                if self._closing:
                    return
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.settimeout(30)
                if request := _read(connection):
                    connection.sendall(self._answer(request))

    def _answer(self, request: ApiRequest) -> bytes:
        if self.stopped is not None or (request.is_billed and not self._messages):
            return _refused()
        try:
            return _written(_bounded(self._client.send(self._marked(request), remember=False)))
        except BudgetExceeded:
            return _refused()
        except RunStopped as error:
            self.stopped = error
            return _refused()

    def _marked(self, request: ApiRequest) -> ApiRequest:
        """Mark a conversation as ours, where its body is one that can be marked."""
        if self._mark is None or not request.creates or not request.body:
            return request
        try:
            body = json.loads(request.body)
        except ValueError:
            return request
        if not isinstance(body, dict) or not isinstance(body.get("metadata"), dict | None):
            return request
        name, value = self._mark
        with_mark = json.dumps({**body, "metadata": {**(body.get("metadata") or {}), name: value}}).encode()
        headers = tuple(each for each in request.headers if each[0].lower() != "content-length")
        return ApiRequest(method=request.method, target=request.target, headers=headers, body=with_mark)


def _bounded(answer: ApiResponse) -> ApiResponse:
    """Return an answer that the fuzzer can bear: it keeps what is wrong with every value, at a kilobyte each."""
    if sum(answer.body.count(mark) for mark in (b",", b"[", b"{")) <= _MOST_VALUES:
        return answer
    return replace(answer, body=answer.body[:_PIECE], is_whole=False)


def _refused() -> bytes:
    head = f"HTTP/1.1 405 Kept Back\r\nAllow: GET\r\nContent-Type: application/json\r\nContent-Length: {len(REFUSAL)}"
    return f"{head}\r\nConnection: close\r\n\r\n".encode() + REFUSAL


def _read(connection: socket.socket) -> ApiRequest | None:
    """Read one request as it was written."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        redacted_slice = connection.recv(_PIECE)
        if not redacted_slice or len(raw) > _MOST_HEAD:
            return None
        raw += redacted_slice
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    fields = {name.lower(): value for name, value in headers}
    if fields.get("transfer-encoding", "").lower() == "chunked":
        body = _chunks(connection, body)
    else:
        length = int(fields.get("content-length") or 0)
        while len(body) < length:
            body += _more(connection)
    has_body = "content-length" in fields or "transfer-encoding" in fields
    kept = [each for each in headers if each[0].lower() not in (_NOT_PASSED_ON | {"transfer-encoding"})]
    return ApiRequest(method=method, target=target, headers=tuple(kept), body=body if has_body else None)


def _chunks(connection: socket.socket, raw: bytes) -> bytes:
    body = b""
    while True:
        while b"\r\n" not in raw:
            raw += _more(connection)
        size, _, raw = raw.partition(b"\r\n")
        length = int(size, 16)
        while len(raw) < length + 2:
            raw += _more(connection)
        body, raw = body + raw[:length], raw[length + 2 :]
        if length == 0:
            return body


def _more(connection: socket.socket) -> bytes:
    """Return what comes next; who hangs up in the middle of a request is an OSError."""
    redacted_slice = connection.recv(_PIECE)
    if not redacted_slice:
        raise ConnectionResetError("the request broke off")
    return redacted_slice


def _written(answer: ApiResponse) -> bytes:
    """Return an answer as it is given back: one that broke off is broken off, none at all is a closed connection.

    A key that the server repeats is hidden already: the fuzzer cuts what it tells.
    """
    if answer.status is None:
        return b""
    body = redact_keys(answer.body.decode("latin-1")).encode("latin-1")
    lines = [f"HTTP/1.1 {answer.status} {redact_keys(answer.reason)}"]
    lines += [f"{name}: {redact_keys(value)}" for name, value in answer.headers if name.lower() not in _FRAMING]
    bare = answer.request.method == "HEAD" or answer.status in _NO_BODY
    if not bare:
        lines.append(f"Content-Length: {len(body) + (not answer.is_whole)}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + (b"" if bare else body)
