"""What a replay may send: API requests to the bundle's own app, and the control calls that can be repeated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from sandbox.contract import Operation, load
from sandbox.contract.document import control_folder
from sandbox.repeatable import REPEATABLE_OPERATIONS

# What stands in a request's first line, and in its headers, without an end of line or any other control character.
_TARGET = re.compile(r"/[^\x00-\x20\x7f]*")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
# What a client may have written before the API's paths by mistake: such requests are an app's too.
_AHEAD = ("", "api")


def is_app_id(value: Any) -> bool:
    """Say whether a value is the id of an app."""
    return isinstance(value, str) and _repeatable()[0].path_schema.is_valid({"app_id": value})


def is_api_request(app_id: str, method: str, target: str) -> bool:
    """Say whether a request is one of the API, to this app: nothing else may be sent."""
    if not _TOKEN.fullmatch(method) or not _TARGET.fullmatch(target):
        return False
    path = target.partition("?")[0]
    segments = [unquote_to_bytes(segment).decode("utf-8", "replace") for segment in path.split("/")[1:]]
    base = load().base.removeprefix("/")
    while segments and segments[0] in (*_AHEAD, base):
        del segments[0]
    return segments[:2] == ["apps", app_id] and ".." not in segments


def are_headers(headers: Sequence[tuple[str, str]]) -> bool:
    """Say whether headers can be sent: no name or value of them ends its line."""
    return all(_TOKEN.fullmatch(name) and _VALUE.fullmatch(value) for name, value in headers)


def is_repeatable(app_id: str, method: str, path: str) -> bool:
    """Say whether a control call is one of those that a replay makes, on this app."""
    return any(operation.method == method and _fits(operation, app_id, path) for operation in _repeatable())


@cache
def _repeatable() -> tuple[Operation, ...]:
    return tuple(operation for operation in load(control_folder()).operations if operation.id in REPEATABLE_OPERATIONS)


def _fits(operation: Operation, app_id: str, path: str) -> bool:
    segments = path.split("/")[1:]
    if not path.startswith("/") or len(segments) != len(operation.segments):
        return False
    wanted = {"{app_id}": quote(app_id, safe="")}
    return all(
        wanted.get(part, part) == segment or (part not in wanted and part.startswith("{") and _is_id(segment))
        for part, segment in zip(operation.segments, segments, strict=True)
    )


def _is_id(segment: str) -> bool:
    """Say whether a segment is the id of a fault or reply, as the sandbox makes them."""
    return re.fullmatch(r"[A-Za-z0-9_]+", segment) is not None
