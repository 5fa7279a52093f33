"""One call of the control API over HTTP: JSON there, JSON back, or one error that says what went wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

# A failure is shown where the test stands, not in here.
__tracebackhide__ = True

_LONGEST_CALL = 600


class DimedoveError(Exception):
    """The sandbox did not start, can't be reached, or refused a call of its control API."""


def call(
    method: str, url: str, body: Any = None, *, query: Mapping[str, Any] | None = None, token: str | None = None
) -> Any:
    """Send a request and return what was answered; a field of the query that is None is left out.

    Raises:
        DimedoveError: it was refused, or nobody answered.
    """
    raw = fetch(method, url, body, query=query, token=token)
    try:
        return json.loads(raw) if raw else None
    except ValueError as error:
        raise DimedoveError(f"{method} {url}: no answer that a sandbox would give: {error}") from None


def fetch(
    method: str, url: str, body: Any = None, *, query: Mapping[str, Any] | None = None, token: str | None = None
) -> bytes:
    """Send a request and return the body of the answer as it came.

    Raises:
        DimedoveError: it was refused, or nobody answered.
    """
    # Slow to import, and who only names this package's types needs none of it.
    from urllib.error import HTTPError
    from urllib.parse import urlencode
    from urllib.request import ProxyHandler, Request, build_opener

    given = {name: value for name, value in (query or {}).items() if value is not None}
    target = url + (f"?{urlencode(given)}" if given else "")
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    # No proxy: what is on loopback is nobody else's business, and a proxy would not find it.
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(Request(target, data, headers, method=method), timeout=_LONGEST_CALL) as answer:  # noqa: S310 - the user's own URL
            raw: bytes = answer.read()
        return raw
    except HTTPError as error:
        with error:
            problem = message_of(error.read()) or f"status {error.code}"
    except (OSError, ValueError) as error:
        problem = f"no answer that a sandbox would give: {error}"
    raise DimedoveError(f"{method} {target}: {problem}")


def message_of(raw: bytes) -> str | None:
    """Return the message of an error envelope."""
    try:
        return str(json.loads(raw)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return None
