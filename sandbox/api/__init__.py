"""What the ten operations do: plain functions, a `Call` in, an `Answer` out. Knows no header and no status.

`HANDLERS` has one function an operation, under its operationId.
"""

from collections.abc import Awaitable, Callable, Mapping

from sandbox.api import apps, completions, conversations, messages
from sandbox.api.services import Services
from sandbox.calls import Answer, Call

Handler = Callable[[Call, Services], Awaitable[Answer]]

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
