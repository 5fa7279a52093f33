"""Create, list, get, update and delete conversations (docs/contract.md 2, 3 and 5)."""

from __future__ import annotations

from typing import Any

from orjson import Fragment

from sandbox.api import Services
from sandbox.api.persona import business_of
from sandbox.apps.app import App
from sandbox.apps.records import Conversation, PageRequest
from sandbox.apps.store import UnknownCursor
from sandbox.contract import encode
from sandbox.errors import InvalidRequest, NotFound
from sandbox.handler_types import JsonResult, OperationRequest, OperationResult


async def create_conversation(request: OperationRequest, app: App, services: Services) -> OperationResult:
    """Create a conversation; its titles come now, or after the first exchange if the app says so."""
    body = request.body.value
    title, metadata = body.get("title"), body.get("metadata")

    def make(number: int) -> Conversation:
        pair = told = None
        if request.settings.titles == "at_creation":
            # Late: conversations are read, and made without a title, before the agent is needed.
            from sandbox.agent import titles

            name = business_of(app, request.settings)
            told = titles.of_topic(name, metadata or {}, title)
            pair = told or titles.provisional(app.rng.at("conversation", number), name)
        return Conversation(
            id=app.rng.uuid("conversation", number),
            number=number,
            created_at=request.clock.now(),
            external_user_id=body.get("external_user_id"),
            title=title,
            generated_title=pair,
            metadata=None if metadata is None else encode(request.body.exact["metadata"]),
            provisional=pair is not None and told is None,
        )

    return JsonResult(resource(await app.conversations.create(make)))


async def list_conversations(request: OperationRequest, app: App, services: Services) -> OperationResult:
    """List the app's conversations."""
    return await _list(request, app, None)


async def list_user_conversations(request: OperationRequest, app: App, services: Services) -> OperationResult:
    """List the conversations of one user; an unknown user has none."""
    return await _list(request, app, request.path_parameters["external_user_id"])


async def get_conversation(request: OperationRequest, app: App, services: Services) -> OperationResult:
    """Return a conversation and all its items."""
    transcript = await app.conversations.transcript(request.path_parameters["conversation_id"])
    if transcript is None:
        raise no_conversation()
    items = [Fragment(item.json) for item in transcript.items]
    return JsonResult({**resource(transcript.conversation), "items": items})


async def update_conversation(request: OperationRequest, app: App, services: Services) -> OperationResult:
    """Set or clear the custom title; a body without one changes nothing."""
    conversation_id, body = request.path_parameters["conversation_id"], request.body.value
    if "title" in body:
        conversation = await app.conversations.set_title(conversation_id, body["title"])
    else:
        transcript = await app.conversations.transcript(conversation_id)
        conversation = transcript and transcript.conversation
    if conversation is None:
        raise no_conversation()
    return JsonResult(resource(conversation))


async def delete_conversation(request: OperationRequest, app: App, services: Services) -> OperationResult:
    """Take a conversation out of sight."""
    conversation = await app.conversations.delete(request.path_parameters["conversation_id"])
    if conversation is None:
        raise no_conversation()
    return JsonResult({"id": conversation.id, "object": "conversation", "deleted": True})


def no_conversation() -> NotFound:
    """Return the error of a conversation that the app doesn't have, or that was deleted."""
    return NotFound("There is no such conversation in this app.", param="conversation_id")


def resource(conversation: Conversation) -> dict[str, Any]:
    """Return a conversation as the API shows it, with every key (docs/contract.md 3.2)."""
    pair = conversation.generated_title
    return {
        "id": conversation.id,
        "created_at": conversation.created_at,
        "object": "conversation",
        "external_user_id": conversation.external_user_id,
        "title": conversation.title,
        "generated_title": {"en-ca": pair[0], "fr-ca": pair[1]} if pair else None,
        "metadata": Fragment(conversation.metadata) if conversation.metadata is not None else None,
    }


async def _list(request: OperationRequest, app: App, user: str | None) -> OperationResult:
    query = request.query
    if "after" in query and "before" in query:
        raise InvalidRequest("after, before: expected at most one of them, got both", param="after", code="conflict")
    page_request = PageRequest(query["limit"], query["order"], query.get("after"), query.get("before"))
    try:
        page = await app.conversations.page(page_request, user)
    except UnknownCursor as unknown:
        message = f"{unknown.name}: there is no such conversation in this app."
        raise NotFound(message, param=unknown.name, code="unknown_cursor") from None
    rows = [resource(conversation) for conversation in page.rows]
    return JsonResult(
        {
            "data": rows,
            "object": "list",
            "first_id": rows[0]["id"] if rows else None,
            "last_id": rows[-1]["id"] if rows else None,
            "has_more": page.has_more,
        }
    )
