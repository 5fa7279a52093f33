"""Puts one server together; the only module that knows everybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

import sandbox
from sandbox import api, control, magic
from sandbox.api.directory import Directory
from sandbox.api.persona import settings_in_force
from sandbox.api.populate import populate
from sandbox.api.services import Services
from sandbox.app_settings import AppSettings
from sandbox.calls import App
from sandbox.contract import Contract, Document, Operation, decode, encode, load
from sandbox.contract.document import control_folder
from sandbox.contract.validation import summary
from sandbox.control.faults import FaultDesk
from sandbox.control.history import History
from sandbox.control.keeper import Keeper, Kept
from sandbox.control.noting import noted
from sandbox.control.services import ControlCall, ControlServices
from sandbox.control.snapshot import Snapshot, whole_settings
from sandbox.masking import Masker, escape
from sandbox.reply import Pace
from sandbox.settings import Settings, SettingsError
from sandbox.sources import Clock, Entropy, FrozenClock, SystemClock
from sandbox.state.bus import Bus
from sandbox.state.journal import Journal
from sandbox.state.memory import Bounds, MemoryStore
from sandbox.state.queues import Backlog, Queue
from sandbox.wire import inspector, static
from sandbox.wire.control import ControlPipeline
from sandbox.wire.cors import Cors
from sandbox.wire.faults import Faults
from sandbox.wire.guard import ControlAccess, ControlGuard, HostGuard
from sandbox.wire.patience import Endings
from sandbox.wire.pipeline import House, Pipeline
from sandbox.wire.recorder import Listener, Recorder
from sandbox.wire.refusals import crashed, refusing
from sandbox.wire.routes import ContractRoute, must_match
from sandbox.wire.speech import Speaker

DEMO_PACE = Pace(first_ms=350, delta_ms=25)
# The settings of a server on which the answers of its API depend, beside those of the app.
ANSWERING = ("validation_status", "cors_origin", "like_production")
PUBLIC_CONTROL = ("/_sandbox/health", "/_sandbox/", "/_sandbox/openapi.json")


def create_app(settings: Settings | None = None, *, log: Listener | None = None) -> Starlette:
    """Make a server of its own: it shares nothing with any other.

    Args:
        settings: what is set; by default nothing.
        log: is told of each request when it has been answered; by default nobody is.

    Raises:
        SettingsError: an app of the settings has a setting that it can't have, or the file of `data` is no good.
        ContractError: the contract can't be used.
    """
    parts = _Parts(settings or Settings())
    about = static.About(version=sandbox.__version__, store="memory")
    api_route = ContractRoute(parts.contract.base, _api_pipelines(parts))
    app = Starlette(
        routes=[
            api_route,
            *static.routes(parts.contract, parts.control, about),
            ContractRoute(parts.control.base, _control_pipelines(parts)),
        ],
        middleware=_middleware(parts, log),
        exception_handlers={HTTPException: refusing(api_route), Exception: crashed},
    )
    app.router.redirect_slashes = False
    app.state.endings = parts.endings
    app.state.keeper = parts.keeper
    app.state.declare = parts.declare
    return app


@dataclass
class _Parts:
    """Everything that is shared inside one server, made from its settings."""

    settings: Settings
    control: Contract = field(default_factory=lambda: load(control_folder()))
    endings: Endings = field(default_factory=Endings)
    journal: Journal = field(default_factory=Journal)
    history: History = field(default_factory=History)
    bus: Bus = field(default_factory=Bus)
    faults: Queue = field(default_factory=lambda: Queue("fault"))
    replies: Queue = field(default_factory=lambda: Queue("reply"))

    def __post_init__(self) -> None:
        self.contract = load().refusing_with(int(self.settings.validation_status))
        now = self.settings.now
        self.clock: Clock = SystemClock() if now is None else FrozenClock(now)
        self.entropy = Entropy(self.settings.seed)
        bounds = Bounds(apps=self.settings.max_apps, bytes=self.settings.max_bytes)
        self.store = MemoryStore(
            *_apps(self.settings, self.control), bounds, (self.faults, self.replies), self.settings.seed
        )
        self.services = Services(self.store, self.store, self.replies)
        self.directory = Directory(self.services, self.clock, self._planted)
        self.masker = Masker([self.settings.control_token or ""])
        self.keeper = self._keeper(self.settings.data) if self.settings.data else None

    def declare(self, new: Settings) -> None:
        """Take other declared apps and defaults; what they change can't be repeated by a replay."""
        self.store.declare(*_apps(new, self.control))
        for app_id in self.store.used():
            self.history.spoil(app_id, "the config file was reloaded")

    def _keeper(self, path: str) -> Keeper:
        """Return what keeps all apps in a file, and load that file."""
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
        world = await self.store.image(app.id)
        baseline = Snapshot(world=world, settings=whole_settings(app.settings), faults=Backlog(), replies=Backlog())
        self.history.begin(app.id, baseline, turn=0)


