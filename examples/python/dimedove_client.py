"""A small client of the Dimedove Apps API, as the core of an SDK might look, with the standard library alone.

It retries what may be retried, survives lost responses, waits as Retry-After says, and reads streams as the
specification of server-sent events says.
"""

from __future__ import annotations

import io
import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

LAST = ("response.completed", "response.failed")


class ApiError(Exception):
    """The API refused a request, or failed on it."""

    def __init__(self, status: int, error: dict[str, Any], retry_after: int) -> None:
        super().__init__(error.get("message") or f"status {status}")
        self.status = status
        self.type = error.get("type")
        self.code = error.get("code")
        self.retry_after = retry_after


class ConnectionLost(Exception):
    """No answer came, or half of one."""


class Client:
    """Speaks to one app."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        app_id: str,
        *,
        retries: int = 2,
        sleep: Callable[[int], object] = time.sleep,
    ) -> None:
        self._app = f"{base_url}/apps/{app_id}"
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        self._retries = retries
        self.sleep = sleep

    def create_conversation(
        self, *, user: str | None = None, title: str | None = None, metadata: dict[str, Any] | None = None
    ) -> Any:
        """Create one conversation, once.

        An answer may get lost on its way. So each attempt carries the same mark in its metadata, and before another
        attempt the client looks whether the first one has worked after all.
        """
        mark = uuid.uuid4().hex
        body = {"external_user_id": user, "title": title, "metadata": {**(metadata or {}), "request": mark}}

        def recover() -> Any:
            return next((c for c in self.list_conversations() if (c["metadata"] or {}).get("request") == mark), None)

        return self._retrying(lambda: self._json("POST", "/conversations", body), recover)

    def list_conversations(self, *, limit: int = 20) -> list[Any]:
        """Return the newest conversations."""
        page = self._retrying(lambda: self._json("GET", f"/conversations?limit={limit}"), nothing)
        return list(page["data"])

    def get_conversation(self, conversation_id: str) -> Any:
        """Return a conversation with its items."""
        return self._retrying(lambda: self._json("GET", f"/conversations/{conversation_id}"), nothing)

    def send_message(self, conversation_id: str, content: str) -> Any:
        """Send a message, once: whoever asks twice is answered twice. Only after a 429 it is sent again."""
        body = {"message": {"content": content}, "stream": False}
        return self._retrying(lambda: self._json("POST", f"/conversations/{conversation_id}", body))

    def stream_message(self, conversation_id: str, content: str) -> Iterator[Any]:
        """Send a message and yield the events of its reply as they come.

        Raises:
            ConnectionLost: the stream was cut: its last event is missing.
        """
        body = {"message": {"content": content}, "stream": True}
        event: Any = {}
        try:
            with self._retrying(lambda: self._send("POST", f"/conversations/{conversation_id}", body)) as answer:
                # A text file knows every line ending, and waits for the rest of a character that was cut in two.
                for data in read_events(io.TextIOWrapper(answer, encoding="utf-8-sig")):
                    event = json.loads(data)
                    yield event
        except (OSError, HTTPException, ValueError) as error:
            raise ConnectionLost(f"the stream broke off: {error!r}") from error
        if event.get("type") not in LAST:
            raise ConnectionLost("the stream ended without its last event")

    def _retrying(self, attempt: Callable[[], Any], recover: Callable[[], Any] | None = None) -> Any:
        """Attempt something again; `recover` looks for the outcome of an attempt whose answer was lost.

        Without `recover` there is no second attempt after a loss.
        """
        for left in range(self._retries, -1, -1):
            try:
                return attempt()
            except (ApiError, ConnectionLost) as error:
                limited = isinstance(error, ApiError) and error.status == 429
                lost = isinstance(error, ConnectionLost) or error.status >= 500
                if left == 0 or not (limited or (lost and recover)):
                    raise
                if isinstance(error, ApiError) and limited:
                    self.sleep(error.retry_after)
                elif recover and (found := recover()):
                    return found
        raise AssertionError("the last attempt returns or raises")

    def _json(self, method: str, path: str, body: object = None) -> Any:
        with self._send(method, path, body) as answer:
            try:
                return json.loads(answer.read())
            except (OSError, HTTPException, ValueError) as error:
                raise ConnectionLost(f"no readable answer: {error!r}") from error

    def _send(self, method: str, path: str, body: object = None) -> HTTPResponse:
        data = None if body is None else json.dumps(body).encode()
        try:
            answer: HTTPResponse = urlopen(Request(self._app + path, data, self._headers, method=method))
        except HTTPError as error:
            with error:
                raise _refusal(error) from None
        except (OSError, HTTPException) as error:
            raise ConnectionLost(f"no answer: {error!r}") from error
        return answer


def read_events(lines: Iterable[str]) -> Iterator[str]:
    """Yield the data of each server-sent event: comments are skipped, several data lines are one value."""
    data: list[str] = []
    for line in lines:
        name, _, value = line.rstrip("\n").partition(":")
        if name == "data":
            data.append(value.removeprefix(" "))
        elif line == "\n" and data:
            yield "\n".join(data)
            data = []


def nothing() -> None:
    """Recover nothing: a read may simply be repeated."""


def _refusal(error: HTTPError) -> ApiError:
    try:
        envelope = json.loads(error.read())["error"]
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        envelope = {}  # the response of a proxy in between has no envelope
    return ApiError(error.code, envelope, int(error.headers.get("Retry-After") or 1))
