"""What a stream does, step by step: its events, and where a fault makes it stall, fail or break off. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.calls import Spoken
from sandbox.wire.events import Event, events, failed

STREAM_FAULTS = frozenset({"stream_cut", "stream_stall", "stream_fail", "stream_garble"})


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing is sent for so many milliseconds."""

    ms: float


@dataclass(frozen=True, slots=True)
class Half:
    """Only the first half of an event is sent."""

    event: Event


@dataclass(frozen=True, slots=True)
class Break:
    """The connection ends without the end of the answer."""


Step = Event | Stall | Half | Break


def steps(spoken: Spoken, fault: Mapping[str, Any] | None) -> Iterator[Step]:
    """Yield what a stream does; only a `fault` of the kinds of `STREAM_FAULTS` changes it."""
    whole = list(events(spoken))
    if spoken.reply.cut:
        yield from whole[: len(whole) // 2]
        yield Break()
        return
    if fault is None or fault["kind"] not in STREAM_FAULTS:
        yield from whole
        return
    # Before the last event at the latest: a fault after it would never be seen.
    place = min(fault.get("events", len(whole) // 2), len(whole) - 1)
    yield from whole[:place]
    if fault["kind"] == "stream_stall":
        yield Stall(fault["ms"])
        yield from whole[place:]
    elif fault["kind"] == "stream_fail":
        yield failed(spoken.id, "The reply failed (a fault of the sandbox).")
    else:
        if fault["kind"] == "stream_garble":
            yield Half(whole[place])
        yield Break()
