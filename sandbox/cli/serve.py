"""`dimedove-sandbox serve`: starts the sandbox, and prints its address and an example request."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import re
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from sandbox.cli.config_file import ConfigFile
from sandbox.cli.flags import add_flag
from sandbox.cli.process import SigintFlag, StandardInput, StopRequest, write_line
from sandbox.cli.sockets import EVERY_ADDRESS, EVERY_IPV4, ServerSockets, listen
from sandbox.cli.workers import Supervisor, shared_metrics
from sandbox.hosts import is_loopback
from sandbox.options import ENV_PREFIX, SettingsError
from sandbox.settings import Settings, default_of, load_settings, options

log = logging.getLogger("sandbox")

CONFIG_VARIABLE = ENV_PREFIX + "CONFIG"
PORT_VARIABLE = ENV_PREFIX + "PORT"

_LINK = re.compile(r"(?:tcp|udp|sctp)://.*")


def add_parser(commands: Any) -> None:
    """Add the command with a flag for each setting of the table."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "serve",
        help="start the sandbox",
        usage="%(prog)s [options]",
        description="Start the sandbox. Every flag is also an environment variable (DIMEDOVE_SANDBOX_PORT) "
        "and a key of the config file (port = 8010). Exit code 0: it was stopped, 2: a wrong setting, 3: it can't "
        "listen, or use its store.",
    )
    parser.add_argument("--config", metavar="FILE", help="settings in TOML, with apps as tables ([apps.app_support])")
    for name, option in options().items():
        add_flag(parser, name, option, default=default_of(name))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Serve until a signal comes."""
    variables = _without_service_link(environ)
    path = _config_path(arguments.config, variables)
    read_settings = partial(load_settings, vars(arguments), variables, path)
    config = ConfigFile(path, read_settings().scenario_dir)
    settings, token = _with_token(read_settings())
    if settings.save_every and not settings.data:
        raise SettingsError("--save-every goes with --data: expected a file to save into")
    _check_workers(settings)
    stop = StopRequest()
    if settings.exit_on_stdin_close and settings.workers == 1:
        StandardInput(stop)
    tls = _tls_options(settings)
    sockets = listen(settings)
    if sockets is None:
        return 3
    sigint = SigintFlag(stop)
    with sockets:
        # Nothing that is loaded at the start is ever garbage; `run_server` turns the collector on again.
        gc.disable()
        # Imported late: a usage error is answered without loading the server.
        from sandbox.cli.server import prepare_workers, serve

        work = partial(serve, settings, sockets, tls, config, read_settings)
        announce = partial(_announce, settings, sockets, token, environ, variables)
        if settings.workers == 1:
            work(stop, announce)
        else:
            with shared_metrics(settings) as folder:
                prepare_workers(settings)
                announce()
                Supervisor(settings, work, stop, ending=sockets.close, counts_in=folder).run()
        sigint.ignore()
    return 0


def _announce(
    settings: Settings,
    sockets: ServerSockets,
    token: str | None,
    environ: Mapping[str, str],
    variables: Mapping[str, str],
) -> None:
    """Say where the server is, now that it can be reached."""
    write_line(banner(settings, sockets, token))
    _warn(environ, variables, sockets)
    if settings.url_file:
        _write_url(settings.url_file, _base_url(settings, sockets))


def _check_workers(settings: Settings) -> None:
    if settings.workers > 1 and not settings.store:
        raise SettingsError("--workers: expected 1 without --store: what one process has in memory, no other sees")
    if settings.workers > 1 and not hasattr(os, "fork"):
        raise SettingsError("--workers: expected 1 on this system; start several servers with the same --store")


def _config_path(argument: str | None, variables: Mapping[str, str]) -> Path | None:
    if argument == "":
        raise SettingsError("--config: expected a file, got ''")
    path = argument or variables.get(CONFIG_VARIABLE)
    return Path(path) if path else None


def _without_service_link(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the environment without a port that nobody set: Kubernetes writes its own for a Service of our name."""
    if not _LINK.fullmatch(environ.get(PORT_VARIABLE, "")):
        return environ
    return {name: value for name, value in environ.items() if name != PORT_VARIABLE}


def _warn(environ: Mapping[str, str], variables: Mapping[str, str], sockets: ServerSockets) -> None:
    """Warn of variables that are ignored, and of another server where a client may look for this one."""
    if foreign := sockets.foreign_loopback():
        log.warning(
            "another server listens on %s, and localhost may lead there; --host localhost listens on both", foreign
        )
    for name in environ.keys() - variables.keys():
        text = "%s: %r is how Kubernetes writes the address of a Service, not a port: taken as not set"
        log.warning(text, name, environ[name])


def banner(settings: Settings, sockets: ServerSockets, token: str | None) -> str:
    """Return the text of the start: where the server is, and a request to paste."""
    base = _base_url(settings, sockets)
    first = f"Dimedove Sandbox on {base}/v1"
    secret = f"  control token   {token}    for {base}/_sandbox/ (this address isn't loopback)"
    if settings.quiet:
        # Nobody else knows a free port or a new token.
        return f"{first}\n{secret}" if token else first
    wider = settings.host not in sockets.hosts or settings.host in (EVERY_IPV4, EVERY_ADDRESS)
    lines = [
        first,
        "",
        *([f"  listens on      {sockets.describe()}"] if wider else []),
        "  API key   sk_test_demo    any key that starts with sk_test_ works",
        "  app id    app_demo        it has conversations; any other id is a new, empty app",
        f"  overview        {base}/",
        *([] if settings.control == "off" else [f"  inspector       {base}/_sandbox/"]),
        f"  contract        {base}/openapi.json",
        *([f"  model           {settings.model} writes the texts"] if settings.model else []),
    ]
    if token:
        lines.append(secret)
    curl = f"curl -H 'Authorization: Bearer sk_test_demo' '{base}/v1/apps/app_demo/conversations?limit=3'"
    return "\n".join([*lines, "", f"  {curl}", "", "Ctrl-C stops it."])


def _write_url(path: str, url: str) -> None:
    """Write the server's URL; a server that can't write it serves all the same."""
    new = Path(f"{path}.{os.getpid()}")
    try:
        new.write_text(url + "\n", encoding="utf-8")
        new.replace(path)
    except (OSError, ValueError) as error:
        log.warning("--url-file %s: can't be written: %s", path, getattr(error, "strerror", None) or error)


def _base_url(settings: Settings, sockets: ServerSockets) -> str:
    """Return a URL of the server that works on this machine."""
    every = {EVERY_IPV4: "127.0.0.1", EVERY_ADDRESS: "::1"}
    host = every.get(sockets.hosts[0], settings.host)
    return f"{'https' if settings.tls_cert else 'http'}://{f'[{host}]' if ':' in host else host}:{sockets.port}"


def _tls_options(settings: Settings) -> dict[str, Any]:
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
