"""Conversations: what was sent is kept under an id of its own, an update changes the title alone, a deletion stays."""

from __future__ import annotations

import re

from sandbox.conformance import expect
from sandbox.conformance.check import NotApplicable, check, for_each
from sandbox.conformance.http_messages import ApiResponse, good
from sandbox.conformance.target import BODIES, DIFFICULT, Op, Target

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
KEYS = ("created_at", "external_user_id", "generated_title", "id", "metadata", "object", "title")
# Seconds from 2001 to 2100: what is outside counts something else.
SECONDS = range(1_000_000_000, 4_102_444_800)


def expect_same(seen: object, created: ApiResponse, *others: ApiResponse) -> None:
    """Hold a conversation as another operation shows it to what its creation answered."""
    if not isinstance(seen, dict):
        raise expect.CheckViolation("the conversation", expect.format_value(seen), created, *others)
    for name, value in created.object.items():
        if name != "generated_title" and (name in seen or value is not None):
            expect.equal(seen.get(name), value, name, created, *others, about=name)


@check("CREATE-1", "S", "2.1")
def creation_answers_what_was_sent(server: Target) -> None:
    """A creation answers 200 with the conversation: the user, the title and the metadata as they were sent."""
    user = server.user("creation")
    answer = expect.ok(server.create(external_user_id=user, title="Support inquiry", metadata={"first_name": "John"}))
    expect.field(answer, "external_user_id", user)
    expect.field(answer, "title", "Support inquiry")
    expect.field(answer, "metadata", server.with_mark({"first_name": "John"}))


NOTHING: tuple[dict[str, None], ...] = ({}, {"external_user_id": None, "title": None, "metadata": None})


@check("CREATE-2", "S", "3.1", needs_sandbox=True, cases=NOTHING)
def nothing_is_required(server: Target, body: dict[str, None]) -> None:
    """Nothing is required: `{}` creates a conversation without user, title and metadata."""
    answer = expect.ok(server.ask(Op.CREATE, body=body))
    for name in ("external_user_id", "title", "metadata"):
        expect.field(answer, name, None)


@check("CREATE-3", "D", "3.2")
def every_key_is_sent(server: Target) -> None:
    """A conversation always has every key, null where there is no value: when created, read and listed."""
    created = expect.ok(server.ask(Op.CREATE, body={}))
    expect.equal(sorted(created.object), sorted(KEYS), "keys", created)
    read = good(server.get(created.id))
    expect.equal(sorted(read.object), sorted((*KEYS, "items")), "keys", created, read)
    listed = good(server.ask(Op.LIST))
    for row in listed.rows:
        expect.equal(sorted(row), sorted(KEYS), "keys of a row", created, listed)


@check("CREATE-4", "S", "3.2")
def everybody_sees_what_was_created(server: Target) -> None:
    """What creation answered, reading answers too, and so do the app's list and the user's."""
    metadata = {"first_name": "Maëlle", "city": "Québec"}
    created = good(server.create(external_user_id=server.user("seen"), title="Seen", metadata=metadata))
    read = expect.ok(server.get(created.id))
    expect_same(read.object, created, read)
    listed = expect.ok(server.users_list(server.user("seen")))
    expect_same(next((row for row in listed.rows if row.get("id") == created.id), None), created, listed)
    page, row = server.in_the_list(created.id)
    expect_same(row, created, page)


@check("READ-1", "V", "2.4", writes=False)
def what_is_listed_can_be_read(server: Target) -> None:
    """Every conversation that the app's list shows can be read, and reading shows the same."""
    listed = expect.ok(server.ask(Op.LIST, query="limit=3"))
    expect.that(isinstance(listed.object.get("data"), list), "data, a list", listed)
    if not listed.rows:
        raise NotApplicable("the app has no conversation yet")
    for row in listed.rows:
        read = expect.ok(server.get(str(row.get("id"))))
        for name in ("id", "created_at", "external_user_id"):
            expect.field(read, name, row.get(name), listed, about=name)


