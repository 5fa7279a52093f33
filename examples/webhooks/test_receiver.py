"""The receiver against a real sandbox: good, doubled, forged and late webhooks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue

import pytest
from receiver import Forged, Receiver

from pytest_dimedove import DimedoveApp

SECRET = "whsec_5f2d1c9ab3e87046"
Seen = tuple[int, str | None]


@pytest.fixture
def came() -> Queue[Seen]:
    """Each webhook as it was answered: the status, and the type of what is news."""
    return Queue()


@pytest.fixture
def url(came: Queue[Seen]) -> Iterator[str]:
    receiver = Receiver(SECRET)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                event = receiver.take(self.headers["Dimedove-Signature"], body)
                answer: Seen = (200, event and event["type"])
            except Forged:
                answer = (400, None)
            self.send_response(answer[0])
            self.end_headers()
            came.put(answer)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("lab", "answers"),
    [
        ("none", [(200, "chat.ended")]),
        ("duplicate", [(200, "chat.ended"), (200, None)]),
        ("tamper", [(400, None), (200, "chat.ended")]),
        ("delay", [(400, None), (200, "chat.ended")]),
    ],
)
def test_each_webhook_is_taken_once(
    dimedove_app: DimedoveApp, url: str, came: Queue[Seen], lab: str, answers: list[Seen]
) -> None:
    hook = {"url": url, "secret": SECRET, "events": ["chat.ended"]}
    dimedove_app.settings(webhooks=[hook], webhook_lab=lab)
    dimedove_app.control("POST", "/webhooks/send", {"type": "chat.ended"})
    assert [came.get(timeout=30) for _ in answers] == answers


@pytest.mark.parametrize("signature", [None, "", "t=1,v1=", "t=1,v1=" + "0" * 64])
def test_what_is_not_signed_is_refused(signature: str | None) -> None:
    with pytest.raises(Forged):
        Receiver(SECRET, now=lambda: 1).take(signature, b"{}")
