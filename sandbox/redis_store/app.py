"""One app that is kept in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeVar

from sandbox.app_settings import AppSettings, RateLimit
from sandbox.apps.app import App, AppEnvironment
from sandbox.apps.journal import Journal, OpenRequest
from sandbox.apps.limits import SharedUsage, Usage
from sandbox.apps.memory import MemoryConversations
from sandbox.apps.memory_app import MemoryApp
from sandbox.apps.rate_limit import DAY, MINUTE
from sandbox.apps.rule_queue import EMPTY, MemoryRuleQueue, QueuedRule, QueueState
from sandbox.apps.snapshot import AppSnapshot
from sandbox.apps.store import Counter
from sandbox.errors import StoreFull
from sandbox.long_work import in_thread
from sandbox.redis_store.conversations import CallScript, RedisConversations
from sandbox.redis_store.deliveries import RedisDeliveries
from sandbox.redis_store.journal import RedisAppJournal
from sandbox.redis_store.shared import SharedStore
from sandbox.redis_store.values import (
    Fields,
    fields_of,
    pack,
    pack_queue,
    pack_snapshot,
    unpack,
    unpack_queue,
    unpack_snapshot,
    unpack_time,
)
from sandbox.rng import SeedScope

T = TypeVar("T")
# What a decision came to: the fields to set, and what its caller gets once they are set.
Decide = Callable[[], Awaitable[tuple[Fields, T]]]

_STATE = ("origin", "scenario", "overrides", "clock", "faults", "replies")
_WINDOWS = {f"{name}:{length}": b"" for name in ("ws", "wc") for length in (MINUTE, DAY)}


class RedisApp(App):
    """An `App` in Redis; here is its state as it was at a version, and what belongs to this process alone.

    What becomes of settings, clock and queues is decided here, on the state at the version that is known, and set by a
    script that refuses it at any other: then it is decided anew. So a fault acts exactly as often as it says.
    """

    __slots__ = ("_all_keys", "_client", "_deciding", "_hub", "_index", "_keys", "_version")

    conversations: RedisConversations
    deliveries: RedisDeliveries
    faults: RedisRuleQueue
    journal: RedisAppJournal
    replies: RedisRuleQueue

    def __init__(
        self,
        app_id: str,
        environment: AppEnvironment,
        defaults: AppSettings | None,
        usage: Usage,
        store: SharedStore,
    ) -> None:
        self._client = store.client
        self._hub = store.hub
        self._index = store.keys.apps
        self._keys = store.keys.of_app(app_id)
        self._all_keys = store.keys.all_of_app(app_id)
        # Empty: nobody wrote to it.
        self._version = b""
        self._deciding = asyncio.Lock()
        super().__init__(app_id, environment, defaults, usage)
        self.deliveries = RedisDeliveries(usage, app_id, store)

    @property
    def is_stored(self) -> bool:
        return self._version != b""

    async def refresh(self, request: OpenRequest | None = None) -> None:
        if request:
            last, state = await self.journal.number(request, self._version)
        else:
            await self._hub.start()
            found, requests, *flat = await self._client.call("load", self._keys, self._version)
            last, state = int(found), fields_of(flat[0]) if flat else None
            self.journal.requests = int(requests)
        if state is not None:
            self._take(state)
        # Those that are being created are counted already.
        self.conversations.last_number = max(self.conversations.last_number, last)

    async def release(self, fault_id: str | None = None) -> bool:
        is_here = self.responses.release(fault_id)
        return any([is_here, *await self._hub.ask("release", self.id, fault_id)])

    def lose(self) -> None:
        """Be as before the first use: it is reset, or has other state since."""
        self._forget()
        self.journal = self.journal.reset()

    async def override(self, overrides: Mapping[str, Any]) -> None:
        async def decide() -> tuple[Fields, None]:
            settings = self.settings_below(self.scenario).merged(overrides)
            return {"overrides": pack(overrides or None), **self._windows_after(settings)}, None

        await self.change(decide)

    async def set_scenario(self, name: str | None) -> None:
        async def decide() -> tuple[Fields, None]:
            settings = self.settings_below(self._environment.scenarios.get(name)).merged(self.overrides)
            return {"scenario": pack(name), **self._windows_after(settings)}, None

        await self.change(decide)

    def _windows_after(self, settings: AppSettings) -> Fields:
        """Return the rate windows' fields as they are with other settings: empty where the limit is another one."""
        return _WINDOWS if settings.rate_limit != self.settings.rate_limit else {}

    async def next_number(self, counter: Counter) -> int:
        number: int = await self._call("number", counter, begins=True)
        return number

    async def set_clock(self, now: float | None) -> None:
        async def decide() -> tuple[Fields, None]:
            return {"clock": pack(now)}, None

        await self.change(decide)

    async def change(self, decide: Decide[T]) -> T:
        """Set what `decide` says on the state as it is, and return what it returns beside; no fields: nothing is set.

        Raises:
            StoreFull: there are too many apps, or what `decide` raises.
        """
        # One after the other here: only other processes can be in between.
        async with self._deciding:
            while True:
                fields, result = await decide()
                if fields and not self.is_stored:
                    # Where another server was faster, there is something to decide on now.
                    await self._begin_stored()
                elif not fields or await self._swap(fields):
                    return result

    async def snapshot(self) -> AppSnapshot:
        dumped = await self._call("dump")
        snapshot = await in_thread(unpack_snapshot, dumped, self.fresh_snapshot())
        below = self.settings_below(self._environment.scenarios.get(snapshot.scenario))
        settings = below.merged(snapshot.overrides)
        return replace(snapshot, settings=settings.to_json())

    async def restore(self, snapshot: AppSnapshot, conversations: MemoryConversations) -> None:  # noqa: ARG002 - they are those of the snapshot
        self.check_restorable(snapshot)
        await self._put(snapshot, "any")
        self.close()
        self.journal = self.journal.reset()

    async def begin_with(self, fill: Callable[[App], Awaitable[None]]) -> None:
        # In memory first: all of it is there at once, or nothing is.
        here = replace(self._environment, journal=Journal(str), shared_usage=SharedUsage(), call_usage=SharedUsage())
        draft = MemoryApp(self.id, here, self.defaults, Usage(here.shared_usage))
        await fill(draft)
        await self._put(await draft.snapshot(), "new")

    async def begin_history(self, *, requests: int = 0) -> None:
        """Do nothing: an app that outlives its server has no history there, and so no bundle."""

    async def reset(self) -> None:
        # Here first: what is under way is to see it, whatever it waits for.
        self.lose()
        await self._client.call("forget", self._all_keys)
        await self._client.remove(self._index, self.id)

    async def _call(self, name: str, *arguments: bytes | str | int, begins: bool = False) -> Any:
        """Run a script of the app; one that `begins` counts it as stored."""
        if begins and not self.is_stored:
            await self._begin_stored()
        return await self._client.call(name, self._keys, *arguments)

    async def _begin_stored(self) -> None:
        """Count the app as stored, before something is written to it; its randomness is its own from now on.

        Raises:
            StoreFull: there are too many apps.
        """
        await self._register()
        await self._swap({"origin": pack(list(self.origin))})

    async def _register(self) -> None:
        limit = self._environment.shared_usage.max_apps
        most = 2**53 if self.usage.is_declared else limit
        if not await self._client.call("register", (self._index,), self.id, most):
            raise StoreFull(f"The sandbox keeps at most {limit:,} apps: --max-apps; --app-ttl deletes unused ones.")

    async def _swap(self, fields: Fields) -> bool:
        """Set fields of the state at the version that is known; at another take that, and return False."""
        pairs = [part for pair in fields.items() for part in pair]
        version, *state = await self._client.call("swap", self._keys, self._version, *pairs)
        if version is None:
            self._take(fields_of(state[0]))
            return False
        self._version = version
        self._set(fields)
        return True

    async def _put(self, snapshot: AppSnapshot, where: Literal["new", "any"]) -> None:
        """Put other state in place of all there is; where it is to be `new`, only if there is none."""
        await self._register()
        packed = await in_thread(pack_snapshot, snapshot)
        flat = [argument for each in packed for argument in each]
        version = await self._client.call("restore", self._all_keys, where, *map(len, packed), *flat)
        if version is None:
            return await self.refresh()
        self._take({"v": version, **fields_of([_bytes(part) for part in packed[0]])})
        self.conversations.last_number = snapshot.counters.get("conversation", 0)
        return None

    def _take(self, state: Mapping[str, bytes]) -> None:
        """Be as the state says; an empty one is that of an app that somebody reset."""
        version = state.get("v", b"")
        if not version and self.is_stored:
            self._forget()
        # Answers of two calls may come in the other order: no later app has a lower version.
        elif version and int(version) >= int(self._version or 0):
            self._version = version
            self._set({name: state.get(name, b"") for name in _STATE})

    def _set(self, fields: Fields) -> None:
        if fields.get("origin"):
            self.origin = SeedScope(*unpack(fields["origin"]))
            self.rng = self.origin.entropy()
        if "scenario" in fields:
            self.scenario_name = unpack(fields["scenario"])
        if "overrides" in fields:
            self.overrides = unpack(fields["overrides"]) or {}
        if "scenario" in fields or "overrides" in fields:
            self.declare(self.defaults)
        if "clock" in fields:
            self._freeze(unpack_time(fields["clock"]))
        for name, queue in (("faults", self.faults), ("replies", self.replies)):
            if name in fields:
                queue.state = unpack_queue(fields[name])

    def _forget(self) -> None:
        self.close()
        self._version = b""
        self._begin(self.defaults)

    def _clear(self) -> None:
        self.origin = SeedScope(self._environment.seed, self.id)
        self.rng = self.origin.entropy()
        self.conversations = RedisConversations(self._call)
        self.rate_limit = RedisRateLimiter(self._call)
        self.faults, self.replies = RedisRuleQueue("fault", "faults", self), RedisRuleQueue("reply", "replies", self)
        self._freeze(None)