# Each row: a title that something on the way may spoil.
TITLES = (
    "x" * 5_000,
    "Ça va, Zoé? 20 € — œuf",
    DIFFICULT,
    " leading and trailing ",
    "null",
    "0",
    "<script>alert(1)</script>",
    "{0} %s %25 \\u0041 &eacute;",
    "line\nbreak\ttab\r\n",
    "\x01\x1b[31m\x7f",
    "e\u0301 and é",
    "\ufeff\u200b\u202e\u2028",
    "😀👩‍👩‍👧‍👦🏳️‍🌈",
    "مرحبا 你好 שלום",
    "\U0010ffff",
)


@check("CREATE-5", "S", "3.2", cases=TITLES)
def texts_are_kept_to_the_letter(server: Target, text: str) -> None:
    """Any text is kept to the letter: in a title, in a key and in a value of metadata."""
    metadata = {"text": text, text[:50]: [text]}
    created = expect.ok(server.create(title=text, metadata=metadata))
    for answer in (created, server.get(created.id)):
        expect.field(answer, "title", text, created)
        expect.field(answer, "metadata", server.with_mark(metadata), created)


@check("ID-1", "S", "3.2")
def ids_are_unique(server: Target) -> None:
    """Every conversation has an id of its own."""
    ids = [answer.id for answer in server.samples()]
    is_unique = len(set(ids)) == len(ids)
    expect.that(is_unique, f"{len(ids)} different ids", *server.samples(), got=f"{len(set(ids))}")


@check("ID-2", "D", "5.7", cases=Target.samples)
def ids_are_uuids(_: Target, answer: ApiResponse) -> None:
    """A conversation's id is a UUID in lower case."""
    expect.that(UUID.fullmatch(answer.id) is not None, "a UUID", answer, got=answer.id)


@check("TIME-1", "S", "1.3")
def times_are_seconds(server: Target) -> None:
    """`created_at` is in whole Unix seconds."""
    created = server.samples()[0]
    for answer in (created, good(server.get(created.id))):
        at = answer.object.get("created_at")
        is_whole = isinstance(at, int) and not isinstance(at, bool)
        expect.that(is_whole and at in SECONDS, "Unix seconds, a whole number", answer, value=at)


@check("TIME-2", "S", "1.3")
def time_does_not_go_back(server: Target) -> None:
    """A conversation that was created later doesn't have an earlier time."""
    times = [answer.object.get("created_at") or 0 for answer in server.samples()]
    expect.that(times == sorted(times), "times in the order of creation", *server.samples(), value=times)


@check("TIME-3", "S", "1.3")
def times_of_a_conversation_are_in_order(server: Target) -> None:
    """Times of one conversation are in order: its own, its user's message, the reply."""
    first, second = server.two_messages()
    items = second.after.object.get("items") or []
    times = [first.created.object.get("created_at"), *(item.get("created_at") for item in items)]
    known = [at for at in times if isinstance(at, int)]
    expect.that(known == times == sorted(known), "times in order", *first.proof, second.after, value=times)
    reply = first.answer.object.get("created_at")
    is_time = isinstance(reply, int) and reply in SECONDS
    expect.that(is_time, "Unix seconds", *first.proof, first.after, value=reply)
    message_and_reply = [*known[1:2], reply or 0]
    is_later = message_and_reply == sorted(message_and_reply)
    expect.that(is_later, "a time not before the message's", *first.proof, first.after, value=reply)


def create_titled(server: Target, name: str) -> ApiResponse:
    """Create a conversation with a title of its own."""
    return good(server.create(external_user_id=server.user(name), title="Before", metadata={"plan": "term_life"}))


@check("UPDATE-1", "V", "3.5")
def an_update_answers_the_new_title(server: Target) -> None:
    """An update answers the conversation with its new title."""
    created = create_titled(server, "update")
    answer = expect.ok(server.update(created.id, {"title": "After"}))
    expect.field(answer, "id", created.id, created)
    expect.field(answer, "title", "After", created)


@check("UPDATE-2", "V", "2.5")
def everybody_sees_the_new_title(server: Target) -> None:
    """A changed title is the one that is read and listed from then on."""
    created = create_titled(server, "updated")
    updated = good(server.update(created.id, {"title": "After"}))
    expect.field(good(server.get(created.id)), "title", "After", created, updated)
    listed = good(server.users_list(server.user("updated")))
    titles = [row.get("title") for row in listed.rows if row.get("id") == created.id]
    expect.equal(titles, ["After"], "titles of its rows", created, updated, listed)
    page, row = server.in_the_list(created.id)
    expect.equal((row or {}).get("title"), "After", "title in the list", created, updated, page)


