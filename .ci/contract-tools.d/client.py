"""Work with the client that openapi-python-client generates from the contract: `client.py http://127.0.0.1:PORT`."""

from __future__ import annotations

import sys
from typing import TypeVar

import dimedove_control as control_api
import dimedove_control.models as control_models
from dimedove_api import AuthenticatedClient
from dimedove_api.api.applications import apps_api_get_app_config, apps_api_get_app_metrics
from dimedove_api.api.completions import apps_api_create_completion
from dimedove_api.api.conversations import (
    apps_api_create_conversation,
    apps_api_delete_conversation,
    apps_api_get_conversation,
    apps_api_list_conversations,
    apps_api_list_user_conversations,
    apps_api_send_message,
    apps_api_update_conversation,
)
from dimedove_api.models import (
    AppConfig,
    AppMetrics,
    AppsApiListConversationsOrder,
    Completion,
    CompletionRequest,
    Conversation,
    ConversationCreateRequest,
    ConversationDeleteResponse,
    ConversationDetail,
    ConversationItemRole,
    ConversationList,
    ConversationUpdateRequest,
    ErrorResponse,
    GeneratedTitle,
    JsonPatchWithValue,
    MessageResponse,
    MessageResponseStatus,
    Metadata,
    OutputDataSpec,
    OutputFunctionCall,
    OutputMessage,
    SendMessageRequest,
    TextPart,
    UiElement,
    UserMessage,
)
from dimedove_control.api.apps import control_update_app
from dimedove_control.api.faults import control_add_fault
from dimedove_control.api.replies import control_add_reply
from dimedove_control.api.requests import control_list_requests, control_verify_requests

APP = "contract-tools-python"
USER = "client/4471 é"
SAYING = "Bonjour, l’été 😀"

Typed = TypeVar("Typed")


def expect(kind: type[Typed], got: object) -> Typed:
    """Return `got` if the client read it as `kind`; end the program otherwise."""
    if not isinstance(got, kind):
        sys.exit(f"expected {kind.__name__}, got {got!r}")
    return got


def same(what: str, got: object, wanted: object) -> None:
    """End the program if two values differ."""
    if got != wanted:
        sys.exit(f"{what}: expected {wanted!r}, got {got!r}")


def create(client: AuthenticatedClient, title: str) -> Conversation:
    """Create a conversation and look at every field of it."""
    request = ConversationCreateRequest(
        external_user_id=USER, title=title, metadata=Metadata.from_dict({"plan_type": "term_life", "policies": [1, 2]})
    )
    conversation = expect(Conversation, apps_api_create_conversation.sync(APP, client=client, body=request))
    expect(str, conversation.id)
    expect(int, conversation.created_at)
    same("object", conversation.object_, "conversation")
    same("external_user_id", conversation.external_user_id, USER)
    same("title", conversation.title, title)
    same("locales", sorted(expect(GeneratedTitle, conversation.generated_title).additional_keys), ["en-ca", "fr-ca"])
    same("metadata", expect(Metadata, conversation.metadata)["policies"], [1, 2])
    return conversation


def send(client: AuthenticatedClient, conversation: str, content: str) -> MessageResponse:
    """Send a message and take the reply as JSON."""
    request = SendMessageRequest(message=UserMessage(content=content), stream=False)
    reply = expect(MessageResponse, apps_api_send_message.sync(APP, conversation, client=client, body=request))
    same("conversation_id", reply.conversation_id, conversation)
    same("status", reply.status, MessageResponseStatus.COMPLETED)
    return reply


def talk(client: AuthenticatedClient, conversation: str) -> None:
    """Exchange two messages and find them in the history."""
    reply = send(client, conversation, f"[[echo]] {SAYING}")
    message = expect(OutputMessage, expect(list, reply.output)[0])
    same("reply", "".join(part.text for part in expect(list, message.content)), SAYING)
    output = expect(list, send(client, conversation, "[[tool]]").output)
    names = [expect(str, item.name) for item in output if isinstance(item, OutputFunctionCall)]
    same("a call is made", bool(names), True)

    patches = [
        item.data.patch
        for item in expect(list, send(client, conversation, "[[form]]").output)
        if isinstance(item, OutputDataSpec)
    ]
    values = [expect(JsonPatchWithValue, patch).value for patch in patches]
    same("a form has a root and elements", isinstance(values[0], str), True)
    same("which are elements", all(expect(str, UiElement.from_dict(value).type_) for value in values[1:]), True)

    detail = expect(ConversationDetail, apps_api_get_conversation.sync(APP, conversation, client=client))
    items = expect(list, detail.items)
    same("roles", [item.role for item in items], [ConversationItemRole.USER, ConversationItemRole.ASSISTANT] * 3)
    same("history", expect(TextPart, items[1].parts[0]).text, SAYING)


