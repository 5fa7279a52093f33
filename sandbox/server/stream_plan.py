"""What a stream does, step by step: its events, and where a fault makes it stall, fail or break off. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sandbox.handler_types import ReplyResult
from sandbox.server.reply_events import Event, count, events, failed

STREAM_FAULTS = frozenset({"stream_cut", "stream_stall", "stream_fail", "stream_garble"})


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is sent for so many milliseconds, or until the fault `gate` is released."""

    ms: float = 0
    gate: str | None = None


@dataclass(frozen=True, slots=True)
class PartialEvent:
    """Only the first half of an event is sent."""

    event: Event


@dataclass(frozen=True, slots=True)
class Abort:
    """The connection ends without the end of the answer."""


Step = Event | Pause | PartialEvent | Abort


def steps(spoken: ReplyResult, fault: Mapping[str, Any] | None) -> Iterator[Step]:
    """Yield what a stream does; only a `fault` of the kinds of `STREAM_FAULTS` changes it."""
    whole = events(spoken)
    if spoken.reply.cut:
        yield from islice(whole, count(spoken) // 2)
        yield Abort()
        return
    if fault is None or fault["kind"] not in STREAM_FAULTS:
        yield from whole
        return
    events_in_all = count(spoken)
    # Before the last event at the latest: a fault after it would never be seen.
    yield from islice(whole, min(fault.get("events", events_in_all // 2), events_in_all - 1))
    if fault["kind"] == "stream_stall":
        yield Pause(gate=fault["id"]) if "until" in fault else Pause(fault["ms"])
        yield from whole
    elif fault["kind"] == "stream_fail":
        yield failed(spoken.id, "The reply failed (a fault of the sandbox).")
    else:
        if fault["kind"] == "stream_garble":
            yield PartialEvent(next(whole))
        yield Abort()
