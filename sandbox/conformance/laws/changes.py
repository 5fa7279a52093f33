"""Changes: a new title is seen by every other operation, and nothing else changes."""

from __future__ import annotations

from sandbox.conformance.caller import CREATE, GET, LIST, UPDATE, USER_LIST
from sandbox.conformance.evidence import good, id_of, rows_of
from sandbox.conformance.exchange import Answer
from sandbox.conformance.law import expect_equal, expect_status, for_each, law
from sandbox.conformance.laws.creation import TITLES
from sandbox.conformance.subject import Subject


def titled(server: Subject, name: str) -> Answer:
    """Create a conversation with a title of its own."""
    return good(server.create(external_user_id=server.user(name), title="Before", metadata={"plan": "term_life"}))


@law("UPDATE-1", source="V", clause="3.5", operations=(UPDATE,))
def an_update_answers_the_new_title(server: Subject) -> None:
    """An update answers the conversation with its new title."""
    created = titled(server, "update")
    answer = server.update(id_of(created), {"title": "After"})
    expect_status(answer, 200)
    expect_equal(answer.object.get("id"), id_of(created), "id", created, answer)
    expect_equal(answer.object.get("title"), "After", "title", created, answer)


@law("UPDATE-2", source="V", clause="2.5", operations=(UPDATE, GET, LIST, USER_LIST))
def everybody_sees_the_new_title(server: Subject) -> None:
    """A changed title is the one that is read and listed from then on."""
    created = titled(server, "updated")
    one = id_of(created)
    updated = good(server.update(one, {"title": "After"}))
    read = good(server.get(one))
    expect_equal(read.object.get("title"), "After", "title", created, updated, read)
    listed = good(server.users_list(server.user("updated")))
    titles = [row.get("title") for row in rows_of(listed) if row.get("id") == one]
    expect_equal(titles, ["After"], "titles of its rows", created, updated, listed)
    page, row = server.in_the_list(one)
    expect_equal((row or {}).get("title"), "After", "title in the list", created, updated, page)


@law("UPDATE-3", source="V", clause="3.5", operations=(UPDATE, GET))
def null_takes_the_title_away(server: Subject) -> None:
    """`title: null` takes the custom title away."""
    created = titled(server, "untitled")
    updated = server.update(id_of(created), {"title": None})
    expect_status(updated, 200)
    expect_equal(updated.object.get("title"), None, "title", created, updated)
    read = good(server.get(id_of(created)))
    expect_equal(read.object.get("title"), None, "title", created, updated, read)


@law("UPDATE-4", source="D", clause="3.5", operations=(UPDATE, GET))
def without_title_nothing_changes(server: Subject) -> None:
    """A body without `title` changes nothing."""
    created = titled(server, "unchanged")
    updated = server.update(id_of(created), {})
    expect_status(updated, 200)
    for answer in (updated, good(server.get(id_of(created)))):
        expect_equal(answer.object.get("title"), "Before", "title", created, updated, answer)


@law("UPDATE-5", source="V", clause="2.5", operations=(UPDATE, GET))
def all_else_stays(server: Subject) -> None:
    """An update changes the title alone: id, time, user and metadata stay."""
    created = titled(server, "kept")
    updated = good(server.update(id_of(created), {"title": "After"}))
    for answer in (updated, good(server.get(id_of(created)))):
        for name in ("id", "created_at", "external_user_id", "metadata"):
            expect_equal(answer.object.get(name), created.object.get(name), name, created, updated, answer, about=name)


@law("UPDATE-6", source="V", clause="3.5", operations=(UPDATE, GET))
def new_titles_are_kept_to_the_letter(server: Subject) -> None:
    """Any text is kept to the letter when a title is changed."""
    created = titled(server, "letters")

    def check(text: str) -> None:
        updated = server.update(id_of(created), {"title": text})
        expect_status(updated, 200)
        expect_equal(updated.object.get("title"), text, "title", created, updated)

    for_each(TITLES, check)
    read = good(server.get(id_of(created)))
    last = good(server.update(id_of(created), {"title": TITLES[-1]}))
    expect_equal(read.object.get("title"), TITLES[-1], "title", created, last, read)


@law("UPDATE-7", source="V", clause="2.5", operations=(CREATE, UPDATE, GET))
def others_stay(server: Subject) -> None:
    """An update changes one conversation and no other."""
    one, other = titled(server, "one"), titled(server, "other")
    updated = good(server.update(id_of(one), {"title": "After"}))
    read = good(server.get(id_of(other)))
    expect_equal(read.object.get("title"), "Before", "title", one, other, updated, read)
