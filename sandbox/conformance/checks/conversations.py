"""Conversations: what was sent is kept under an id of its own, an update changes the title alone, a deletion stays."""

from __future__ import annotations

import re

from sandbox.conformance.check import (
    CheckViolation,
    NotApplicable,
    check,
    expect,
    expect_equal,
    expect_error,
    expect_status,
    for_each,
    format_value,
)
from sandbox.conformance.http_messages import ApiResponse, good, id_of, ids_of, rows_of
from sandbox.conformance.target import BODIES, CREATE, DELETE, DIFFICULT, GET, LIST, SEND, UPDATE, Target

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
KEYS = ("created_at", "external_user_id", "generated_title", "id", "metadata", "object", "title")
# Seconds from 2001 to 2100: what is outside counts something else.
SECONDS = range(1_000_000_000, 4_102_444_800)


def expect_same(seen: object, created: ApiResponse, *others: ApiResponse) -> None:
    """Hold a conversation as another operation shows it to what its creation answered."""
    if not isinstance(seen, dict):
        raise CheckViolation("the conversation", format_value(seen), created, *others)
    for name, value in created.object.items():
        if name != "generated_title" and (name in seen or value is not None):
            expect_equal(seen.get(name), value, name, created, *others, about=name)


@check("CREATE-1", source="S", clause="2.1")
def creation_answers_what_was_sent(server: Target) -> None:
    """A creation answers 200 with the conversation: the user, the title and the metadata as they were sent."""
    user = server.user("creation")
    answer = server.create(external_user_id=user, title="Support inquiry", metadata={"first_name": "John"})
    expect_status(answer, 200)
    expect_equal(answer.object.get("external_user_id"), user, "external_user_id", answer)
    expect_equal(answer.object.get("title"), "Support inquiry", "title", answer)
    expect_equal(answer.object.get("metadata"), server.with_mark({"first_name": "John"}), "metadata", answer)


@check(
    "CREATE-2",
    source="S",
    clause="3.1",
    needs_sandbox=True,
    cases=({}, {"external_user_id": None, "title": None, "metadata": None}),
)
def nothing_is_required(server: Target, body: dict[str, None]) -> None:
    """Nothing is required: `{}` creates a conversation without user, title and metadata."""
    answer = server.ask(CREATE, body=body)
    expect_status(answer, 200)
    for name in ("external_user_id", "title", "metadata"):
        expect_equal(answer.object.get(name), None, name, answer)


@check("CREATE-3", source="D", clause="3.2")
def every_key_is_sent(server: Target) -> None:
    """A conversation always has every key, null where there is no value: when created, read and listed."""
    created = server.ask(CREATE, body={})
    expect_status(created, 200)
    expect_equal(sorted(created.object), sorted(KEYS), "keys", created)
    read = good(server.get(id_of(created)))
    expect_equal(sorted(read.object), sorted((*KEYS, "items")), "keys", created, read)
    listed = good(server.ask(LIST))
    for row in rows_of(listed):
        expect_equal(sorted(row), sorted(KEYS), "keys of a row", created, listed)


@check("CREATE-4", source="S", clause="3.2")
def everybody_sees_what_was_created(server: Target) -> None:
    """What creation answered, reading answers too, and so do the app's list and the user's."""
    metadata = {"first_name": "Maëlle", "city": "Québec"}
    created = good(server.create(external_user_id=server.user("seen"), title="Seen", metadata=metadata))
    one = id_of(created)
    read = server.get(one)
    expect_status(read, 200)
    expect_same(read.object, created, read)
    listed = server.users_list(server.user("seen"))
    expect_status(listed, 200)
    expect_same(next((row for row in rows_of(listed) if row.get("id") == one), None), created, listed)
    page, row = server.in_the_list(one)
    expect_same(row, created, page)


@check("READ-1", source="V", clause="2.4", writes=False)
def what_is_listed_can_be_read(server: Target) -> None:
    """Every conversation that the app's list shows can be read, and reading shows the same."""
    listed = server.ask(LIST, query="limit=3")
    expect_status(listed, 200)
    expect(isinstance(listed.object.get("data"), list), "data, a list", listed.summary, listed)
    if not rows_of(listed):
        raise NotApplicable("the app has no conversation yet")
    for row in rows_of(listed):
        read = server.get(str(row.get("id")))
        expect_status(read, 200)
        for name in ("id", "created_at", "external_user_id"):
            expect_equal(read.object.get(name), row.get(name), name, listed, read, about=name)


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


