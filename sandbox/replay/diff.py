"""Find the first place in which two responses differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.replay.bundle import Headers, RecordedResponse

# They name the request or are made on the connection.
_IGNORED_HEADERS = frozenset(
    {"sandbox-request-id", "content-length", "date", "connection", "keep-alive", "transfer-encoding"}
)
# Where the body or the headers tell the time.
_TIMES = frozenset({"created_at", "created", "retry-after"})
_MAX_LENGTH = 80
_MAX_DIGITS = 15


def describe_difference(recorded: RecordedResponse, actual: RecordedResponse, slack: int) -> str | None:
    """Say where a response differs from the recorded one; None where it is the same.

    Times may differ by `slack` seconds: a running clock's times in the middle of a response can't be repeated.
    """
    try:
        return next(_diff_responses(recorded, actual, slack), None)
    except RecursionError:
        return "body: it is nested too deeply to be compared"


def _diff_responses(recorded: RecordedResponse, actual: RecordedResponse, slack: int) -> Iterator[str]:
    if recorded.ended == "client_gone":
        # It left when it had enough; how much had come by then is chance.
        length = min(len(recorded.body), len(actual.body))
        if recorded.status is not None and actual.status is not None:
            yield from _diff_bodies(recorded.body[:length], actual.body[:length], slack)
        return
    if recorded.status != actual.status:
        yield f"status: {_change(recorded.status, actual.status)}"
    if recorded.ended != actual.ended:
        yield f"end: {_change(recorded.ended, actual.ended)}"
    yield from _diff_headers(_joined(recorded.headers), _joined(actual.headers), slack)
    if recorded.is_whole:
        yield from _diff_bodies(recorded.body, actual.body, slack)
    else:
        lines = recorded.body.splitlines(keepends=True)[:-1]
        yield from _diff_bodies(b"".join(lines), b"".join(actual.body.splitlines(keepends=True)[: len(lines)]), slack)


def _diff_headers(recorded: Mapping[str, str], actual: Mapping[str, str], slack: int) -> Iterator[str]:
    for name in sorted({*recorded, *actual}):
        one, other = recorded.get(name), actual.get(name)
        if one != other and not (name in _TIMES and _is_near(_number(one), _number(other), slack)):
            yield f"header {name}: {_change(one, other)}"


def _diff_bodies(recorded: bytes, actual: bytes, slack: int) -> Iterator[str]:
    if recorded == actual:
        return
    try:
        yield from _diff_values(json.loads(recorded), json.loads(actual), "", slack)
    except ValueError:
        yield from _diff_lines(recorded, actual, slack)


def _diff_lines(recorded: bytes, actual: bytes, slack: int) -> Iterator[str]:
    """Compare texts and streams; the data of an event is JSON again."""
    before, after = (raw.decode("utf-8", "replace").splitlines() for raw in (recorded, actual))
    for number, (one, other) in enumerate(zip(before, after, strict=False), 1):
        if one != other:
            yield from (f"line {number}: {place}" for place in _diff_data(one, other, slack))
    if len(before) != len(after):
        yield f"lines: {_change(len(before), len(after))}"


def _diff_data(recorded: str, actual: str, slack: int) -> list[str]:
    try:
        one, other = (json.loads(line.removeprefix("data: ")) for line in (recorded, actual))
    except ValueError:
        return [_change(recorded, actual)]
    return list(_diff_values(one, other, "", slack))


def _diff_values(recorded: Any, actual: Any, place: str, slack: int) -> Iterator[str]:
    if isinstance(recorded, dict) and isinstance(actual, dict):
        yield from _diff_objects(recorded, actual, place, slack)
    elif isinstance(recorded, list) and isinstance(actual, list) and len(recorded) == len(actual):
        for index, (one, other) in enumerate(zip(recorded, actual, strict=True)):
            yield from _diff_values(one, other, f"{place}[{index}]", slack)
    elif recorded != actual or type(recorded) is not type(actual):
        yield f"{place or 'body'}: {_change(recorded, actual)}"


def _diff_objects(recorded: dict[str, Any], actual: dict[str, Any], place: str, slack: int) -> Iterator[str]:
    for name in {**recorded, **actual}:
        below = f"{place}.{name}" if place else name
        if name not in recorded or name not in actual:
            yield f"{below}: {'was not there' if name not in recorded else 'is gone'}"
        elif not (name in _TIMES and _is_near(recorded[name], actual[name], slack)):
            yield from _diff_values(recorded[name], actual[name], below, slack)


def _joined(headers: Headers) -> dict[str, str]:
    """Return the headers to compare, those of one name joined."""
    joined: dict[str, list[str]] = {}
    for name, value in headers:
        joined.setdefault(name.lower(), []).append(value)
    return {name: ", ".join(values) for name, values in joined.items() if name not in _IGNORED_HEADERS}


def _is_near(one: Any, other: Any, slack: int) -> bool:
    return isinstance(one, int) and isinstance(other, int) and abs(one - other) <= slack


def _number(value: str | None) -> int | None:
    return int(value) if value and len(value) <= _MAX_DIGITS and value.isdecimal() else None


def _change(recorded: Any, actual: Any) -> str:
    return f"was {_shorten(recorded)}, is {_shorten(actual)}"


def _shorten(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_LENGTH else text[: _MAX_LENGTH - 1] + "…"
