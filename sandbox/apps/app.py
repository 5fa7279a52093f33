"""One app: its settings, its time, its randomness, and all that is kept of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.agent_profile import AgentProfile
from sandbox.app_settings import AppSettings
from sandbox.apps.deliveries import AppDeliveries
from sandbox.apps.history import MAX_CALL_BYTES, AppHistory
from sandbox.apps.journal import Journal, OpenRequest
from sandbox.apps.limits import SharedUsage, Usage
from sandbox.apps.memory import Disposal, MemoryConversations
from sandbox.apps.responses import AppDeleted, OpenResponses
from sandbox.apps.snapshot import AppSnapshot
from sandbox.apps.store import ConversationStore, Counter, RateLimiter, RuleQueue
from sandbox.clock import Clock, FrozenClock
from sandbox.errors import InvalidRequest
from sandbox.rng import Entropy, SeedScope
from sandbox.scenario import Scenario, Scenarios


@dataclass(frozen=True, slots=True, kw_only=True)
class AppEnvironment:
    """What the apps of one server share: its seed, its clock, its bounds, its journal."""

    seed: str
    clock: Clock
    journal: Journal
    shared_usage: SharedUsage = field(default_factory=SharedUsage)
    call_usage: SharedUsage = field(default_factory=lambda: SharedUsage(max_bytes=MAX_CALL_BYTES))
    disposal: Disposal = field(default_factory=Disposal)
    scenarios: Scenarios = field(default_factory=Scenarios)
    agents: dict[str, AgentProfile] = field(default_factory=dict)
    app_ttl: int | None = None


class App(ABC):
    """All that belongs to one app. It is the same object for as long as the server knows the app.

    `settings` are those in force, `defaults` those that it began with, `overrides` what was changed of them, as JSON;
    `exists` is False where only declared apps exist and it is none of them. `clock` tells its time, `frozen_at` is the
    second, with its fraction, at which that stands still (None: it runs). `rng` is the source of all that is random in
    it, `origin` where that comes from. `is_ready` says whether it was used since it began; `usage` says how much is
    kept of it. `scenario_name` is the scenario that it has.
    """

    __slots__ = (
        "_environment",
        "clock",
        "conversations",
        "defaults",
        "deliveries",
        "exists",
        "faults",
        "frozen_at",
        "history",
        "id",
        "is_ready",
        "journal",
        "origin",
        "overrides",
        "rate_limit",
        "replies",
        "responses",
        "rng",
        "scenario_name",
        "settings",
        "usage",
        "used_at",
    )

    conversations: ConversationStore
    faults: RuleQueue
    history: AppHistory
    is_ready: bool
    origin: SeedScope
    overrides: Mapping[str, Any]
    scenario_name: str | None
    rate_limit: RateLimiter
    replies: RuleQueue
    rng: Entropy

    def __init__(self, app_id: str, environment: AppEnvironment, defaults: AppSettings | None, usage: Usage) -> None:
        self.id = app_id
        self._environment = environment
        self.usage = usage
        self.journal = environment.journal.new_app(app_id)
        self.responses = OpenResponses(environment.shared_usage)
        self.deliveries = AppDeliveries(usage)
        # When it was last asked for, on the clock of durations; kept where apps go that nobody uses.
        self.used_at = 0.0
        self._begin(defaults)

    @property
    @abstractmethod
    def is_stored(self) -> bool:
        """Whether it was written to since it began."""

    @property
    def is_busy(self) -> bool:
        """Whether requests for it are under way."""
        return self.journal.under_way > 0

    @property
    def moment(self) -> float:
        """Its time in Unix seconds, with the fraction where it stands still at one."""
        return self.clock.now() if self.frozen_at is None else self.frozen_at

    @property
    def is_frozen(self) -> bool:
        """Whether its time stands still: by its own clock, or the server's."""
        return isinstance(self.clock, FrozenClock)

    def declare(self, defaults: AppSettings | None) -> None:
        """Take what the server's settings say of it (None: there is no such app); what was changed since stays."""
        self.defaults = defaults
        self.exists = defaults is not None
        base = self.settings_below(self.scenario)
        self.settings = base.merged(self.overrides) if self.overrides else base

    @property
    def scenario(self) -> Scenario | None:
        """The scenario that it has; None without one, or where the config no longer has it."""
        return self._environment.scenarios.get(self.scenario_name)

    def agent(self, settings: AppSettings) -> AgentProfile | None:
        """Return the agent profile of these settings; None without one, or where the config no longer has it."""
        return self._environment.agents.get(settings.agent_profile) if settings.agent_profile else None

    def check_agent(self, name: str | None) -> None:
        """Refuse the name of an agent profile that the config doesn't have.

        Raises:
            InvalidRequest: it has none of this name.
        """
        agents = self._environment.agents
        if name is not None and name not in agents:
            known = ", ".join(sorted(agents)) or "none; the config has them as [agents.NAME]"
            message = f"agent_profile: expected one of the config ({known}), got {name}."
            raise InvalidRequest(message, param="agent_profile", code="not_allowed")

    def settings_below(self, scenario: Scenario | None) -> AppSettings:
        """Return the settings that those set by hand go on top of, with a scenario."""
        base = self.defaults or AppSettings()
        return base.merged(scenario.settings) if scenario else base

    def check_restorable(self, snapshot: AppSnapshot) -> None:
        """Refuse a snapshot that names what the config doesn't have.

        Raises:
            InvalidRequest: the server doesn't have its scenario, or its agent profile.
        """
        if snapshot.scenario is not None and self._environment.scenarios.get(snapshot.scenario) is None:
            message = f"scenario: expected one of this server, got {snapshot.scenario}."
            raise InvalidRequest(message, param="scenario", code="not_allowed")
        self.check_agent(snapshot.settings.get("agent_profile"))

    @abstractmethod
    async def refresh(self, request: OpenRequest | None = None) -> None:
        """Be as the store has it now; a request that is for it gets its id."""

    async def release(self, fault_id: str | None = None) -> bool:
        """Let go what a fault holds, or all faults (None), in whichever worker; say whether that is anything."""
        return self.responses.release(fault_id)

    @abstractmethod
    async def set_scenario(self, name: str | None) -> None:
        """Take a scenario's settings and replies (None: no scenario's); a changed rate limit starts its windows afresh.

        Raises:
            StoreFull: there are too many apps.
        """

    @abstractmethod
    async def override(self, overrides: Mapping[str, Any]) -> None:
        """Set what differs from how the app began; a changed rate limit starts its windows afresh.

        Raises:
            StoreFull: it does not fit.
        """

    @abstractmethod
    async def next_number(self, counter: Counter) -> int:
        """Give out the next number of a counter, from 1.

        Raises:
            StoreFull: there are too many apps.
        """

    @abstractmethod
    async def set_clock(self, now: float | None) -> None:
        """Freeze its time at a Unix second, or let it run (None).

        Raises:
            StoreFull: there are too many apps.
        """

    async def consume_rate_limit(self) -> int | None:
        """Count a call against the rate limit; return the seconds to wait if it is used up.

        Raises:
            StoreFull: there are too many apps.
        """
        limit = self.settings.rate_limit
        return await self.rate_limit.consume(limit, self.clock.now()) if limit else None

    @abstractmethod
    async def snapshot(self) -> AppSnapshot:
        """Return all of it, as it is at this moment."""

    def fresh_snapshot(self) -> AppSnapshot:
        """Return it as it would be before its first use."""
        return AppSnapshot(origin=self.origin, settings=(self.defaults or AppSettings()).to_json())

    @abstractmethod
    async def restore(self, snapshot: AppSnapshot, conversations: MemoryConversations) -> None:
        """Put a snapshot in place of all that is kept, with the conversations made of it; the journal begins anew.

        Raises:
            StoreFull: it does not fit; nothing is changed.
            InvalidRequest: the server doesn't have its scenario, or its agent profile.
        """

    @abstractmethod
    async def begin_with(self, fill: Callable[[App], Awaitable[None]]) -> None:
        """Fill it before its first use: no request did it, so that is what its history begins with."""

    @abstractmethod
    async def begin_history(self, *, requests: int = 0) -> None:
        """Let its history begin with the state that it has now, after so many requests."""

    @abstractmethod
    async def reset(self) -> None:
        """Drop all that is kept of it; its next use starts afresh."""

    def close(self) -> None:
        """Let go of all that is in this process; its journal is left to whoever calls."""
        self.responses.end(AppDeleted)
        self.deliveries.clear()
        self.history.close()
        self.usage.clear()

    def _begin(self, defaults: AppSettings | None) -> None:
        """Be as before the first use."""
        self.is_ready = False
        self.overrides, self.scenario_name = {}, None
        self.declare(defaults)
        self._clear()
        self.history = AppHistory(self.usage, self._environment.call_usage)

    @abstractmethod
    def _clear(self) -> None:
        """Keep nothing: no conversation, no number, no rule."""

    def _freeze(self, now: float | None) -> None:
        self.frozen_at = now
        self.clock = self._environment.clock if now is None else FrozenClock(now)
