"""The rate limit of one app (docs/contract.md 4.11): a window of a minute and one of a day."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.app_settings import RateLimit
from sandbox.apps.limits import Usage

MINUTE, DAY = 60, 86_400


class MemoryRateLimiter:
    """A `RateLimiter` in memory."""

    __slots__ = ("_usage", "windows")

    def __init__(self, usage: Usage, windows: Mapping[int, tuple[int, int]] | None = None) -> None:
        self._usage = usage
        self.windows: dict[int, tuple[int, int]] = dict(windows or {})

    async def consume(self, limit: RateLimit, now: int) -> int | None:
        self._usage.mark_stored()
        current: list[tuple[int, int, int]] = []
        wait = 0
        for length, most in ((MINUTE, limit.per_minute), (DAY, limit.per_day)):
            if most is None:
                continue
            start, count = self.windows.get(length, (now, 0))
            if not start <= now < start + length:
                start, count = now, 0
            if count >= most:
                wait = max(wait, start + length - now, 1)
            current.append((length, start, count))
        if wait:
            return wait
        for length, start, count in current:
            self.windows[length] = (start, count + 1)
        return None
