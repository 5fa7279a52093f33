"""What the ten operations do: plain functions, a `Call` in, an `Answer` out. Knows no header and no status.

Each operation has a function with the name of its operationId, in the module that `PLACES` says; a module is loaded
when one of its operations is called for the first time.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sandbox.api.services import Services
    from sandbox.handler_types import Answer, Call

PLACES: Mapping[str, str] = {
    "apps_api_create_conversation": "conversations",
    "apps_api_list_conversations": "conversations",
    "apps_api_list_user_conversations": "conversations",
    "apps_api_get_conversation": "conversations",
    "apps_api_update_conversation": "conversations",
    "apps_api_delete_conversation": "conversations",
    "apps_api_send_message": "messages",
    "apps_api_create_completion": "completions",
    "apps_api_get_app_config": "apps",
    "apps_api_get_app_metrics": "apps",
}


class Handler(Protocol):
    """What one operation does."""

    async def __call__(self, call: Call, on: Services) -> Answer:
        """Answer a call with the help of the server's stores."""
        ...


@cache
def handler(operation: str) -> Handler:
    """Return the function of an operation of the contract."""
    found: Handler = getattr(import_module(f"{__name__}.{PLACES[operation]}"), operation)
    return found
