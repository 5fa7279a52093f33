"""An offer to speak another protocol is declined by silence: the request is served, and the connection goes on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from tests.support.processes import Server
from tests.support.raw_connection import RawConnection, chunked, full_request, head, open_connection

APP = "/v1/apps/app_upgrades"
CREATE = f"{APP}/conversations"
CONTROL = "/_sandbox/apps/app_upgrades"
# A body that is itself a request; JSON allows white space before it ends.
INNER = head("POST", CREATE) + b"\r\n"

OFFERS = {
    "Java, curl": (
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAA",
    ),
    "a browser": ("Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
    "another": ("upgrade: TLS/1.0, IRC/6.9", "connection: UPGRADE"),
}
REQUESTS = {
    "api": ("POST", CREATE, b'{"title": "\xc3\xa9"}'),
    "control": ("PATCH", CONTROL, b'{"generative_ui": true}'),
}


def spelled(method: str, path: str, body: bytes, offer: tuple[str, ...]) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield the head and the body of a request in the two framings."""
    extra = ("Content-Type: application/json", *offer)
    yield "length", head(method, path, f"Content-Length: {len(body)}", *extra), body
    yield "chunks", head(method, path, "Transfer-Encoding: chunked", *extra), b"".join(chunked([body[:3], body[3:]]))


def test_a_request_that_offers_an_upgrade_keeps_its_body(server: Server) -> None:
    lost = []
    for (who, offer), (what, request) in itertools.product(OFFERS.items(), REQUESTS.items()):
        for framing, first, body in spelled(*request, offer):
            for packets in ([first + body], [first, body], [bytes([byte]) for byte in first + body]):
                with open_connection(server.url) as wire:
                    wire.send(*packets)
                    status = wire.answer(request[0]).status_code
                    if status != 200 or not wire.still_answers():
                        lost.append((who, what, framing, len(packets), status))
    assert lost == []


def test_a_body_that_is_a_request_is_a_body(wire: RawConnection) -> None:
    before = conversations(wire)
    for _, first, body in spelled("POST", CREATE, INNER, OFFERS["Java, curl"]):
        wire.send(first, body)
        assert wire.answer().status_code == 422
    assert conversations(wire) == before


def test_so_it_is_where_a_tunnel_is_asked_for(wire: RawConnection) -> None:
    before = conversations(wire)
    wire.send(full_request("CONNECT", CREATE, INNER))
    assert wire.answer().status_code == 405
    assert conversations(wire) == before


def test_what_follows_an_offer_is_the_next_request(wire: RawConnection) -> None:
    offered = head("GET", f"{APP}/config", *OFFERS["Java, curl"])
    wire.send(offered * 3 + full_request("POST", CREATE, b'{"title":"last"}', *OFFERS["a browser"]))
    assert [wire.answer("GET").status_code for _ in range(3)] == [200, 200, 200]
    assert wire.answer().json()["title"] == "last"


def test_an_offer_on_a_connection_that_ends_is_answered_too(wire: RawConnection) -> None:
    wire.send(full_request("POST", CREATE, b'{"title":"bye"}', "Connection: close, Upgrade", "Upgrade: h2c"))
    assert wire.answer().json()["title"] == "bye"
    assert wire.socket.recv(1) == b""


def test_the_journal_has_the_offer_as_it_came(wire: RawConnection) -> None:
    wire.send(full_request("POST", "/v1/apps/app_offer/conversations", b"{}", *OFFERS["Java, curl"]))
    assert wire.answer().status_code == 200
    wire.send(head("GET", "/_sandbox/requests?app_id=app_offer"))
    (entry,) = wire.answer("GET").json()["data"]
    assert (entry["headers"]["upgrade"], entry["body"]) == ("h2c", {})


def conversations(wire: RawConnection) -> int:
    wire.send(head("GET", f"{APP}/metrics"))
    return int(wire.answer("GET").json()["total_conversations"])
