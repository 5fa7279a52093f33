"""What the control API does: plain functions, a `ControlCall` in, an answer out. Knows no header and no status.

`HANDLERS` has one function an operation, under its operationId.
"""

from collections.abc import Mapping
from typing import Protocol

from sandbox.control import apps, bundle, clock, live, queued, requests, saving, snapshots, verdicts
from sandbox.control.services import ControlAnswer, ControlCall, ControlServices


class ControlHandler(Protocol):
    """What one operation of the control API does."""

    __name__: str

    async def __call__(self, call: ControlCall, on: ControlServices) -> ControlAnswer:
        """Answer a call."""
        ...


HANDLERS: Mapping[str, ControlHandler] = {
    handler.__name__: handler
    for handler in (
        apps.control_list_apps,
        apps.control_get_app,
        apps.control_update_app,
        apps.control_delete_app,
        apps.control_reset,
        apps.control_populate,
        snapshots.control_get_snapshot,
        snapshots.control_put_snapshot,
        bundle.control_get_bundle,
        queued.control_add_fault,
        queued.control_list_faults,
        queued.control_delete_faults,
        queued.control_delete_fault,
        queued.control_add_reply,
        queued.control_list_replies,
        queued.control_delete_replies,
        queued.control_delete_reply,
        requests.control_list_requests,
        requests.control_get_request,
        requests.control_get_request_curl,
        requests.control_export_requests,
        requests.control_verify_requests,
        requests.control_delete_requests,
        verdicts.control_get_verdict,
        live.control_events,
        live.control_health,
        saving.control_save,
        clock.control_get_clock,
        clock.control_set_clock,
        clock.control_advance_clock,
        clock.control_reset_clock,
    )
}
