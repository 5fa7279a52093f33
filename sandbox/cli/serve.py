"""`dimedove-sandbox serve`: starts the sandbox and says what a person needs to use it."""

from __future__ import annotations

import argparse
import asyncio
import errno
import gc
import ipaddress
import logging
import secrets
import socket
import ssl
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from sandbox.cli.watch import ConfigWatch, Watch
from sandbox.masking import escape
from sandbox.settings import Option, Settings, SettingsError, flag, gather, options

if TYPE_CHECKING:
    from starlette.applications import Starlette

CONFIG_VARIABLE = "DIMEDOVE_SANDBOX_CONFIG"
# Clients that keep connections open should never meet one that was closed a moment ago.
KEEP_ALIVE_SECONDS = 75


def add_parser(commands: Any) -> None:
    """Add the command with a flag for each setting of the table."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "serve",
        help="start the sandbox",
        description="Start the sandbox. Every flag is also an environment variable (DIMEDOVE_SANDBOX_PORT) "
        "and a key of the config file (port = 8010).",
    )
    parser.add_argument("--config", metavar="FILE", help="settings in TOML, with apps as tables ([apps.app_support])")
    for name, option in options().items():
        _add_flag(parser, name, option)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Serve until a signal comes."""
    named = arguments.config or environ.get(CONFIG_VARIABLE)
    config = Path(named) if named else None

    def read() -> Settings:
        return gather(vars(arguments), environ, config)

    settings, token = _with_token(read())
    if settings.save_every and not settings.data:
        raise SettingsError("--save-every goes with --data: expected a file to save into")
    tls = _tls(settings)
    listening = listen(settings)
    if listening is None:
        return 3
    with listening, suppress(KeyboardInterrupt):
        prepare_logs(quiet=settings.quiet)
        # Imported late: a usage error is answered without loading the server.
        from sandbox.app import create_app
        from sandbox.cli.autosave import Autosave
        from sandbox.wire.access_log import for_stream

        log = None if settings.quiet else for_stream(sys.stderr, settings.log_format)
        app = create_app(settings, log=log)
        # Whoever reads no further than the first line closes the pipe.
        with suppress(BrokenPipeError):
            print(greeting(settings, listening.getsockname()[1], token), flush=True)
        watches: list[Watch] = []
        if config and settings.reload:
            watches.append(ConfigWatch(config, settings, read, app.state.declare))
        if settings.save_every:
            watches.append(Autosave(app.state.keeper, settings.save_every))
        serve_on(app, listening, tls, watches)
        if log:
            log.close()
    return 0


def greeting(settings: Settings, port: int, token: str | None) -> str:
    """Return what is said on start: where the server is, and one request to paste."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound
    scheme = "https" if settings.tls_cert else "http"
    base = f"{scheme}://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{port}"
    where = f"Dimedove Sandbox on {base}/v1"
    secret = f"  control token   {token}    for {base}/_sandbox/ (this address isn't loopback)"
    if settings.quiet:
        # What nobody else knows is said even so: a free port, a token just made.
        return f"{where}\n{secret}" if token else where
    lines = [
        where,
        "",
        "  API key   sk_test_demo    any key that starts with sk_test_ works",
        "  app id    app_demo        it has conversations; any other id is a new, empty app",
        f"  what is where   {base}/",
        f"  the contract    {base}/openapi.json",
    ]
    if token:
        lines.append(secret)
    curl = f"curl -H 'Authorization: Bearer sk_test_demo' '{base}/v1/apps/app_demo/conversations?limit=3'"
    return "\n".join([*lines, "", f"  {curl}", "", "Ctrl-C ends it."])


def serve_on(
    app: Starlette,
    listening: socket.socket,
    tls: dict[str, Any],
    watches: Sequence[Watch],
    until: Callable[[], bool] = lambda: False,
) -> None:
    """Serve until a signal comes, or `until` says so."""
    import uvicorn

    from sandbox.wire.protocol import SandboxProtocol

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            app.state.endings.stop()
            super().handle_exit(sig, frame)

        async def on_tick(self, counter: int) -> bool:
            for watch in watches:
                watch.look()
            return await super().on_tick(counter) or until()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            await super().shutdown(sockets)
            # Here, as a signal that ended the server ends the process right afterwards.
            if app.state.keeper:
                await app.state.keeper.save_or_log()

    config = uvicorn.Config(
        app,
        http=SandboxProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
        **tls,
    )
    # What is loaded by now stays for ever: the garbage collector need not look at it again, nor run so often.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    Server(config).run(sockets=[listening])


def _tls(settings: Settings) -> dict[str, Any]:
    """Return what uvicorn needs to serve https; nothing for http."""
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise SettingsError("--tls-cert and --tls-key go together: expected both or none")
    if not settings.tls_cert:
        return {}
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(settings.tls_cert, settings.tls_key, "")
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or "not a certificate and its key"
        raise SettingsError(f"--tls-cert {settings.tls_cert}, --tls-key {settings.tls_key}: {reason}") from None
    return {"ssl_certfile": settings.tls_cert, "ssl_keyfile": settings.tls_key}


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


def _with_token(settings: Settings) -> tuple[Settings, str | None]:
    """Off loopback the control API asks for a token; make one where none is set."""
    if settings.control != "auto" or settings.control_token or _is_loopback(settings.host):
        return settings, None
    token = secrets.token_urlsafe(24)
    return replace(settings, control_token=token), token


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def prepare_logs(*, quiet: bool) -> None:
    """Let warnings be written, or errors alone."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("dimedove-sandbox: %(message)s"))
    handler.addFilter(_is_news)
    logging.basicConfig(level=logging.ERROR if quiet else logging.WARNING, handlers=[handler])


def _is_news(record: logging.LogRecord) -> bool:
    """Keep back what uvicorn says of connections that were closed on purpose."""
    from sandbox.wire.sabotage import BrokenOff

    cause = record.exc_info[1] if record.exc_info else None
    return (
        not isinstance(cause, BrokenOff | asyncio.CancelledError)
        and "graceful shutdown exceeded" not in record.getMessage()
    )


def _add_flag(parser: argparse.ArgumentParser, name: str, option: Option) -> None:
    if option.kind == "switch":
        parser.add_argument(flag(name), action=argparse.BooleanOptionalAction, default=None, help=option.help)
    elif option.kind == "list":
        parser.add_argument(flag(name), action="append", default=None, metavar="VALUE", help=option.help)
    else:
        metavar = "|".join(option.choices) or {"integer": "N", "secret": "FILE"}.get(option.kind, "TEXT")
        parser.add_argument(flag(name), default=None, metavar=metavar, help=option.help)
