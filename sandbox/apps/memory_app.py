"""One app that is kept in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sandbox.apps.app import App
from sandbox.apps.history import AppHistory
from sandbox.apps.journal import OpenRequest
from sandbox.apps.limits import json_size
from sandbox.apps.memory import MemoryConversations
from sandbox.apps.rate_limit import MemoryRateLimiter
from sandbox.apps.rule_queue import MemoryRuleQueue
from sandbox.apps.snapshot import AppSnapshot
from sandbox.apps.store import Counter
from sandbox.clock import monotonic
from sandbox.rng import SeedScope


class MemoryApp(App):
    """An `App` in memory: no method waits."""

    __slots__ = ("counters",)

    conversations: MemoryConversations
    rate_limit: MemoryRateLimiter

    @property
    def is_stored(self) -> bool:
        return self.usage.is_stored

    async def refresh(self, request: OpenRequest | None = None) -> None:
        """Do nothing: what is here is all there is."""

    async def override(self, overrides: Mapping[str, Any]) -> None:
        self.usage.check()
        self.usage.mark_stored()
        self.usage.grow(json_size(overrides) - json_size(self.overrides))
        self.overrides, old = overrides, self.settings
        self.declare(self.defaults)
        if self.settings.rate_limit != old.rate_limit:
            self.rate_limit.windows.clear()

    async def set_scenario(self, name: str | None) -> None:
        self.usage.mark_stored()
        self.scenario_name, old = name, self.settings
        self.declare(self.defaults)
        if self.settings.rate_limit != old.rate_limit:
            self.rate_limit.windows.clear()

    async def next_number(self, counter: Counter) -> int:
        self.usage.mark_stored()
        self.counters[counter] = number = self.counters.get(counter, 0) + 1
        return number

    async def set_clock(self, now: float | None) -> None:
        self.usage.mark_stored()
        self._freeze(now)

    async def snapshot(self) -> AppSnapshot:
        store = self.conversations
        return AppSnapshot(
            origin=self.origin,
            settings=self.settings.to_json(),
            overrides=self.overrides,
            clock=self.frozen_at,
            counters={**self.counters, "conversation": store.last_number},
            rate_windows=dict(self.rate_limit.windows),
            records=dict(store.records),
            items=dict(store.items),
            lengths=dict(zip(store.items, map(len, store.items.values()), strict=True)),
            faults=self.faults.state,
            replies=self.replies.state,
            scenario=self.scenario_name,
        )

    async def restore(self, snapshot: AppSnapshot, conversations: MemoryConversations) -> None:
        self.load(snapshot, conversations)

    def load(self, snapshot: AppSnapshot, conversations: MemoryConversations, *, seq: int | None = None) -> None:
        """Restore a snapshot at once; the history begins at a place among all requests (None: the next).

        Raises:
            StoreFull: it does not fit; nothing is changed.
            InvalidRequest: as `check_restorable` says.
        """
        self.check_restorable(snapshot)
        # Loading is a use: else --app-ttl would delete at once what a file has kept.
        self.used_at = monotonic()
        extra = json_size(snapshot.overrides) - json_size({})
        size = conversations.usage.bytes + extra
        self.usage.check(size - self.usage.bytes)
        # Refused here, where there are too many apps, and nothing is changed; closing it counts it no more.
        self.usage.mark_stored()
        self.close()
        self.journal = self.journal.reset()
        self.usage.mark_stored()
        self.usage.grow(size)
        conversations.usage = self.usage
        self.overrides, self.scenario_name = snapshot.overrides, snapshot.scenario
        self.declare(self.defaults)
        self._load_state(snapshot, conversations)
        self._begin_history(snapshot, seq)

    async def begin_with(self, fill: Callable[[App], Awaitable[None]]) -> None:
        await fill(self)
        self._begin_history(await self.snapshot(), 0)

    async def begin_history(self, *, requests: int = 0) -> None:
        self._begin_history(await self.snapshot(), None, requests)

    async def reset(self) -> None:
        self.close()
        self.journal = self.journal.reset()
        self._begin(self.defaults)

    def close(self) -> None:
        self._environment.disposal.add(self.conversations)
        super().close()

    def _clear(self) -> None:
        origin = SeedScope(self._environment.seed, self.id)
        self._load_state(AppSnapshot(origin=origin), MemoryConversations(self.usage))

    def _load_state(self, snapshot: AppSnapshot, conversations: MemoryConversations) -> None:
        self.origin, self.rng = snapshot.origin, snapshot.origin.entropy()
        self.counters = dict(snapshot.counters)
        self.conversations = conversations
        self.rate_limit = MemoryRateLimiter(self.usage, snapshot.rate_windows)
        self.faults = MemoryRuleQueue("fault", self.usage, self.rng, snapshot.faults)
        self.replies = MemoryRuleQueue("reply", self.usage, self.rng, snapshot.replies)
        self._freeze(snapshot.clock)

    def _begin_history(self, baseline: AppSnapshot, seq: int | None, requests: int = 0) -> None:
        self.history.close()
        environment = self._environment
        seq = next(environment.journal.sequence) if seq is None else seq
        self.history = AppHistory(self.usage, environment.call_usage, baseline, seq=seq, requests=requests)