def walk(client: AuthenticatedClient, newest: str, oldest: str) -> None:
    """Read both lists, one page after the other."""
    first = expect(ConversationList, apps_api_list_conversations.sync(APP, client=client, limit=1))
    same("first page", [row.id for row in first.data], [newest])
    same("has_more", first.has_more, True)
    after = expect(str, first.last_id)
    second = expect(ConversationList, apps_api_list_conversations.sync(APP, client=client, limit=1, after=after))
    same("second page", [row.id for row in second.data], [oldest])
    same("has_more", second.has_more, False)
    order = AppsApiListConversationsOrder.ASC
    upward = expect(ConversationList, apps_api_list_conversations.sync(APP, client=client, order=order))
    same("upward", [row.id for row in upward.data], [oldest, newest])
    theirs = expect(ConversationList, apps_api_list_user_conversations.sync(APP, USER, client=client))
    same("the user's", [row.id for row in theirs.data], [newest, oldest])


def change(client: AuthenticatedClient, conversation: str) -> None:
    """Update, delete, and see it gone."""
    request = ConversationUpdateRequest(title="Réclamation après la grêle")
    updated = expect(Conversation, apps_api_update_conversation.sync(APP, conversation, client=client, body=request))
    same("title", updated.title, request.title)
    deleted = expect(ConversationDeleteResponse, apps_api_delete_conversation.sync(APP, conversation, client=client))
    same("deleted", (deleted.id, deleted.deleted), (conversation, True))
    gone = apps_api_get_conversation.sync_detailed(APP, conversation, client=client)
    same("status", gone.status_code, 404)
    same("type", expect(ErrorResponse, gone.parsed).error.type_, "not_found")


def fail(client: AuthenticatedClient, stranger: AuthenticatedClient) -> None:
    """Provoke errors; each is read into the same envelope."""
    refused = apps_api_get_app_config.sync_detailed(APP, client=stranger)
    same("status", refused.status_code, 401)
    same("type", expect(ErrorResponse, refused.parsed).error.type_, "invalid_api_key")
    invalid = apps_api_list_conversations.sync_detailed(APP, client=client, limit=0)
    same("status", invalid.status_code, 422)
    same("param", expect(ErrorResponse, invalid.parsed).error.param, "limit")


def ask(client: AuthenticatedClient) -> None:
    """Use the operations that need no conversation."""
    request = CompletionRequest(prompt=f"[[echo]] {SAYING}")
    completion = expect(Completion, apps_api_create_completion.sync(APP, client=client, body=request))
    same("text", completion.text, SAYING)
    config = expect(AppConfig, apps_api_get_app_config.sync(APP, client=client))
    same("app_id", config.app_id, APP)
    expect(bool, config.generative_ui)
    metrics = expect(AppMetrics, apps_api_get_app_metrics.sync(APP, client=client))
    same("counts", (metrics.total_conversations, metrics.total_messages, metrics.total_users), (2, 6, 1))


def drive(client: AuthenticatedClient, control: control_api.AuthenticatedClient) -> None:
    """Use the client of the control API: a fault, a script, what was asked."""
    fault = control_models.StatusFault(kind="status", status=503, times=1)
    queued = expect(control_models.QueuedFault, control_add_fault.sync(APP, client=control, body=fault))
    same("used", queued.used, 0)
    same("status", apps_api_get_app_config.sync_detailed(APP, client=client).status_code, 503)
    call = control_models.ScriptedFunctionCall(type_="function_call", name="book_appointment", arguments=None)
    said = control_models.ScriptedMessage(type_="message", text=SAYING)
    script = control_models.ScriptedReply(output=[call, said])
    expect(control_models.QueuedReply, control_add_reply.sync(APP, client=control, body=script))
    output = expect(list, send(client, create(client, "Scripted").id, "Anything").output)
    same("kinds", [type(item) for item in output], [OutputFunctionCall, OutputMessage])
    question = control_models.VerifyRequest(app_id=APP, status=503, times=1)
    same(
        "matched",
        expect(control_models.VerifyResult, control_verify_requests.sync(client=control, body=question)).count,
        1,
    )
    listed = expect(control_models.RequestList, control_list_requests.sync(client=control, app_id=APP, limit=1))
    same("listed", len(listed.data), 1)


def main(url: str) -> None:
    """Run the whole walk against a sandbox that knows nothing yet of the app."""
    client = AuthenticatedClient(base_url=f"{url}/v1", token="sk_test_contract_tools")  # noqa: S106 # not a secret
    stranger = AuthenticatedClient(base_url=f"{url}/v1", token="sk_test_invalid")  # noqa: S106 # not a secret
    control = control_api.AuthenticatedClient(base_url=f"{url}/_sandbox", token="none")  # noqa: S106 # not a secret
    shown = control_models.AppSettingsPatch(generative_ui=True)
    expect(control_models.App, control_update_app.sync(APP, client=control, body=shown))
    oldest = create(client, "Support inquiry").id
    newest = create(client, "Renouvellement de l’assurance habitation").id
    talk(client, newest)
    walk(client, newest, oldest)
    change(client, newest)
    fail(client, stranger)
    ask(client)
    drive(client, control)
    print("the generated Python client works")


if __name__ == "__main__":
    main(sys.argv[1])
