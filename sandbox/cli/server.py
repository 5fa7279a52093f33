"""Runs an application on sockets, as `serve` and `replay` do: uvicorn with our protocol, and what it polls."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from threading import Thread
from types import FrameType
from typing import Any, Protocol

import uvicorn

from sandbox.cli.config_file import ConfigFile, ConfigReloader
from sandbox.cli.process import StopRequest
from sandbox.cli.sockets import ServerSockets
from sandbox.clock import monotonic
from sandbox.redaction import Redactor
from sandbox.sandbox import Sandbox, create_app
from sandbox.server.access_log import AccessLog, for_stream
from sandbox.server.protocol import SandboxProtocol, bound_handshakes
from sandbox.server.response_timer import AbortConnection
from sandbox.settings import Settings, secrets_of

# File descriptors that a server asks the system for; each connection takes one.
MAX_DESCRIPTORS = 65_536
# Seconds between two polls, that open responses have to end when the server stops, and between two looks at them.
_POLL_SECONDS = 0.1
_GRACE_SECONDS = 1
_LOOK_SECONDS = 0.005


class _RedactingFormatter(logging.Formatter):
    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__("dimedove-sandbox: %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


def configure_logging(redact: Callable[[str], str], *, quiet: bool) -> None:
    """Write warnings (where `quiet`, errors alone) to standard error, each redacted."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_RedactingFormatter(redact))
    handler.addFilter(_is_unexpected)
    logging.basicConfig(level=logging.ERROR if quiet else logging.WARNING, handlers=[handler])


def _is_unexpected(record: logging.LogRecord) -> bool:
    """Drop what uvicorn logs about connections that were closed on purpose."""
    cause = record.exc_info[1] if record.exc_info else None
    return not isinstance(cause, AbortConnection | asyncio.CancelledError)


class Poller(Protocol):
    """Is called several times a second while the server runs."""

    def poll(self) -> None:
        """Do what is due."""
        ...


class Preloader:
    """Loads the rest of the modules in a thread: from the second poll on, so that the first responses don't wait."""

    def __init__(self, load: Callable[[], None]) -> None:
        self._load = load
        self._polls = 0

    def poll(self) -> None:
        """Begin to load, once."""
        self._polls += 1
        if self._polls == 2:
            Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with suppress(OSError, ImportError):
            self._load()


class Autosaver:
    """`serve --save-every`: saves again and again, one save at a time."""

    def __init__(self, save: Callable[[], Coroutine[Any, Any, None]], seconds: int) -> None:
        self._save = save
        self._seconds = seconds
        self._due = monotonic() + seconds
        self._task: asyncio.Task[None] | None = None

    def poll(self) -> None:
        """Save, if it is time and the last save is done."""
        if monotonic() < self._due or (self._task and not self._task.done()):
            return
        self._due = monotonic() + self._seconds
        self._task = asyncio.ensure_future(self._save())


def open_sandbox(settings: Settings) -> tuple[Sandbox, AccessLog | None]:
    """Return a server and its access log, unless it is to be quiet; both log redacted.

    Raises:
        SettingsError, ContractError: as `create_app` does.
    """
    redact = Redactor(secrets_of(settings)).redact_text
    configure_logging(redact, quiet=settings.quiet)
    access_log = None if settings.quiet else for_stream(sys.stderr, settings.log_format, redact)
    return create_app(settings, log=access_log), access_log


def prepare_workers(settings: Settings) -> None:
    """Make sure that a server can be opened with these settings, and load all that each worker would load.

    Raises:
        SettingsError, ContractError, StoreError: as `create_app` does.
    """
    configure_logging(Redactor(secrets_of(settings)).redact_text, quiet=settings.quiet)
    create_app(settings).preload()


