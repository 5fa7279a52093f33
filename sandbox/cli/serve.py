"""`dimedove-sandbox serve`: starts the sandbox and says what a person needs to use it."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import re
import secrets
import ssl
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sandbox.cli.listening import EVERY_ADDRESS, EVERY_IPV4, Listening, listen
from sandbox.cli.output import say
from sandbox.cli.server import Interrupted, prepare_logs, serve_on
from sandbox.cli.standard_input import StandardInput
from sandbox.cli.watch import ConfigWatch, Preload, Watch
from sandbox.origins import is_loopback
from sandbox.redaction import Redactor
from sandbox.settings import ENV_PREFIX, Option, Settings, SettingsError, flag, gather, options

log = logging.getLogger("sandbox")

CONFIG_VARIABLE = ENV_PREFIX + "CONFIG"
PORT_VARIABLE = ENV_PREFIX + "PORT"

_LINK = re.compile(r"(?:tcp|udp|sctp)://.*")


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
    if arguments.config == "":
        raise SettingsError("--config: expected a file, got ''")
    understood = _without_link(environ)
    named = arguments.config or understood.get(CONFIG_VARIABLE)
    config = Path(named) if named else None

    def read() -> Settings:
        return gather(vars(arguments), understood, config)

    settings, token = _with_token(read())
    if settings.save_every and not settings.data:
        raise SettingsError("--save-every goes with --data: expected a file to save into")
    ends: list[Callable[[], bool]] = [StandardInput().is_closed] if settings.exit_on_stdin_close else []
    tls = _tls(settings)
    listening = listen(settings)
    if listening is None:
        return 3
    interrupted = Interrupted()
    ends.append(interrupted)
    with listening:
        mask = Redactor([settings.control_token or ""]).redact_text
        prepare_logs(mask, quiet=settings.quiet)
        # Nothing that is loaded at the start is ever garbage; `serve_on` turns the collector on again.
        gc.disable()
        # Imported late: a usage error is answered without loading the server.
        from sandbox.app import create_app
        from sandbox.cli.autosave import Autosave
        from sandbox.server.access_log import for_stream

        log = None if settings.quiet else for_stream(sys.stderr, settings.log_format, mask)
        app = create_app(settings, log=log)
        app.state.own_ports.add(listening.port)
        say(greeting(settings, listening, token))
        _warn(environ, understood, listening)
        if settings.url_file:
            _write_url(settings.url_file, _base(settings, listening))
        watches: list[Watch] = [Preload(app.state.preload)]
        if config and settings.reload:
            watches.append(ConfigWatch(config, settings, read, app.state.declare))
        if settings.save_every:
            watches.append(Autosave(app.state.keeper, settings.save_every))
        serve_on(app, listening, settings, tls, watches, lambda: any(ended() for ended in ends))
        interrupted.ignore()
        if log:
            log.close()
    return 0


def _without_link(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the environment without a port that nobody set: Kubernetes writes its own for a Service of our name."""
    if not _LINK.fullmatch(environ.get(PORT_VARIABLE, "")):
        return environ
    return {name: value for name, value in environ.items() if name != PORT_VARIABLE}


def _warn(environ: Mapping[str, str], understood: Mapping[str, str], listening: Listening) -> None:
    """Say what of the environment was not taken, and who else is where a client may look for this server."""
    if foreign := listening.foreign_loopback():
        log.warning("%s is another server's, and localhost may lead there; --host localhost listens on both", foreign)
    for name in environ.keys() - understood.keys():
        text = "%s: %r is how Kubernetes writes the address of a Service, not a port: taken as not set"
        log.warning(text, name, environ[name])


def greeting(settings: Settings, listening: Listening, token: str | None) -> str:
    """Return what is said on start: where the server is, and one request to paste."""
    base = _base(settings, listening)
    where = f"Dimedove Sandbox on {base}/v1"
    secret = f"  control token   {token}    for {base}/_sandbox/ (this address isn't loopback)"
    if settings.quiet:
        # What nobody else knows is said even so: a free port, a token just made.
        return f"{where}\n{secret}" if token else where
    wider = settings.host not in listening.hosts or settings.host in (EVERY_IPV4, EVERY_ADDRESS)
    lines = [
        where,
        "",
        *([f"  listens on      {listening.describe()}"] if wider else []),
        "  API key   sk_test_demo    any key that starts with sk_test_ works",
        "  app id    app_demo        it has conversations; any other id is a new, empty app",
        f"  what is where   {base}/",
        f"  the contract    {base}/openapi.json",
    ]
    if token:
        lines.append(secret)
    curl = f"curl -H 'Authorization: Bearer sk_test_demo' '{base}/v1/apps/app_demo/conversations?limit=3'"
    return "\n".join([*lines, "", f"  {curl}", "", "Ctrl-C ends it."])


def _write_url(path: str, url: str) -> None:
    """Write where the server is; it serves all the same where that can't be done."""
    new = Path(f"{path}.{os.getpid()}")
    try:
        new.write_text(url + "\n", encoding="utf-8")
        new.replace(path)
    except (OSError, ValueError) as error:
        log.warning("--url-file %s: can't be written: %s", path, getattr(error, "strerror", None) or error)


def _base(settings: Settings, listening: Listening) -> str:
    """Return a URL of the server that works on this machine."""
    every = {EVERY_IPV4: "127.0.0.1", EVERY_ADDRESS: "::1"}
    host = every.get(listening.hosts[0], settings.host)
    return f"{'https' if settings.tls_cert else 'http'}://{f'[{host}]' if ':' in host else host}:{listening.port}"


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


def _with_token(settings: Settings) -> tuple[Settings, str | None]:
    """Off loopback the control API asks for a token; make one where none is set."""
    if settings.control != "auto" or settings.control_token or is_loopback(settings.host):
        return settings, None
    token = secrets.token_urlsafe(24)
    return replace(settings, control_token=token), token


def _add_flag(parser: argparse.ArgumentParser, name: str, option: Option) -> None:
    if option.kind == "switch":
        parser.add_argument(flag(name), action=argparse.BooleanOptionalAction, default=None, help=option.help)
    elif option.kind in ("origins", "hosts"):
        parser.add_argument(flag(name), action="append", default=None, metavar="VALUE", help=option.help)
    else:
        metavar = "|".join(option.choices) or {"integer": "N", "secret": "FILE"}.get(option.kind, "TEXT")
        parser.add_argument(flag(name), default=None, metavar=metavar, help=option.help)
