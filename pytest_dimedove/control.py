"""Calls the control API over HTTP: JSON in, JSON out, or one error that says what went wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

# A failure is shown where the test stands, not in here.
__tracebackhide__ = True

_TIMEOUT = 600


class DimedoveError(Exception):
    """The sandbox did not start, can't be reached, or refused a call of its control API."""


def call(
    method: str, url: str, body: Any = None, *, query: Mapping[str, Any] | None = None, token: str | None = None
) -> Any:
    """Send a request and return the parsed response; a query parameter that is None is left out.

    Raises:
        DimedoveError: it was refused, or there was no response.
    """
    raw = fetch(method, url, body, query=query, token=token)
    try:
        return json.loads(raw) if raw else None
    except ValueError as error:
        raise DimedoveError(f"{method} {url}: no response of a sandbox: {error}") from None


def fetch(
    method: str, url: str, body: Any = None, *, query: Mapping[str, Any] | None = None, token: str | None = None
) -> bytes:
    """Send a request and return the raw body of the response.

    Raises:
        DimedoveError: it was refused, or there was no response.
    """
    # Slow to import, and not needed for this package's types.
    from urllib.error import HTTPError
    from urllib.parse import urlencode
    from urllib.request import ProxyHandler, Request, build_opener

    given = {name: value for name, value in (query or {}).items() if value is not None}
    target = url + (f"?{urlencode(given)}" if given else "")
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    # No proxy: it would not find a server on loopback.
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(Request(target, data, headers, method=method), timeout=_TIMEOUT) as answer:  # noqa: S310 - the user's own URL
            raw: bytes = answer.read()
        return raw
    except HTTPError as error:
        with error:
            problem = message_of(error.read()) or f"status {error.code}"
    except (OSError, ValueError) as error:
        problem = f"no response of a sandbox: {error}"
    raise DimedoveError(f"{method} {target}: {problem}")


def message_of(raw: bytes) -> str | None:
    """Return the message of an error envelope."""
    try:
        return str(json.loads(raw)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return None
