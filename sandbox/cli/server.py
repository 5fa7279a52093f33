"""Runs an application on a socket, as `serve` and `replay` do: uvicorn with our protocol, until a signal comes."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any

from sandbox.cli.watch import Watch
from sandbox.masking import escape
from sandbox.settings import Settings

if TYPE_CHECKING:
    from starlette.applications import Starlette


def listen(settings: Settings) -> socket.socket | None:
    """Return a socket that listens; None, when it has been said why there can't be one."""
    try:
        return _listen(settings.host, settings.port)
    except (OSError, UnicodeError) as error:
        where = escape(f"{settings.host}:{settings.port}")
        hint = "; --port 0 picks a free one" if getattr(error, "errno", None) == errno.EADDRINUSE else ""
        reason = getattr(error, "strerror", None) or "not a host name"
        print(f"dimedove-sandbox: can't listen on {where}: {reason}{hint}", file=sys.stderr)
        return None


def _listen(host: str, port: int) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return socket.create_server(address[:2], family=family, backlog=2048)


def prepare_logs(*, quiet: bool) -> None:
    """Let warnings be written, or errors alone."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("dimedove-sandbox: %(message)s"))
    handler.addFilter(_is_news)
    logging.basicConfig(level=logging.ERROR if quiet else logging.WARNING, handlers=[handler])


def _is_news(record: logging.LogRecord) -> bool:
    """Keep back what uvicorn says of connections that were closed on purpose."""
    from sandbox.wire.patience import BrokenOff

    cause = record.exc_info[1] if record.exc_info else None
    return (
        not isinstance(cause, BrokenOff | asyncio.CancelledError)
        and "graceful shutdown exceeded" not in record.getMessage()
    )


class Interrupted:
    """Notes a Ctrl-C from now on. As an exception it could come anywhere, also where imports swallow it."""

    def __init__(self) -> None:
        self._asked = False
        signal.signal(signal.SIGINT, self._ask)

    def __call__(self) -> bool:
        """Say whether it came."""
        return self._asked

    def _ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a handler
        self._asked = True


def serve_on(
    app: Starlette,
    listening: socket.socket,
    settings: Settings,
    tls: dict[str, Any],
    watches: Sequence[Watch],
    until: Callable[[], bool],
) -> None:
    """Serve until a signal comes, or `until` says so."""
    import uvicorn

    from sandbox.wire.protocol import SandboxProtocol, bound_handshakes

    class Protocol(SandboxProtocol):
        header_timeout = settings.header_timeout

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            bound_handshakes(asyncio.get_running_loop(), settings.header_timeout)
            await super().startup(sockets)

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            app.state.stop()
            super().handle_exit(sig, frame)

        async def on_tick(self, counter: int) -> bool:
            for watch in watches:
                watch.look()
            if until():
                app.state.stop()
                return True
            return await super().on_tick(counter)

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            await super().shutdown(sockets)
            # Here, as a signal that ended the server ends the process right afterwards.
            if app.state.keeper:
                await app.state.keeper.save_or_log()

    config = uvicorn.Config(
        app,
        http=Protocol,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_keep_alive=settings.idle_timeout,
        timeout_graceful_shutdown=1,
        **tls,
    )
    # What is loaded by now stays for ever: the garbage collector need not look at it again.
    gc.freeze()
    gc.enable()
    Server(config).run(sockets=[listening])
