"""Fills an app with realistic conversations, spoken by the same voice that answers requests."""

from __future__ import annotations

from sandbox.agent.demo import Draft
from sandbox.agent.demo import conversations as drafts
from sandbox.agent.replies import reply
from sandbox.agent.titles import title_pair
from sandbox.api.dialogue import hear, keep
from sandbox.api.persona import profile
from sandbox.api.services import Services
from sandbox.apps.records import Conversation
from sandbox.contract import encode
from sandbox.errors import NotFound
from sandbox.handler_types import App
from sandbox.slices import Slices


async def populate(
    app: App,
    on: Services,
    *,
    conversations: int,
    messages: int | None = None,
    users: int = 10,
    external_user_id: str | None = None,
    some_deleted: bool = False,
) -> None:
    """Add that many conversations of the past 30 days, in slices that let other requests through.

    Args:
        app: the app to fill.
        on: where they are kept.
        conversations: how many.
        messages: how many messages each one has; None for as many as people write.
        users: over how many users they are spread.
        external_user_id: the one user to whom all of them belong; None: `users`.
        some_deleted: whether a few of them are deleted again, as people do.

    Raises:
        NotFound: the app was forgotten meanwhile.
    """
    time = await on.worlds.number(app.id, "populate")
    made = drafts(
        app.entropy.at("populate", time),
        now=app.clock.now(),
        profile=profile(app),
        conversations=conversations,
        messages=messages,
        users=users,
        user_id=external_user_id,
    )
    slices = Slices()
    for draft in made:
        await slices.rest()
        if not await on.worlds.exists(app.id):
            raise NotFound("The app was reset while it was filled.", param="app_id")
        await _add(app, on, draft, delete=some_deleted and draft.deleted)


async def _add(app: App, on: Services, draft: Draft, *, delete: bool) -> None:
    number = await on.worlds.number(app.id, "conversation")
    here = app.entropy.at("conversation", number)
    late = app.settings.titles == "after_first_exchange" or not draft.titled
    pair = None if late else title_pair(here, metadata=draft.metadata, custom_title=draft.title, message=_first(draft))
    conversation = Conversation(
        id=app.entropy.uuid("conversation", number),
        number=number,
        created_at=draft.created_at,
        external_user_id=draft.external_user_id,
        title=draft.title,
        generated_title=pair,
        metadata=encode(draft.metadata) if draft.metadata else None,
    )
    await on.conversations.add(app.id, conversation)
    for exchange in draft.exchanges:
        turn = await hear(app, on, conversation, exchange.text, draft.metadata, exchange.at)
        if exchange.answered_at is not None:
            await keep(app, on, conversation, turn, reply(turn), exchange.answered_at)
    if delete:
        await on.conversations.delete(app.id, conversation.id)


def _first(draft: Draft) -> str | None:
    return draft.exchanges[0].text if draft.exchanges else None
