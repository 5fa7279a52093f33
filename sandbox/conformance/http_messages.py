"""One request as it goes over the wire, its response as it came, and what can be read from a response."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sandbox.conformance.output import redacted_slice

_BILLED = re.compile(r"POST .*/apps/[^/?]+/(conversations/[^/?]+|completions)(\?.*)?")
_CREATES = re.compile(r"POST .*/apps/[^/?]+/conversations(\?.*)?")
_MAX_SUMMARY = 300
_MAX_CACHED = 16 * 1024
# A page has 100 rows at most, and no conversation of a run so many items: what is beyond is looked at by nobody.
_MAX_ITEMS = 1_000


class Unavailable(Exception):
    """What a check needed could not be had; `answer` is what came instead."""

    def __init__(self, wanted: str, answer: ApiResponse) -> None:
        super().__init__(f"{answer.request}: expected {wanted}, got {answer.summary}")
        self.answer = answer


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOrigin:
    """Where the server is."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme] == self.port
        return f"{self.scheme}://{host}" + ("" if usual else f":{self.port}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """One request as it goes over the wire; `target` is path and query, encoded already."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    @property
    def is_billed(self) -> bool:
        """Whether a real server would have its agent answer it."""
        return _BILLED.fullmatch(str(self)) is not None

    @property
    def creates(self) -> bool:
        """Whether it asks for a new conversation."""
        return _CREATES.fullmatch(str(self)) is not None

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


@dataclass(frozen=True, kw_only=True)
class ApiResponse:
    """What came of one request.

    `status` is None where no answer came, and `trouble` says why. `is_whole` is false where the body stopped before the
    end that its framing promised, `is_late` true where it was broken off because its time was over. `turn` is its place
    among all answers of a run.
    """

    request: ApiRequest
    status: int | None
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    is_whole: bool = True
    is_late: bool = False
    trouble: str = ""
    turn: int = 0

    def header(self, name: str) -> str | None:
        """Return a header's value, or None; several are joined by commas."""
        values = [value for known, value in self.headers if known.lower() == name.lower()]
        return ", ".join(values) if values else None

    def header_values(self, name: str) -> set[str]:
        """Return what a header lists, separated by commas."""
        return {value.strip() for value in (self.header(name) or "").split(",") if value.strip()}

    @property
    def media_type(self) -> str:
        """The type of the body, without parameters."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @property
    def is_good(self) -> bool:
        """Whether the status is of success."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def json(self) -> Any:
        """The body read as JSON; None where it isn't. Kept where it is short: values take many times their text."""
        return self._json if len(self.body) <= _MAX_CACHED else read_json(self.body)

    @cached_property
    def _json(self) -> Any:
        return read_json(self.body)

    @property
    def object(self) -> Mapping[str, Any]:
        """The body read as a JSON object; empty where it is none."""
        value = self.json
        return value if isinstance(value, dict) else {}

    @property
    def error(self) -> Mapping[str, Any]:
        """The error that the body tells of; empty where it is none."""
        error = self.object.get("error")
        return error if isinstance(error, dict) else {}

    @property
    def id(self) -> str:
        """The id in the body.

        Raises:
            Unavailable: there is none.
        """
        value = self.object.get("id")
        if not isinstance(value, str) or not value:
            raise Unavailable("an id", self)
        return value

    @property
    def created_id(self) -> str | None:
        """The id of the conversation that was created; None if none was."""
        value = self.object.get("id") if self.request.creates and self.is_good else None
        return value if isinstance(value, str) and value else None

    @property
    def items(self) -> list[dict[str, Any]]:
        """The items of a conversation."""
        return objects_in(self.object.get("items"))

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of a list."""
        return objects_in(self.object.get("data"))

    @property
    def ids(self) -> list[str]:
        """The ids of the rows of a list."""
        return [str(row.get("id")) for row in self.rows]

    @property
    def remembered(self) -> ApiResponse:
        """What a finding may need of it later: the request, the status, the id of what was made."""
        body = json.dumps({"id": self.created_id}).encode() if self.created_id else b""
        return ApiResponse(request=self.request, status=self.status, body=body, turn=self.turn)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def summary(self) -> str:
        """What came, in a few words."""
        if self.status is None:
            return self.trouble
        short = self.text
        if len(short) > _MAX_SUMMARY:
            short = f"{redacted_slice(short, 0, _MAX_SUMMARY)}… ({len(self.body):,} bytes)"
        return " ".join(f"{self.status} {self.reason} {self.trouble} {short}".split())


def read_json(raw: bytes) -> Any:
    """Read JSON in UTF-8, as deep as it may be; None where it isn't any."""
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def good(answer: ApiResponse) -> ApiResponse:
    """Return an answer that is a success.

    Raises:
        Unavailable: it isn't.
    """
    if not answer.is_good:
        raise Unavailable("200", answer)
    return answer


def objects_in(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a JSON list; none where it is no list."""
    return [each for each in value[:_MAX_ITEMS] if isinstance(each, dict)] if isinstance(value, list) else []


def texts_of(item: Mapping[str, Any]) -> str:
    """Return the text in an item's parts, joined."""
    return "".join(str(part.get("text")) for part in objects_in(item.get("parts")) if part.get("type") == "text")


MAX_EVENTS = 20_000

_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, kw_only=True)
class StreamEvent:
    """One event: its name, its data, and the lines that it was written in."""

    name: str
    text: str
    lines: tuple[str, ...]

    @cached_property
    def json(self) -> Any:
        """The data read as JSON; None where it isn't."""
        return read_json(self.text.encode())

    @property
    def data(self) -> dict[str, Any]:
        """The data read as a JSON object; empty where it is none."""
        return self.json if isinstance(self.json, dict) else {}


def read_events(body: bytes) -> tuple[StreamEvent, ...]:
    """Return the events of a stream, so many at most; an unfinished one at its end is none."""
    events: list[StreamEvent] = []
    lines: list[str] = []
    for raw in _split_lines(body):
        if len(events) == MAX_EVENTS or len(lines) > MAX_EVENTS:
            break
        line = raw.decode("utf-8", "replace")
        if line:
            lines.append(line)
            continue
        if event := _parse_event(lines):
            events.append(event)
        lines = []
    return tuple(events)


def _split_lines(body: bytes) -> Iterator[bytes]:
    start = 0
    for end in _LINE_END.finditer(body):
        yield body[start : end.start()]
        start = end.end()
    yield body[start:]


def _parse_event(lines: list[str]) -> StreamEvent | None:
    name, data = "message", []
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
    return StreamEvent(name=name, text="\n".join(data), lines=tuple(lines)) if data else None
