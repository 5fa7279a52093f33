"""The stages of a request of the Apps API, in the order of docs/contract.md 4.1.

A stage is a function of the request's context and of what the pipeline works with. It notes what it finds in the
context, or raises the error that the request is answered with.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sandbox import magic
from sandbox.apps.app import App
from sandbox.apps.registry import AppRegistry
from sandbox.contract import Validator, encode
from sandbox.errors import AccessDenied, AgentUnavailable, AppInactive, RateLimitExceeded, unknown_app
from sandbox.handler_types import JsonResult, OperationRequest, OperationResult
from sandbox.long_work import MAX_INLINE_BYTES, in_thread
from sandbox.server import request_checks
from sandbox.server.context import RequestContext
from sandbox.server.faults import apply_fault, find_fault
from sandbox.server.reply_sender import send_reply

# With it a request asks for a fault of its own.
FAULT_HEADER = b"sandbox-fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineDeps:
    """What the stages of one server work with.

    `run` lets the handler of an operation, by its id, answer a request of an app. `has_fault_header` says whether a
    request may ask for a fault of its own, and `control_token` what it needs beside it; `fault_schema` is what a fault
    must be.
    """

    registry: AppRegistry
    run: Callable[[str, OperationRequest, App], Awaitable[OperationResult]]
    has_fault_header: bool
    control_token: str | None
    fault_schema: Callable[[], Validator]


Stage = Callable[[RequestContext, PipelineDeps], Awaitable[None] | None]


def authenticate(ctx: RequestContext, deps: PipelineDeps) -> None:
    """Require an API key."""
    ctx.key = request_checks.parse_api_key(ctx.headers)
    magic.check_key(ctx.key)


async def refresh_app(ctx: RequestContext, deps: PipelineDeps) -> None:
    """Be as the store has the app now, where that is not in memory; it numbers the request too."""
    await ctx.app.refresh(ctx)


async def choose_fault(ctx: RequestContext, deps: PipelineDeps) -> None:
    """Choose the fault that acts on the request: the one that it asks for, or the oldest queued one."""
    app = ctx.app
    header = ctx.headers.get(FAULT_HEADER) if deps.has_fault_header else None
    if header is None and app.faults.is_empty:
        return
    if header is not None and deps.control_token is not None:
        request_checks.check_fault_token(ctx.headers, deps.control_token)
    ctx.fault = await find_fault(ctx, header, deps.fault_schema())
    if ctx.fault is not None:
        ctx.frozen_at = app.frozen_at


async def load_app(ctx: RequestContext, deps: PipelineDeps) -> None:
    """Require an app that exists, and make it ready."""
    app = ctx.app
    magic.check_exists(app.id)
    if await deps.registry.load(app) is None and app.id not in magic.MAGIC_APPS:
        raise unknown_app()
    ctx.frozen_at = app.frozen_at
    # What is set from now on, while the body comes or the answer goes, applies to new requests.
    ctx.settings, ctx.clock = app.settings, app.clock


def check_access(ctx: RequestContext, deps: PipelineDeps) -> None:
    """Require a key that opens the app, and an app that is live."""
    app, settings = ctx.app, ctx.settings
    magic.check_access(ctx.key)
    magic.check_state(app.id)
    if settings.keys is not None and ctx.key not in settings.keys:
        raise AccessDenied("This key has no access to this app.")
    if settings.status == "inactive":
        raise AppInactive
    if settings.status == "no_agent":
        raise AgentUnavailable


async def rate_limit(ctx: RequestContext, deps: PipelineDeps) -> None:
    """Count the request against the app's rate limit, where the operation has one."""
    if not ctx.operation.is_rate_limited:
        return
    wait = 60 if ctx.key == magic.LIMITED_KEY else await ctx.app.consume_rate_limit()
    if wait is not None:
        raise RateLimitExceeded(f"Too many requests for this app; try again in {wait} s.", retry_after=wait)


async def read_body(ctx: RequestContext, deps: object) -> None:
    """Read the body as JSON, where the operation takes one."""
    operation = ctx.operation
    if operation.body is None:
        return
    request_checks.check_media_type(ctx.headers, operation.media_types)
    raw = await ctx.read_body(operation.max_bytes)
    if len(raw) <= MAX_INLINE_BYTES:
        ctx.body = request_checks.parse_body(raw, operation.max_depth)
    else:
        ctx.body = await in_thread(request_checks.parse_large_body, raw, operation.max_depth)


async def validate_request(ctx: RequestContext, deps: object) -> None:
    """Hold path, query and body against the contract."""
    operation = ctx.operation
    ctx.query = request_checks.validate_parameters(operation, ctx.path_parameters, ctx.scope["query_string"])
    if operation.body is None:
        return
    if len(ctx.body.raw) <= MAX_INLINE_BYTES:
        request_checks.raise_violations(operation.body.validate(ctx.body))
    else:
        await in_thread(request_checks.validate_body, operation.body, ctx.body)


async def handle(ctx: RequestContext, deps: PipelineDeps) -> None:
    """Let the operation's handler do it."""
    operation = ctx.operation
    if operation.events:
        # A thousand long replies that are asked for at once are not all made before somebody else has an answer.
        await ctx.turns.first()
    request = OperationRequest(ctx.path_parameters, ctx.query, ctx.body, ctx.settings, ctx.clock)
    ctx.result = await deps.run(operation.id, request, ctx.app)


def validate_response(ctx: RequestContext, deps: PipelineDeps) -> None:
    """Hold a JSON answer against the contract; a reply of the agent is held against it while it is sent."""
    operation = ctx.operation
    if isinstance(ctx.result, JsonResult):
        schema = operation.responses["200"]["application/json"]
        ctx.payload = request_checks.validate_response(schema, encode(ctx.result.value), operation.id)


async def respond(ctx: RequestContext, deps: PipelineDeps) -> None:
    """Send the answer."""
    if isinstance(ctx.result, JsonResult):
        await ctx.respond(200, ctx.payload)
    else:
        await send_reply(ctx, ctx.result)


STAGES: tuple[Stage, ...] = (
    authenticate,
    choose_fault,
    load_app,
    check_access,
    rate_limit,
    read_body,
    validate_request,
    handle,
    validate_response,
    respond,
)
# Where the store is not in memory: the app first, as what waits there may act on the request.
STORE_STAGES: tuple[Stage, ...] = (authenticate, refresh_app, *STAGES[1:])


async def run_stages(ctx: RequestContext, deps: PipelineDeps, stages: Sequence[Stage] = STAGES) -> None:
    """Run the stages one after the other; a fault acts around those that come after it was chosen."""
    for position, stage in enumerate(stages, 1):
        step = stage(ctx, deps)
        if step is not None:
            await step
        if stage is choose_fault and ctx.fault is not None:
            return await apply_fault(ctx, partial(run_stages, ctx, deps, stages[position:]))
    return None
