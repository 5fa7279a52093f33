"""Sends one answer where uvicorn's own way is not enough: to HTTP/1.0, and to who waits to be asked for a body."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class Flow(FlowControl):
    """Keeps reading paused while `is_full`, whoever asks to go on."""

    is_full = False

    def resume_reading(self) -> None:
        """Read on, if there is room for what comes."""
        if not self.is_full:
            super().resume_reading()


class CarefulCycle(RequestResponseCycle):
    """One answer to a client of HTTP/1.0, or to one that sent `Expect: 100-continue`."""

    ends_with_connection = False

    async def send(self, message: Any) -> None:
        """Send a piece of the answer; a length that isn't known ends with the connection, not with chunks."""
        if message["type"] == "http.response.start":
            # Never asked for, the body may come or not: nobody could say where the next request begins.
            self.keep_alive = self.keep_alive and not self.waiting_for_100_continue
            self.ends_with_connection = is_old(self.scope) and _has_unknown_length(message)
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
        """Whether an answer that is closed now could be taken for one that came to its end."""
        return self.ends_with_connection and not self.response_complete


def take_care(cycle: RequestResponseCycle) -> None:
    """Let an answer that has not begun be sent with care; most don't need that, and go the shorter way."""
    cycle.__class__ = CarefulCycle
    if is_old(cycle.scope):
        # HTTP/1.0 knows no such question (RFC 9110, 10.1.1), and nobody needs its connections kept.
        cycle.waiting_for_100_continue = False
        cycle.keep_alive = False


def is_old(scope: Any) -> bool:
    """Say whether a client speaks a version of HTTP that knows no chunks."""
    return bool(scope["http_version"] != "1.1")


def _has_unknown_length(start: Any) -> bool:
    return all(name.lower() != b"content-length" for name, _ in start["headers"])
