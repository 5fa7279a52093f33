"""Things that wait for a request to act on: faults and scripted replies, oldest first, each for so many requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sandbox.apps.world import json_size
from sandbox.errors import StoreFull
from sandbox.sources import Entropy

MOST_WAITING = 1_000


class Waiting(NamedTuple):
    """One queued thing: `fields` say what it does, `times` for how many more requests (None: until removed).

    The next `skip` requests that it matches pass; of the others it takes the share `probability`. `used` counts those
    that it acted on, `drawn` those that it drew lots for.
    """

    id: str
    fields: Mapping[str, Any]
    times: int | None = 1
    skip: int = 0
    probability: float = 1.0
    used: int = 0
    drawn: int = 0


class Backlog(NamedTuple):
    """What waits for one app at one moment, oldest first, and how many were ever queued."""

    given: int = 0
    waiting: tuple[Waiting, ...] = ()


class Queue:
    """The queues of every app, each oldest first. Taking is atomic: a thing acts exactly as often as it says.

    `size` is about how many bytes all of them take.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._waiting: dict[str, list[Waiting]] = {}
        self._given: dict[str, int] = {}
        self.size = 0

    def add(self, app_id: str, entropy: Entropy, fields: Mapping[str, Any]) -> Waiting:
        """Queue something for an app.

        Raises:
            StoreFull: too much waits already.
        """
        queue = self._waiting.setdefault(app_id, [])
        if len(queue) >= MOST_WAITING:
            raise StoreFull(f"An app holds at most {MOST_WAITING:,} {self._kind}s; delete some first.")
        number = self._given[app_id] = self._given.get(app_id, 0) + 1
        rules = {name: fields[name] for name in ("times", "skip", "probability") if name in fields}
        rest = {name: value for name, value in fields.items() if name not in rules}
        waiting = Waiting(id=f"{self._kind}_" + entropy.hex(24, self._kind, number), fields=rest, **rules)
        queue.append(waiting)
        self.size += _weight(waiting)
        return waiting

    def all(self, app_id: str) -> Sequence[Waiting]:
        """Return what waits for an app, oldest first."""
        return tuple(self._waiting.get(app_id, ()))

    def waits(self, app_id: str) -> bool:
        """Say whether anything waits for an app."""
        return bool(self._waiting.get(app_id))

    def take(self, app_id: str, entropy: Entropy, matches: Callable[[Mapping[str, Any]], bool]) -> Waiting | None:
        """Return the oldest that acts on a request, counted as used; None when none does."""
        queue = self._waiting.get(app_id, [])
        for index, waiting in enumerate(queue):
            if not matches(waiting.fields):
                continue
            after, acts = _tried(waiting, entropy)
            if acts and after.times == 0:
                del queue[index]
                self.size -= _weight(waiting)
            else:
                queue[index] = after
            if acts:
                return after
        return None

    def has(self, app_id: str, waiting_id: str) -> bool:
        """Say whether it waits."""
        return any(waiting.id == waiting_id for waiting in self._waiting.get(app_id, ()))

    def remove(self, app_id: str, waiting_id: str) -> bool:
        """Take one out; say whether it was there."""
        queue = self._waiting.get(app_id, [])
        found = [waiting for waiting in queue if waiting.id == waiting_id]
        for waiting in found:
            queue.remove(waiting)
            self.size -= _weight(waiting)
        return bool(found)

    def backlog(self, app_id: str) -> Backlog:
        """Return what waits for an app, as it is at this moment."""
        return Backlog(self._given.get(app_id, 0), tuple(self._waiting.get(app_id, ())))

    def restore(self, app_id: str, backlog: Backlog) -> None:
        """Put a backlog in place of what waits for an app."""
        self.forget(app_id)
        if backlog.given:
            self._given[app_id] = backlog.given
        if backlog.waiting:
            self._waiting[app_id] = list(backlog.waiting)
            self.size += sum(map(_weight, backlog.waiting))

    def clear(self, app_id: str) -> None:
        """Take all of an app out; the count of those ever queued goes on."""
        self.size -= sum(map(_weight, self._waiting.pop(app_id, ())))

    def forget(self, app_id: str) -> None:
        """Drop everything of an app, its count too."""
        self.clear(app_id)
        self._given.pop(app_id, None)

    def forget_all(self) -> None:
        """Drop everything of every app."""
        self._waiting, self._given, self.size = {}, {}, 0


def _weight(waiting: Waiting) -> int:
    """Return about how many bytes a waiting thing takes."""
    return 500 + json_size(waiting.fields)


def _tried(waiting: Waiting, entropy: Entropy) -> tuple[Waiting, bool]:
    """Let one matching request meet a queued thing; return it as it is afterwards, and whether it acts."""
    if waiting.skip:
        return waiting._replace(skip=waiting.skip - 1), False
    if waiting.probability < 1:
        lot = entropy.random(waiting.id, waiting.drawn).random()
        waiting = waiting._replace(drawn=waiting.drawn + 1)
        if lot >= waiting.probability:
            return waiting, False
    times = None if waiting.times is None else waiting.times - 1
    return waiting._replace(times=times, used=waiting.used + 1), True
