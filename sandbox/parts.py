"""Everything that is shared inside one server, made from its settings; what few requests need is made on first use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sandbox
from sandbox.api.directory import Directory
from sandbox.api.services import Services
from sandbox.app_config import apps
from sandbox.apps.events import Bus
from sandbox.apps.journal import Journal
from sandbox.apps.memory import Bounds, MemoryStore
from sandbox.apps.rule_queue import Queue
from sandbox.contract import Contract, load
from sandbox.contract.document import control_folder
from sandbox.handler_types import App
from sandbox.redaction import Masker
from sandbox.server.holds import Holds
from sandbox.server.response_timer import Endings
from sandbox.settings import Settings, options
from sandbox.sources import Clock, Entropy, FrozenClock, SystemClock

if TYPE_CHECKING:
    from sandbox.control.history import History
    from sandbox.control.services import ControlServices
    from sandbox.persistence.data_file import Keeper
    from sandbox.webhooks.dispatcher import WebhookDispatcher

# The settings of a server on which the answers of its API depend, beside those of the app.
ANSWERING = ("validation_status", "cors_origin", "like_production")


class Parts:
    """The parts of one server.

    Raises:
        SettingsError: an app of the settings has a setting that it can't have, or the file of `data` is no good.
        ContractError: the contract can't be used.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.endings = Endings()
        self.holds = Holds()
        self.faults = Queue("fault")
        self.replies = Queue("reply")
        # Where the server itself listens: no webhook goes there.
        self.own_ports: set[int] = set()
        self.contract = load().refusing_with(int(self.settings.validation_status))
        now = self.settings.now
        if now is not None:
            options()["now"].read(now, "now")
        self.clock: Clock = SystemClock() if now is None else FrozenClock(now)
        self.entropy = Entropy(self.settings.seed)
        self.journal = Journal(lambda app_id: "req_" + self.entropy.hex(16, app_id or "", "request"))
        self.bus = Bus(self.journal.subscribe)
        bounds = Bounds(apps=self.settings.max_apps, bytes=self.settings.max_bytes)
        declared = apps(self.settings, self._of_control)
        self.store = MemoryStore(*declared, bounds, self._held_elsewhere, self.settings.seed)
        self.services = Services(self.store, self.store, self.replies, self._announce)
        self.directory = Directory(self.services, self.clock, self._planted)
        self.masker = Masker([self.settings.control_token or ""])
        self.keeper = self._keeper(self.settings.data) if self.settings.data else None

    @cached_property
    def control(self) -> Contract:
        """The control API's own contract."""
        return load(control_folder())

    def _of_control(self) -> Contract:
        return self.control

    @cached_property
    def history(self) -> History:
        """How each app came to be as it is."""
        from sandbox.control.history import History

        return History()

    @cached_property
    def webhooks(self) -> WebhookDispatcher:
        """What delivers webhooks."""
        from sandbox.webhooks.client import WebhookClient
        from sandbox.webhooks.dispatcher import WebhookDispatcher

        return WebhookDispatcher(
            apps=self.directory,
            worlds=self.store,
            check_fits=self.store.refuse_more_than_fits,
            bus=self.bus,
            client=WebhookClient(self.settings.webhook_allow, own_ports=self.own_ports),
            schemas=self.contract.webhooks,
            user_agent=f"Dimedove-Sandbox/{sandbox.__version__}",
        )

    @cached_property
    def services_of_control(self) -> ControlServices:
        """What the control API drives."""
        from sandbox.api.persona import settings_in_force
        from sandbox.control.services import ControlServices

        return ControlServices(
            apps=self.directory,
            worlds=self.store,
            conversations=self.store,
            faults=self.faults,
            replies=self.replies,
            journal=self.journal,
            history=self.history,
            clock=self.clock,
            webhooks=self.webhooks,
            bus=self.bus,
            masker=self.masker,
            contract=self.contract,
            settings_law=self.control.schema("AppSettings"),
            keeper=self.keeper,
            version=sandbox.__version__,
            server={name: getattr(self.settings, name) for name in ANSWERING},
            end_answers=self.endings.forget,
            release=self.holds.release,
            populate=self._populate,
            look=settings_in_force,
        )

    def stop(self) -> None:
        """End everything that is under way: the server stops."""
        self.endings.stop()
        if "webhooks" in vars(self):
            self.webhooks.stop()

    def declare(self, new: Settings) -> None:
        """Take other declared apps and defaults; what they change can't be repeated by a replay."""
        self.store.declare(*apps(new, self._of_control))
        for app_id in self.store.used():
            self.history.spoil(app_id, "the config file was reloaded")

    def _held_elsewhere(self) -> int:
        """Return about how many bytes are kept outside the store."""
        webhooks = self.webhooks.size if "webhooks" in vars(self) else 0
        history = self.history.size if "history" in vars(self) else 0
        return self.faults.size + self.replies.size + webhooks + history

    def _keeper(self, path: str) -> Keeper:
        """Return what keeps all apps in a file, and load that file."""
        from sandbox.persistence.data_file import Keeper, Kept

        kept = Kept(
            store=self.store,
            faults=self.faults,
            replies=self.replies,
            contract=self.contract,
            control=self.control,
            clock=self.clock,
        )
        keeper = Keeper(Path(path), kept)
        for app_id in self.store.used():
            self.history.begin(app_id, keeper.snapshot_of(app_id), turn=0)
        return keeper

    async def _planted(self, app: App) -> None:
        """Note what the demo app began with: how its conversations came to be is no request's doing."""
        from sandbox.persistence.snapshot import Snapshot, whole_settings

        baseline = Snapshot(world=await self.store.image(app.id), settings=whole_settings(app.settings))
        self.history.begin(app.id, baseline, turn=0)

    async def _populate(self, app: App, **wanted: Any) -> None:
        from sandbox.api.populate import populate  # late: it brings the agent along

        await populate(app, self.services, **wanted)

    async def _announce(self, app: App, kind: str, data: Mapping[str, Any]) -> None:
        if app.settings.webhooks:
            await self.webhooks.enqueue(app, kind, data)
