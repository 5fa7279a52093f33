"""Finds the first place in which two answers differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.replay.bundle import Answer, Headers

# They name the request or are made on the connection.
_APART = frozenset({"sandbox-request-id", "content-length", "date", "connection", "keep-alive", "transfer-encoding"})
# Where the body or the headers tell the time.
_TIMES = frozenset({"created_at", "created", "retry-after"})
_LONGEST = 80
_DIGITS = 16


def difference(then: Answer, now: Answer, slack: int) -> str | None:
    """Say where an answer differs from what it was; None where it is the same.

    Times may differ by `slack` seconds: what a running clock said in the middle of an answer can't be said again.
    """
    try:
        return next(_differences(then, now, slack), None)
    except RecursionError:
        return "body: it is nested too deeply to be compared"


def _differences(then: Answer, now: Answer, slack: int) -> Iterator[str]:
    if then.ended == "client_gone":
        # It left when it had enough; how much had come by then is chance.
        length = min(len(then.body), len(now.body))
        if then.status is not None and now.status is not None:
            yield from _of_bodies(then.body[:length], now.body[:length], slack)
        return
    if then.status != now.status:
        yield f"status: {_then(then.status, now.status)}"
    if then.ended != now.ended:
        yield f"end: {_then(then.ended, now.ended)}"
    yield from _of_headers(_kept(then.headers), _kept(now.headers), slack)
    if then.is_whole:
        yield from _of_bodies(then.body, now.body, slack)
    else:
        lines = then.body.splitlines(keepends=True)[:-1]
        yield from _of_bodies(b"".join(lines), b"".join(now.body.splitlines(keepends=True)[: len(lines)]), slack)


def _of_headers(then: Mapping[str, str], now: Mapping[str, str], slack: int) -> Iterator[str]:
    for name in sorted({*then, *now}):
        one, other = then.get(name), now.get(name)
        if one != other and not (name in _TIMES and _near(_number(one), _number(other), slack)):
            yield f"header {name}: {_then(one, other)}"


def _of_bodies(then: bytes, now: bytes, slack: int) -> Iterator[str]:
    if then == now:
        return
    try:
        yield from _of_values(json.loads(then), json.loads(now), "", slack)
    except ValueError:
        yield from _of_lines(then, now, slack)


def _of_lines(then: bytes, now: bytes, slack: int) -> Iterator[str]:
    """Compare texts and streams; the data of an event is JSON again."""
    ours, theirs = (raw.decode("utf-8", "replace").splitlines() for raw in (then, now))
    for number, (one, other) in enumerate(zip(ours, theirs, strict=False), 1):
        if one != other:
            places = list(_of_data(one, other, slack))
            yield from (f"line {number}: {place}" for place in places)
    if len(ours) != len(theirs):
        yield f"lines: {_then(len(ours), len(theirs))}"


def _of_data(then: str, now: str, slack: int) -> Iterator[str]:
    try:
        pair = [json.loads(line.removeprefix("data: ")) for line in (then, now)]
    except ValueError:
        yield _then(then, now)
    else:
        yield from _of_values(pair[0], pair[1], "", slack)


def _of_values(then: Any, now: Any, place: str, slack: int) -> Iterator[str]:
    if isinstance(then, dict) and isinstance(now, dict):
        for name in {**then, **now}:
            below = f"{place}.{name}" if place else str(name)
            if name not in then or name not in now:
                yield f"{below}: {'was not there' if name not in then else 'is gone'}"
            elif not (name in _TIMES and _near(then[name], now[name], slack)):
                yield from _of_values(then[name], now[name], below, slack)
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for index, (one, other) in enumerate(zip(then, now, strict=True)):
            yield from _of_values(one, other, f"{place}[{index}]", slack)
    elif then != now or type(then) is not type(now):
        yield f"{place or 'body'}: {_then(then, now)}"


def _kept(headers: Headers) -> dict[str, str]:
    joined: dict[str, str] = {}
    for raw_name, value in headers:
        name = raw_name.lower()
        if name not in _APART:
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _near(one: Any, other: Any, slack: int) -> bool:
    return isinstance(one, int) and isinstance(other, int) and abs(one - other) <= slack


def _number(value: str | None) -> int | None:
    return int(value) if value and len(value) < _DIGITS and value.isdecimal() else None


def _then(then: Any, now: Any) -> str:
    return f"was {_short(then)}, is {_short(now)}"


def _short(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
