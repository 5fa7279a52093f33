"""Which control calls do the same again when they are repeated: a bundle has them, and a replay makes them."""

from __future__ import annotations

REPEATABLE = frozenset(
    {
        "control_update_app",
        "control_populate",
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
# Settings that call somebody: no bundle has them, and no replay sets them.
CALLING = ("webhooks", "webhook_lab")
