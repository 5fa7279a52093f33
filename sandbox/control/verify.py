"""Holds the journal against what a test expected, and shows the nearest miss field by field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sandbox.apps.journal import RequestRecord
from sandbox.control.entries import plain
from sandbox.redaction import Redactor


class Miss(NamedTuple):
    """One place where a request differs from what was expected; `there` is False where nothing stands."""

    place: str
    expected: Any
    got: Any = None
    there: bool = True

    def shown(self, redactor: Redactor) -> dict[str, Any]:
        """Return the miss as JSON, its secrets hidden."""
        section, _, header = self.place.partition(".")

        def hidden(value: Any) -> Any:
            return (
                redactor.redact_header(header, value) if section == "headers" and value else redactor.redact_json(value)
            )

        return {
            "place": self.place,
            "expected": hidden(self.expected),
            **({"got": hidden(self.got)} if self.there else {}),
        }


def verify(
    wanted: Mapping[str, Any], entries: Iterable[RequestRecord], evicted: int, redactor: Redactor
) -> dict[str, Any]:
    """Count the requests that match, of these and so many that are gone, and say whether it is the right number.

    Returns `verified` None where the answer hangs on entries that are gone.
    """
    low, high = _times(wanted.get("times"))
    count, nearest = 0, None
    for entry in entries:
        misses = list(_misses(wanted, entry))
        if not misses:
            count += 1
        elif nearest is None or _weight(misses) < _weight(nearest[1]):
            nearest = (entry, misses)
    result: dict[str, Any] = {"verified": low <= count <= high, "count": count, "evicted": 0, "closest": None}
    if evicted and count <= high and not (count >= low and high == _ANY):
        return {**result, "verified": None, "evicted": evicted}
    if not result["verified"] and nearest:
        shown = [miss.shown(redactor) for miss in nearest[1]]
        result["closest"] = {"id": nearest[0].id, "misses": shown}
    return result


def _weight(misses: list[Miss]) -> int:
    """Say how far a request is from what was expected: a whole object that isn't there counts for all that is in it."""
    return sum(1 if miss.there and not isinstance(miss.expected, dict) else _leaves(miss.expected) for miss in misses)


def _leaves(value: Any) -> int:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max(1, sum(map(_leaves, below)))


_ANY = 2**53


def _times(times: Any) -> tuple[int, int]:
    """Return how often at least and at most; by default at least once."""
    if times is None:
        return 1, _ANY
    if isinstance(times, int):
        return times, times
    return times.get("min", 0), times.get("max", _ANY)


def _misses(wanted: Mapping[str, Any], entry: RequestRecord) -> Iterator[Miss]:
    for name in ("operation", "status"):
        if wanted.get(name) is not None and getattr(entry, name) != wanted[name]:
            yield Miss(name, wanted[name], getattr(entry, name))
    if "body" not in wanted and "headers" not in wanted:
        return
    seen = plain(entry, exact=False)
    if "body" in wanted:
        yield from _differences(wanted["body"], seen["body"], "body")
    for name, value in wanted.get("headers", {}).items():
        got = seen["headers"].get(name.lower())
        if got != value:
            yield Miss(f"headers.{name.lower()}", value, got, got is not None)


def _differences(wanted: Any, got: Any, place: str) -> Iterator[Miss]:
    """Compare a subset: every field that is wanted must be there; lists must be as long."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for name, value in wanted.items():
            if name in got:
                yield from _differences(value, got[name], f"{place}.{name}")
            else:
                yield Miss(f"{place}.{name}", value, there=False)
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for index, (one, other) in enumerate(zip(wanted, got, strict=True)):
            yield from _differences(one, other, f"{place}[{index}]")
    elif wanted != got or isinstance(wanted, bool) != isinstance(got, bool):
        yield Miss(place, wanted, got)
