"""One request of the Apps API from its first byte to its answer, check by check in the order of CONTRACT.md 4.1.

An ASGI application behind the router. No Request or Response objects are made on the way.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from starlette.types import Receive, Scope, Send

from sandbox import magic
from sandbox.app_settings import AppSettings
from sandbox.calls import Answer, App, Body, Call
from sandbox.contract import Document, Operation, encode
from sandbox.errors import AccessDenied, ApiError, InternalError, RateLimitExceeded
from sandbox.sources import Clock, Entropy
from sandbox.wire import checks
from sandbox.wire.drift import keeping
from sandbox.wire.http import Headers, headers_of, send_bytes, send_error
from sandbox.wire.patience import ClientGone
from sandbox.wire.speech import Speaker

log = logging.getLogger("sandbox")

Run = Callable[[Call], Awaitable[Answer]]


class Directory(Protocol):
    """Where the pipeline looks apps up."""

    async def settings(self, app_id: str) -> AppSettings | None:
        """Return the settings of an app; None when there is no such app."""
        ...

    async def spend(self, app_id: str, settings: AppSettings, now: int) -> int | None:
        """Count a call against the app's rate limit; return the seconds to wait if it is used up."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What every pipeline of one server shares."""

    directory: Directory
    clock: Clock
    entropy: Entropy
    speaker: Speaker
    validation_status: int


class Pipeline:
    """The checks before one operation's handler, and its answer held against the contract."""

    def __init__(self, operation: Operation, run: Run, house: House) -> None:
        self.operation = operation
        self._run = run
        self._house = house
        self._app_id = re.compile(operation.path_schema.properties["app_id"]["pattern"])
        self._answer_schema = operation.responses["200"]["application/json"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send, path: Mapping[str, str]) -> None:
        try:
            await self._answer(scope, receive, send, path)
        except ApiError as error:
            await send_error(send, error, self._house.validation_status)
        except ClientGone:
            return

    async def _answer(self, scope: Scope, receive: Receive, send: Send, path: Mapping[str, str]) -> None:
        operation, headers = self.operation, headers_of(scope)
        key = checks.bearer_key(headers)
        app = await self._app(key, path["app_id"])
        if operation.rate_limited:
            await self._take_one(key, app)
        body = await self._body(headers, receive)
        query = checks.parameters(operation, path, scope["query_string"])
        if operation.body:
            checks.refuse(operation.body.violations(body))
        answer = await self._handled(Call(app=app, path=path, query=query, body=body))
        if isinstance(answer, Body):
            await send_bytes(send, 200, keeping(self._answer_schema, encode(answer.value), operation.id))
        else:
            await self._house.speaker.speak(answer, operation, app, receive, send)

    async def _app(self, key: str, app_id: str) -> App:
        magic.refuse_key(key)
        magic.refuse_unknown(app_id)
        settings = await self._house.directory.settings(app_id) if self._app_id.fullmatch(app_id) else None
        if settings is None:
            raise magic.unknown_app()
        magic.refuse_access(key)
        if settings.keys is not None and key not in settings.keys:
            raise AccessDenied("This key has no access to this app.")
        magic.refuse_state(app_id)
        if settings.status == "inactive":
            raise magic.inactive()
        if settings.status == "no_agent":
            raise magic.no_agent()
        return App(id=app_id, settings=settings, clock=self._house.clock, entropy=self._house.entropy.at(app_id))

    async def _take_one(self, key: str, app: App) -> None:
        wait = 60 if key == magic.LIMITED_KEY else None
        if wait is None and app.settings.rate_limit:
            wait = await self._house.directory.spend(app.id, app.settings, app.clock.now())
        if wait is not None:
            raise RateLimitExceeded(f"Too many requests for this app; try again in {wait} s.", retry_after=wait)

    async def _body(self, headers: Headers, receive: Receive) -> Document:
        if not self.operation.body:
            return checks.NO_BODY
        checks.media_type(headers)
        return checks.json_body(await checks.whole_body(headers, receive))

    async def _handled(self, call: Call) -> Answer:
        try:
            return await self._run(call)
        except ApiError:
            raise
        except Exception:
            log.exception("%s failed", self.operation.id)
            raise InternalError("The sandbox failed on this request; its log has the reason.") from None
