"""Compare the journal with what a test expected, and show the closest request (docs/control.md, Requests)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sandbox.apps.request_record import RequestRecord
from sandbox.control.serialization import serialize_request
from sandbox.redaction import Redactor

_UNLIMITED = 2**53


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
            redacted = {name: value and redactor.redact_header(header, value) for name, value in values.items()}
        else:
            redacted = redactor.redact_json(values)
        return {"place": self.place, **redacted}


def verify(
    expected: Mapping[str, Any], records: Iterable[RequestRecord], evicted: int, redactor: Redactor
) -> dict[str, Any]:
    """Count the requests that match, and say whether it is the right number.

    Returns `verified` None where the answer depends on the `evicted` records, which are gone.
    """
    low, high = _times(expected.get("times"))
    count, closest = 0, None
    for record in records:
        mismatches = list(_compare(expected, record))
        if not mismatches:
            count += 1
        elif closest is None or _distance(mismatches) < _distance(closest[1]):
            closest = (record, mismatches)
    result: dict[str, Any] = {"verified": low <= count <= high, "count": count, "evicted": 0, "closest": None}
    if evicted and count <= high and not (count >= low and high == _UNLIMITED):
        return {**result, "verified": None, "evicted": evicted}
    if not result["verified"] and closest:
        record, mismatches = closest
        result["closest"] = {"id": record.id, "misses": [mismatch.serialize(redactor) for mismatch in mismatches]}
    return result


def _distance(mismatches: list[Mismatch]) -> int:
    """Say how far a request is from what was expected: an object that isn't there counts for all that is in it."""
    return sum(
        1 if mismatch.is_present and not isinstance(mismatch.expected, dict) else _count_leaves(mismatch.expected)
        for mismatch in mismatches
    )


def _count_leaves(value: Any) -> int:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max(1, sum(map(_count_leaves, children)))


def _times(times: Any) -> tuple[int, int]:
    """Return how often at least and at most; by default at least once."""
    if times is None:
        return 1, _UNLIMITED
    if isinstance(times, int):
        return times, times
    return times.get("min", 0), times.get("max", _UNLIMITED)


def _compare(expected: Mapping[str, Any], record: RequestRecord) -> Iterator[Mismatch]:
    for name, got in (("operation", record.operation_id), ("status", record.status)):
        if expected.get(name) is not None and got != expected[name]:
            yield Mismatch(name, expected[name], got)
    if "body" not in expected and "headers" not in expected:
        return
    request = serialize_request(record, exact=False)
    if "body" in expected:
        yield from _compare_values(expected["body"], request["body"], "body")
    for name, value in expected.get("headers", {}).items():
        got = request["headers"].get(name.lower())
        if got != value:
            yield Mismatch(f"headers.{name.lower()}", value, got, got is not None)


def _compare_values(expected: Any, got: Any, place: str) -> Iterator[Mismatch]:
    """Compare with a subset: every field that is expected must be there; lists must be as long."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for name, value in expected.items():
            if name in got:
                yield from _compare_values(value, got[name], f"{place}.{name}")
            else:
                yield Mismatch(f"{place}.{name}", value, is_present=False)
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        for index, (one, other) in enumerate(zip(expected, got, strict=True)):
            yield from _compare_values(one, other, f"{place}[{index}]")
    elif expected != got or isinstance(expected, bool) != isinstance(got, bool):
        yield Mismatch(place, expected, got)
