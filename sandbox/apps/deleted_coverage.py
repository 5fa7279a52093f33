"""What is left of deleted apps: the coverage of the server has what their clients have met."""

from __future__ import annotations

from collections import Counter


class DeletedCoverage:
    """What the clients of deleted apps have met of the contract, and how often."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, ...]] = Counter()

    async def add(self, counts: Counter[tuple[str, ...]]) -> None:
        """Count what those of one more app have met."""
        self._counts.update(counts)

    async def total(self) -> Counter[tuple[str, ...]]:
        """Return all of it."""
        return self._counts

    async def clear(self) -> None:
        """Forget it."""
        self._counts.clear()