def pollers_of(
    app: Sandbox, settings: Settings, config: ConfigFile, read_settings: Callable[[], Settings]
) -> Sequence[Poller]:
    """Return what `serve` polls with these settings."""
    pollers: list[Poller] = [Preloader(app.preload)]
    if config.name and settings.reload:
        pollers.append(ConfigReloader(config, settings, read_settings, app.reload))
    if app.store or settings.app_ttl:
        pollers.append(app)
    if settings.save_every:
        pollers.append(Autosaver(app.save, settings.save_every))
    return pollers


def serve(
    settings: Settings,
    sockets: ServerSockets,
    tls: dict[str, Any],
    config: ConfigFile,
    read_settings: Callable[[], Settings],
    stop: StopRequest,
    opened: Callable[[], None] = lambda: None,
) -> None:
    """Open a server and serve with it; `opened` is called in between."""
    app, access_log = open_sandbox(settings)
    app.own_ports.add(sockets.port)
    opened()
    pollers = pollers_of(app, settings, config, read_settings)
    run_server(app, sockets, settings, tls=tls, pollers=pollers, stop=stop)
    if access_log:
        access_log.close()


def run_server(
    app: Sandbox,
    sockets: ServerSockets,
    settings: Settings,
    *,
    tls: dict[str, Any],
    pollers: Sequence[Poller],
    stop: StopRequest,
) -> None:
    """Serve until a signal comes, or somebody asks for the end."""

    class HttpProtocol(SandboxProtocol):
        header_timeout = settings.header_timeout

    raise_descriptor_limit()
    config = uvicorn.Config(
        app,
        http=HttpProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_keep_alive=settings.idle_timeout,
        **tls,
    )
    _tune_interpreter()
    _UvicornServer(config, app, settings, pollers, stop).run(sockets=list(sockets.sockets))


class _UvicornServer(uvicorn.Server):
    """Polls, and ends as soon as it is asked to: uvicorn itself would look every 100 ms, then wait 100 ms more."""

    def __init__(
        self,
        config: uvicorn.Config,
        app: Sandbox,
        settings: Settings,
        pollers: Sequence[Poller],
        stop: StopRequest,
    ) -> None:
        super().__init__(config)
        self._app = app
        self._settings = settings
        self._pollers = pollers
        self._stop = stop
        self._is_asked = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        bound_handshakes(loop, self._settings.header_timeout)

        def wake() -> None:
            # Who asks again may find the loop closed: the server has ended.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._is_asked.set)

        self._stop.tell(wake)
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self._settings.drain or self._stop.is_set():
            self._app.stop()
        super().handle_exit(sig, frame)
        self._stop.set()

    async def main_loop(self) -> None:
        counter = 0
        while not await self.on_tick(counter):
            counter += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_asked.wait(), _POLL_SECONDS)

    async def on_tick(self, counter: int) -> bool:
        for poller in self._pollers:
            poller.poll()
        if self._stop.is_set():
            return True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        self._app.stop_listening()
        for seconds in (self._settings.drain, _GRACE_SECONDS):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._end_of_responses(), seconds)
            self._app.stop()
        for task in self.server_state.tasks:
            task.cancel()
        # Here, as a signal that ended the server ends the process right afterwards.
        await self._app.close()

    async def _end_of_responses(self) -> None:
        """Wait until what is sent has left and all connections are closed; asked again to end, no longer."""
        while (self.server_state.connections or self.server_state.tasks) and not self.force_exit:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(_LOOK_SECONDS)


def raise_descriptor_limit() -> None:
    """Raise the limit of file descriptors, as far as the system allows: on many it is 1,024 at first."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MAX_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < limit:
        # macOS allows fewer than its own hard limit says.
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def _tune_interpreter() -> None:
    """Keep Python itself from holding all requests up: by its garbage collector, by threads."""
    # What is loaded by now stays for ever: the garbage collector need not look at it again.
    gc.freeze()
    gc.enable()
    # Two thousand streams are 200,000 objects, and to look at all of them takes 130 ms. Reference counts free almost
    # everything without the collector; it runs when there are many more objects than before.
    gc.set_threshold(5_000, 10, 10)
    # Threads give way this often (seconds): a request asks for its turn several times.
    sys.setswitchinterval(0.001)
