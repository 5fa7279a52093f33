"""The sandbox itself without its request journal and its faults: what these two cost is the difference."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Iterable

from starlette.types import Message

from sandbox.apps.journal import AppJournal
from sandbox.apps.rule_queue import MemoryRuleQueue
from sandbox.cli import main
from sandbox.server import asgi
from sandbox.server.context import RequestContext, describe_response


class BareContext(RequestContext):
    """A request of which nothing is recorded; only the headers that go on every answer are still added."""

    __slots__ = ()

    def begin(self, journal: AppJournal) -> None:
        """Belong to no journal."""

    def _keep_received(self, message: Message) -> Message:
        return message

    async def respond(
        self,
        status: int,
        body: bytes,
        *,
        content_type: bytes = b"application/json",
        headers: Iterable[tuple[bytes, bytes]] = (),
    ) -> None:
        described = [*describe_response(status, body, content_type, headers), *self.added_headers]
        self.ended = "complete"
        await self._asgi_send({"type": "http.response.start", "status": status, "headers": described})
        await self._asgi_send({"type": "http.response.body", "body": body})

    def send_unfaulted(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *self.added_headers]
        elif not message.get("more_body"):
            self.ended = "complete"
        return self._asgi_send(message)


if __name__ == "__main__":
    asgi.RequestContext = BareContext  # type: ignore[misc]
    MemoryRuleQueue.is_empty = property(lambda _: True)  # type: ignore[assignment,method-assign]
    sys.exit(main(["serve", "--quiet", "--port", sys.argv[1]]))