@check("CREATE-5", source="S", clause="3.2", cases=TITLES)
def texts_are_kept_to_the_letter(server: Target, text: str) -> None:
    """Any text is kept to the letter: in a title, in a key and in a value of metadata."""
    metadata = {"text": text, text[:50]: [text]}
    created = server.create(title=text, metadata=metadata)
    expect_status(created, 200)
    for answer in (created, server.get(id_of(created))):
        about = (created,) if answer is not created else ()
        expect_equal(answer.object.get("title"), text, "title", *about, answer)
        expect_equal(answer.object.get("metadata"), server.with_mark(metadata), "metadata", *about, answer)


@check("ID-1", source="S", clause="3.2")
def ids_are_unique(server: Target) -> None:
    """Every conversation has an id of its own."""
    ids = [id_of(answer) for answer in server.samples()]
    expect(len(set(ids)) == len(ids), f"{len(ids)} different ids", f"{len(set(ids))}", *server.samples())


@check("ID-2", source="D", clause="5.7")
def ids_are_uuids(server: Target) -> None:
    """A conversation's id is a UUID in lower case."""
    for_each(
        server.samples(),
        lambda answer: expect(UUID.fullmatch(id_of(answer)) is not None, "a UUID", id_of(answer), answer),
    )


@check("TIME-1", source="S", clause="1.3")
def times_are_seconds(server: Target) -> None:
    """`created_at` is in whole Unix seconds."""
    created = server.samples()[0]
    for answer in (created, good(server.get(id_of(created)))):
        at = answer.object.get("created_at")
        whole = isinstance(at, int) and not isinstance(at, bool)
        expect(whole and at in SECONDS, "Unix seconds, a whole number", format_value(at), answer)


@check("TIME-2", source="S", clause="1.3")
def time_does_not_go_back(server: Target) -> None:
    """A conversation that was created later doesn't have an earlier time."""
    times = [answer.object.get("created_at") or 0 for answer in server.samples()]
    expect(times == sorted(times), "times in the order of creation", times, *server.samples())


@check("TIME-3", source="S", clause="1.3")
def times_of_a_conversation_are_in_order(server: Target) -> None:
    """Times of one conversation are in order: its own, its user's message, the reply."""
    first, second = server.two_messages()
    items = second.after.object.get("items") or []
    times = [first.created.object.get("created_at"), *(item.get("created_at") for item in items)]
    known = [at for at in times if isinstance(at, int)]
    expect(known == times == sorted(known), "times in order", times, first.created, first.answer, second.after)
    reply = first.answer.object.get("created_at")
    proof = (first.created, first.answer, first.after)
    expect(isinstance(reply, int) and reply in SECONDS, "Unix seconds", format_value(reply), *proof)
    said = [*known[1:2], reply or 0]
    expect(said == sorted(said), "a time not before the message's", format_value(reply), *proof)


def create_titled(server: Target, name: str) -> ApiResponse:
    """Create a conversation with a title of its own."""
    return good(server.create(external_user_id=server.user(name), title="Before", metadata={"plan": "term_life"}))


@check("UPDATE-1", source="V", clause="3.5")
def an_update_answers_the_new_title(server: Target) -> None:
    """An update answers the conversation with its new title."""
    created = create_titled(server, "update")
    answer = server.update(id_of(created), {"title": "After"})
    expect_status(answer, 200)
    expect_equal(answer.object.get("id"), id_of(created), "id", created, answer)
    expect_equal(answer.object.get("title"), "After", "title", created, answer)


@check("UPDATE-2", source="V", clause="2.5")
def everybody_sees_the_new_title(server: Target) -> None:
    """A changed title is the one that is read and listed from then on."""
    created = create_titled(server, "updated")
    one = id_of(created)
    updated = good(server.update(one, {"title": "After"}))
    read = good(server.get(one))
    expect_equal(read.object.get("title"), "After", "title", created, updated, read)
    listed = good(server.users_list(server.user("updated")))
    titles = [row.get("title") for row in rows_of(listed) if row.get("id") == one]
    expect_equal(titles, ["After"], "titles of its rows", created, updated, listed)
    page, row = server.in_the_list(one)
    expect_equal((row or {}).get("title"), "After", "title in the list", created, updated, page)


