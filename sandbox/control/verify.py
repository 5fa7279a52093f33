"""Count the requests that are as a test expected, and show the closest one (docs/control.md, Requests)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.apps.request_record import RequestRecord
from sandbox.control.matching import Matcher, Mismatch
from sandbox.redaction import Redactor

_UNLIMITED = 2**53


def verify(
    expected: Mapping[str, Any], records: Iterable[RequestRecord], evicted: int, redactor: Redactor
) -> dict[str, Any]:
    """Count the requests that match, and say whether it is the right number.

    Returns `verified` None where the answer depends on the `evicted` records, which are gone.

    Raises:
        InvalidRequest: a pattern is none, or comparing takes too long.
    """
    matcher, (low, high) = Matcher(expected), _times(expected.get("times"))
    count, closest = 0, None
    for record in records:
        mismatches = list(matcher.compare(record))
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


def can_become_verified(expected: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
    """Say whether requests that are still to come may verify what isn't so yet."""
    low, high = _times(expected.get("times"))
    is_known = result["verified"] is not None or high == _UNLIMITED
    return bool(result["verified"] is not True and result["count"] < low <= high and is_known)


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
