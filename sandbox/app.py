"""Puts one server together; the only module that knows everybody."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TextIO

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

import sandbox
from sandbox import magic
from sandbox.api import HANDLERS
from sandbox.api.directory import Directory
from sandbox.api.services import Services
from sandbox.app_settings import AppSettings
from sandbox.contract import Contract, decode, encode, load
from sandbox.contract.document import control_folder
from sandbox.contract.validation import summary
from sandbox.errors import ApiError, ContractError, InternalError, MethodNotAllowed, NotFound
from sandbox.reply import Pace
from sandbox.settings import Settings, SettingsError
from sandbox.sources import Clock, Entropy, FrozenClock, SystemClock
from sandbox.state.memory import MemoryStore
from sandbox.wire import static
from sandbox.wire.access_log import AccessLog, Format
from sandbox.wire.cors import Cors
from sandbox.wire.guard import ControlAccess, ControlGuard, HostGuard
from sandbox.wire.http import raw_path, send_error
from sandbox.wire.patience import Endings
from sandbox.wire.pipeline import House, Pipeline
from sandbox.wire.router import Router
from sandbox.wire.speech import Speaker

DEMO_PACE = Pace(first_ms=350, delta_ms=25)
PUBLIC_CONTROL = (b"/_sandbox/health", b"/_sandbox/")


def create_app(settings: Settings | None = None, *, log: tuple[Format, TextIO] | None = None) -> Starlette:
    """Make a server of its own: it shares nothing with any other.

    Args:
        settings: what is set; by default nothing.
        log: how and where to write a line for each request; by default nowhere.

    Raises:
        SettingsError: an app of the settings has a setting that it can't have.
        ContractError: the contract can't be used.
    """
    settings = settings or Settings()
    contract, control = load(), load(control_folder())
    clock: Clock = SystemClock() if settings.now is None else FrozenClock(settings.now)
    entropy, endings = Entropy(settings.seed), Endings()
    store = _store(settings, control)
    on = Services(worlds=store, conversations=store)
    house = House(
        directory=Directory(on, clock, entropy),
        clock=clock,
        entropy=entropy,
        speaker=Speaker(endings),
        validation_status=int(settings.validation_status),
    )
    about = static.About(version=sandbox.__version__, store="memory")
    app = Starlette(
        routes=[ContractRoute(contract, on, house), *static.routes(contract, control, about)],
        middleware=_middleware(settings, log),
        exception_handlers={HTTPException: _refused, Exception: _crashed},
    )
    app.router.redirect_slashes = False
    app.state.endings = endings
    return app


class ContractRoute(BaseRoute):
    """Everything under the contract's base path, each operation behind its pipeline."""

    def __init__(self, contract: Contract, on: Services, house: House) -> None:
        self._base = contract.base.encode()
        self._router: Router[Pipeline] = Router()
        self._validation_status = house.validation_status
        operations = {operation.id: operation for operation in contract.operations}
        _must_match(set(operations), set(HANDLERS))
        for name, operation in operations.items():
            self._router.add(operation, Pipeline(operation, partial(HANDLERS[name], on=on), house))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Claim every path under the base, known or not."""
        if scope["type"] != "http":
            return Match.NONE, {}
        path = raw_path(scope)
        inside = path.startswith(self._base) and path[len(self._base) :][:1] in (b"", b"/")
        return (Match.FULL if inside else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find the operation and let its pipeline answer."""
        try:
            pipeline, parameters = self._router.find(raw_path(scope), scope["method"])
        except ApiError as error:
            await send_error(send, error, self._validation_status)
        else:
            await pipeline(scope, receive, send, parameters)


def _store(settings: Settings, control: Contract) -> MemoryStore:
    """Make the store with the apps that the settings declare."""
    late = settings.like_production
    defaults = AppSettings(
        titles="after_first_exchange" if late or settings.titles == "after_first_exchange" else "at_creation",
        pace=DEMO_PACE if late else Pace(),
    )
    declared = {magic.DEMO_APP: replace(defaults, generative_ui=True, pace=DEMO_PACE)}
    law = control.schema("AppSettings")
    for app_id, changes in settings.apps.items():
        violations = law.violations(decode(encode(changes)))
        if violations:
            raise SettingsError(f"apps.{app_id}: {summary(violations)}")
        if app_id in magic.MAGIC_APPS:
            raise SettingsError(f"apps.{app_id}: this app always behaves the same way and can't be set")
        declared[app_id] = declared.get(app_id, defaults).merged(changes)
    return MemoryStore(declared, None if late or settings.strict_apps else defaults)


def _middleware(settings: Settings, log: tuple[Format, TextIO] | None) -> list[Middleware]:
    """Return what every request passes before it is routed, outermost first."""
    access = ControlAccess(
        enabled=settings.control != "off", token=settings.control_token, origins=settings.control_origin
    )
    return [
        *([Middleware(AccessLog, *log)] if log else []),
        Middleware(HostGuard, settings.allow_host),
        *([] if settings.like_production else [Middleware(Cors, settings.cors_origin)]),
        Middleware(ControlGuard, access, PUBLIC_CONTROL),
    ]


def _must_match(operations: set[str], handlers: set[str]) -> None:
    if missing := operations - handlers:
        raise ContractError(f"the contract has operations that nothing handles: {', '.join(sorted(missing))}")
    if extra := handlers - operations:
        raise ContractError(f"there are handlers for operations that the contract has not: {', '.join(sorted(extra))}")


async def _refused(request: Request, error: Exception) -> Response:
    """Answer what the router refuses, in the API's envelope."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    if error.status_code == 405:
        allowed = tuple((error.headers or {}).get("Allow", "GET").split(", "))
        return _envelope(MethodNotAllowed(request.method, tuple(sorted(allowed))))
    return _envelope(NotFound("There is nothing at this path."))


async def _crashed(request: Request, error: Exception) -> Response:  # noqa: ARG001 - the signature of a handler
    """Answer what nobody expected."""
    return _envelope(InternalError("The sandbox failed on this request; its log has the reason."))


def _envelope(error: ApiError) -> Response:
    headers = {"x-content-type-options": "nosniff", **error.headers}
    return Response(encode(error.envelope()), error.status, headers, "application/json")
