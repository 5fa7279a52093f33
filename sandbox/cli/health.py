"""`dimedove-sandbox health`: checks a running server of this machine; for the image's HEALTHCHECK."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sandbox.redaction import escape
from sandbox.settings import ENV_PREFIX

_FILE_VARIABLE = ENV_PREFIX + "URL_FILE"
_SECONDS = 2.5


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "health",
        help="check the health of a running server",
        description="Check the health of a running server. Exit code 0: healthy, 1: not healthy, or no server.",
    )
    parser.add_argument(
        "url",
        nargs="?",
        metavar="URL",
        help=f"URL of the server; by default the one in the file that {_FILE_VARIABLE} names",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Check the server, and print the problem if there is one."""
    try:
        problem = _problem(arguments.url or _written(environ))
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or str(error)
    if problem:
        print(f"dimedove-sandbox: not healthy: {escape(problem)}", file=sys.stderr)
        return 1
    return 0


def _written(environ: Mapping[str, str]) -> str:
    """Return the URL that the server wrote (`serve --url-file`), with its port and scheme."""
    if not environ.get(_FILE_VARIABLE):
        raise ValueError(f"no URL: give one, or set {_FILE_VARIABLE} as for the server")
    return Path(environ[_FILE_VARIABLE]).read_text(encoding="utf-8").strip()


def _problem(url: str) -> str | None:
    # Not with urllib, which would use a proxy of the environment.
    from http.client import HTTPConnection, HTTPException, HTTPSConnection
    from ssl import CERT_NONE, PROTOCOL_TLS_CLIENT, SSLContext

    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "https":
        # No need to verify the certificate: the server is on this machine, and the request has no secret.
        context = SSLContext(PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, CERT_NONE
        connection: HTTPConnection = HTTPSConnection(host, port, timeout=_SECONDS, context=context)
    elif parts.scheme == "http":
        connection = HTTPConnection(host, port, timeout=_SECONDS)
    else:
        return f"expected a URL of http or https, got {url!r}"
    try:
        connection.request("GET", "/_sandbox/health")
        answer = connection.getresponse()
        health = json.loads(answer.read(100_000))
    except HTTPException as error:
        return f"{url}: no HTTP: {type(error).__name__}"
    finally:
        connection.close()
    well = answer.status == 200 and isinstance(health, dict) and health.get("sandbox") is True
    return None if well else f"{url}: answered with status {answer.status}, not as a healthy sandbox"
