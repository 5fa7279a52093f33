"""What a check expects of a server: each function returns where it holds, and raises `CheckViolation` where it doesn't.

The last answer that is handed over is the one that is wrong; those before it are the proof.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sandbox.conformance.http_messages import ApiResponse, Unavailable
from sandbox.conformance.output import redacted_slice
from sandbox.conformance.target import Target

T = TypeVar("T")
_UNSET: Any = object()
_MAX_VALUE = 300


class CheckViolation(Exception):
    """The server breaks the rule. `answers` are the proof, the last one the answer that is wrong.

    `about` tells apart what one check can find, in words that stay the same from run to run.
    """

    def __init__(self, expected: str, got: str, *answers: ApiResponse, about: str = "") -> None:
        super().__init__(f"expected {expected}, got {got}")
        self.expected = expected
        self.got = got
        self.answers = answers
        self.about = about
        self.seen = 1


def that(
    holds: bool, expected: str, *answers: ApiResponse, got: str | None = None, value: Any = _UNSET, about: str = ""
) -> None:
    """Expect that something holds.

    What came instead is told in words (`got`), or shown (`value`); by default it is a summary of the last answer.
    """
    if holds:
        return
    if got is None:
        got = answers[-1].summary if value is _UNSET else format_value(value)
    raise CheckViolation(expected, got, *answers, about=about)


def status(answer: ApiResponse, *statuses: int, why: str = "") -> None:
    """Expect one of these statuses, and a whole answer."""
    expected = "status " + " or ".join(map(str, statuses)) + (f" ({why})" if why else "")
    that(answer.status in statuses, expected, answer)
    that(answer.is_whole, "a whole answer", answer, got=answer.trouble, about="whole")


def ok(answer: ApiResponse) -> ApiResponse:
    """Expect status 200, and return the answer."""
    status(answer, 200)
    return answer


def equal(value: object, wanted: object, what: str, *answers: ApiResponse, about: str = "") -> None:
    """Expect a value; numbers and truth values are different things."""
    same = value == wanted and isinstance(value, bool) == isinstance(wanted, bool)
    that(same, f"{what} {format_value(wanted)}", *answers, value=value, about=about)


def field(answer: ApiResponse, name: str, wanted: object, *proof: ApiResponse, about: str = "") -> None:
    """Expect the value of a field of an answer."""
    equal(answer.object.get(name), wanted, name, *proof, answer, about=about)


def media_type(answer: ApiResponse, wanted: str, *proof: ApiResponse) -> None:
    """Expect a media type."""
    that(answer.media_type == wanted, wanted, *proof, answer, got=answer.media_type or "no type")


def error(
    answer: ApiResponse, status_code: int, kind: str, *, param: object = _UNSET, code: object = _UNSET, why: str = ""
) -> None:
    """Expect an error of the table: its status, its type, maybe its `param` and `code`."""
    status(answer, status_code, why=why)
    for name, wanted in (("type", kind), ("param", param), ("code", code)):
        if wanted is not _UNSET:
            equal(answer.error.get(name), wanted, f"error.{name}" + (f" ({why})" if why else ""), answer)


def invalid(
    server: Target, answer: ApiResponse, *, param: object = _UNSET, code: object = _UNSET, why: str = ""
) -> None:
    """Expect the error of a request that breaks the schema."""
    error(answer, server.invalid, "invalid_request_error", param=param, code=code, why=why)


def no_growth(server: Target, before: ApiResponse, after: ApiResponse, *answers: ApiResponse) -> None:
    """Expect the metrics to be as they were, where nobody else uses the app."""
    if server.is_alone:
        equal(dict(after.object), dict(before.object), "metrics", *answers, after)


def answered(make: Callable[[], T]) -> T:
    """Return evidence of a message or a completion; that it isn't answered with success is a violation.

    Raises:
        Unavailable: something else of it could not be had.
    """
    try:
        return make()
    except Unavailable as missing:
        if not missing.answer.request.is_billed:
            raise
        raise CheckViolation("status 200", missing.answer.summary, missing.answer) from None


def format_value(value: object) -> str:
    """Return a value as it is shown in a sentence."""
    text = repr(value)
    return text if len(text) <= _MAX_VALUE else f"{redacted_slice(text, 0, _MAX_VALUE)}… ({len(text):,} characters)"
