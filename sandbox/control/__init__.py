"""What the control API does: async functions, `(request, services)` in, a result out. Knows no header, no status."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from sandbox.apps.history import ControlCallRecord
from sandbox.contract import Document, Operation
from sandbox.control import apps, bundle, clock, events, metrics, queues, requests, scenarios, snapshots, webhooks
from sandbox.control.services import ControlRequest, ControlResult, ControlServices
from sandbox.control.verdict import verdict
from sandbox.errors import ApiError
from sandbox.repeatable import REPEATABLE_OPERATIONS

ControlHandler = Callable[[ControlRequest, ControlServices], Awaitable[ControlResult]]
Run = Callable[[Operation, Mapping[str, str], Mapping[str, Any], Document], Awaitable[ControlResult]]

# The functions of `schemas/control/openapi.json`: each is named as its operationId, without the prefix.
_FUNCTIONS: tuple[Callable[[ControlRequest, ControlServices], Coroutine[Any, Any, ControlResult]], ...] = (
    *(apps.list_apps, apps.get_app, apps.update_app, apps.delete_app, apps.reset, apps.populate),
    *(scenarios.list_scenarios, scenarios.put_scenario, scenarios.export_scenario),
    *(snapshots.get_snapshot, snapshots.put_snapshot, snapshots.save, bundle.get_bundle),
    *(queues.delete_fault, queues.release_fault, queues.delete_reply),
    *(requests.list_requests, requests.get_request, requests.get_request_curl, requests.export_requests),
    *(requests.verify_requests, requests.delete_requests, requests.get_app_coverage, requests.get_coverage),
    *(verdict.get_verdict, events.events, events.health, metrics.get_metrics),
    *(webhooks.list_webhooks, webhooks.redeliver_webhook, webhooks.send_webhook),
    *(clock.get_clock, clock.set_clock, clock.advance_clock, clock.reset_clock),
)
HANDLERS: Mapping[str, ControlHandler] = {
    **{f"control_{function.__name__}": function for function in _FUNCTIONS},
    "control_add_fault": partial(queues.add_rule, "faults"),
    "control_list_faults": partial(queues.list_rules, "faults"),
    "control_delete_faults": partial(queues.delete_rules, "faults"),
    "control_add_reply": partial(queues.add_rule, "replies"),
    "control_list_replies": partial(queues.list_rules, "replies"),
    "control_delete_replies": partial(queues.delete_rules, "replies"),
}


def make_runner(services: ControlServices) -> Run:
    """Return what lets an operation's handler answer a request, and records in the app's history what it changed."""

    async def run(
        operation: Operation, path_parameters: Mapping[str, str], query: Mapping[str, Any], document: Document
    ) -> ControlResult:
        request = ControlRequest(path_parameters=path_parameters, query=query, document=document)
        if operation.id not in REPEATABLE_OPERATIONS:
            return await HANDLERS[operation.id](request, services)
        seq, at, app = next(services.journal.sequence), services.clock.now(), services.registry.find(request.app_id)
        try:
            result = await HANDLERS[operation.id](request, services)
        except ApiError:
            # One that was refused has changed nothing, but for what took several steps.
            if operation.id == "control_populate":
                app.history.mark_incomplete("a call of populate stopped before its end")
            raise
        # One that nobody wrote to is as fresh as before its first use: there is nothing to repeat.
        if app.is_stored:
            url = operation.url(path_parameters)
            call = ControlCallRecord(seq=seq, at=at, method=operation.method, path=url, body=request.body)
            app.history.add(call)
        return result

    return run
