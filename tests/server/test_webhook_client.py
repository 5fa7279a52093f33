"""Where webhooks may go: every rule, and a try to get around it. Real sockets; the resolver alone is handed in."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pytest

from sandbox.outbound import BlockedAddress
from sandbox.webhook_url import parse
from sandbox.webhooks.client import NoResponse, WebhookClient
from tests.support.webhook_receiver import receive_webhooks


def post(client: WebhookClient, url: str) -> int:
    return asyncio.run(client.post(parse(url), {}, b"{}"))


class Rebinding:
    """A resolver that says something else each time, and counts how often it was asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, *_: object) -> Sequence[str]:
        self.asked += 1
        return self.answers.pop(0)


def test_a_name_is_resolved_once_and_what_was_checked_is_dialled() -> None:
    resolver = Rebinding(["127.0.0.1"], ["169.254.169.254"])
    with receive_webhooks() as receiver:
        assert post(WebhookClient(resolve=resolver), receiver.url.replace("127.0.0.1", "rebound.test")) == 200
        assert receiver.next().headers["host"].startswith("rebound.test:")
    assert resolver.asked == 1


# Each row: what a name resolves to; none of them may be dialled, though the host is allowed.
NEVER = [
    ["169.254.169.254"],
    ["fe80::1"],
    ["::ffff:169.254.169.254"],
    ["64:ff9b::a9fe:a9fe"],
    ["2002:a9fe:a9fe::1"],
    ["0.0.0.0"],  # noqa: S104 - refused
    ["::"],
    ["224.0.0.1"],
    ["127.0.0.1", "169.254.169.254"],
]


@pytest.mark.parametrize("addresses", NEVER, ids=str)
def test_an_address_that_is_never_dialled(addresses: list[str]) -> None:
    with pytest.raises(BlockedAddress):
        post(WebhookClient(["hooks.test"], Rebinding(addresses)), "http://hooks.test:9/")


@pytest.mark.parametrize("url", ["http://10.0.0.1:9/", "http://[2001:db8::1]:9/", "http://[::ffff:10.0.0.1]:9/"])
def test_off_loopback_an_address_must_be_allowed(url: str) -> None:
    with pytest.raises(BlockedAddress, match="--webhook-allow"):
        post(WebhookClient(), url)


def test_a_host_that_is_allowed_lets_no_other_through() -> None:
    with pytest.raises(BlockedAddress, match=r"--webhook-allow evil\.hooks\.test"):
        post(WebhookClient(["hooks.test"], Rebinding(["192.0.2.1"])), "http://evil.hooks.test/")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "hooks.localhost", "[::ffff:127.0.0.1]", "127.0.0.1"])
def test_loopback_needs_no_leave(host: str) -> None:
    with receive_webhooks() as receiver:
        assert post(WebhookClient(), receiver.url.replace("127.0.0.1", host)) == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost.", "[::1]", "[::ffff:127.0.0.1]"])
def test_the_server_itself_is_refused_under_each_of_its_names(host: str) -> None:
    client = WebhookClient(own_ports={8010})
    with pytest.raises(BlockedAddress, match="the sandbox itself"):
        post(client, f"http://{host}:8010/")


def test_localhost_is_both_loopback_addresses_whatever_the_system_says() -> None:
    with receive_webhooks() as receiver:
        assert post(WebhookClient(resolve=Rebinding(["::1"])), receiver.url.replace("127.0.0.1", "localhost")) == 200


@contextmanager
def never_accepting(port: int) -> Iterator[str]:
    """Have an address on which a connection is neither taken nor refused; Linux drops what a full queue can't hold."""
    with socket.socket() as listener, ExitStack() as waiting:
        listener.bind(("127.0.0.9", port))
        listener.listen(0)
        for _ in range(4):
            caller = waiting.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield "127.0.0.9"


@pytest.mark.skipif(sys.platform != "linux", reason="all of 127.0.0.0/8 is this machine's on Linux alone")
def test_all_addresses_of_a_name_are_tried_in_one_attempt() -> None:
    with receive_webhooks() as receiver, never_accepting(int(receiver.url.split(":")[2].split("/")[0])) as silent:
        resolver = Rebinding(["::1", "127.0.0.8", silent, "127.0.0.1"])
        assert post(WebhookClient(resolve=resolver, timeout=4), receiver.url.replace("127.0.0.1", "localhost")) == 200
        assert receiver.next().raw == b"{}"
        assert receiver.came.empty()


def answering(raw: bytes, timeout: float = 5.0) -> int:
    """Post to a server that writes these bytes, and nothing else, and leaves the connection open."""

    async def run() -> int:
        closing: list[asyncio.StreamWriter] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            closing.append(writer)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(raw)
            if raw:
                writer.write_eof()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            return await WebhookClient(timeout=timeout).post(parse(f"http://127.0.0.1:{port}/"), {}, b"{}")
        finally:
            for writer in closing:
                writer.close()
            server.close()

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        (b"HTTP/1.0 200\r\n\r\n", 200),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\n\r\n", 202),
    ],
)
def test_the_status_is_read_and_nothing_else(raw: bytes, status: int) -> None:
    assert answering(raw) == status


@pytest.mark.parametrize(
    "raw", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc\r\n\r\n", b"x" * 200_000, b"HTTP/1.1 100 C\r\n\r\n"]
)
def test_what_is_no_answer_is_said_to_be_none(raw: bytes) -> None:
    with pytest.raises(NoResponse):
        answering(raw)


def test_a_slow_receiver_is_not_waited_for() -> None:
    with pytest.raises(NoResponse, match=r"no answer within 0\.05 s"):
        answering(b"", timeout=0.05)


def test_nobody_at_home_is_no_answer() -> None:
    with pytest.raises(NoResponse, match="no connection"):
        post(WebhookClient(), "http://127.0.0.1:9/")
