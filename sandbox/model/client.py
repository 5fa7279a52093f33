"""Asks an OpenAI-compatible endpoint for a text, and yields it piece by piece as it comes.

One POST a connection, no redirects, nothing but server-sent events: so httptools, which the server needs anyway, is
enough. A checked address is dialled (`sandbox/outbound.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import httptools
import orjson

from sandbox.outbound import BlockedAddress, Outbound
from sandbox.webhook_url import WebhookUrl

# Bytes of a whole response, and of one line of it.
MAX_RESPONSE = 8 * 1024**2
MAX_LINE = 256 * 1024
_CHUNK = 64 * 1024


class ModelError(Exception):
    """No text came, or not all of it; the text says why."""


class ChatClient:
    """Calls one endpoint.

    Args:
        outbound: connects to where it may.
        url: of the completions: the base URL with `/chat/completions`.
        key: the bearer token, where the endpoint wants one.
        timeout: seconds until the first words, and of silence between two pieces of the text.
    """

    def __init__(self, outbound: Outbound, url: WebhookUrl, key: str | None, timeout: float) -> None:
        self._outbound = outbound
        self._url = url
        self._key = key
        self._timeout = timeout

    async def stream(self, payload: dict[str, Any]) -> AsyncGenerator[str, None]:
        """Yield the pieces of the text; none of them is empty.

        Raises:
            ModelError: it failed, before the first piece or after some.
        """
        loop = asyncio.get_running_loop()
        due = loop.time() + self._timeout
        response = _Response()
        try:
            async with asyncio.timeout_at(due):
                reader, writer = await self._outbound.connect(self._url, self._timeout)
            try:
                writer.write(self._request(orjson.dumps({**payload, "stream": True})))
                while not response.is_finished:
                    async with asyncio.timeout_at(due):
                        data = await reader.read(_CHUNK)
                    for piece in response.feed(data):
                        yield piece
                        due = loop.time() + self._timeout
            finally:
                writer.close()
        except TimeoutError:
            raise ModelError(f"nothing came for {self._timeout:g} s") from None
        except BlockedAddress as error:
            raise ModelError(str(error)) from None
        except OSError as error:
            raise ModelError(f"no connection: {error.strerror or error}") from None

    def _request(self, body: bytes) -> bytes:
        lines = {
            "Host": self._url.authority,
            **({"Authorization": f"Bearer {self._key}"} if self._key else {}),
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
            "Accept-Encoding": "identity",
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"POST {self._url.path} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body


class _Response:
    """The response so far: httptools calls the methods `on_…`."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._media_type = b""
        self._is_begun = False
        self._has_ended = False
        self._body = b""
        self._size = 0
        # Whether the endpoint said that the text is whole.
        self.is_finished = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"content-type":
            self._media_type = value.partition(b";")[0].strip().lower()

    def on_headers_complete(self) -> None:
        self._is_begun = self._parser.get_status_code() >= 200

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self._has_ended = self._is_begun

    def feed(self, data: bytes) -> Iterator[str]:
        """Take what came, nothing at the end of the connection; yield the pieces of the text in it."""
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            raise ModelError("what came is no HTTP/1.1") from None
        if self._is_begun:
            self._check_head()
        *lines, self._body = self._body.split(b"\n")
        if self._size > MAX_RESPONSE or len(self._body) > MAX_LINE:
            raise ModelError("more came than is read of one answer")
        for line in lines:
            if line.startswith(b"data:") and not self.is_finished:
                yield from self._read_event(line.removeprefix(b"data:").strip())
        if not self.is_finished and (self._has_ended or not data):
            raise ModelError("the answer was cut off" if self._is_begun else "the connection was closed")

    def _check_head(self) -> None:
        status = self._parser.get_status_code()
        if status != 200:
            raise ModelError(f"the endpoint answered {status}")
        if self._media_type != b"text/event-stream":
            raise ModelError("the endpoint answered with no event stream")

    def _read_event(self, data: bytes) -> Iterator[str]:
        if data == b"[DONE]":
            self.is_finished = True
            return
        try:
            event = orjson.loads(data)
            if event.get("error"):
                raise ModelError("the endpoint reported an error")
            # The last event, of what was used, has no choice.
            for choice in event["choices"][:1]:
                delta = choice.get("delta") or {}
                if delta.get("refusal") or choice.get("finish_reason") == "content_filter":
                    raise ModelError("the model refused to answer")
                if content := delta.get("content"):
                    yield _text(content)
                self.is_finished = bool(choice.get("finish_reason"))
        except (AttributeError, KeyError, TypeError, orjson.JSONDecodeError):
            raise ModelError("what came is no chat completion") from None


def _text(content: Any) -> str:
    if not isinstance(content, str):
        raise TypeError
    return content
