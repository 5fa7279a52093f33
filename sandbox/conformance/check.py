"""What a check is: a sentence of the contract that no schema says, and the function that checks a server against it.

A check asks the server what it needs to know and returns, or raises: `CheckViolation` where the server does otherwise,
`Unavailable` where what it needed could not be had, `NotApplicable` where a setting of the app leaves nothing to check.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from sandbox.conformance.http_messages import ApiResponse, Unavailable
from sandbox.conformance.output import redacted_slice
from sandbox.conformance.target import Target

Source = Literal["S", "V", "D"]
CheckFunction = Callable[[Target], None]
T = TypeVar("T")

ANYTHING: Any = object()


class CheckViolation(Exception):
    """The server breaks the rule. `answers` are the proof, the last one the answer that is wrong.

    `about` tells apart what one check can find, in words that stay the same from run to run.
    """

    def __init__(self, expected: str, got: str, *answers: ApiResponse, about: str = "", seen: int = 1) -> None:
        super().__init__(f"expected {expected}, got {got}")
        self.expected = expected
        self.got = got
        self.answers = answers
        self.about = about
        self.seen = seen


class NotApplicable(Exception):
    """Nothing to check here; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check.

    `source` says who wrote the sentence (docs/contract.md): S and V the vendor, D the sandbox. `needs_sandbox`: the
    sandbox alone promises it, or an agent that is a real model may break it. `writes`: it creates or changes something.
    """

    id: str
    sentence: str
    source: Source
    clause: str
    function: CheckFunction
    needs_sandbox: bool
    writes: bool
    needs_other_key: bool

    @property
    def topic(self) -> str:
        """The first part of the id."""
        return self.id.partition("-")[0]

    @property
    def needs(self) -> str:
        """Which servers are held to it: `any`, or the `sandbox`."""
        return "sandbox" if self.needs_sandbox else "any"

    def __str__(self) -> str:
        return self.id


def check(
    name: str,
    *,
    source: Source,
    clause: str,
    needs_sandbox: bool = False,
    writes: bool = True,
    needs_other_key: bool = False,
    cases: Collection[Any] | None = None,
) -> Callable[[Callable[..., None]], Check]:
    """Make a check of a function; its docstring is the sentence. What the sandbox decided [D] is asked of a sandbox.

    With `cases` the function is called with each of them, as by `for_each`.
    """

    def made(function: Callable[..., None]) -> Check:
        def try_cases(target: Target) -> None:
            for_each(cases or (), lambda case: function(target, case))

        return Check(
            id=name,
            sentence=" ".join((function.__doc__ or name).split()),
            source=source,
            clause=clause,
            function=function if cases is None else try_cases,
            needs_sandbox=needs_sandbox or source == "D",
            writes=writes,
            needs_other_key=needs_other_key,
        )

    return made


def expect(holds: bool, expected: str, got: object, *answers: ApiResponse, about: str = "") -> None:
    """Raise `CheckViolation` unless it holds."""
    if not holds:
        raise CheckViolation(expected, got if isinstance(got, str) else format_value(got), *answers, about=about)


def expect_status(answer: ApiResponse, *statuses: int, why: str = "", about: str = "") -> None:
    """Hold an answer to one of these statuses."""
    expected = "status " + " or ".join(map(str, statuses)) + (f" ({why})" if why else "")
    expect(answer.status in statuses, expected, answer.summary, answer, about=about)
    expect(answer.is_whole, "a whole answer", answer.trouble, answer, about="whole")


def expect_answered(make: Callable[[], T]) -> T:
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


def expect_equal(got: object, wanted: object, what: str, *answers: ApiResponse, about: str = "") -> None:
    """Hold a value to another; numbers and truth values are different things."""
    same = got == wanted and isinstance(got, bool) == isinstance(wanted, bool)
    expect(same, f"{what} {format_value(wanted)}", got if got is None else format_value(got), *answers, about=about)


def expect_type(answer: ApiResponse, wanted: str, *proof: ApiResponse) -> None:
    """Hold an answer to its media type; `proof` is what was sent before."""
    expect(answer.media_type == wanted, wanted, answer.media_type or "no type", *proof, answer)


def expect_error(
    answer: ApiResponse, status: int, kind: str, *, param: object = ANYTHING, code: object = ANYTHING, why: str = ""
) -> None:
    """Hold an answer to an error of the table: its status, its type, maybe its `param` and `code`."""
    expect_status(answer, status, why=why)
    error = answer.object.get("error")
    error = error if isinstance(error, dict) else {}
    for name, wanted in (("type", kind), ("param", param), ("code", code)):
        if wanted is not ANYTHING:
            expect_equal(error.get(name), wanted, f"error.{name}" + (f" ({why})" if why else ""), answer)


def expect_no_growth(server: Target, before: ApiResponse, after: ApiResponse, *answers: ApiResponse) -> None:
    """Hold the metrics to be as they were, where nobody else uses the app."""
    if server.is_alone:
        expect_equal(dict(after.object), dict(before.object), "metrics", *answers, after)


def for_each(cases: Iterable[T], verify: Callable[[T], None]) -> None:
    """Try every case; of those that violate, the first stands for all. Put the simplest case first."""
    broken: list[CheckViolation] = []
    for case in cases:
        try:
            verify(case)
        except CheckViolation as error:
            broken.append(error)
    if broken:
        broken[0].seen = len(broken)
        raise broken[0]


def format_value(value: object, most: int = 300) -> str:
    """Return a value as it is shown in a sentence."""
    text = repr(value)
    return text if len(text) <= most else f"{redacted_slice(text, 0, most)}… ({len(text):,} characters)"
