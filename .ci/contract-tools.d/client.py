"""Work with the client that openapi-python-client generates from the contract: `client.py http://127.0.0.1:PORT`."""

from __future__ import annotations

import sys
from typing import TypeVar

from dimedove import AuthenticatedClient
from dimedove.api.applications import apps_api_get_app_config, apps_api_get_app_metrics
from dimedove.api.completions import apps_api_create_completion
from dimedove.api.conversations import (
    apps_api_create_conversation,
    apps_api_delete_conversation,
    apps_api_get_conversation,
    apps_api_list_conversations,
    apps_api_list_user_conversations,
    apps_api_send_message,
    apps_api_update_conversation,
)
from dimedove.models import (
    AgentResponse,
    AgentResponseStatus,
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
    Error,
    GeneratedTitle,
    Metadata,
    OutputFunctionCall,
    OutputMessage,
    SendMessageRequest,
    SendMessageRequestMessage,
    TextPart,
)

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


def send(client: AuthenticatedClient, conversation: str, content: str) -> AgentResponse:
    """Send a message and take the reply as JSON."""
    request = SendMessageRequest(message=SendMessageRequestMessage(content=content), stream=False)
    reply = expect(AgentResponse, apps_api_send_message.sync(APP, conversation, client=client, body=request))
    same("conversation_id", reply.conversation_id, conversation)
    same("status", reply.status, AgentResponseStatus.COMPLETED)
    return reply


def talk(client: AuthenticatedClient, conversation: str) -> None:
    """Exchange two messages and find them in the history."""
    reply = send(client, conversation, f"[[echo]] {SAYING}")
    message = expect(OutputMessage, expect(list, reply.output)[0])
    same("reply", "".join(part.text for part in expect(list, message.content)), SAYING)
    output = expect(list, send(client, conversation, "[[tool]]").output)
    names = [expect(str, item.name) for item in output if isinstance(item, OutputFunctionCall)]
    same("a call is made", bool(names), True)

    detail = expect(ConversationDetail, apps_api_get_conversation.sync(APP, conversation, client=client))
    items = expect(list, detail.items)
    same("roles", [item.role for item in items], [ConversationItemRole.USER, ConversationItemRole.ASSISTANT] * 2)
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
    same("type", expect(Error, gone.parsed).error.type_, "not_found")


def fail(client: AuthenticatedClient, stranger: AuthenticatedClient) -> None:
    """Provoke errors; each is read into the same envelope."""
    refused = apps_api_get_app_config.sync_detailed(APP, client=stranger)
    same("status", refused.status_code, 401)
    same("type", expect(Error, refused.parsed).error.type_, "invalid_api_key")
    invalid = apps_api_list_conversations.sync_detailed(APP, client=client, limit=0)
    same("status", invalid.status_code, 422)
    same("param", expect(Error, invalid.parsed).error.param, "limit")


def ask(client: AuthenticatedClient) -> None:
    """Use the operations that need no conversation."""
    request = CompletionRequest(prompt=f"[[echo]] {SAYING}")
    completion = expect(Completion, apps_api_create_completion.sync(APP, client=client, body=request))
    same("text", completion.text, SAYING)
    config = expect(AppConfig, apps_api_get_app_config.sync(APP, client=client))
    same("app_id", config.app_id, APP)
    expect(bool, config.generative_ui)
    metrics = expect(AppMetrics, apps_api_get_app_metrics.sync(APP, client=client))
    same("counts", (metrics.total_conversations, metrics.total_messages, metrics.total_users), (2, 4, 1))


def main(url: str) -> None:
    """Run the whole walk against a sandbox that knows nothing yet of the app."""
    client = AuthenticatedClient(base_url=f"{url}/v1", token="sk_test_contract_tools")  # noqa: S106 # not a secret
    stranger = AuthenticatedClient(base_url=f"{url}/v1", token="sk_test_invalid")  # noqa: S106 # not a secret
    oldest = create(client, "Support inquiry").id
    newest = create(client, "Renouvellement de l’assurance habitation").id
    talk(client, newest)
    walk(client, newest, oldest)
    change(client, newest)
    fail(client, stranger)
    ask(client)
    print("the generated Python client works")


if __name__ == "__main__":
    main(sys.argv[1])
