"""What the control API does: async functions, `(request, services)` in, a result out. Knows no header, no status.

The function of an operation is named as its operationId, without the prefix, in the module that `MODULES` says.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any, Protocol

from sandbox.apps.history import ControlCallRecord
from sandbox.contract import Document, Operation
from sandbox.control.services import ControlRequest, ControlResult, ControlServices
from sandbox.errors import ApiError
from sandbox.repeatable import REPEATABLE_OPERATIONS

__all__ = ["MODULES", "ControlServices", "handler", "runner"]

PREFIX = "control_"

_OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "apps": (
        "control_list_apps",
        "control_get_app",
        "control_update_app",
        "control_delete_app",
        "control_reset",
        "control_populate",
    ),
    "snapshots": (
        "control_get_snapshot",
        "control_put_snapshot",
        "control_save",
    ),
    "bundle": ("control_get_bundle",),
    "queues": (
        "control_add_fault",
        "control_list_faults",
        "control_delete_faults",
        "control_delete_fault",
        "control_release_fault",
        "control_add_reply",
        "control_list_replies",
        "control_delete_replies",
        "control_delete_reply",
    ),
    "requests": (
        "control_list_requests",
        "control_get_request",
        "control_get_request_curl",
        "control_export_requests",
        "control_verify_requests",
        "control_delete_requests",
    ),
    "verdict.verdict": ("control_get_verdict",),
    "webhooks": (
        "control_list_webhooks",
        "control_redeliver_webhook",
        "control_send_webhook",
    ),
    "events": (
        "control_events",
        "control_health",
    ),
    "clock": (
        "control_get_clock",
        "control_set_clock",
        "control_advance_clock",
        "control_reset_clock",
    ),
}
MODULES: Mapping[str, str] = {operation: module for module, names in _OPERATIONS.items() for operation in names}


Run = Callable[[Operation, Mapping[str, str], Mapping[str, Any], Document], Awaitable[ControlResult]]


class ControlHandler(Protocol):
    """What one operation of the control API does."""

    async def __call__(self, request: ControlRequest, services: ControlServices) -> ControlResult:
        """Answer a request."""
        ...


@cache
def handler(operation: str) -> ControlHandler:
    """Return the function of an operation of the contract."""
    module = import_module(f"{__name__}.{MODULES[operation]}")
    function: ControlHandler = getattr(module, operation.removeprefix(PREFIX))
    return function


def runner(services: ControlServices) -> Run:
    """Return what lets an operation's handler answer a request, and records in the app's history what it changed."""

    async def run(
        operation: Operation, path: Mapping[str, str], query: Mapping[str, Any], document: Document
    ) -> ControlResult:
        request = ControlRequest(path=path, query=query, document=document)
        if operation.id not in REPEATABLE_OPERATIONS:
            return await handler(operation.id)(request, services)
        seq, at, app = next(services.journal.sequence), services.clock.now(), services.registry.find(request.app_id)
        try:
            result = await handler(operation.id)(request, services)
        except ApiError:
            # One that was refused has changed nothing, but for what took several steps.
            if operation.id == "control_populate":
                app.history.mark_incomplete("a call of populate stopped before its end")
            raise
        # One that nobody wrote to is as fresh as before its first use: there is nothing to repeat.
        if app.is_stored:
            url = operation.url(path)
            call = ControlCallRecord(seq=seq, at=at, method=operation.method, path=url, body=request.body)
            app.history.record(call)
        return result

    return run
