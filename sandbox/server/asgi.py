"""The ASGI application: records each request, checks who may call, and hands it to what answers its path."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from starlette.types import Receive, Scope, Send

from sandbox.apps.registry import AppRegistry
from sandbox.errors import ApiError, InternalError, NotFound
from sandbox.server import cors
from sandbox.server.caller_checks import ControlCheck, HostCheck, is_control
from sandbox.server.context import RequestContext, UnrecordedContext, headers_of, is_preflight
from sandbox.server.control_pipeline import ControlDeps, run_control_stages
from sandbox.server.cors import ApiOrigins
from sandbox.server.pages import Pages
from sandbox.server.pipeline import STAGES, STORE_STAGES, PipelineDeps, run_stages
from sandbox.server.recording import RequestRecorder
from sandbox.server.response_timer import AbortConnection, ClientDisconnected
from sandbox.server.router import Router

log = logging.getLogger("sandbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlApi:
    """The control API: its operations, and what its stages work with."""

    router: Router
    deps: ControlDeps


class Dispatcher:
    """Answers every request of one server.

    Args:
        recorder: what requests are recorded with.
        hosts, control_check: who may call.
        origins: which pages may call the API; None: CORS is left to whoever stands before the server.
        api, deps: the Apps API.
        control: makes the control API, when it is asked for the first time.
        pages: what is served beside the APIs.
        validation_status: the status of errors that the contract calls validation errors.
    """

    def __init__(
        self,
        *,
        recorder: RequestRecorder,
        registry: AppRegistry,
        hosts: HostCheck,
        control_check: ControlCheck,
        origins: ApiOrigins | None,
        api: Router,
        deps: PipelineDeps,
        control: Callable[[], ControlApi],
        pages: Pages,
        validation_status: int,
    ) -> None:
        self._recorder = recorder
        self._registry = registry
        self._hosts = hosts
        self._control_check = control_check
        self._origins = origins
        self._api = api
        self._deps = deps
        self._stages = STAGES if registry.store == "memory" else STORE_STAGES
        self._make_control = control
        self._pages = pages
        self._validation_status = validation_status

    @cached_property
    def _control(self) -> ControlApi:
        return self._make_control()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request.

        Raises:
            AbortConnection: the answer broke off on purpose; the connection is closed.
        """
        headers = headers_of(scope)
        for_control, preflight = is_control(scope), is_preflight(scope, headers)
        kind = UnrecordedContext if for_control or preflight else RequestContext
        ctx = kind(scope, headers, receive, send, self._recorder)
        try:
            await self._answer(ctx, for_control=for_control, preflight=preflight)
        except BaseException:
            if not ctx.ended:
                ctx.end("cut")
            raise
        finally:
            ctx.close()
        if not ctx.ended:
            ctx.end("client_gone")

    async def _answer(self, ctx: RequestContext, *, for_control: bool, preflight: bool) -> None:
        """Answer a request, with an error where one is raised."""
        try:
            self._hosts.check(ctx)
            dispatch = self._dispatch_control if for_control else self._dispatch
            await dispatch(ctx, preflight=preflight)
        except ApiError as error:
            await ctx.respond_error(error, 422 if for_control else self._validation_status)
        except ClientDisconnected:
            return
        except AbortConnection:
            # Closed here: once the error has left the application, the server would answer it with a 500.
            if ctx.connection is not None:
                ctx.connection.close_quietly()
            raise
        except Exception:
            log.exception("%s failed", ctx.operation_id or ctx.scope["method"])
            if ctx.status is not None:
                raise
            await ctx.respond_error(InternalError())

    async def _dispatch(self, ctx: RequestContext, *, preflight: bool) -> None:
        """Hand a request to the Apps API, or to the pages."""
        if self._origins is not None:
            origin = ctx.headers.get(b"origin")
            is_allowed = origin is not None and self._origins.allows(origin.decode("latin-1"))
            cors.add_headers(ctx, is_allowed=is_allowed)
            if preflight:
                return await cors.respond_to_preflight(ctx, cors.API_METHODS if is_allowed else b"")
        if self._api.claims(ctx.path):
            self._find_operation(ctx)
            await run_stages(ctx, self._deps, self._stages)
        elif not await self._pages.answer(ctx):
            raise self._unknown_path(ctx)
        return None

    async def _dispatch_control(self, ctx: RequestContext, *, preflight: bool) -> None:
        """Hand a request to the control API, or to the pages that belong to it."""
        check = self._control_check
        is_allowed = check.allows_origin(ctx)
        cors.add_headers(ctx, is_allowed=is_allowed)
        check.check_caller(ctx, is_allowed=is_allowed)
        if is_allowed and preflight:
            return await cors.respond_to_preflight(ctx, cors.CONTROL_METHODS)
        check.check_request(ctx)
        # To any other method the control API answers: it has none of these paths, so 404.
        is_page = ctx.scope["method"] in ("GET", "HEAD") and await self._pages.answer(ctx)
        if not is_page:
            await self._answer_control(ctx)
        return None

    def _find_operation(self, ctx: RequestContext) -> None:
        """Note the operation and the app of a request; from now on the app's journal shows it."""
        try:
            ctx.operation = self._api.resolve(ctx.path, ctx.scope["method"], ctx.path_parameters)
            ctx.operation_id = ctx.operation.id
        except NotFound:
            raise self._unknown_path(ctx) from None
        finally:
            self._find_app(ctx)

    def _unknown_path(self, ctx: RequestContext) -> NotFound:
        error = self._api.unknown(ctx.path, ctx.path_parameters)
        self._find_app(ctx)
        return error

    def _find_app(self, ctx: RequestContext) -> None:
        """Note the app that the path names, if it names one."""
        app_id = ctx.path_parameters.get("app_id")
        if app_id is not None and not ctx.id:
            ctx.app = self._registry.find(app_id)
            ctx.begin(ctx.app.journal)

    async def _answer_control(self, ctx: RequestContext) -> None:
        control, method = self._control, ctx.scope["method"]
        try:
            ctx.operation = control.router.resolve(ctx.path, method, ctx.path_parameters)
        except NotFound:
            raise control.router.unknown(ctx.path, ctx.path_parameters) from None
        ctx.operation_id = ctx.operation.id
        try:
            await run_control_stages(ctx, control.deps)
        except ApiError as error:
            error.message = control.deps.redactor.redact_text(error.message)
            raise
