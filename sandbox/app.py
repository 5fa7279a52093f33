"""Puts one server together: the routes and what stands before them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import ASGIApp

import sandbox
from sandbox import api
from sandbox.apps.app import App
from sandbox.contract import Document, Operation
from sandbox.handler_types import OperationRequest, OperationResult
from sandbox.origins import is_loopback
from sandbox.parts import Parts
from sandbox.preload import preload
from sandbox.server import inspector, pages
from sandbox.server.access import CONTROL, ControlAccess, ControlGuard, HostGuard
from sandbox.server.cors import Cors
from sandbox.server.error_handlers import crash_handler, http_error_handler
from sandbox.server.journaling import Listener, Recorder
from sandbox.server.pipeline import House, Pipeline
from sandbox.server.routes import Ahead, ContractRoute, Later, must_match
from sandbox.settings import Settings

if TYPE_CHECKING:
    from sandbox.server.control_pipeline import ControlPipeline
    from sandbox.server.faults import Faults

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
    parts = Parts(settings or Settings())
    about = pages.About(version=sandbox.__version__, store="memory")
    api_route = ContractRoute(parts.contract.base, _api_pipelines(parts))
    app = Starlette(
        routes=[
            api_route,
            *pages.routes(parts.contract, lambda: parts.control, about),
            Later(CONTROL, lambda: ContractRoute(parts.control.base, _control_pipelines(parts), heads=True)),
        ],
        middleware=[Middleware(ControlGuard, _access(parts.settings), (*PUBLIC_CONTROL, *inspector.paths()))],
        exception_handlers={HTTPException: http_error_handler(api_route), Exception: crash_handler},
        lifespan=_living(parts),
    )
    app.router.redirect_slashes = False
    app.middleware_stack = _front(parts, api_route, log, app.build_middleware_stack())
    app.state.stop = parts.stop
    app.state.own_ports = parts.own_ports
    app.state.keeper = parts.data_file
    app.state.declare = parts.declare
    app.state.preload = partial(preload, parts)
    return app


def _api_pipelines(parts: Parts) -> list[Pipeline]:
    """Put each operation of the contract behind its checks."""
    house = House(
        registry=parts.registry,
        turns=parts.active_responses.turns,
        by_header=parts.settings.control != "off",
        control_token=parts.settings.control_token,
        faults=cache(partial(_faults, parts)),
        reply_sender=cache(partial(_reply_sender, parts)),
        validation_status=int(parts.settings.validation_status),
    )
    operations = parts.contract.operations
    must_match({operation.id for operation in operations}, set(api.MODULES))
    return [Pipeline(op, partial(_run, op.id, parts.services), house) for op in operations]


def _faults(parts: Parts) -> Faults:
    from sandbox.server.faults import Faults

    return Faults(parts.control.schema("Fault"), parts.active_responses, parts.holds)


def _reply_sender(parts: Parts) -> Callable[..., Awaitable[None]]:
    from sandbox.server.reply_sender import send_reply

    return partial(send_reply, parts.active_responses, parts.holds)


async def _run(operation: str, services: api.Services, request: OperationRequest, app: App) -> OperationResult:
    return await api.handler(operation)(request, app, services)


def _control_pipelines(parts: Parts) -> list[ControlPipeline]:
    """Put each operation of the control API behind its checks."""
    from sandbox import control
    from sandbox.server.control_pipeline import ControlPipeline

    operations = parts.control.operations
    must_match({operation.id for operation in operations}, set(control.MODULES))
    return [ControlPipeline(op, _handled(op, parts), parts.active_responses, parts.redactor) for op in operations]


def _handled(operation: Operation, parts: Parts) -> Any:
    async def run(path: Any, query: Any, body: Document) -> Any:
        from sandbox import control
        from sandbox.control.services import ControlRequest

        request = ControlRequest(path=path, query=query, document=body)
        return await control.run(operation, request, parts.services_of_control)

    return run


def _living(parts: Parts) -> Any:
    """Return what ends the background's work with the server, where something else than `serve` runs it."""

    @asynccontextmanager
    async def living(app: Starlette) -> AsyncIterator[None]:  # noqa: ARG001 - the signature of a lifespan
        yield
        parts.stop()

    return living


def _access(settings: Settings) -> ControlAccess:
    # Off loopback a server without a token is one that somebody opened to all its names.
    only_own_names = settings.control_token is None and is_loopback(settings.host)
    return ControlAccess(
        enabled=settings.control != "off",
        token=settings.control_token,
        origins=settings.control_origin,
        names=settings.allow_host if only_own_names else None,
    )


def _front(parts: Parts, api_route: ContractRoute, log: Listener | None, rest: ASGIApp) -> ASGIApp:
    """Return what every request passes first; the API comes off before all that Starlette puts around its router."""
    settings = parts.settings
    front: ASGIApp = Ahead(rest, api_route)
    if not settings.like_production:
        front = Cors(front, settings.cors_origin)
    return Recorder(HostGuard(front, settings.allow_host), parts.journal, parts.clock, log)
