"""What the ten operations do: plain functions, a `Call` in, an `Answer` out. Knows no header and no status.

`HANDLERS` has one function an operation, under its operationId.
"""

from collections.abc import Mapping
from typing import Protocol

from sandbox.api import apps, completions, conversations, messages
from sandbox.api.services import Services
from sandbox.calls import Answer, Call


class Handler(Protocol):
    """What one operation does."""

    __name__: str

    async def __call__(self, call: Call, on: Services) -> Answer:
        """Answer a call with the help of the server's stores."""
        ...


HANDLERS: Mapping[str, Handler] = {
    handler.__name__: handler
    for handler in (
        conversations.apps_api_create_conversation,
        conversations.apps_api_list_conversations,
        conversations.apps_api_list_user_conversations,
        conversations.apps_api_get_conversation,
        conversations.apps_api_update_conversation,
        conversations.apps_api_delete_conversation,
        messages.apps_api_send_message,
        completions.apps_api_create_completion,
        apps.apps_api_get_app_config,
        apps.apps_api_get_app_metrics,
    )
}
