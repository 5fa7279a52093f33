"""A receiver of webhooks over a real socket: it notes what came and answers what it is told to."""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any, NamedTuple

SECRET = "whsec_5f2d1c9ab3e87046"
# Nothing waits so long in a good run: a webhook that never comes is a failure, not a run without end.
_LONGEST = 30


class ReceivedWebhook(NamedTuple):
    """One webhook as it came."""

    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.raw)  # type: ignore[no-any-return]

    @property
    def signed_at(self) -> int:
        return int(self.headers["dimedove-signature"].split(",")[0].removeprefix("t="))

    @property
    def is_genuine(self) -> bool:
        """Whether the signature is that of clause 9.2."""
        digest = hmac.new(SECRET.encode(), f"{self.signed_at}.".encode() + self.raw, "sha256").hexdigest()
        return self.headers["dimedove-signature"] == f"t={self.signed_at},v1={digest}"


class Receiver:
    """What came, oldest first; `statuses` are the next answers, then 200."""

    def __init__(self) -> None:
        self.came: Queue[ReceivedWebhook] = Queue()
        self.statuses: Queue[int] = Queue()
        self.location: str | None = None
        self.url = ""

    def next(self) -> ReceivedWebhook:
        """Wait for the next webhook."""
        return self.came.get(timeout=_LONGEST)

    def hook(self, *events: str, **more: Any) -> dict[str, Any]:
        """Return the setting that sends these events here."""
        return {"url": self.url, "secret": SECRET, "events": events, **more}


@contextmanager
def receive_webhooks() -> Iterator[Receiver]:
    """Listen on a free port of loopback until the block ends."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            status = 200 if receiver.statuses.empty() else receiver.statuses.get()
            receiver.came.put(ReceivedWebhook({name.lower(): value for name, value in self.headers.items()}, raw))
            self.send_response(status)
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the base class
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/hooks"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
