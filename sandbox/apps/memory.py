"""State in memory: plain dicts and lists, one event loop, no locks; no method awaits anything.

What is kept is bytes, tuples and slots, so that the garbage collector has little to walk.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sandbox.app_settings import AppSettings, RateLimit
from sandbox.apps.image import WorldImage
from sandbox.apps.leftovers import Leftovers
from sandbox.apps.paging import cut
from sandbox.apps.records import Conversation, Item, Page, Totals, Window
from sandbox.apps.store import Counter, Gone
from sandbox.apps.world import World, json_size
from sandbox.errors import StoreFull
from sandbox.slices import in_thread
from sandbox.sources import Origin


class Bounds(NamedTuple):
    """How much is kept at most, over all apps."""

    apps: int = 10_000
    bytes: int = 1024**3


class MemoryStore:
    """Keeps the worlds and the conversations of every app in this process.

    `declared` are the apps that exist from the start with settings of their own; any other id has `defaults`, or is
    no app at all when that is None. The bytes that are kept `elsewhere` count against the bounds too. Apps begin with
    `seed`.
    """

    def __init__(
        self,
        declared: Mapping[str, AppSettings],
        defaults: AppSettings | None,
        bounds: Bounds | None = None,
        elsewhere: Callable[[], int] = lambda: 0,
        seed: int | str = 1,
    ) -> None:
        self._declared = declared
        self._defaults = defaults
        self._bounds = bounds or Bounds()
        self._elsewhere = elsewhere
        self._seed = str(seed)
        self._worlds: dict[str, World] = {}
        self._settings: dict[str, AppSettings] = {}
        self._size = 0
        self._leftovers = Leftovers()

    def declare(self, declared: Mapping[str, AppSettings], defaults: AppSettings | None) -> None:
        """Take other declared apps and defaults; what was changed since goes on top of them, and all data stays."""
        self._declared, self._defaults = declared, defaults
        bases = {app_id: self._base(app_id) for app_id in self._settings}
        self._settings = {
            app_id: base.merged(self._worlds[app_id].overrides) for app_id, base in bases.items() if base is not None
        }

    def used(self) -> Sequence[str]:
        """Return the ids of the apps that something is kept of."""
        return sorted(self._worlds)

    def _base(self, app_id: str) -> AppSettings | None:
        return self._declared.get(app_id, self._defaults)

    # Worlds

    async def settings(self, app_id: str) -> AppSettings | None:
        return self.settings_of(app_id)

    def settings_of(self, app_id: str) -> AppSettings | None:
        """Return the settings of an app; None when there is no such app."""
        changed = self._settings.get(app_id)
        return changed if changed is not None else self._base(app_id)

    async def defaults(self, app_id: str) -> AppSettings | None:
        return self._base(app_id)

    async def overrides(self, app_id: str) -> Mapping[str, Any]:
        world = self._worlds.get(app_id)
        return world.overrides if world else {}

    async def override(self, app_id: str, overrides: Mapping[str, Any]) -> None:
        base = self._base(app_id)
        if base is None:
            raise KeyError(app_id)
        self.refuse_more_than_fits()
        world, old = self._world(app_id), self._settings.get(app_id, base)
        grown = json_size(overrides) - json_size(world.overrides)
        world.size += grown
        self._size += grown
        world.overrides = overrides
        self._settings[app_id] = base.merged(overrides)
        if self._settings[app_id].rate_limit != old.rate_limit:
            world.windows.clear()

    async def touch(self, app_id: str) -> None:
        self.refuse_more_than_fits()
        self._world(app_id)

    async def exists(self, app_id: str) -> bool:
        return app_id in self._worlds

    async def origin(self, app_id: str) -> Origin:
        world = self._worlds.get(app_id)
        return world.origin if world else Origin(self._seed, app_id)

    async def image(self, app_id: str) -> WorldImage:
        return self.image_of(app_id)

    def image_of(self, app_id: str) -> WorldImage:
        """Return all that is kept of an app, as it is at this moment."""
        world = self._worlds.get(app_id)
        return world.image() if world else WorldImage(origin=Origin(self._seed, app_id))

    async def restore(self, app_id: str, image: WorldImage) -> None:
        # Made away from the event loop, so that other requests get through meanwhile.
        self.put_back(app_id, await in_thread(World.of, image))

    def put_back(self, app_id: str, world: World) -> None:
        """Put a world in place of all that is kept of an app.

        Raises:
            KeyError: there is no such app.
            StoreFull: it does not fit.
        """
        base, old = self._base(app_id), self._worlds.get(app_id)
        if base is None:
            raise KeyError(app_id)
        if old is None:
            self._refuse_more_apps(app_id)
        grown = world.size - (old.size if old else 0)
        self.refuse_more_than_fits(grown)
        self._size += grown
        self._worlds[app_id], self._settings[app_id] = world, base.merged(world.overrides)
        if old:
            self._leftovers.add(old)

    async def clock(self, app_id: str) -> float | None:
        world = self._worlds.get(app_id)
        return world.clock if world else None

    async def set_clock(self, app_id: str, now: float | None) -> None:
        self._world(app_id).clock = now

    async def declared(self) -> Collection[str]:
        return self._declared.keys()

    async def known(self) -> Sequence[str]:
        return sorted({*self._declared, *self._worlds})

    async def forget(self, app_id: str) -> None:
        self._settings.pop(app_id, None)
        if world := self._worlds.pop(app_id, None):
            self._size -= world.size
            self._leftovers.add(world)

    async def forget_all(self) -> None:
        worlds, self._worlds, self._settings, self._size = self._worlds, {}, {}, 0
        for world in worlds.values():
            self._leftovers.add(world)

    async def number(self, app_id: str, counter: Counter) -> int:
        counters = self._world(app_id).counters
        counters[counter] += 1
        return counters[counter]

    async def spend(self, app_id: str, limit: RateLimit, now: int) -> int | None:
        return self._world(app_id).spend(limit, now)

    # Conversations

    async def add(self, app_id: str, conversation: Conversation) -> None:
        self.refuse_more_than_fits()
        world = self._world(app_id)
        before = world.size
        world.add(conversation)
        self._size += world.size - before

    async def get(self, app_id: str, conversation_id: str) -> Conversation | None:
        world = self._worlds.get(app_id)
        number = world.numbers.get(conversation_id) if world else None
        return world.records[number] if world and number else None

    async def set_title(self, app_id: str, conversation_id: str, title: str | None) -> None:
        self._amend(app_id, conversation_id, title=title)

    async def set_generated_title(self, app_id: str, conversation_id: str, pair: tuple[str, str]) -> None:
        conversation = await self.get(app_id, conversation_id)
        if conversation and conversation.generated_title is None:
            self._amend(app_id, conversation_id, generated_title=pair)

    async def set_metadata(self, app_id: str, conversation_id: str, metadata: bytes) -> None:
        self._amend(app_id, conversation_id, metadata=metadata)

    async def delete(self, app_id: str, conversation_id: str) -> None:
        world, number = self._find(app_id, conversation_id)
        world.delete(number)

    async def page(self, app_id: str, window: Window, user: str | None = None) -> Page:
        world = self._worlds.get(app_id)
        if world is None:
            return Page()
        positions, more = cut(world.live if user is None else world.by_user.get(user, ()), window)
        return Page([world.records[position.number] for position in positions], more)

    async def append(self, app_id: str, conversation_id: str, make: Callable[[int], Item]) -> None:
        world, number = self._find(app_id, conversation_id)
        self.refuse_more_than_fits()
        before = world.size
        world.append(number, make(len(world.items.get(number, ()))))
        self._size += world.size - before

    async def items(self, app_id: str, conversation_id: str) -> Sequence[Item]:
        world, number = self._find(app_id, conversation_id)
        return tuple(world.items.get(number, ()))

    async def totals(self, app_id: str) -> Totals:
        world = self._worlds.get(app_id)
        if world is None:
            return Totals()
        return Totals(conversations=len(world.records), messages=world.message_count, users=len(world.by_user))

    def _world(self, app_id: str) -> World:
        world = self._worlds.get(app_id)
        if world is None:
            self._refuse_more_apps(app_id)
            world = self._worlds[app_id] = World(Origin(self._seed, app_id))
        return world

    def _refuse_more_apps(self, app_id: str) -> None:
        if len(self._worlds) >= self._bounds.apps and app_id not in self._declared:
            raise StoreFull(f"The sandbox keeps at most {self._bounds.apps:,} apps; --max-apps sets how many.")

    def _find(self, app_id: str, conversation_id: str) -> tuple[World, int]:
        world = self._worlds.get(app_id)
        number = world.numbers.get(conversation_id) if world else None
        if world is None or number is None:
            raise Gone
        return world, number

    def _amend(self, app_id: str, conversation_id: str, **changes: Any) -> None:
        world, number = self._find(app_id, conversation_id)
        self.refuse_more_than_fits()
        before = world.size
        world.put(world.records[number]._replace(**changes))
        self._size += world.size - before

    def refuse_more_than_fits(self, more: int = 0) -> None:
        """Refuse what would take so many bytes more than are kept.

        Raises:
            StoreFull: it does not fit.
        """
        if self._size + more + self._elsewhere() >= self._bounds.bytes:
            raise StoreFull(f"The sandbox keeps at most {self._bounds.bytes:,} bytes; --max-bytes sets how many.")