@check("UPDATE-3", source="V", clause="3.5")
def null_takes_the_title_away(server: Target) -> None:
    """`title: null` takes the custom title away."""
    created = create_titled(server, "untitled")
    updated = server.update(id_of(created), {"title": None})
    expect_status(updated, 200)
    expect_equal(updated.object.get("title"), None, "title", created, updated)
    read = good(server.get(id_of(created)))
    expect_equal(read.object.get("title"), None, "title", created, updated, read)


@check("UPDATE-4", source="D", clause="3.5")
def without_title_nothing_changes(server: Target) -> None:
    """A body without `title` changes nothing."""
    created = create_titled(server, "unchanged")
    updated = server.update(id_of(created), {})
    expect_status(updated, 200)
    for answer in (updated, good(server.get(id_of(created)))):
        expect_equal(answer.object.get("title"), "Before", "title", created, updated, answer)


@check("UPDATE-5", source="V", clause="2.5")
def all_else_stays(server: Target) -> None:
    """An update changes the title alone: id, time, user and metadata stay."""
    created = create_titled(server, "kept")
    updated = good(server.update(id_of(created), {"title": "After"}))
    for answer in (updated, good(server.get(id_of(created)))):
        for name in ("id", "created_at", "external_user_id", "metadata"):
            expect_equal(answer.object.get(name), created.object.get(name), name, created, updated, answer, about=name)


@check("UPDATE-6", source="V", clause="3.5")
def new_titles_are_kept_to_the_letter(server: Target) -> None:
    """Any text is kept to the letter when a title is changed."""
    created = create_titled(server, "letters")

    def verify(text: str) -> None:
        updated = server.update(id_of(created), {"title": text})
        expect_status(updated, 200)
        expect_equal(updated.object.get("title"), text, "title", created, updated)

    for_each(TITLES, verify)
    read = good(server.get(id_of(created)))
    last = good(server.update(id_of(created), {"title": TITLES[-1]}))
    expect_equal(read.object.get("title"), TITLES[-1], "title", created, last, read)


@check("UPDATE-7", source="V", clause="2.5")
def others_stay(server: Target) -> None:
    """An update changes one conversation and no other."""
    one, other = create_titled(server, "one"), create_titled(server, "other")
    updated = good(server.update(id_of(one), {"title": "After"}))
    read = good(server.get(id_of(other)))
    expect_equal(read.object.get("title"), "Before", "title", one, other, updated, read)


@check("DELETE-1", source="V", clause="3.6")
def a_deletion_says_what(server: Target) -> None:
    """A deletion says what was deleted."""
    created = good(server.create(title="To be deleted"))
    answer = server.delete(id_of(created))
    expect_status(answer, 200)
    expect_equal(answer.object.get("id"), id_of(created), "id", created, answer)
    expect(answer.object.get("deleted", True) is True, "deleted: true", answer.summary, created, answer)


@check("DELETE-2", source="V", clause="5.5")
def deleted_is_gone_from_lists(server: Target) -> None:
    """A deleted conversation is gone from the app's list and from its user's."""
    created = good(server.create(external_user_id=server.user("unlisted")))
    deleted = good(server.delete(id_of(created)))
    for listed in (server.users_list(server.user("unlisted")), server.ask(LIST, query="limit=100")):
        expect_status(listed, 200)
        deleted_sample = id_of(created) not in ids_of(listed)
        expect(deleted_sample, "a list without it", "a list with it", created, deleted, listed)


@check("DELETE-3", source="D", clause="5.5")
def deleted_is_404(server: Target) -> None:
    """A deleted conversation is 404 to get, update, delete and send message."""
    created, deleted = server.deleted_sample()

    def verify(operation: str) -> None:
        answer = server.ask(operation, conversation=id_of(created), body=BODIES.get(operation))
        expect(answer.status == 404, "status 404", answer.summary, created, deleted, answer)
        expect_error(answer, 404, "not_found")

    for_each((GET, UPDATE, SEND, DELETE), verify)


@check("DELETE-4", source="V", clause="2.6")
def others_are_not_deleted(server: Target) -> None:
    """A deletion takes one conversation and no other."""
    user = server.user("pair")
    one, other = good(server.create(external_user_id=user)), good(server.create(external_user_id=user))
    deleted = good(server.delete(id_of(one)))
    read, listed = server.get(id_of(other)), good(server.users_list(user))
    expect(read.is_good, "the other one", read.summary, one, other, deleted, read)
    expect_equal(ids_of(listed), [id_of(other)], "ids", one, other, deleted, listed)
