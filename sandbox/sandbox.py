"""Puts one server together: what it keeps, what answers, and what whoever runs it needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.routing import Router as StarletteRouter
from starlette.types import Receive, Scope, Send

import sandbox
from sandbox import api
from sandbox.agent_profile import AgentProfile
from sandbox.app_config import load_declared_apps
from sandbox.app_settings import AppSettings
from sandbox.apps.app import App, AppEnvironment
from sandbox.apps.events import EventBus
from sandbox.apps.journal import Journal
from sandbox.apps.limits import SharedUsage
from sandbox.apps.registry import AppRegistry
from sandbox.apps.responses import OpenResponses
from sandbox.clock import Clock, FrozenClock, SystemClock, monotonic
from sandbox.contract import Contract, load
from sandbox.contract.document import control_folder
from sandbox.errors import StoreUnavailable
from sandbox.handler_types import OperationRequest, OperationResult
from sandbox.hosts import is_loopback
from sandbox.options import SettingsError
from sandbox.redaction import Redactor
from sandbox.rng import Entropy
from sandbox.scenario import Scenarios
from sandbox.scenario_config import load_agents, load_scenarios
from sandbox.server import inspector
from sandbox.server.asgi import ControlApi, Dispatcher
from sandbox.server.caller_checks import ControlCheck, HostCheck
from sandbox.server.cors import ApiOrigins
from sandbox.server.metrics import Metrics
from sandbox.server.pages import About, Pages
from sandbox.server.pipeline import PipelineDeps
from sandbox.server.recording import RequestListener, RequestRecorder
from sandbox.server.response_timer import ServerStopping
from sandbox.server.router import Router
from sandbox.settings import Settings, default_of, options, secrets_of

if TYPE_CHECKING:
    from sandbox.model.model import Model
    from sandbox.persistence.data_file import DataFile
    from sandbox.redis_store.opening import Store
    from sandbox.webhooks.dispatcher import WebhookDispatcher

# The settings of a server on which the answers of its API depend, beside those of the app.
RESPONSE_SETTINGS = ("validation_status", "cors_origin", "like_production")
# Seconds between two looks for apps that nobody uses.
_EXPIRY_SECONDS = 1.0
PUBLIC_CONTROL = ("/_sandbox/health", "/_sandbox/", "/_sandbox/openapi.json")


def create_app(settings: Settings | None = None, *, log: RequestListener | None = None) -> Sandbox:
    """Make a server of its own, an ASGI application: it shares nothing with any other.

    Args:
        settings: what is set; by default nothing.
        log: is told of each request when it has been answered; by default nobody is.

    Raises:
        SettingsError: an app of the settings has a setting that it can't have, or the file of `data` is no good.
        ContractError: the contract can't be used.
        StoreError: the store of `store` can't.
    """
    return Sandbox(settings or Settings(), log)


class Sandbox:
    """One server: an ASGI application, and what whoever runs it may do with it.

    `own_ports` are those where it listens: no webhook goes there. `data_file` keeps all apps in a file, `store`
    in Redis, where the settings name one or one is passed in.

    Raises:
        SettingsError, ContractError, StoreError: as `create_app` says.
    """

    def __init__(self, settings: Settings, log: RequestListener | None = None, store: Store | None = None) -> None:
        self.own_ports: set[int] = set()
        self.contract = load().with_validation_status(int(settings.validation_status))
        self._settings = settings
        self._clock = _clock(settings)
        rng = Entropy(settings.seed)
        self.store = store or (_open_store(settings) if settings.store else None)

        def prefix(app_id: str | None) -> str:
            return "req_" + rng.hex(16, app_id or "", "request")

        self._journal = self.store.journal(prefix) if self.store else Journal(prefix)
        self._events = self.store.events() if self.store else EventBus(self._journal.subscribe)
        self._listeners = OpenResponses(SharedUsage())
        self._seeding = asyncio.Lock()
        self._scenarios = Scenarios()
        self._agents: dict[str, AgentProfile] = {}
        self._metrics = _open_metrics(settings) if settings.metrics else None
        environment = AppEnvironment(
            seed=str(settings.seed),
            clock=self._clock,
            journal=self._journal,
            shared_usage=SharedUsage(settings.max_apps, settings.max_bytes),
            scenarios=self._scenarios,
            agents=self._agents,
            app_ttl=settings.app_ttl,
        )
        self._next_expiry = 0.0
        self._load_config(settings)
        id_pattern = self.contract.operations[0].path_schema.properties["app_id"]["pattern"]
        declared = load_declared_apps(settings, lambda: self.control_contract)
        new_registry = self.store.registry if self.store else AppRegistry
        self._registry: AppRegistry = new_registry(environment, declared, id_pattern, self._seed_demo)
        self._model = self._open_model(settings) if settings.model or settings.model_url else None
        self._services = api.Services(self._enqueue_webhook, self._model)
        self._redactor = Redactor(secrets_of(settings))
        self.data_file = self._open_data_file(settings.data) if settings.data else None
        if self._metrics:
            self._journal.on_evicted = self._metrics.count_evicted
            if self.store:
                self.store.observe(self._metrics.store_call)
        self._dispatch = self._dispatcher(log)
        self._lifespan = StarletteRouter(lifespan=self.lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as an ASGI application."""
        if scope["type"] == "http":
            await self._dispatch(scope, receive, send)
        else:
            await self._lifespan(scope, receive, send)

    def stop_listening(self) -> None:
        """End the streams of live events, which never end by themselves."""
        self._listeners.end(ServerStopping)

    def stop(self) -> None:
        """End everything that is under way: the server stops."""
        self.stop_listening()
        self._registry.end_responses(ServerStopping)
        if "_webhooks" in vars(self):
            self._webhooks.stop()
        if self._model:
            self._model.close()

    def reload(self, settings: Settings) -> None:
        """Take other declared apps and defaults; what they change can't be repeated by a replay.

        Raises:
            SettingsError: an app has a setting that it can't have; nothing is changed.
        """
        declared = load_declared_apps(settings, lambda: self.control_contract)
        self._load_config(settings)
        self._registry.declare(declared)
        for app in self._registry.stored():
            app.history.mark_incomplete("the config file was reloaded")

    def _load_config(self, settings: Settings) -> None:
        """Take the scenarios and the agents of the config, or neither."""
        scenarios = load_scenarios(settings, lambda: self.control_contract)
        agents = load_agents(settings, lambda: self.control_contract)
        self._scenarios.declare(scenarios)
        self._agents.clear()
        self._agents.update(agents)

    def poll(self) -> None:
        """Do what is due now and then with the store, and with the webhooks whose server has ended."""
        if self.store and self._webhooks:
            self.store.poll()
        if self._settings.app_ttl and monotonic() >= self._next_expiry:
            self._next_expiry = monotonic() + _EXPIRY_SECONDS
            self._expiry = asyncio.ensure_future(self._delete_unused())

    async def _delete_unused(self) -> None:
        with suppress(StoreUnavailable):
            for app in await self._registry.delete_unused():
                self._events.publish("state", app.id, {"app_id": app.id, "change": "deleted"})

    async def save(self) -> None:
        """Save all apps, where there is a file for them; say why where it can't be done."""
        if self.data_file:
            await self.data_file.save_or_log()

    async def close(self) -> None:
        """Save, and let go of the store: nothing is under way any more."""
        await self.save()
        if self.store:
            await self._journal.flush()
            await self.store.close()

    def preload(self) -> None:
        """Load what the first answer does not need, so that later ones need not wait for it.

        Raises:
            OSError, ImportError: something can't be loaded; it is tried again when it is needed.
        """
        from sandbox.preload import preload

        preload(self.control_contract)

    @cached_property
    def control_contract(self) -> Contract:
        """The control API's own contract."""
        return load(control_folder())

    def _dispatcher(self, log: RequestListener | None) -> Dispatcher:
        settings = self._settings
        about = About(version=sandbox.__version__, store=self._registry.store)
        return Dispatcher(
            recorder=RequestRecorder(self._journal, self._clock, log, self._metrics),
            registry=self._registry,
            hosts=HostCheck(settings.allow_host),
            control_check=_control_check(settings),
            origins=None if settings.like_production else ApiOrigins(settings.cors_origin),
            api=Router(self.contract, set(api.MODULES)),
            deps=PipelineDeps(
                registry=self._registry,
                run=self._run,
                has_fault_header=settings.control != "off",
                control_token=settings.control_token,
                fault_schema=cache(lambda: self.control_contract.schema("Fault")),
            ),
            control=self._open_control_api,
            pages=Pages(self.contract, lambda: self.control_contract, about),
            validation_status=int(settings.validation_status),
        )

    async def _run(self, operation: str, request: OperationRequest, app: App) -> OperationResult:
        return await api.handler(operation)(request, app, self._services)

    def _open_control_api(self) -> ControlApi:
        """Return the control API. It is loaded with its first request: others need not wait for it."""
        from sandbox.control_api import open_control_api

        return open_control_api(
            self.control_contract,
            self._listeners,
            self.store.deleted_coverage() if self.store else None,
            registry=self._registry,
            journal=self._journal,
            clock=self._clock,
            webhooks=self._webhooks,
            events=self._events,
            redactor=self._redactor,
            contract=self.contract,
            data_file=self.data_file,
            scenarios=self._scenarios,
            metrics=self._metrics.text if self._metrics else None,
            response_settings={name: getattr(self._settings, name) for name in RESPONSE_SETTINGS},
        )

    @cached_property
    def _webhooks(self) -> WebhookDispatcher:
        """What delivers webhooks; made when the first one is sent."""
        from sandbox.webhooks.dispatcher import WebhookDispatcher

        dispatcher = WebhookDispatcher(
            registry=self._registry,
            bus=self._events,
            allowed=self._settings.webhook_allow,
            own_ports=self.own_ports,
            schemas=self.contract.webhooks,
            user_agent=f"Dimedove-Sandbox/{sandbox.__version__}",
        )
        if self._metrics:
            dispatcher.on_finished = self._metrics.count_delivery
        if self.store:
            dispatcher.senders = self.store.senders(self._registry, dispatcher.perform, dispatcher.resume)
        return dispatcher

    async def _enqueue_webhook(self, app: App, kind: str, data: Mapping[str, Any], settings: AppSettings) -> None:
        if settings.webhooks:
            await self._webhooks.enqueue(app, kind, data, settings)

    def _open_model(self, settings: Settings) -> Model:
        """Return what writes texts in the agent's place."""
        from sandbox.model.model import Model  # late: most servers have none

        return Model(settings, self.own_ports)

    def _open_data_file(self, path: str) -> DataFile:
        """Return what keeps all apps in a file, and load that file."""
        from sandbox.persistence.data_file import DataFile

        return DataFile(Path(path), self._registry, self._clock, self.contract, self.control_contract)

    async def _seed_demo(self, app: App) -> None:
        """Give the demo app its conversations, once; how they came to be is no request's doing."""
        from sandbox.api.populate import seed_demo  # late: it brings the agent along

        # On first use, not at start: it takes longer than everything else that the server does to come up.
        async with self._seeding:
            # One that was restored is as it was saved.
            if not app.is_ready and not app.is_stored:
                await app.begin_with(seed_demo)
            app.is_ready = True

    @asynccontextmanager
    async def lifespan(self, _: object = None) -> AsyncIterator[None]:
        """End the background's work with the server, where something else than `serve` runs it."""
        if self.store:
            self.poll()
        yield
        self.stop()
        await self.close()