class RedisRuleQueue:
    """A `RuleQueue` in Redis: `state` is as it was at the version of the app that is known."""

    def __init__(self, kind: str, field: str, app: RedisApp) -> None:
        self._kind = kind
        self._field = field
        self._app = app
        self.state: QueueState = EMPTY

    @property
    def is_empty(self) -> bool:
        return not self.state.rules

    @property
    def rules(self) -> Sequence[QueuedRule]:
        return self.state.rules

    async def add(self, fields: Mapping[str, Any]) -> QueuedRule:
        return await self._change(lambda queue: queue.add(fields))

    async def take(self, matches: Callable[[Mapping[str, Any]], bool]) -> QueuedRule | None:
        return None if self.is_empty else await self._change(lambda queue: queue.take(matches))

    async def delete(self, rule_id: str) -> bool:
        return await self._change(lambda queue: queue.delete(rule_id))

    async def clear(self) -> None:
        await self._change(lambda queue: queue.clear())

    async def _change(self, do: Callable[[MemoryRuleQueue], Awaitable[T]]) -> T:
        """Do something to the queue as it would be done to one in memory."""

        async def decide() -> tuple[Fields, T]:
            queue = MemoryRuleQueue(self._kind, Usage(SharedUsage()), self._app.rng, self.state)
            result = await do(queue)
            return {} if queue.state == self.state else {self._field: pack_queue(queue.state)}, result

        return await self._app.change(decide)


class RedisRateLimiter:
    """A `RateLimiter` in Redis."""

    def __init__(self, call: CallScript) -> None:
        self._call = call

    async def consume(self, limit: RateLimit, now: int) -> int | None:
        limits = ((MINUTE, limit.per_minute), (DAY, limit.per_day))
        windows = [number for length, most in limits if most is not None for number in (length, most)]
        wait: int = await self._call("consume", now, *windows, begins=True)
        return wait or None


def _bytes(value: bytes | str | int) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
