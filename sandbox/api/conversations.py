"""Create, list, get, update and delete conversations (CONTRACT.md 2, 3 and 5)."""

from __future__ import annotations

from typing import Any, cast

from orjson import Fragment

from sandbox.api.services import Services
from sandbox.apps.records import Conversation, Position, Window
from sandbox.contract import encode
from sandbox.errors import InvalidRequest, NotFound
from sandbox.handler_types import Answer, App, Body, Call


async def apps_api_create_conversation(call: Call, on: Services) -> Answer:
    """Create a conversation; its titles come now, or after the first exchange if the app says so."""
    app, body = call.app, call.body.value
    number = await on.worlds.number(app.id, "conversation")
    title = body.get("title")
    metadata = body.get("metadata")
    pair = None
    if app.settings.titles == "at_creation":
        # Late: conversations are read, and made without a title, before anybody speaks.
        from sandbox.agent.titles import title_pair

        here = app.entropy.at("conversation", number)
        pair = title_pair(here, metadata=metadata or {}, custom_title=title, message=None)
    conversation = Conversation(
        id=app.entropy.uuid("conversation", number),
        number=number,
        created_at=app.clock.now(),
        external_user_id=body.get("external_user_id"),
        title=title,
        generated_title=pair,
        metadata=None if metadata is None else encode(call.body.exact["metadata"]),
    )
    await on.conversations.add(app.id, conversation)
    return Body(resource(conversation))


async def apps_api_list_conversations(call: Call, on: Services) -> Answer:
    """List the app's conversations."""
    return await _list(call, on, None)


async def apps_api_list_user_conversations(call: Call, on: Services) -> Answer:
    """List the conversations of one user; an unknown user has none."""
    return await _list(call, on, call.path["external_user_id"])


async def apps_api_get_conversation(call: Call, on: Services) -> Answer:
    """Return a conversation and everything said in it."""
    conversation = await find(call, on)
    items = await on.conversations.items(call.app.id, conversation.id)
    return Body({**resource(conversation), "items": [Fragment(item.json) for item in items]})


async def apps_api_update_conversation(call: Call, on: Services) -> Answer:
    """Set or clear the custom title; a body without one changes nothing."""
    conversation = await find(call, on)
    if "title" in call.body.value:
        await on.conversations.set_title(call.app.id, conversation.id, call.body.value["title"])
    return Body(resource(await find(call, on)))


async def apps_api_delete_conversation(call: Call, on: Services) -> Answer:
    """Take a conversation out of sight."""
    conversation = await find(call, on)
    await on.conversations.delete(call.app.id, conversation.id)
    return Body({"id": conversation.id, "object": "conversation", "deleted": True})


async def find(call: Call, on: Services) -> Conversation:
    """Return the conversation that the path names.

    Raises:
        NotFound: the app has no such conversation, or it was deleted.
    """
    conversation = await on.conversations.get(call.app.id, call.path["conversation_id"])
    if conversation is None or conversation.deleted:
        raise NotFound("There is no such conversation in this app.", param="conversation_id")
    return conversation


def resource(conversation: Conversation) -> dict[str, Any]:
    """Return a conversation as the API shows it, with every key (CONTRACT.md 3.2)."""
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


async def _list(call: Call, on: Services, user: str | None) -> Answer:
    query = call.query
    if "after" in query and "before" in query:
        raise InvalidRequest("after, before: expected at most one of them, got both", param="after", code="conflict")
    window = Window(
        limit=query["limit"],
        order=query["order"],
        after=await _cursor(call.app, on, "after", query),
        before=await _cursor(call.app, on, "before", query),
    )
    page = await on.conversations.page(call.app.id, window, user)
    rows = [resource(conversation) for conversation in page.rows]
    return Body(
        {
            "data": rows,
            "object": "list",
            "first_id": rows[0]["id"] if rows else None,
            "last_id": rows[-1]["id"] if rows else None,
            "has_more": page.has_more,
        }
    )


async def _cursor(app: App, on: Services, name: str, query: Any) -> Position | None:
    if name not in query:
        return None
    conversation = await on.conversations.get(app.id, cast("str", query[name]))
    if conversation is None:
        raise NotFound(f"{name}: there is no such conversation in this app.", param=name, code="unknown_cursor")
    return Position(conversation.created_at, conversation.number)
