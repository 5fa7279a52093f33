"""Deletion: gone from every list, and in the sandbox from everything but the counts."""

from __future__ import annotations

from sandbox.conformance.caller import DELETE, GET, LIST, SEND, UPDATE, USER_LIST
from sandbox.conformance.evidence import good, id_of, ids_of
from sandbox.conformance.law import expect, expect_equal, expect_error, expect_status, for_each, law
from sandbox.conformance.laws.samples import BODIES
from sandbox.conformance.subject import Subject


@law("DELETE-1", source="V", clause="3.6", operations=(DELETE,))
def a_deletion_says_what(server: Subject) -> None:
    """A deletion says what was deleted."""
    created = good(server.create(title="To be deleted"))
    answer = server.delete(id_of(created))
    expect_status(answer, 200)
    expect_equal(answer.object.get("id"), id_of(created), "id", created, answer)
    expect(answer.object.get("deleted", True) is True, "deleted: true", answer.summary, created, answer)


@law("DELETE-2", source="V", clause="5.5", operations=(DELETE, LIST, USER_LIST))
def deleted_is_gone_from_lists(server: Subject) -> None:
    """A deleted conversation is gone from the app's list and from its user's."""
    created = good(server.create(external_user_id=server.user("unlisted")))
    deleted = good(server.delete(id_of(created)))
    for listed in (server.users_list(server.user("unlisted")), server.ask(LIST, query="limit=100")):
        expect_status(listed, 200)
        gone = id_of(created) not in ids_of(listed)
        expect(gone, "a list without it", "a list with it", created, deleted, listed)


@law("DELETE-3", source="D", clause="5.5", operations=(DELETE, GET, UPDATE, SEND))
def deleted_is_404(server: Subject) -> None:
    """A deleted conversation is 404 to get, update, delete and send message."""
    created, deleted = server.gone()

    def check(operation: str) -> None:
        answer = server.ask(operation, conversation=id_of(created), body=BODIES.get(operation))
        expect(answer.status == 404, "status 404", answer.summary, created, deleted, answer)
        expect_error(answer, 404, "not_found")

    for_each((GET, UPDATE, SEND, DELETE), check)


@law("DELETE-4", source="V", clause="2.6", operations=(DELETE, GET, USER_LIST))
def others_stay(server: Subject) -> None:
    """A deletion takes one conversation and no other."""
    user = server.user("pair")
    one, other = good(server.create(external_user_id=user)), good(server.create(external_user_id=user))
    deleted = good(server.delete(id_of(one)))
    read, listed = server.get(id_of(other)), good(server.users_list(user))
    expect(read.is_good, "the other one", read.summary, one, other, deleted, read)
    expect_equal(ids_of(listed), [id_of(other)], "ids", one, other, deleted, listed)
