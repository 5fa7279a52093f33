"""The control calls that a replay repeats: a bundle has them (docs/control.md, Requests)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

REPEATABLE_OPERATIONS = frozenset(
    {
        "control_update_app",
        "control_populate",
        "control_put_scenario",
        "control_set_clock",
        "control_advance_clock",
        "control_reset_clock",
        "control_add_fault",
        "control_delete_faults",
        "control_delete_fault",
        "control_add_reply",
        "control_delete_replies",
        "control_delete_reply",
    }
)
# Settings that make the server call others: no bundle has them, and no replay sets them.
WEBHOOK_SETTINGS = ("webhooks", "webhook_lab")


def without_webhooks(settings: Any) -> Any:
    """Return settings without those that call others; what is no settings is returned as it is."""
    if not isinstance(settings, Mapping):
        return settings
    return {name: value for name, value in settings.items() if name not in WEBHOOK_SETTINGS}
