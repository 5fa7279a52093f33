"""Compare a request with what a test expected: subsets, lists in any order, patterns (docs/control.md, Requests)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sandbox.apps.request_record import RequestRecord
from sandbox.clock import monotonic
from sandbox.control.serialization import serialize_request
from sandbox.errors import InvalidRequest
from sandbox.redaction import Redactor

if TYPE_CHECKING:
    import regex

MAX_PATTERN = 1_000
# Items of a list that are compared in any order; longer lists are compared in theirs.
MAX_UNORDERED: Final = 200
# Seconds that regular expressions and lists in another order may take, in one look through the journal.
MAX_SECONDS: Final = 1.0

_PATTERNS: Final[Mapping[str, tuple[str, Callable[[Any], bool]]]] = {
    "$match": ("a regular expression", lambda value: isinstance(value, str)),
    "$any": ("true", lambda value: value is True),
    "$absent": ("true", lambda value: value is True),
    "$len": ("a length, 0 or more", lambda value: type(value) is int and value >= 0),
}


class Mismatch(NamedTuple):
    """One place where a request differs from what was expected; `is_present` is False where the request has nothing."""

    place: str
    expected: Any
    got: Any = None
    is_present: bool = True

    def serialize(self, redactor: Redactor) -> dict[str, Any]:
        """Return it as JSON, its secrets redacted."""
        values = {"expected": self.expected, **({"got": self.got} if self.is_present else {})}
        section, _, header = self.place.partition(".")
        if section == "headers":
            redacted = {
                name: redactor.redact_header(header, value) if isinstance(value, str) else redactor.redact_json(value)
                for name, value in values.items()
            }
        else:
            redacted = redactor.redact_json(values)
        return {"place": self.place, **redacted}


class Matcher:
    """Compares requests with one description of them; what could take for ever is bounded.

    Raises:
        InvalidRequest: a pattern of the description is none.
    """

    def __init__(self, expected: Mapping[str, Any]) -> None:
        self._expected = expected
        self._compiled: dict[str, regex.Pattern[str]] = {}
        self._seconds_left = MAX_SECONDS
        self._check(expected.get("body"), "body")
        for name, value in expected.get("headers", {}).items():
            self._check(value, f"headers.{name}")

    def compare(self, record: RequestRecord) -> Iterator[Mismatch]:
        """Yield where a request differs.

        Raises:
            InvalidRequest: it takes too long.
        """
        expected = self._expected
        for name, got in (("operation", record.operation_id), ("status", record.status)):
            if expected.get(name) is not None and got != expected[name]:
                yield Mismatch(name, expected[name], got)
        if "body" not in expected and "headers" not in expected:
            return
        request = serialize_request(record, exact=False)
        if "body" in expected:
            yield from self._compare(expected["body"], request["body"], "body")
        for name, value in expected.get("headers", {}).items():
            yield from self._compare(value, request["headers"].get(name.lower()), f"headers.{name.lower()}")

    def _check(self, expected: Any, place: str) -> None:
        """Check the patterns in a value, and compile its regular expressions."""
        if isinstance(expected, list):
            for index, value in enumerate(expected):
                self._check(value, f"{place}[{index}]")
        elif (name := _pattern_in(expected)) is None:
            for key, value in expected.items() if isinstance(expected, dict) else ():
                self._check(value, f"{place}.{key}")
        else:
            self._check_pattern(name, expected[name], f"{place}.{name}")

    def _check_pattern(self, name: str, value: Any, place: str) -> None:
        if name not in _PATTERNS:
            message = f"{place}: expected one of {', '.join(_PATTERNS)}, got {name}."
            raise InvalidRequest(message, param=place, code="not_allowed")
        wanted, is_valid = _PATTERNS[name]
        if not is_valid(value):
            raise InvalidRequest(f"{place}: expected {wanted}.", param=place, code="wrong_type")
        if name != "$match":
            return
        if len(value) > MAX_PATTERN:
            message = f"{place}: expected at most {MAX_PATTERN:,} characters, got {len(value):,}."
            raise InvalidRequest(message, param=place, code="too_long")
        import regex  # slow to load, and few ask for it

        try:
            self._compiled[value] = regex.compile(value)
        except (regex.error, RecursionError, OverflowError) as error:
            message = f"{place}: expected a regular expression of Python, got one with an error: {error}."
            raise InvalidRequest(message, param=place, code="not_allowed") from None

    def _compare(self, expected: Any, got: Any, place: str) -> Iterator[Mismatch]:
        """Compare with a subset: every field that is expected must be there; None at the top stands for nothing."""
        if (name := _pattern_in(expected)) is not None:
            if not self._fits(name, expected[name], got):
                yield Mismatch(place, expected, got, got is not None)
        elif isinstance(expected, dict) and isinstance(got, dict):
            for key, value in expected.items():
                if key in got:
                    yield from self._compare_field(value, got[key], f"{place}.{key}")
                elif _pattern_in(value) != "$absent":
                    yield Mismatch(f"{place}.{key}", value, is_present=False)
        elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
            yield from self._compare_lists(expected, got, place)
        elif expected != got or isinstance(expected, bool) != isinstance(got, bool):
            yield Mismatch(place, expected, got, got is not None or not place.startswith("headers."))

    def _compare_field(self, expected: Any, got: Any, place: str) -> Iterator[Mismatch]:
        """Compare a value that is there: null is one too."""
        if got is None and _pattern_in(expected) in ("$any", "$absent"):
            if "$absent" in expected:
                yield Mismatch(place, expected, None)
        else:
            yield from self._compare(expected, got, place)

    def _fits(self, name: str, value: Any, got: Any) -> bool:
        """Say whether a value fits a pattern; None stands for nothing."""
        if name == "$match":
            return isinstance(got, str) and self._searches(value, got)
        if name == "$len":
            return isinstance(got, str | list | dict) and len(got) == value
        return (got is None) == (name == "$absent")

    def _searches(self, pattern: str, text: str) -> bool:
        with self._bounded():
            return self._compiled[pattern].search(text, timeout=self._seconds_left) is not None

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        start = monotonic()
        try:
            if self._seconds_left <= 0:
                raise TimeoutError
            yield
        except TimeoutError:
            message = f"Comparing takes too long (over {MAX_SECONDS:.0f} s): name an app and an operation, or simplify."
            raise InvalidRequest(message, param="body", code="too_large") from None
        finally:
            self._seconds_left -= monotonic() - start

    def _compare_lists(self, expected: Sequence[Any], got: Sequence[Any], place: str) -> Iterator[Mismatch]:
        """Compare two lists of the same length: each item must be that of another place."""
        pairs = list(zip(expected, range(len(got)), strict=True))
        if len(got) <= MAX_UNORDERED and not all(self._is_match(value, got[index]) for value, index in pairs):
            with self._bounded():
                pairs = self._pair(expected, got)
        for value, index in pairs:
            yield from self._compare_field(value, got[index], f"{place}[{index}]")

    def _pair(self, expected: Sequence[Any], got: Sequence[Any]) -> list[tuple[Any, int]]:
        """Return each expected item with the place of one that it is compared with: as many as can be are matches."""
        options = [[at for at, item in enumerate(got) if self._is_match(value, item)] for value in expected]
        owner: dict[int, int] = {}

        def assign(number: int, seen: set[int]) -> bool:
            for at in options[number]:
                if at not in seen:
                    seen.add(at)
                    if at not in owner or assign(owner[at], seen):
                        owner[at] = number
                        return True
            return False

        missed = [number for number in range(len(expected)) if not assign(number, set())]
        free = (at for at in range(len(got)) if at not in owner)
        places = {number: at for at, number in owner.items()} | dict(zip(missed, free, strict=False))
        return [(value, places[number]) for number, value in enumerate(expected)]

    def _is_match(self, expected: Any, got: Any) -> bool:
        return next(self._compare_field(expected, got, ""), None) is None


def _pattern_in(expected: Any) -> str | None:
    """Return the name of the pattern that an expected value is; None where it is a value itself."""
    if isinstance(expected, dict) and len(expected) == 1:
        name = next(iter(expected))
        if name.startswith("$"):
            return str(name)
    return None
