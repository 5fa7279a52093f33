"""What an app tells of itself: its configuration and its metrics (docs/contract.md 3.13, 3.14 and 5.6)."""

from __future__ import annotations

from sandbox.api import Services
from sandbox.api.persona import persona_of
from sandbox.apps.app import App
from sandbox.handler_types import JsonResult, OperationRequest, OperationResult


async def get_app_config(request: OperationRequest, app: App, services: Services) -> OperationResult:
    """Return the app's public configuration."""
    settings = request.settings
    persona = persona_of(app, settings) if settings.branding else None
    colours = {name: getattr(persona, name, None) for name in ("primary_color", "secondary_color")}
    return JsonResult(
        {
            "app_id": app.id,
            "stream": settings.stream,
            "generative_ui": settings.generative_ui,
            "agent": {"name": persona.name if persona else None, "config": colours},
        }
    )


async def get_app_metrics(request: OperationRequest, app: App, services: Services) -> OperationResult:
    """Return how many conversations, messages and users the app has ever had."""
    totals = await app.conversations.totals()
    return JsonResult(
        {"total_conversations": totals.conversations, "total_messages": totals.messages, "total_users": totals.users}
    )
