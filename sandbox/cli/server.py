"""Runs an application on a socket, as `serve` and `replay` do: uvicorn with our protocol, until a signal comes."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

from sandbox.cli.listening import Listening
from sandbox.cli.watch import Watch
from sandbox.settings import Settings

if TYPE_CHECKING:
    from starlette.applications import Starlette


def prepare_logs(mask: Callable[[str], str], *, quiet: bool) -> None:
    """Let warnings be written, or errors alone, each text without its secrets."""

    class Masked(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return mask(super().format(record))

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Masked("dimedove-sandbox: %(message)s"))
    handler.addFilter(_is_news)
    logging.basicConfig(level=logging.ERROR if quiet else logging.WARNING, handlers=[handler])


def _is_news(record: logging.LogRecord) -> bool:
    """Keep back what uvicorn says of connections that were closed on purpose."""
    from sandbox.server.response_timer import AbortConnection

    cause = record.exc_info[1] if record.exc_info else None
    return (
        not isinstance(cause, AbortConnection | asyncio.CancelledError)
        and "graceful shutdown exceeded" not in record.getMessage()
    )


# As many file descriptors as a server asks for; each connection takes one.
MOST_DESCRIPTORS = 65_536


class Interrupted:
    """Notes a Ctrl-C or a terminal that was closed, from now on: either ends the server well, however often it comes.

    As an exception it could come anywhere, also where imports swallow it.
    """

    def __init__(self) -> None:
        self._asked = False
        self._signals: list[signal.Signals] = [signal.SIGINT]
        # Not on Windows; and who starts a server with `nohup` wants it to stay.
        hangup: signal.Signals | None = getattr(signal, "SIGHUP", None)
        if hangup and signal.getsignal(hangup) is not signal.SIG_IGN:
            self._signals.append(hangup)
        for number in self._signals:
            signal.signal(number, self._ask)

    def ignore(self) -> None:
        """Let nothing more come of them: the server has ended, and Python would end by the signal."""
        for number in self._signals:
            signal.signal(number, signal.SIG_IGN)

    def __call__(self) -> bool:
        """Say whether it came."""
        return self._asked

    def _ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a handler
        self._asked = True


def allow_connections() -> None:
    """Let the process hold as many connections as it may: many systems begin with 1,024 file descriptors."""
    try:
        import resource
    except ImportError:  # Windows knows no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # macOS allows fewer than its own hard limit says.
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def serve_on(
    app: Starlette,
    listening: Listening,
    settings: Settings,
    tls: dict[str, Any],
    watches: Sequence[Watch],
    until: Callable[[], bool],
) -> None:
    """Serve until a signal comes, or `until` says so."""
    import uvicorn

    from sandbox.server.protocol import SandboxProtocol, bound_handshakes

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

    allow_connections()
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
    _let_nothing_hold_up()
    Server(config).run(sockets=list(listening.sockets))


def _let_nothing_hold_up() -> None:
    """Set what in Python itself could hold all requests up: the garbage collector, and threads."""
    # What is loaded by now stays for ever: the garbage collector need not look at it again.
    gc.freeze()
    gc.enable()
    # Two thousand streams are 200,000 objects, and to look at all of them takes 130 ms. What is let go is freed without
    # the collector; it comes when there are many more objects than before.
    gc.set_threshold(5_000, 10, 10)
    # What is done in threads gives way this often: a request asks for its turn several times.
    sys.setswitchinterval(0.001)
