"""What the ten operations do: async functions, `(request, app, services)` in, a result out. Knows no header, no status.

The function of an operation is named as its operationId, without the prefix, in the module that `MODULES` says, which
is loaded when one of its operations is called for the first time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple, Protocol

from sandbox.app_settings import AppSettings
from sandbox.apps.app import App
from sandbox.handler_types import OperationRequest, OperationResult, TextWriter

PREFIX = "apps_api_"
MODULES: Mapping[str, str] = {
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


class TextModel(Protocol):
    """What may write texts in the agent's place."""

    def write(self, messages: Sequence[Mapping[str, str]]) -> TextWriter:
        """Return a text that answers a chat; each message has a `role` and a `content`."""
        ...


class Services(NamedTuple):
    """What handlers use of the server.

    `enqueue_webhook` sends one of a type, with its data, in the background, to the webhooks of the request's settings.
    A `model`, if there is one, writes what is ordinary text (docs/model.md).
    """

    enqueue_webhook: Callable[[App, str, Mapping[str, Any], AppSettings], Awaitable[object]]
    model: TextModel | None = None


class Handler(Protocol):
    """What one operation does."""

    async def __call__(self, request: OperationRequest, app: App, services: Services) -> OperationResult:
        """Answer a request of an app."""
        ...


@cache
def handler(operation: str) -> Handler:
    """Return the function of an operation of the contract."""
    module = import_module(f"{__name__}.{MODULES[operation]}")
    function: Handler = getattr(module, operation.removeprefix(PREFIX))
    return function
