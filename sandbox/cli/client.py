"""What the commands ask a server of: its health, and files of the control API. Uses no proxy of the environment."""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ssl import CERT_NONE, PROTOCOL_TLS_CLIENT, SSLContext
from urllib.parse import urlsplit

_SECONDS = 2.5
_MAX_HEALTH = 100_000


def get(
    url: str,
    path: str,
    token: str | None = None,
    *,
    accept: str = "*/*",
    seconds: float = _SECONDS,
    max_bytes: int | None = None,
) -> tuple[int, bytes]:
    """Return status and body of a GET request to a server; of the body `max_bytes` at most.

    Raises:
        OSError: there is no connection.
        ValueError: this is no URL, or what answers doesn't speak HTTP.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "https":
        # No need to verify the certificate: the server is on this machine.
        context = SSLContext(PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, CERT_NONE
        connection: HTTPConnection = HTTPSConnection(host, port, timeout=seconds, context=context)
    elif parts.scheme == "http":
        connection = HTTPConnection(host, port, timeout=seconds)
    else:
        raise ValueError(f"expected a URL of http or https, got {url!r}")
    try:
        headers = {"Accept": accept, **({"Sandbox-Control-Token": token} if token else {})}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(max_bytes)
    except HTTPException as error:
        raise ValueError(f"{url}: no HTTP: {type(error).__name__}") from None
    finally:
        connection.close()


def health_problem(url: str) -> str | None:
    """Return why a server is not healthy, or not a sandbox; None where it is well."""
    try:
        status, body = get(url, "/_sandbox/health", max_bytes=_MAX_HEALTH)
        health = json.loads(body)
    except OSError as error:
        return f"{url}: {error.strerror or error}"
    except ValueError as error:
        return str(error)
    well = status == 200 and isinstance(health, dict) and health.get("sandbox") is True
    return None if well else f"{url}: answered with status {status}, not as a healthy sandbox"
