"""Work with the clients that openapi-generator makes (`-g python`): `generator.py http://127.0.0.1:PORT`."""

from __future__ import annotations

import sys
from typing import Any

import dimedove_api as api
import dimedove_control as control

APP = "contract-tools-generator"
SAYING = "Bonjour, l’été 😀"


def same(what: str, got: object, wanted: object) -> None:
    """End the program if two values differ."""
    if got != wanted:
        sys.exit(f"{what}: expected {wanted!r}, got {got!r}")


def send(conversations: api.ConversationsApi, conversation: str, content: str) -> list[Any]:
    """Send a message and return the output of the reply."""
    request = api.SendMessageRequest(message=api.UserMessage(content=content), stream=False)
    reply = conversations.apps_api_send_message(APP, conversation, request)
    same("status", reply.status, "completed")
    return [item.actual_instance for item in reply.output or []]


def stream(conversations: api.ConversationsApi, conversation: str) -> None:
    """Read a streamed reply: the text is the generator's, the events are read with its models."""
    request = api.SendMessageRequest(message=api.UserMessage(content=f"[[echo]] {SAYING}"), stream=True)
    answer = conversations.apps_api_send_message_without_preload_content(APP, conversation, request)
    lines = answer.data.decode().splitlines()
    events = [api.StreamEvent.from_json(line.removeprefix("data: ")) for line in lines if line.startswith("data:")]
    kinds = [event.actual_instance for event in events]
    deltas = [kind.delta for kind in kinds if isinstance(kind, api.ResponseOutputTextDeltaEvent)]
    same("deltas", "".join(deltas), SAYING)
    same("last event", type(kinds[-1]), api.ResponseCompletedEvent)


def fail(conversations: api.ConversationsApi, conversation: str) -> None:
    """Read an error: it has the envelope as its data."""
    try:
        conversations.apps_api_get_conversation(APP, conversation)
    except api.exceptions.NotFoundException as error:
        same("type", error.data.error.type, "not_found")
    else:
        sys.exit("a deleted conversation is still there")


def talk(conversations: api.ConversationsApi, url: str) -> None:
    """Create, list, send, stream, read, patch, delete, and read an error."""
    request = api.ConversationCreateRequest(external_user_id="client/4471 é", metadata={"plan_type": "term_life"})
    created = conversations.apps_api_create_conversation(APP, request)
    same("metadata", created.metadata, {"plan_type": "term_life"})
    same("listed", [row.id for row in conversations.apps_api_list_conversations(APP, limit=1).data], [created.id])
    [words] = send(conversations, created.id, f"[[echo]] {SAYING}")
    same("text", [part.text for part in words.content], [SAYING])
    called = [item for item in send(conversations, created.id, "[[tool]]") if isinstance(item, api.OutputFunctionCall)]
    same("a tool is called", bool(called), True)
    form = [item for item in send(conversations, created.id, "[[form]]") if isinstance(item, api.OutputDataSpec)]
    values = [item.data.patch.actual_instance.value for item in form]
    same("a root and elements", [type(value) for value in values], [str, *[dict] * (len(values) - 1)])
    api.UiElement.from_dict(values[1])
    stream(conversations, created.id)
    detail = conversations.apps_api_get_conversation(APP, created.id)
    same("parts", [type(part.actual_instance) for part in detail.items[0].parts], [api.TextPart])
    update = api.ConversationUpdateRequest(title="Réclamation")
    same("title", conversations.apps_api_update_conversation(APP, created.id, update).title, "Réclamation")
    same("deleted", conversations.apps_api_delete_conversation(APP, created.id).deleted, True)
    fail(conversations, created.id)
    same("host", url in conversations.api_client.configuration.host, True)


def main(url: str) -> None:
    """Run the whole walk; the addresses are those of the documents."""
    with control.ApiClient() as client:
        apps, faults = control.AppsApi(client), control.FaultsApi(client)
        apps.control_update_app(APP, control.AppSettingsPatch(generative_ui=True))
        fault = control.Fault(control.StatusFault(kind="status", status=503))
        same("kind", faults.control_add_fault(APP, fault).kind, "status")
        same("listed", len(faults.control_list_faults(APP).data), 1)
        faults.control_delete_faults(APP)
        item = control.ScriptedItem(control.ScriptedMessage(type="message", text=control.ScriptedMessageText(SAYING)))
        script = control.ScriptedReply(contains=control.ScriptedReplyContains("never"), output=[item])
        control.RepliesApi(client).control_add_reply(APP, script)
    with api.ApiClient(api.Configuration(access_token="sk_test_generator")) as client:  # noqa: S106 # not a secret
        talk(api.ConversationsApi(client), url)
        request = api.CompletionRequest(prompt=f"[[echo]] {SAYING}")
        same("text", api.CompletionsApi(client).apps_api_create_completion(APP, request).text, SAYING)
        same("config", api.ApplicationsApi(client).apps_api_get_app_config(APP).generative_ui, True)
    print("the Python client of openapi-generator works")


if __name__ == "__main__":
    main(sys.argv[1])
