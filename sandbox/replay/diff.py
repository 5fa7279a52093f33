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


def describe_difference(then: RecordedResponse, now: RecordedResponse, slack: int) -> str | None:
    """Say where a response differs from the recorded one; None where it is the same.

    Times may differ by `slack` seconds: a running clock's times in the middle of a response can't be repeated.
    """
    try:
        return next(_diff_responses(then, now, slack), None)
    except RecursionError:
        return "body: it is nested too deeply to be compared"


def _diff_responses(then: RecordedResponse, now: RecordedResponse, slack: int) -> Iterator[str]:
    if then.ended == "client_gone":
        # It left when it had enough; how much had come by then is chance.
        length = min(len(then.body), len(now.body))
        if then.status is not None and now.status is not None:
            yield from _diff_bodies(then.body[:length], now.body[:length], slack)
        return
    if then.status != now.status:
        yield f"status: {_change(then.status, now.status)}"
    if then.ended != now.ended:
        yield f"end: {_change(then.ended, now.ended)}"
    yield from _diff_headers(_joined(then.headers), _joined(now.headers), slack)
    if then.is_whole:
        yield from _diff_bodies(then.body, now.body, slack)
    else:
        lines = then.body.splitlines(keepends=True)[:-1]
        yield from _diff_bodies(b"".join(lines), b"".join(now.body.splitlines(keepends=True)[: len(lines)]), slack)


def _diff_headers(then: Mapping[str, str], now: Mapping[str, str], slack: int) -> Iterator[str]:
    for name in sorted({*then, *now}):
        one, other = then.get(name), now.get(name)
        if one != other and not (name in _TIMES and _is_near(_number(one), _number(other), slack)):
            yield f"header {name}: {_change(one, other)}"


def _diff_bodies(then: bytes, now: bytes, slack: int) -> Iterator[str]:
    if then == now:
        return
    try:
        yield from _diff_values(json.loads(then), json.loads(now), "", slack)
    except ValueError:
        yield from _diff_lines(then, now, slack)


def _diff_lines(then: bytes, now: bytes, slack: int) -> Iterator[str]:
    """Compare texts and streams; the data of an event is JSON again."""
    before, after = (raw.decode("utf-8", "replace").splitlines() for raw in (then, now))
    for number, (one, other) in enumerate(zip(before, after, strict=False), 1):
        if one != other:
            yield from (f"line {number}: {place}" for place in _diff_data(one, other, slack))
    if len(before) != len(after):
        yield f"lines: {_change(len(before), len(after))}"


def _diff_data(then: str, now: str, slack: int) -> list[str]:
    try:
        one, other = (json.loads(line.removeprefix("data: ")) for line in (then, now))
    except ValueError:
        return [_change(then, now)]
    return list(_diff_values(one, other, "", slack))


def _diff_values(then: Any, now: Any, place: str, slack: int) -> Iterator[str]:
    if isinstance(then, dict) and isinstance(now, dict):
        yield from _diff_objects(then, now, place, slack)
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for index, (one, other) in enumerate(zip(then, now, strict=True)):
            yield from _diff_values(one, other, f"{place}[{index}]", slack)
    elif then != now or type(then) is not type(now):
        yield f"{place or 'body'}: {_change(then, now)}"


def _diff_objects(then: dict[str, Any], now: dict[str, Any], place: str, slack: int) -> Iterator[str]:
    for name in {**then, **now}:
        below = f"{place}.{name}" if place else name
        if name not in then or name not in now:
            yield f"{below}: {'was not there' if name not in then else 'is gone'}"
        elif not (name in _TIMES and _is_near(then[name], now[name], slack)):
            yield from _diff_values(then[name], now[name], below, slack)


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


def _change(then: Any, now: Any) -> str:
    return f"was {_shorten(then)}, is {_shorten(now)}"


def _shorten(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_LENGTH else text[: _MAX_LENGTH - 1] + "…"