def _api_pipelines(parts: _Parts) -> list[Pipeline]:
    """Put each operation of the contract behind its checks."""
    by_header = parts.settings.control != "off"
    desk = FaultDesk(parts.faults, parts.store)
    house = House(
        directory=parts.directory,
        faults=Faults(desk, parts.control.schema("Fault"), parts.endings, by_header=by_header),
        speaker=Speaker(parts.endings),
        validation_status=int(parts.settings.validation_status),
    )
    operations = parts.contract.operations
    must_match({operation.id for operation in operations}, set(api.HANDLERS))
    return [Pipeline(op, partial(api.HANDLERS[op.id], on=parts.services), house) for op in operations]


def _control_pipelines(parts: _Parts) -> list[ControlPipeline]:
    """Put each operation of the control API behind its checks."""
    on = ControlServices(
        apps=parts.directory,
        worlds=parts.store,
        conversations=parts.store,
        faults=parts.faults,
        replies=parts.replies,
        journal=parts.journal,
        history=parts.history,
        clock=parts.clock,
        bus=parts.bus,
        masker=parts.masker,
        contract=parts.contract,
        settings_law=parts.control.schema("AppSettings"),
        keeper=parts.keeper,
        version=sandbox.__version__,
        server={name: getattr(parts.settings, name) for name in ANSWERING},
        end_answers=parts.endings.forget,
        populate=partial(populate, on=parts.services),
        look=settings_in_force,
    )
    parts.journal.subscribe(lambda entry: parts.bus.say("request", entry.app_id, entry))
    operations = parts.control.operations
    must_match({operation.id for operation in operations}, set(control.HANDLERS))
    return [ControlPipeline(op, _handled(op, on), parts.endings) for op in operations]


def _handled(operation: Operation, on: ControlServices) -> Any:
    handler = control.HANDLERS[operation.id]

    async def run(path: Any, query: Any, body: Document) -> Any:
        return await noted(operation, handler, ControlCall(path=path, query=query, document=body), on)

    return run


def _apps(settings: Settings, control_contract: Contract) -> tuple[dict[str, AppSettings], AppSettings | None]:
    """Return the apps that the settings declare, and what any other app is (None: there is no other)."""
    late = settings.like_production
    defaults = AppSettings(
        titles="after_first_exchange" if late or settings.titles == "after_first_exchange" else "at_creation",
        pace=DEMO_PACE if late else Pace(),
    )
    declared = {magic.DEMO_APP: replace(defaults, generative_ui=True, pace=DEMO_PACE)}
    law = control_contract.schema("AppSettings")
    for app_id, changes in settings.apps.items():
        where = f"apps.{escape(app_id)}"
        if not _is_app_id(app_id, control_contract):
            raise SettingsError(f"{where}: expected an id of 1 to 128 letters, digits and ._~-")
        if app_id in magic.MAGIC_APPS:
            raise SettingsError(f"{where}: this app always behaves the same way and can't be set")
        violations = law.violations(_as_json(changes))
        if violations:
            raise SettingsError(f"{where}: {escape(summary(violations))}")
        declared[app_id] = declared.get(app_id, defaults).merged(changes)
    return declared, None if late or settings.strict_apps else defaults


def _as_json(changes: Mapping[str, Any]) -> Document:
    """Return what TOML says as JSON would say it: a date is a text."""
    try:
        return decode(encode(changes))
    except TypeError:  # an integer beyond 64 bits, which the schema refuses
        return Document(b"", changes)


def _is_app_id(app_id: str, control_contract: Contract) -> bool:
    named = next(operation for operation in control_contract.operations if "{app_id}" in operation.path)
    return named.path_schema.is_valid({"app_id": app_id})


def _middleware(parts: _Parts, log: Listener | None) -> list[Middleware]:
    """Return what every request passes before it is routed, outermost first."""
    settings = parts.settings
    access = ControlAccess(
        enabled=settings.control != "off", token=settings.control_token, origins=settings.control_origin
    )
    return [
        Middleware(Recorder, parts.journal, parts.clock, parts.entropy, log),
        Middleware(HostGuard, settings.allow_host),
        *([] if settings.like_production else [Middleware(Cors, settings.cors_origin)]),
        Middleware(ControlGuard, access, (*PUBLIC_CONTROL, *inspector.paths())),
    ]
