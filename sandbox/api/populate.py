"""Fills an app with realistic conversations, written by the same agent that answers requests."""

from __future__ import annotations

from sandbox.agent import demo
from sandbox.agent.demo import Draft
from sandbox.agent.replies import reply
from sandbox.agent.titles import title_pair
from sandbox.api.exchange import append_message, append_reply
from sandbox.api.persona import profile
from sandbox.apps.app import App
from sandbox.apps.records import Conversation
from sandbox.contract import encode
from sandbox.errors import NotFound
from sandbox.long_work import Slices

DEMO_CONVERSATIONS, DEMO_USERS = 48, 9


async def populate(
    app: App,
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
        conversations: how many.
        messages: how many messages each one has; None for as many as people write.
        users: over how many users they are spread.
        external_user_id: the one user to whom all of them belong; None: `users`.
        some_deleted: whether a few of them are deleted again, as people do.

    Raises:
        NotFound: the app was reset meanwhile.
    """
    drafts = demo.conversations(
        app.rng.at("populate", await app.next_number("populate")),
        now=app.clock.now(),
        profile=profile(app, app.settings),
        conversations=conversations,
        messages=messages,
        users=users,
        user_id=external_user_id,
    )
    slices = Slices()
    for draft in drafts:
        await slices.yield_if_due()
        if not app.is_stored:
            raise NotFound("The app was reset while it was filled.", param="app_id")
        await _add(app, draft, delete=some_deleted and draft.deleted)


async def seed_demo(app: App) -> None:
    """Give the demo app the conversations that it begins with."""
    await populate(app, conversations=DEMO_CONVERSATIONS, users=DEMO_USERS, some_deleted=True)


async def _add(app: App, draft: Draft, *, delete: bool) -> None:
    def make(number: int) -> Conversation:
        return Conversation(
            id=app.rng.uuid("conversation", number),
            number=number,
            created_at=draft.created_at,
            external_user_id=draft.external_user_id,
            title=draft.title,
            generated_title=_title_pair(app, draft, number),
            metadata=encode(draft.metadata) if draft.metadata else None,
        )

    conversation = await app.conversations.create(make)
    for exchange in draft.exchanges:
        before = await append_message(app, app.settings, conversation.id, exchange.text, exchange.at)
        if before and exchange.answered_at is not None:
            await append_reply(app, *before, reply(before[1]), exchange.answered_at)
    if delete:
        await app.conversations.delete(conversation.id)


def _title_pair(app: App, draft: Draft, number: int) -> tuple[str, str] | None:
    if app.settings.titles == "after_first_exchange" or not draft.titled:
        return None
    message = draft.exchanges[0].text if draft.exchanges else None
    rng = app.rng.at("conversation", number)
    return title_pair(rng, metadata=draft.metadata, custom_title=draft.title, message=message)