def _open_store(settings: Settings) -> Store:
    """Return the store of the settings; nothing of Redis is loaded where they name none."""
    if settings.data:
        raise SettingsError("--data and --store exclude each other: expected one place where the apps are kept")
    if settings.max_bytes != default_of("max_bytes"):
        raise SettingsError("--max-bytes is for apps in memory: with --store, Redis's maxmemory says how many")
    try:
        from sandbox.redis_store.opening import open_store
    except ImportError:
        raise SettingsError("--store needs Redis's client: pip install 'dimedove-sandbox[redis]'") from None
    return open_store(settings)


def _open_metrics(settings: Settings) -> Metrics:
    try:
        return Metrics(sandbox.__version__, "redis" if settings.store else "memory")
    except ImportError:
        raise SettingsError("--metrics needs prometheus-client: pip install 'dimedove-sandbox[metrics]'") from None


def _clock(settings: Settings) -> Clock:
    if settings.now is None:
        return SystemClock()
    options()["now"].parse(settings.now, "now")
    return FrozenClock(settings.now)


def _control_check(settings: Settings) -> ControlCheck:
    # Off loopback a server without a token is one that somebody opened to all its names.
    has_own_names = settings.control_token is None and is_loopback(settings.host)
    return ControlCheck(
        enabled=settings.control != "off",
        token=settings.control_token,
        origins=settings.control_origin,
        names=settings.allow_host if has_own_names else None,
        public=(*PUBLIC_CONTROL, *inspector.paths()),
    )
