"""Servers that harm who checks them: answers without an end, bombs, drips. Each says that it is the sandbox."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

MEGABYTE = 1024**2
Say = Callable[[socket.socket, threading.Event], None]

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_HEALTH = _HEAD + b'Content-Length: 16\r\n\r\n{"sandbox":true}'
# As much JSON as a body can unfold to: short objects, nothing else.
_VALUES = b'{"a":{}},' * (MEGABYTE // 9)


def _endless(to: socket.socket, _: threading.Event) -> None:
    """Say 16 MB, of as many values as fit into them."""
    to.sendall(_HEAD + b'\r\n{"id":"x","data":[')
    for _number in range(16):
        to.sendall(_VALUES)


def _bomb(body: bytes, to: socket.socket, _: threading.Event) -> None:
    """Say a kilobyte for every megabyte."""
    to.sendall(_HEAD + b"Content-Encoding: gzip\r\n\r\n" + body)


def _drip(first: bytes, drop: bytes, to: socket.socket, closing: threading.Event) -> None:
    """Say a little, and never all."""
    to.sendall(first)
    while not closing.wait(0.02):
        to.sendall(drop)


BOMB = gzip.compress(b'{"id":"x","data":[' + _VALUES * 20)
SAYING: dict[str, Say] = {
    "endless": _endless,
    "bomb": partial(_bomb, BOMB),
    "drip": partial(_drip, _HEAD + b"Content-Type: text/event-stream\r\n\r\n", b"data: {}\n\n"),
    "drip of headers": partial(_drip, b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"),
    "drip of nothing": partial(_drip, b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "large": lambda to, _: to.sendall(_HEAD + b'\r\n{"id":"x","data":[' + _VALUES * 3 + b"1]}"),
    "events": lambda to, _: to.sendall(_HEAD + b"Content-Type: text/event-stream\r\n\r\n" + b"data:{}\n\n" * 400_000),
    "middling": lambda to, _: to.sendall(_HEAD + b'\r\n{"id":"x","data":[' + _VALUES[: 9 * 3_300] + b"1]}"),
    "ints": lambda to, _: to.sendall(_HEAD + b'\r\n{"id":"x","data":[' + b"1," * 900_000 + b"1]}"),
}


@contextmanager
def hostile(say: Say) -> Iterator[str]:
    """Serve one caller after the other until the block ends; give the origin."""
    closing = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, say, closing))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            closing.set()
            with socket.create_connection(listener.getsockname()):
                thread.join()


def _serve(listener: socket.socket, say: Say, closing: threading.Event) -> None:
    while not closing.is_set():
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.settimeout(30)
            asked = b"" if closing.is_set() else connection.recv(65_536)
            if asked.startswith(b"GET /_sandbox/health"):
                connection.sendall(_HEALTH)
            elif asked:
                say(connection, closing)
