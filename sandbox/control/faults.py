"""The queue of faults: what waits for an app's requests, and which one acts on the next (CONTROL.md, Faults)."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.apps.rule_queue import Queue
from sandbox.apps.store import Worlds


class FaultDesk:
    """Hands queued faults to the wire."""

    def __init__(self, queue: Queue, worlds: Worlds) -> None:
        self._queue = queue
        self._worlds = worlds

    async def take(self, app_id: str, matches: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any] | None:
        """Return the oldest that acts on a request, with its `id`, counted as used; None when none does."""
        origin = await self._worlds.origin(app_id)
        taken = self._queue.take(app_id, origin.entropy(), matches)
        return {**taken.fields, "id": taken.id} if taken else None

    async def lots(self, app_id: str, *address: str) -> random.Random:
        """Return the app's own generator for what is drawn at an address."""
        origin = await self._worlds.origin(app_id)
        return origin.entropy().random(*address)

    async def streams_by_default(self, app_id: str, operation: str) -> bool:
        """Say whether an operation of the app streams when a request does not say: a completion never does."""
        settings = await self._worlds.settings(app_id)
        return settings is not None and settings.stream and operation == "apps_api_send_message"
