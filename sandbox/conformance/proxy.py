"""A proxy on loopback for the fuzzer's requests, so that what was promised to the server's owner holds for them too.

It sends what comes on through the run's own session, and gives back what came. What may not be sent (writes on a run
that only reads, messages that are billed) is answered 405 here and never leaves.
"""

from __future__ import annotations

import contextvars
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from typing import Any

from sandbox.conformance.http_messages import ApiRequest, ApiResponse
from sandbox.conformance.output import redact_keys
from sandbox.conformance.session import BudgetExceeded, RunStopped, Session

REFUSAL = b'{"error":{"message":"held back by the suite","type":"method_not_allowed","param":null,"code":null}}'
_NO_BODY = (204, 304)
_NOT_PASSED_ON = {"connection", "proxy-connection", "keep-alive", "host"}
# A coding that was not decoded is none of the fuzzer's business either: it would decode it without a bound.
_FRAMING = {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"}
_PIECE = 65_536
_MAX_VALUES = 10_000
# How long the proxy may take to notice that it is to end, in seconds.
_POLL = 0.02


class Proxy:
    """The way of one fuzzer to one server; `mark` is put into the metadata of conversations that are created."""

    def __init__(self, session: Session, *, messages: bool, mark: tuple[str, str] | None) -> None:
        self._session = session
        self._messages = messages
        self._mark = mark
        self.stopped: RunStopped | None = None

    @contextmanager
    def open(self) -> Iterator[str]:
        """Serve until the block ends; give the origin."""
        with TCPServer(("127.0.0.1", 0), partial(_Handler, self)) as server:
            # In the context of who opens it: the run's keys are redacted here too.
            thread = threading.Thread(
                target=contextvars.copy_context().run, args=(server.serve_forever, _POLL), daemon=True
            )
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_address[1]}"
            finally:
                server.shutdown()
                thread.join()

    def forward(self, request: ApiRequest) -> ApiResponse | None:
        """Send a request on; None if it may not be sent, or nothing may any more."""
        if self.stopped is not None or (request.is_billed and not self._messages):
            return None
        try:
            return _shorten(self._session.send(self._add_mark(request), remember=False))
        except BudgetExceeded:
            return None
        except RunStopped as error:
            self.stopped = error
            return None

    def _add_mark(self, request: ApiRequest) -> ApiRequest:
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
        marked = json.dumps({**body, "metadata": {**(body.get("metadata") or {}), name: value}}).encode()
        headers = tuple(each for each in request.headers if each[0].lower() != "content-length")
        return replace(request, headers=headers, body=marked)


class _Handler(BaseHTTPRequestHandler):
    """Read one request of the fuzzer, which never sends one in chunks, and write what came of it."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    disable_nagle_algorithm = True

    def __init__(self, proxy: Proxy, *arguments: Any) -> None:
        self._proxy = proxy
        super().__init__(*arguments)

    def handle(self) -> None:
        """Answer the one request of a connection, whatever its method."""
        self.raw_requestline = self.rfile.readline(_PIECE + 1)
        if not self.raw_requestline or not self.parse_request():
            return
        length = self.headers.get("Content-Length")
        request = ApiRequest(
            method=self.command,
            target=self.requestline.split(" ")[1],
            headers=tuple(each for each in self.headers.items() if each[0].lower() not in _NOT_PASSED_ON),
            body=None if length is None else self.rfile.read(int(length)),
        )
        response = self._proxy.forward(request)
        if response is None:
            headers = [("Allow", "GET"), ("Content-Type", "application/json"), ("Content-Length", str(len(REFUSAL)))]
            self._write(405, "Kept Back", headers, REFUSAL)
        elif response.status is not None:
            self._write_response(response, response.status)

    def _write_response(self, response: ApiResponse, status: int) -> None:
        """Give a response back: one that broke off is broken off; where none came, the connection is just closed.

        A key that the server repeats is redacted already: the fuzzer cuts what it reports.
        """
        body = redact_keys(response.body.decode("latin-1")).encode("latin-1")
        headers = [(name, redact_keys(value)) for name, value in response.headers if name.lower() not in _FRAMING]
        if response.request.method == "HEAD" or status in _NO_BODY:
            body = b""
        else:
            headers.append(("Content-Length", str(len(body) + (not response.is_whole))))
        self._write(status, redact_keys(response.reason), headers, body)

    def _write(self, status: int, reason: str, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status, reason)
        for name, value in (*headers, ("Connection", "close")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the name that the base class has
        """Log nothing."""


def _shorten(response: ApiResponse) -> ApiResponse:
    """Return a response that the fuzzer can bear: it keeps what is wrong with every value, at a kilobyte each."""
    if sum(response.body.count(mark) for mark in (b",", b"[", b"{")) <= _MAX_VALUES:
        return response
    return replace(response, body=response.body[:_PIECE], is_whole=False)
