"""One request of the Apps API from its first byte to its answer, check by check in the order of docs/contract.md 4.1.

An ASGI application behind the router. No Request or Response objects are made on the way.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from sandbox import magic
from sandbox.apps.app import App
from sandbox.apps.registry import AppRegistry
from sandbox.contract import Document, Operation, encode
from sandbox.errors import AccessDenied, ApiError, InternalError, InvalidRequest, RateLimitExceeded
from sandbox.handler_types import JsonResult, OperationRequest, OperationResult
from sandbox.server import checks
from sandbox.server.context import FAULT_HEADER, Exchange
from sandbox.server.http import send_bytes, send_error
from sandbox.server.response_timer import ClientDisconnected, Turns
from sandbox.server.response_validation import validate_response

if TYPE_CHECKING:
    from sandbox.server.faults import Fault, Faults

log = logging.getLogger("sandbox")

Run = Callable[[OperationRequest, App], Awaitable[OperationResult]]


class House(NamedTuple):
    """What every pipeline of one server shares.

    `turns` are those of what replies. `by_header` says whether a request may ask for a fault of its own, and
    `control_token` what it needs beside it; what acts faults out and what sends replies are made when they are needed.
    """

    registry: AppRegistry
    turns: Turns
    by_header: bool
    control_token: str | None
    faults: Callable[[], Faults]
    reply_sender: Callable[[], Callable[..., Awaitable[None]]]
    validation_status: int


class Pipeline:
    """The checks before one operation's handler, and its answer held against the contract."""

    def __init__(self, operation: Operation, run: Run, house: House) -> None:
        self.operation = operation
        self._run = run
        self._house = house
        self._answer_schema = operation.responses["200"]["application/json"]

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request, well or with an error."""
        try:
            await self._answer(exchange)
        except ApiError as error:
            if exchange.entry and isinstance(error, InvalidRequest):
                exchange.entry.violation = error.message
            await send_error(exchange.send, error, self._house.validation_status)
        except ClientDisconnected:
            return

    async def _answer(self, exchange: Exchange) -> None:
        key = checks.bearer_key(exchange.headers)
        magic.check_key(key)
        house = self._house
        asked = exchange.headers.get(FAULT_HEADER) if house.by_header else None
        if asked is not None and house.control_token is not None:
            checks.fault_token(exchange.headers, house.control_token)
        app = house.registry.find(exchange.path["app_id"])
        if asked is None and app.faults.is_empty:
            return await self._work(exchange, key, None)
        faults = house.faults()
        fault = await faults.choose(exchange, self.operation, app, asked)
        if fault is None:
            return await self._work(exchange, key, None)
        if exchange.entry:
            exchange.entry.stood_at = app.frozen_at
        return await faults.apply(fault, exchange, self.operation, app, partial(self._work, exchange, key, fault))

    async def _work(self, exchange: Exchange, key: str, fault: Fault | None) -> None:
        operation = self.operation
        app = await self._app(key, exchange.path["app_id"])
        if exchange.entry:
            exchange.entry.stood_at = app.frozen_at
        if operation.rate_limited:
            await self._take_one(key, app)
        body = await self._body(exchange)
        query = checks.parameters(operation, exchange.path, exchange.scope["query_string"])
        if operation.body:
            checks.refuse(operation.body.accept(body))
        if operation.events:
            # A thousand long replies that are asked for at once are not all made before somebody else has an answer.
            await self._house.turns.first()
        answer = await self._handled(OperationRequest(exchange.path, query, body), app)
        if isinstance(answer, JsonResult):
            await send_bytes(
                exchange.send, 200, validate_response(self._answer_schema, encode(answer.value), operation.id)
            )
        else:
            await self._house.reply_sender()(answer, operation, app, exchange, fault)

    async def _app(self, key: str, app_id: str) -> App:
        magic.check_exists(app_id)
        if app_id in magic.MAGIC_APPS:
            magic.check_access(key)
            magic.check_state(app_id)
        app = await self._house.registry.get(app_id)
        if app is None:
            raise magic.unknown_app()
        magic.check_access(key)
        if app.settings.keys is not None and key not in app.settings.keys:
            raise AccessDenied("This key has no access to this app.")
        if app.settings.status == "inactive":
            raise magic.app_inactive()
        if app.settings.status == "no_agent":
            raise magic.agent_unavailable()
        return app

    async def _take_one(self, key: str, app: App) -> None:
        wait = 60 if key == magic.LIMITED_KEY else await app.consume_rate_limit()
        if wait is not None:
            raise RateLimitExceeded(f"Too many requests for this app; try again in {wait} s.", retry_after=wait)

    async def _body(self, exchange: Exchange) -> Document:
        if not self.operation.body:
            return checks.NO_BODY
        checks.media_type(exchange.headers)
        return checks.json_body(await exchange.body())

    async def _handled(self, request: OperationRequest, app: App) -> OperationResult:
        try:
            return await self._run(request, app)
        except ApiError:
            raise
        except Exception:
            log.exception("%s failed", self.operation.id)
            raise InternalError() from None