@check("UPDATE-3", "V", "3.5")
def null_takes_the_title_away(server: Target) -> None:
    """`title: null` takes the custom title away."""
    created = create_titled(server, "untitled")
    updated = expect.ok(server.update(created.id, {"title": None}))
    expect.field(updated, "title", None, created)
    expect.field(good(server.get(created.id)), "title", None, created, updated)


@check("UPDATE-4", "D", "3.5")
def without_title_nothing_changes(server: Target) -> None:
    """A body without `title` changes nothing."""
    created = create_titled(server, "unchanged")
    updated = expect.ok(server.update(created.id, {}))
    for answer in (updated, good(server.get(created.id))):
        expect.field(answer, "title", "Before", created, updated)


@check("UPDATE-5", "V", "2.5")
def all_else_stays(server: Target) -> None:
    """An update changes the title alone: id, time, user and metadata stay."""
    created = create_titled(server, "kept")
    updated = good(server.update(created.id, {"title": "After"}))
    for answer in (updated, good(server.get(created.id))):
        for name in ("id", "created_at", "external_user_id", "metadata"):
            expect.field(answer, name, created.object.get(name), created, updated, about=name)


@check("UPDATE-6", "V", "3.5")
def new_titles_are_kept_to_the_letter(server: Target) -> None:
    """Any text is kept to the letter when a title is changed."""
    created = create_titled(server, "letters")

    def verify(text: str) -> None:
        updated = expect.ok(server.update(created.id, {"title": text}))
        expect.field(updated, "title", text, created)

    for_each(TITLES, verify)
    read = good(server.get(created.id))
    last = good(server.update(created.id, {"title": TITLES[-1]}))
    expect.field(read, "title", TITLES[-1], created, last)


@check("UPDATE-7", "V", "2.5")
def others_stay(server: Target) -> None:
    """An update changes one conversation and no other."""
    changed, other = create_titled(server, "one"), create_titled(server, "other")
    updated = good(server.update(changed.id, {"title": "After"}))
    expect.field(good(server.get(other.id)), "title", "Before", changed, other, updated)


@check("DELETE-1", "V", "3.6")
def a_deletion_says_what(server: Target) -> None:
    """A deletion says what was deleted."""
    created = good(server.create(title="To be deleted"))
    answer = expect.ok(server.delete(created.id))
    expect.field(answer, "id", created.id, created)
    expect.that(answer.object.get("deleted", True) is True, "deleted: true", created, answer)


@check("DELETE-2", "V", "5.5")
def deleted_is_gone_from_lists(server: Target) -> None:
    """A deleted conversation is gone from the app's list and from its user's."""
    created = good(server.create(external_user_id=server.user("unlisted")))
    deleted = good(server.delete(created.id))
    for listed in (server.users_list(server.user("unlisted")), server.ask(Op.LIST, query="limit=100")):
        expect.status(listed, 200)
        is_gone = created.id not in listed.ids
        expect.that(is_gone, "a list without it", created, deleted, listed, got="a list with it")


@check("DELETE-3", "D", "5.5", cases=(Op.GET, Op.UPDATE, Op.SEND, Op.DELETE))
def deleted_is_404(server: Target, op: Op) -> None:
    """A deleted conversation is 404 to get, update, delete and send message."""
    created, deleted = server.deleted_sample()
    answer = server.ask(op, conversation=created.id, body=BODIES.get(op))
    expect.that(answer.status == 404, "status 404", created, deleted, answer)
    expect.error(answer, 404, "not_found")


@check("DELETE-4", "V", "2.6")
def others_are_not_deleted(server: Target) -> None:
    """A deletion takes one conversation and no other."""
    user = server.user("pair")
    first, other = good(server.create(external_user_id=user)), good(server.create(external_user_id=user))
    deleted = good(server.delete(first.id))
    read, listed = server.get(other.id), good(server.users_list(user))
    expect.that(read.is_good, "the other one", first, other, deleted, read)
    expect.equal(listed.ids, [other.id], "ids", first, other, deleted, listed)
