"""What waits for an app's requests to act on: faults and scripted replies, oldest first, each for so many requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sandbox.apps.limits import Usage, json_size
from sandbox.errors import StoreFull
from sandbox.rng import Entropy

MAX_QUEUED = 1_000


class QueuedRule(NamedTuple):
    """One fault or scripted reply: `fields` say what it does, `times` for how many more requests (None: until removed).

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


class QueueState(NamedTuple):
    """A queue at one moment: its rules, oldest first, and how many were ever queued."""

    queued: int = 0
    rules: tuple[QueuedRule, ...] = ()


EMPTY = QueueState()


class MemoryRuleQueue:
    """A `RuleQueue` in memory. Taking is atomic: a rule acts exactly as often as it says. `queued` were ever queued."""

    __slots__ = ("_kind", "_rng", "_rules", "_usage", "queued")

    def __init__(self, kind: str, usage: Usage, rng: Entropy, state: QueueState = EMPTY) -> None:
        self._kind = kind
        self._usage = usage
        self._rng = rng
        self.queued = state.queued
        self._rules = list(state.rules)
        usage.grow(sum(map(_byte_size, state.rules)))

    @property
    def is_empty(self) -> bool:
        return not self._rules

    @property
    def rules(self) -> Sequence[QueuedRule]:
        return tuple(self._rules)

    @property
    def state(self) -> QueueState:
        return QueueState(self.queued, tuple(self._rules))

    async def add(self, fields: Mapping[str, Any]) -> QueuedRule:
        self._usage.check()
        self._usage.mark_stored()
        if len(self._rules) >= MAX_QUEUED:
            raise StoreFull(f"An app holds at most {MAX_QUEUED:,} {self._kind}s; delete some first.")
        self.queued += 1
        limits = {name: fields[name] for name in ("times", "skip", "probability") if name in fields}
        rest = {name: value for name, value in fields.items() if name not in limits}
        rule = QueuedRule(id=f"{self._kind}_" + self._rng.hex(24, self._kind, self.queued), fields=rest, **limits)
        self._rules.append(rule)
        self._usage.grow(_byte_size(rule))
        return rule

    async def take(self, matches: Callable[[Mapping[str, Any]], bool]) -> QueuedRule | None:
        for index, rule in enumerate(self._rules):
            if not matches(rule.fields):
                continue
            after, acts = _meet_request(rule, self._rng)
            if acts and after.times == 0:
                del self._rules[index]
                self._usage.grow(-_byte_size(rule))
            else:
                self._rules[index] = after
            if acts:
                return after
        return None

    async def delete(self, rule_id: str) -> bool:
        matching = [rule for rule in self._rules if rule.id == rule_id]
        for rule in matching:
            self._rules.remove(rule)
            self._usage.grow(-_byte_size(rule))
        return bool(matching)

    async def clear(self) -> None:
        self._usage.grow(-sum(map(_byte_size, self._rules)))
        self._rules = []


def _byte_size(rule: QueuedRule) -> int:
    """Return about how many bytes a rule takes."""
    return 500 + json_size(rule.fields)


def _meet_request(rule: QueuedRule, rng: Entropy) -> tuple[QueuedRule, bool]:
    """Let a rule meet a request that it matches; return it as it is afterwards, and whether it acts."""
    if rule.skip:
        return rule._replace(skip=rule.skip - 1), False
    if rule.probability < 1:
        lot = rng.random(rule.id, rule.drawn).random()
        rule = rule._replace(drawn=rule.drawn + 1)
        if lot >= rule.probability:
            return rule, False
    times = None if rule.times is None else rule.times - 1
    return rule._replace(times=times, used=rule.used + 1), True
