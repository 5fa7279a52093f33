"""What mutants read in requests and answers, and what they write into them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from tests.conformance.wire import Answer, Request

Json = dict[str, Any]


def header(request: Request, name: str) -> str:
    """Return what a request says in a header, or nothing."""
    return dict(request.headers).get(name.encode(), b"").decode("latin-1")


def with_header(request: Request, name: str, value: str | None) -> Request:
    """Return a request with another value in a header, or without it."""
    rest = tuple(each for each in request.headers if each[0] != name.encode())
    return replace(request, headers=rest if value is None else (*rest, (name.encode(), value.encode("latin-1"))))


def refusal(status: int, kind: str) -> Answer:
    """Return an error as the API answers it."""
    value = {"error": {"message": "No.", "type": kind, "param": None, "code": None}}
    return Answer(status, (), b"").saying(dumps(value))


def error_of(answer: Answer) -> Json:
    """Return the error that an answer tells of; empty if it tells of none."""
    if answer.status < 400 or not is_json(answer):
        return {}
    error: Json = loads(answer.body)["error"]
    return error


def saying_error(answer: Answer, **changes: Any) -> Answer:
    """Return an error with some keys changed."""
    error = error_of(answer)
    return answer.saying(dumps({"error": {**error, **changes}})) if error else answer


def loads(text: bytes) -> Json:
    """Read a JSON object so that `dumps` writes its numbers as they were; those that Python would change are texts."""

    def kept(digits: str) -> Any:
        return int(digits) if len(digits) < 16 and digits != "-0" else f"\0{digits}"

    value = json.loads(text.decode(), parse_int=kept, parse_float=lambda digits: f"\0{digits}")
    return value if isinstance(value, dict) else {}


def dumps(value: Json) -> bytes:
    """Write a JSON object."""
    text = json.dumps(value, ensure_ascii=False)
    return re.sub(r'"\\u0000([-+.0-9eE]+)"', r"\1", text).encode("utf-8", "surrogatepass")


def fields(request: Request) -> Json:
    """Return the JSON object of a request; empty if there is none, or none that the server would read."""
    try:
        return loads(request.body) if len(request.body) <= 2**20 else {}
    except (ValueError, RecursionError):
        return {}


def with_fields(request: Request, value: Json) -> Request:
    """Return a request with another JSON body."""
    text = dumps(value)
    return replace(with_header(request, "content-length", str(len(text))), body=text)


def rows(value: Json) -> list[Json]:
    """Return the conversations in an answer, of whichever operation."""
    listed: list[Json] = value.get("data", [value])
    return listed


def last(path: str) -> str:
    """Return the last segment of a path."""
    return path.rpartition("/")[2]


def is_json(answer: Answer) -> bool:
    """Say whether an answer is JSON."""
    return dict(answer.headers).get(b"content-type") == b"application/json"


def is_stream(answer: Answer) -> bool:
    """Say whether an answer is a good stream."""
    return answer.status == 200 and dict(answer.headers).get(b"content-type", b"").startswith(b"text/event-stream")
