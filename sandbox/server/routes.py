"""The routes that a contract makes: everything under its base path, each operation behind its pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Protocol
from urllib.parse import unquote

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.contract import Operation
from sandbox.errors import ApiError, ContractError, InternalError, NotFound
from sandbox.server.context import Exchange
from sandbox.server.http import raw_path, send_error
from sandbox.server.response_timer import AbortConnection
from sandbox.server.router import Router
from sandbox.suggestions import closest_path, did_you_mean, under_base


class Serves(Protocol):
    """What answers one operation."""

    operation: Operation

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request."""
        ...


class ContractRoute(BaseRoute):
    """Claims every path under the base (one segment), known or not; with `heads`, HEAD is answered as GET is."""

    def __init__(self, base: str, pipelines: Iterable[Serves], *, heads: bool = False) -> None:
        self._base = base
        self._plain = f"{base}/".encode()
        self._router: Router[Serves] = Router()
        self._templates: list[tuple[str, ...]] = []
        for pipeline in pipelines:
            self._router.add(pipeline.operation, pipeline)
            self._templates.append(pipeline.operation.segments)
            if heads and pipeline.operation.method == "GET":
                self._router.add(replace(pipeline.operation, method="HEAD"), pipeline)

    def claims(self, scope: Scope) -> bool:
        """Say whether a path is under the base without a doubt, as nearly all are."""
        return scope["type"] == "http" and raw_path(scope).startswith(self._plain)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether a path is under the base, however its first segment is spelled."""
        return (Match.FULL if _is_under(self._base.removeprefix("/"), scope) else Match.NONE), {}

    def unknown(self, raw: bytes) -> tuple[NotFound, str | None]:
        """Return what is answered where no path is, with the path that was meant; and the app that it names."""
        path, named = raw.decode("latin-1"), dict[str, str]()
        meant = closest_path(path, self._base, self._templates)
        with suppress(ApiError):
            self._router.find((meant or under_base(path, self._base)).encode("latin-1"), "", named)
        message = f"No such path; {did_you_mean(path, meant)}" if meant else "No such path."
        return NotFound(message), named.get("app_id")

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find the operation and let its pipeline answer."""
        path: dict[str, str] = {}
        exchange = Exchange(scope, receive, send, path)
        entry = exchange.entry
        try:
            pipeline = self._router.find(raw_path(scope), scope["method"], path)
        except ApiError as error:
            app_id: str | None = path.get("app_id")
            if isinstance(error, NotFound):
                error, app_id = self.unknown(raw_path(scope))
            if entry:
                entry.belongs(app_id, None)
            return await send_error(send, error)
        if entry:
            entry.belongs(path.get("app_id"), pipeline.operation.id)
        try:
            return await pipeline(exchange)
        except AbortConnection:
            # Closed here: once the error has left the application, the server would answer it with a 500.
            if exchange.connection is not None:
                exchange.connection.close_quietly()
            raise
        except Exception:
            # What nobody expected; the server logs it.
            if entry is None or entry.status is None:
                await send_error(send, InternalError())
            raise


class Later(BaseRoute):
    """A contract's route that is made when something under its base is asked for the first time."""

    def __init__(self, base: str, make: Callable[[], ContractRoute]) -> None:
        self._base = base.removeprefix("/")
        self._route = cache(make)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether a path is under the base, however its first segment is spelled."""
        return (Match.FULL if _is_under(self._base, scope) else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the route answer."""
        await self._route().handle(scope, receive, send)


def _is_under(base: str, scope: Scope) -> bool:
    if scope["type"] != "http":
        return False
    first = raw_path(scope).split(b"/", 2)[1:2]
    return bool(first) and unquote(first[0].decode("latin-1")) == base


class Ahead:
    """Takes what a route claims past everything that stands before the router; the route has all it needs."""

    def __init__(self, app: ASGIApp, route: ContractRoute) -> None:
        self._app = app
        self._route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._route.claims(scope):
            return await self._route.handle(scope, receive, send)
        return await self._app(scope, receive, send)


def must_match(operations: Set[str], handlers: Set[str]) -> None:
    """Refuse a contract and code that don't fit each other.

    Raises:
        ContractError: an operation has no handler, or a handler no operation.
    """
    if missing := operations - handlers:
        raise ContractError(f"the contract has operations that nothing handles: {', '.join(sorted(missing))}")
    if extra := handlers - operations:
        raise ContractError(f"there are handlers for operations that the contract has not: {', '.join(sorted(extra))}")
