"""Creation: what was sent is kept, under an id of its own, and every other operation sees it."""

from __future__ import annotations

import re

from sandbox.conformance.caller import CREATE, GET, LIST, SEND, USER_LIST
from sandbox.conformance.evidence import good, id_of, rows_of
from sandbox.conformance.exchange import Answer
from sandbox.conformance.law import Broken, NotApplicable, expect, expect_equal, expect_status, for_each, law, shown
from sandbox.conformance.subject import DIFFICULT, Subject

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
KEYS = ("created_at", "external_user_id", "generated_title", "id", "metadata", "object", "title")
# Seconds from 2001 to 2100: what is outside counts something else.
SECONDS = range(1_000_000_000, 4_102_444_800)


def same(seen: object, created: Answer, *others: Answer) -> None:
    """Hold a conversation as another operation shows it to what its creation answered."""
    if not isinstance(seen, dict):
        raise Broken("the conversation", shown(seen), created, *others)
    for name, value in created.object.items():
        if name != "generated_title" and (name in seen or value is not None):
            expect_equal(seen.get(name), value, name, created, *others, about=name)


@law("CREATE-1", source="S", clause="2.1", operations=(CREATE,))
def creation_answers_what_was_sent(server: Subject) -> None:
    """A creation answers 200 with the conversation: the user, the title and the metadata as they were sent."""
    user = server.user("creation")
    answer = server.create(external_user_id=user, title="Support inquiry", metadata={"first_name": "John"})
    expect_status(answer, 200)
    expect_equal(answer.object.get("external_user_id"), user, "external_user_id", answer)
    expect_equal(answer.object.get("title"), "Support inquiry", "title", answer)
    expect_equal(answer.object.get("metadata"), server.marked({"first_name": "John"}), "metadata", answer)


@law("CREATE-2", source="S", clause="3.1", operations=(CREATE,), needs_sandbox=True)
def nothing_is_required(server: Subject) -> None:
    """Nothing is required: `{}` creates a conversation without user, title and metadata."""

    def check(body: dict[str, None]) -> None:
        answer = server.ask(CREATE, body=body)
        expect_status(answer, 200)
        for name in ("external_user_id", "title", "metadata"):
            expect_equal(answer.object.get(name), None, name, answer)

    for_each(({}, {"external_user_id": None, "title": None, "metadata": None}), check)


@law("CREATE-3", source="D", clause="3.2", operations=(CREATE, GET, LIST))
def every_key_is_sent(server: Subject) -> None:
    """A conversation always has every key, null where there is no value: when created, read and listed."""
    created = server.ask(CREATE, body={})
    expect_status(created, 200)
    expect_equal(sorted(created.object), sorted(KEYS), "keys", created)
    read = good(server.get(id_of(created)))
    expect_equal(sorted(read.object), sorted((*KEYS, "items")), "keys", created, read)
    listed = good(server.ask(LIST))
    for row in rows_of(listed):
        expect_equal(sorted(row), sorted(KEYS), "keys of a row", created, listed)


@law("CREATE-4", source="S", clause="3.2", operations=(CREATE, GET, LIST, USER_LIST))
def everybody_sees_what_was_created(server: Subject) -> None:
    """What creation answered, reading answers too, and so do the app's list and the user's."""
    metadata = {"first_name": "Maëlle", "city": "Québec"}
    created = good(server.create(external_user_id=server.user("seen"), title="Seen", metadata=metadata))
    one = id_of(created)
    read = server.get(one)
    expect_status(read, 200)
    same(read.object, created, read)
    listed = server.users_list(server.user("seen"))
    expect_status(listed, 200)
    same(next((row for row in rows_of(listed) if row.get("id") == one), None), created, listed)
    page, row = server.in_the_list(one)
    same(row, created, page)


@law("READ-1", source="V", clause="2.4", operations=(LIST, GET), writes=False)
def what_is_listed_can_be_read(server: Subject) -> None:
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


@law("CREATE-5", source="S", clause="3.2", operations=(CREATE, GET))
def texts_are_kept_to_the_letter(server: Subject) -> None:
    """Any text is kept to the letter: in a title, in a key and in a value of metadata."""

    def check(text: str) -> None:
        metadata = {"text": text, text[:50]: [text]}
        created = server.create(title=text, metadata=metadata)
        expect_status(created, 200)
        for answer in (created, server.get(id_of(created))):
            about = (created,) if answer is not created else ()
            expect_equal(answer.object.get("title"), text, "title", *about, answer)
            expect_equal(answer.object.get("metadata"), server.marked(metadata), "metadata", *about, answer)

    for_each(TITLES, check)


@law("ID-1", source="S", clause="3.2", operations=(CREATE,))
def ids_are_unique(server: Subject) -> None:
    """Every conversation has an id of its own."""
    ids = [id_of(answer) for answer in server.shelf()]
    expect(len(set(ids)) == len(ids), f"{len(ids)} different ids", f"{len(set(ids))}", *server.shelf())


@law("ID-2", source="D", clause="5.7", operations=(CREATE,))
def ids_are_uuids(server: Subject) -> None:
    """A conversation's id is a UUID in lower case."""
    for_each(
        server.shelf(),
        lambda answer: expect(UUID.fullmatch(id_of(answer)) is not None, "a UUID", id_of(answer), answer),
    )


@law("TIME-1", source="S", clause="1.3", operations=(CREATE, GET))
def times_are_seconds(server: Subject) -> None:
    """`created_at` is in whole Unix seconds."""
    created = server.shelf()[0]
    for answer in (created, good(server.get(id_of(created)))):
        at = answer.object.get("created_at")
        whole = isinstance(at, int) and not isinstance(at, bool)
        expect(whole and at in SECONDS, "Unix seconds, a whole number", shown(at), answer)


@law("TIME-2", source="S", clause="1.3", operations=(CREATE,))
def time_does_not_go_back(server: Subject) -> None:
    """A conversation that was created later doesn't have an earlier time."""
    times = [answer.object.get("created_at") or 0 for answer in server.shelf()]
    expect(times == sorted(times), "times in the order of creation", times, *server.shelf())


@law("TIME-3", source="S", clause="1.3", operations=(CREATE, GET, SEND))
def times_of_a_conversation_are_in_order(server: Subject) -> None:
    """Times of one conversation are in order: its own, its user's message, the reply."""
    first, second = server.talk()
    items = second.after.object.get("items") or []
    times = [first.created.object.get("created_at"), *(item.get("created_at") for item in items)]
    known = [at for at in times if isinstance(at, int)]
    expect(known == times == sorted(known), "times in order", times, first.created, first.answer, second.after)
    reply = first.answer.object.get("created_at")
    proof = (first.created, first.answer, first.after)
    expect(isinstance(reply, int) and reply in SECONDS, "Unix seconds", shown(reply), *proof)
    said = [*known[1:2], reply or 0]
    expect(said == sorted(said), "a time not before the message's", shown(reply), *proof)
