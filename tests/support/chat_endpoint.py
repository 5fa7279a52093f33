"""An OpenAI-compatible endpoint on a raw socket: it notes what it is asked and answers as it is told to."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

# Nothing waits so long in a good run.
_LONGEST = 30

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
DONE = b"data: [DONE]\n\n"

Step = bytes | threading.Event


class Call(NamedTuple):
    """One call as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def messages(self) -> list[tuple[str, str]]:
        return [(message["role"], message["content"]) for message in self.body["messages"]]


def event(choice: dict[str, Any]) -> bytes:
    """Return one event of a stream, as it is written."""
    return b"data: %b\n\n" % json.dumps({"choices": [choice]}).encode()


def said(text: str, **more: Any) -> bytes:
    """Return the event of a piece of the text."""
    return event({"index": 0, "delta": {"content": text}, **more})


def answer(*pieces: str) -> list[Step]:
    """Return a whole answer in these pieces."""
    return [STREAM, *map(said, pieces), event({"delta": {}, "finish_reason": "stop"}), DONE]


class ChatEndpoint:
    """What was asked, oldest first; `answers` are the next ones, then "Text 1", "Text 2" …

    An answer is a list of bytes to send; at an event it waits until that is set. Then the connection is closed.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answers: list[Sequence[Step]] = []
        self.most_at_once = 0
        # One is released for each connection that the other side closed before the answer was whole.
        self.left = threading.Semaphore(0)
        self._open = 0
        self._changed = threading.Condition()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        threading.Thread(target=self._accept, daemon=True).start()

    def wait_for_calls(self, count: int) -> None:
        """Wait until so many calls have come."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.calls) >= count, _LONGEST), self.calls

    def was_left(self) -> bool:
        """Wait until the other side closes a connection in the middle of an answer."""
        return self.left.acquire(timeout=_LONGEST)

    def close(self) -> None:
        """Be gone: no connection is taken from now on."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            request = stream.readline().split()
            headers = dict(line.decode().strip().split(": ", 1) for line in iter(stream.readline, b"\r\n"))
            body = json.loads(stream.read(int(headers["Content-Length"])))
            with self._changed:
                self.calls.append(Call(request[1].decode(), headers, body))
                steps = self.answers.pop(0) if self.answers else answer(f"Text {len(self.calls)}")
                self._open += 1
                self.most_at_once = max(self.most_at_once, self._open)
                self._changed.notify_all()
            try:
                self._answer(connection, steps)
            finally:
                with self._changed:
                    self._open -= 1

    def _answer(self, connection: socket.socket, steps: Sequence[Step]) -> None:
        try:
            for step in steps:
                if isinstance(step, bytes):
                    connection.sendall(step)
                else:
                    self._hold(connection, step)
        except OSError:
            self.left.release()

    def _hold(self, connection: socket.socket, gate: threading.Event) -> None:
        """Wait until the gate opens, or the other side goes."""
        connection.settimeout(0.01)
        for _ in range(_LONGEST * 100):
            if gate.is_set():
                connection.settimeout(None)
                return
            with suppress(TimeoutError):
                if not connection.recv(1):
                    break
        raise ConnectionResetError


@contextmanager
def chat_endpoint() -> Iterator[ChatEndpoint]:
    """Listen on a free port of loopback until the block ends."""
    endpoint = ChatEndpoint()
    try:
        yield endpoint
    finally:
        endpoint.close()
