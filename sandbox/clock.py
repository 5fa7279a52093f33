"""The only place that asks the machine for the time."""

from __future__ import annotations

import time
from typing import NamedTuple, Protocol

# The last Unix second of the year 9999: later times fit no date.
MAX_UNIX_TIME = 253_402_300_799


def looks_like_milliseconds(seconds: int) -> bool:
    """Say whether a time that is past all dates would be one in milliseconds."""
    return MAX_UNIX_TIME < seconds <= MAX_UNIX_TIME * 1_000


class Clock(Protocol):
    """Tells the time of one app."""

    def now(self) -> int:
        """Return the time in whole Unix seconds."""
        ...

    def exact(self) -> float:
        """Return the time in Unix seconds, with the fraction where it is known."""
        ...


class SystemClock:
    """Tells the real time."""

    def now(self) -> int:
        return int(time.time())

    def exact(self) -> float:
        return time.time()


class FrozenClock(NamedTuple):
    """Tells one and the same time for ever; a fraction of a second waits until it is a whole one."""

    at: float

    def now(self) -> int:
        return int(self.at)

    def exact(self) -> float:
        return self.at


def unix_time(seconds: float) -> float:
    """Return a Unix time to the microsecond, so that fractions add up; a whole one is an integer."""
    rounded = round(float(seconds), 6)
    return int(rounded) if rounded.is_integer() else rounded


# Seconds of a clock that never goes back: for durations and pacing, never for what is answered.
monotonic = time.monotonic
