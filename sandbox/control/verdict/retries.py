"""Rules about asking again: not too soon, and never blindly where it makes doubles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

from sandbox.apps.journal import RequestRecord
from sandbox.control.entries import named
from sandbox.control.verdict.evidence import (
    CREATE,
    GET,
    LISTS,
    SEND,
    any_between,
    in_short,
    is_lost,
    next_of,
    over,
    same_requests,
)
from sandbox.control.verdict.findings import Finding, Seen

# Seconds that are forgiven: timers are not exact, and the answer was under way for a while.
FORGIVEN = 0.1


def too_soon(seen: Seen) -> Iterator[Finding]:
    """Find a request that was sent again before `Retry-After`, seconds or a date, had passed.

    Only the same request counts: of another nobody can say from here who sent it, or whether it was on its way already.
    """
    for group in same_requests(seen.entries):
        for entry in group:
            asked = named(entry.answer_headers).get("retry-after", "")
            wanted = _retry_after(asked, entry)
            again = next_of(group, entry) if wanted > 0 else None
            if again and (waited := _waited(entry, again)) < wanted - FORGIVEN:
                said = f"sent again {waited:.1f} s after an answer with Retry-After: {asked}"
                yield Finding(f"{in_short(entry)}: {said}", [entry, again])


def repeated_post(seen: Seen) -> Iterator[Finding]:
    """Find what makes doubles: a create or a message sent again after a lost answer, without a look at what was done.

    A look is a list or a conversation that was read in between.
    """
    looks = [entry for entry in seen.entries if entry.operation in (GET, *LISTS) and entry.status == 200]
    for group in same_requests(entry for entry in seen.entries if entry.operation in (CREATE, SEND)):
        for entry in filter(is_lost, group):
            again = next_of(group, entry)
            if again and not any_between(looks, entry, again):
                yield Finding(f"{in_short(entry)}: sent again blindly after its answer was lost", [entry, again])


def _retry_after(text: str, entry: RequestRecord) -> float:
    """Return the seconds that an answer asked to wait, 0 or less where it asked for none."""
    if text.isascii() and text.isdigit():
        return int(text) if len(text) < 10 else 0
    date = _http_date(text)
    if date is None:
        return 0
    # A clock that ran went on while the request was answered.
    answered = entry.at + entry.duration_ms / 1000 if entry.frozen_at is None else entry.frozen_at
    return date - answered


def _http_date(text: str) -> float | None:
    """Return the Unix time of an HTTP date in any of its three formats (RFC 9110 5.6.7), None where it is none."""
    for form in ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"):
        with suppress(ValueError):
            return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()
    return None


def _waited(entry: RequestRecord, again: RequestRecord) -> float:
    """Return the seconds between an answer and the next request: real ones, or the app's where these are more.

    Where the app's time stood still, a client (or its test) that moved it has waited.
    """
    real = again.started - over(entry)
    if entry.frozen_at is None and again.frozen_at is None:
        return real
    return max(real, _time_of(again) - _time_of(entry))


def _time_of(entry: RequestRecord) -> float:
    # Clocks are set by whole seconds: a fraction of the server's would be held against the client.
    return int(entry.at) if entry.frozen_at is None else entry.frozen_at
