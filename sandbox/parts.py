"""Everything that is shared inside one server, made from its settings; what few requests need is made on first use."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sandbox
from sandbox.api import Services
from sandbox.app_config import apps
from sandbox.apps.app import App, AppEnvironment
from sandbox.apps.events import Bus
from sandbox.apps.journal import Journal
from sandbox.apps.limits import Limits
from sandbox.apps.registry import AppRegistry
from sandbox.clock import Clock, FrozenClock, SystemClock
from sandbox.contract import Contract, load
from sandbox.contract.document import control_folder
from sandbox.redaction import Redactor
from sandbox.rng import Entropy
from sandbox.server.holds import Holds
from sandbox.server.response_timer import ActiveResponses
from sandbox.settings import Settings, options

if TYPE_CHECKING:
    from sandbox.control.services import ControlServices
    from sandbox.persistence.data_file import DataFile
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
        self.active_responses = ActiveResponses()
        self.holds = Holds()
        # Where the server itself listens: no webhook goes there.
        self.own_ports: set[int] = set()
        self.contract = load().refusing_with(int(self.settings.validation_status))
        now = self.settings.now
        if now is not None:
            options()["now"].read(now, "now")
        self.clock: Clock = SystemClock() if now is None else FrozenClock(now)
        rng = Entropy(self.settings.seed)
        self.journal = Journal(lambda app_id: "req_" + rng.hex(16, app_id or "", "request"))
        self.bus = Bus(self.journal.subscribe)
        environment = AppEnvironment(
            seed=str(self.settings.seed),
            clock=self.clock,
            journal=self.journal,
            limits=Limits(self.settings.max_apps, self.settings.max_bytes),
        )
        self._seeding = asyncio.Lock()
        id_pattern = self.contract.operations[0].path_schema.properties["app_id"]["pattern"]
        declared = apps(self.settings, self._of_control)
        self.registry = AppRegistry(environment, declared, id_pattern, self._seed_demo)
        self.services = Services(self._enqueue_webhook)
        self.redactor = Redactor([self.settings.control_token or ""])
        self.data_file = self._open_data_file(self.settings.data) if self.settings.data else None

    @cached_property
    def control(self) -> Contract:
        """The control API's own contract."""
        return load(control_folder())

    def _of_control(self) -> Contract:
        return self.control

    @cached_property
    def webhooks(self) -> WebhookDispatcher:
        """What delivers webhooks."""
        from sandbox.webhooks.client import WebhookClient
        from sandbox.webhooks.dispatcher import WebhookDispatcher

        return WebhookDispatcher(
            registry=self.registry,
            bus=self.bus,
            client=WebhookClient(self.settings.webhook_allow, own_ports=self.own_ports),
            schemas=self.contract.webhooks,
            user_agent=f"Dimedove-Sandbox/{sandbox.__version__}",
        )

    @cached_property
    def services_of_control(self) -> ControlServices:
        """What the control API drives."""
        from sandbox.api.persona import effective_settings
        from sandbox.api.populate import populate
        from sandbox.control.services import ControlServices

        return ControlServices(
            registry=self.registry,
            journal=self.journal,
            clock=self.clock,
            webhooks=self.webhooks,
            events=self.bus,
            redactor=self.redactor,
            contract=self.contract,
            settings_schema=self.control.schema("AppSettings"),
            data_file=self.data_file,
            version=sandbox.__version__,
            server={name: getattr(self.settings, name) for name in ANSWERING},
            end_answers=self.active_responses.cancel,
            release=self.holds.release,
            populate=populate,
            effective_settings=effective_settings,
        )

    def stop(self) -> None:
        """End everything that is under way: the server stops."""
        self.active_responses.stop()
        if "webhooks" in vars(self):
            self.webhooks.stop()

    def declare(self, new: Settings) -> None:
        """Take other declared apps and defaults; what they change can't be repeated by a replay."""
        self.registry.declare(apps(new, self._of_control))
        for app in self.registry.stored():
            app.history.mark_incomplete("the config file was reloaded")

    def _open_data_file(self, path: str) -> DataFile:
        """Return what keeps all apps in a file, and load that file."""
        from sandbox.persistence.data_file import DataFile

        return DataFile(Path(path), self.registry, self.clock, self.contract, self.control)

    async def _seed_demo(self, app: App) -> None:
        """Give the demo app its conversations, once; how they came to be is no request's doing."""
        from sandbox.api.populate import seed_demo  # late: it brings the agent along

        # On first use, not at start: it takes longer than everything else that the server does to come up.
        async with self._seeding:
            # One that was restored is as it was saved.
            if not app.is_met and not app.is_stored:
                await seed_demo(app)
                app.begin_history(app.snapshot(), turn=0)
            app.is_met = True

    async def _enqueue_webhook(self, app: App, kind: str, data: Mapping[str, Any]) -> None:
        if app.settings.webhooks:
            await self.webhooks.enqueue(app, kind, data)
