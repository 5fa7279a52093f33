"""The responses of one app that are under way: they can be ended from outside, and faults may hold them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from sandbox.apps.limits import SharedUsage
from sandbox.errors import StoreFull

MAX_HELD_OF_APP = 1_000
MAX_HELD = 10_000


class AppDeleted(Exception):
    """The app was deleted or reset before the response was complete."""


class OpenResponse(Protocol):
    """A response that is under way."""

    def end(self, reason: type[Exception]) -> None:
        """Let the wait that is under way, or the next one, raise `reason`."""
        ...

    def wake(self) -> None:
        """End the wait that is under way."""
        ...


class OpenResponses:
    """The responses that are under way, how many of them faults hold, and which of those are to be released."""

    __slots__ = ("_gates", "_held", "_open", "_shared")

    def __init__(self, limits: SharedUsage) -> None:
        self._shared = limits
        # By themselves: an empty dict is a third of an empty set.
        self._open: dict[OpenResponse, None] = {}
        self._held = 0
        # Those that wait to be released, by the id of their fault.
        self._gates: dict[str, set[OpenResponse]] = {}

    def add(self, response: OpenResponse) -> None:
        """Note a response that begins."""
        self._open[response] = None

    def remove(self, response: OpenResponse) -> None:
        """Note that a response is over."""
        self._open.pop(response, None)

    def end(self, reason: type[Exception]) -> None:
        """End every response."""
        for response in list(self._open):
            response.end(reason)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Count a response that a fault holds, as long as this lasts.

        Raises:
            StoreFull: too many are held.
        """
        if self._held >= MAX_HELD_OF_APP:
            raise StoreFull(f"At most {MAX_HELD_OF_APP:,} requests of an app are held by faults at once.")
        if self._shared.held >= MAX_HELD:
            raise StoreFull(f"The sandbox holds at most {MAX_HELD:,} requests at once.")
        self._held += 1
        self._shared.held += 1
        try:
            yield
        finally:
            self._held -= 1
            self._shared.held -= 1

    @contextmanager
    def waiting_for_release(self, fault_id: str, response: OpenResponse) -> Iterator[None]:
        """Let a response be released by the id of its fault, as long as this lasts."""
        gate = self._gates.setdefault(fault_id, set())
        gate.add(response)
        try:
            yield
        finally:
            gate.discard(response)
            if not gate:
                self._gates.pop(fault_id, None)

    def release(self, fault_id: str | None = None) -> bool:
        """Let go what a fault holds, or all faults (None); say whether that is anything."""
        waiting = [each for name, gate in self._gates.items() if fault_id in (None, name) for each in gate]
        for response in waiting:
            response.wake()
        return bool(waiting)
