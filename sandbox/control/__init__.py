"""What the control API does: plain functions, a `ControlCall` in, an answer out. Knows no header and no status.

Each operation has a function with the name of its operationId, in the module that `PLACES` says; a module is loaded
when one of its operations is called for the first time.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sandbox.control.services import ControlAnswer, ControlCall, ControlServices

_MODULES: Mapping[str, tuple[str, ...]] = {
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
    "verdicts": ("control_get_verdict",),
    "webhooks": (
        "control_list_webhooks",
        "control_redeliver_webhook",
        "control_send_webhook",
    ),
    "live": (
        "control_events",
        "control_health",
    ),
    "saving": ("control_save",),
    "clock": (
        "control_get_clock",
        "control_set_clock",
        "control_advance_clock",
        "control_reset_clock",
    ),
}
PLACES: Mapping[str, str] = {operation: module for module, names in _MODULES.items() for operation in names}


class ControlHandler(Protocol):
    """What one operation of the control API does."""

    async def __call__(self, call: ControlCall, on: ControlServices) -> ControlAnswer:
        """Answer a call."""
        ...


@cache
def handler(operation: str) -> ControlHandler:
    """Return the function of an operation of the contract."""
    found: ControlHandler = getattr(import_module(f"{__name__}.{PLACES[operation]}"), operation)
    return found
