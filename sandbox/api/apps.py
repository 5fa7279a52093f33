"""What an app tells of itself: its configuration and its metrics (CONTRACT.md 3.13, 3.14 and 5.6)."""

from __future__ import annotations

from sandbox.api.persona import look
from sandbox.api.services import Services
from sandbox.handler_types import Answer, Body, Call


async def apps_api_get_app_config(call: Call, on: Services) -> Answer:
    """Return how the app presents itself."""
    app = call.app
    shown = look(app) if app.settings.branding else None
    colours = {name: getattr(shown, name, None) for name in ("primary_color", "secondary_color")}
    return Body(
        {
            "app_id": app.id,
            "stream": app.settings.stream,
            "generative_ui": app.settings.generative_ui,
            "agent": {"name": shown.name if shown else None, "config": colours},
        }
    )


async def apps_api_get_app_metrics(call: Call, on: Services) -> Answer:
    """Return what the app has ever had."""
    totals = await on.conversations.totals(call.app.id)
    return Body(
        {
            "total_conversations": totals.conversations,
            "total_messages": totals.messages,
            "total_users": totals.users,
        }
    )
