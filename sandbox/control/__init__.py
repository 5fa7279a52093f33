"""What the control API does: async functions, `(request, services)` in, a result out. Knows no header, no status."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from sandbox.apps.history import ControlCallRecord
from sandbox.contract import Document, Operation
from sandbox.control import apps, bundle, clock, events, queues, requests, scenarios, snapshots, webhooks
from sandbox.control.services import ControlRequest, ControlResult, ControlServices
from sandbox.control.verdict import verdict
from sandbox.errors import ApiError
from sandbox.repeatable import REPEATABLE_OPERATIONS

ControlHandler = Callable[[ControlRequest, ControlServices], Awaitable[ControlResult]]
Run = Callable[[Operation, Mapping[str, str], Mapping[str, Any], Document], Awaitable[ControlResult]]

# The function of each operation of `schemas/control/openapi.json`, by its operationId.
HANDLERS: Mapping[str, ControlHandler] = {
    "control_list_apps": apps.list_apps,
    "control_get_app": apps.get_app,
    "control_update_app": apps.update_app,
    "control_delete_app": apps.delete_app,
    "control_reset": apps.reset,
    "control_populate": apps.populate,
    "control_list_scenarios": scenarios.list_scenarios,
    "control_put_scenario": scenarios.put_scenario,
    "control_export_scenario": scenarios.export_scenario,
    "control_get_snapshot": snapshots.get_snapshot,
    "control_put_snapshot": snapshots.put_snapshot,
    "control_save": snapshots.save,
    "control_get_bundle": bundle.get_bundle,
    "control_add_fault": partial(queues.add_rule, "faults"),
    "control_list_faults": partial(queues.list_rules, "faults"),
    "control_delete_faults": partial(queues.delete_rules, "faults"),
    "control_delete_fault": queues.delete_fault,
    "control_release_fault": queues.release_fault,
    "control_add_reply": partial(queues.add_rule, "replies"),
    "control_list_replies": partial(queues.list_rules, "replies"),
    "control_delete_replies": partial(queues.delete_rules, "replies"),
    "control_delete_reply": queues.delete_reply,
    "control_list_requests": requests.list_requests,
    "control_get_request": requests.get_request,
    "control_get_request_curl": requests.get_request_curl,
    "control_export_requests": requests.export_requests,
    "control_verify_requests": requests.verify_requests,
    "control_delete_requests": requests.delete_requests,
    "control_get_verdict": verdict.get_verdict,
    "control_get_app_coverage": requests.get_app_coverage,
    "control_get_coverage": requests.get_coverage,
    "control_list_webhooks": webhooks.list_webhooks,
    "control_redeliver_webhook": webhooks.redeliver_webhook,
    "control_send_webhook": webhooks.send_webhook,
    "control_events": events.events,
    "control_health": events.health,
    "control_get_clock": clock.get_clock,
    "control_set_clock": clock.set_clock,
    "control_advance_clock": clock.advance_clock,
    "control_reset_clock": clock.reset_clock,
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
