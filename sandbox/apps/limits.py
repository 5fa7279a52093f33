"""How much all apps may take together, and what each of them takes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orjson import dumps

from sandbox.errors import StoreFull


@dataclass(slots=True)
class SharedUsage:
    """The bounds of one server: `apps` that were written to (of `max_apps`), `bytes` of their data (of `max_bytes`).

    `held` is how many requests faults hold now.
    """

    max_apps: int = 10_000
    max_bytes: int = 1024**3
    apps: int = 0
    bytes: int = 0
    held: int = 0


class Usage:
    """What one app takes of the shared. It counts as stored from its first write; a declared one always fits."""

    __slots__ = ("_shared", "bytes", "is_declared", "is_stored")

    def __init__(self, shared: SharedUsage, *, is_declared: bool = False) -> None:
        self._shared = shared
        self.bytes = 0
        self.is_declared = is_declared
        self.is_stored = False

    def mark_stored(self) -> None:
        """Count the app as stored, before something is written to it.

        Raises:
            StoreFull: there are too many apps.
        """
        if self.is_stored:
            return
        shared = self._shared
        if shared.apps >= shared.max_apps and not self.is_declared:
            raise StoreFull(
                f"The sandbox keeps at most {shared.max_apps:,} apps: --max-apps; --app-ttl deletes unused ones."
            )
        self.is_stored = True
        shared.apps += 1

    def check(self, more: int = 0) -> None:
        """Refuse what would take so many bytes more than all apps may.

        Raises:
            StoreFull: it does not fit.
        """
        shared = self._shared
        if shared.bytes + more >= shared.max_bytes:
            raise StoreFull(f"The sandbox keeps at most {shared.max_bytes:,} bytes; --max-bytes sets how many.")

    def grow(self, size: int) -> None:
        """Count so many bytes more, or fewer."""
        self.bytes += size
        self._shared.bytes += size

    def clear(self) -> None:
        """Count nothing of the app any more."""
        self.grow(-self.bytes)
        self._shared.apps -= self.is_stored
        self.is_stored = False


def json_size(value: Any) -> int:
    """Return about how many bytes a value takes as JSON; numbers that know how they were sent count as texts."""
    return len(dumps(value, default=str))
