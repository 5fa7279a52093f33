"""uvicorn's HTTP protocol with what a sandbox needs of the connection: to break it on purpose, and to bound headers."""

from __future__ import annotations

import socket
import struct
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.errors import InvalidRequest
from sandbox.sources import monotonic
from sandbox.wire.exchange import CAME, CONNECTION

MAX_HEADERS = 64 * 1024


class SandboxProtocol(HttpToolsProtocol):
    """Hands itself to the application in the scope, and answers broken HTTP in the API's envelope."""

    _header_bytes = 0

    def on_headers_complete(self) -> None:
        """Start a request: the application finds the connection in the scope."""
        scope: Any = self.scope
        scope["extensions"] = {CONNECTION: self}
        self._header_bytes = 0
        super().on_headers_complete()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target, which counts as header."""
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._count(name + value)
        super().on_header(name, value)

    def on_message_complete(self) -> None:
        """Note when the request was whole: what is timed after it does not wait for its turn among others as well."""
        scope: Any = self.scope
        scope[CAME] = monotonic()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that isn't HTTP, or has too large headers, and close."""
        large = self._header_bytes > MAX_HEADERS
        text = f"The headers are larger than {MAX_HEADERS:,} bytes." if large else f"{msg} Expected HTTP/1.1."
        body = orjson.dumps(InvalidRequest(text).envelope())
        status = b"431 Request Header Fields Too Large" if large else b"400 Bad Request"
        head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(head % (status, len(body)) + body)
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: a request to upgrade is answered as if it had not asked."""

    def reset(self) -> None:
        """Break the connection at once, with a reset and no byte more."""
        found: socket.socket | None = self.transport.get_extra_info("socket")
        if found is not None:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def close_quietly(self) -> None:
        """Close the connection as soon as what was written is out."""
        self.transport.close()

    def _count(self, piece: bytes) -> None:
        self._header_bytes += len(piece)
        if self._header_bytes > MAX_HEADERS:
            raise _TooLarge


class _TooLarge(Exception):
    """Stops the parser."""
