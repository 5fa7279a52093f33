"""Apps: what they say of themselves, and that each is a world of its own."""

from __future__ import annotations

from sandbox.conformance.check import check, expect, expect_equal, expect_error, expect_status, for_each
from sandbox.conformance.http_messages import ApiResponse, good, id_of, ids_of
from sandbox.conformance.target import (
    ALL,
    BODIES,
    COMPLETE,
    CONFIG,
    DELETE,
    GET,
    LIST,
    READS,
    SEND,
    UPDATE,
    USER_LIST,
    Target,
)


def other_app(server: Target) -> str:
    """Return the id of an app that isn't ours; a foreign server need not know it."""
    return f"{server.app[:120]}-other"


@check("APP-1", source="V", clause="3.13", writes=False)
def the_config_names_its_app(server: Target) -> None:
    """The config is of the app that was asked for."""
    answer = server.ask(CONFIG)
    expect_status(answer, 200)
    expect_equal(answer.object.get("app_id"), server.app, "app_id", answer)


@check("APP-2", source="V", clause="4.11", writes=False, cases=READS)
def an_unknown_app_is_not_found(server: Target, operation: str) -> None:
    """An app that doesn't exist is 404 `not_found` (or not ours: 403), whatever is read of it."""
    answer = server.ask(operation, app="app_missing")
    expect_status(answer, 404, 403)
    if answer.status == 404:
        expect_error(answer, 404, "not_found")


@check("APP-3", source="V", clause="4.11")
def another_app_reaches_nothing(server: Target) -> None:
    """A conversation is out of reach under another app's id: 403 or 404, never 200."""
    one = id_of(server.samples()[0])

    def verify(operation: str) -> None:
        answer = server.ask(operation, conversation=one, app=other_app(server), body=BODIES.get(operation))
        expect_status(answer, 404, 403)

    for_each((GET, UPDATE, SEND, DELETE), verify)


@check("APP-4", source="V", clause="4.11")
def another_app_changes_nothing(server: Target) -> None:
    """What another app would do to a conversation doesn't happen: afterwards it is as before."""
    created = good(server.create(title="Mine"))
    one, other = id_of(created), other_app(server)
    renamed = server.ask(UPDATE, conversation=one, app=other, body={"title": "Theirs"})
    deleted = server.ask(DELETE, conversation=one, app=other)
    answer = server.get(one)
    expect(answer.is_good, "the conversation, still there", answer.summary, created, renamed, deleted, answer)
    expect_equal(answer.object.get("title"), "Mine", "title", created, renamed, deleted, answer)


@check("APP-5", source="V", clause="2.2", needs_sandbox=True)
def another_app_lists_nothing_of_ours(server: Target) -> None:
    """No list of another app shows a conversation of this one."""
    ours = {id_of(answer) for answer in server.samples()}

    def verify(answer: ApiResponse) -> None:
        expect_status(answer, 200, 404, 403)
        found = ours & set(ids_of(answer))
        expect(not found, "a list without our conversations", f"{len(found)} of them", *server.samples()[-1:], answer)

    app = other_app(server)
    for_each(
        (server.ask(LIST, app=app, query="limit=100"), server.ask(USER_LIST, app=app, user=server.sample_user)), verify
    )


@check("APP-6", source="D", clause="10.2")
def magic_apps_answer_as_they_are_called(server: Target) -> None:
    """`app_missing`, `app_inactive`, `app_no_agent` and `app_error` always answer as they are called."""
    table = (
        ("app_missing", 404, "not_found"),
        ("app_inactive", 403, "app_inactive"),
        ("app_no_agent", 403, "agent_unavailable"),
        ("app_error", 500, "internal_error"),
    )
    cases = [(operation, *row) for row in table for operation in ALL]

    def verify(case: tuple[str, str, int, str]) -> None:
        operation, app, status, kind = case
        if app == "app_error" and operation in (SEND, COMPLETE):
            return  # a 500 leaves open what was done
        body = BODIES.get(operation, {} if server.operations[operation].method == "POST" else None)
        expect_error(server.ask(operation, app=app, body=body), status, kind)

    for_each(cases, verify)
