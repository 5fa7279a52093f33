"""Apps: what they say of themselves, and that they share nothing."""

from __future__ import annotations

from sandbox.conformance import expect
from sandbox.conformance.check import check
from sandbox.conformance.http_messages import ApiResponse, good
from sandbox.conformance.target import BODIES, READS, Op, Target

# Each row: an app that always answers in one way, the status, the type of the error.
MAGIC_APPS = (
    ("app_missing", 404, "not_found"),
    ("app_inactive", 403, "app_inactive"),
    ("app_no_agent", 403, "agent_unavailable"),
    ("app_error", 500, "internal_error"),
)


def other_app(server: Target) -> str:
    """Return the id of an app that isn't ours; a foreign server need not know it."""
    return f"{server.app[:120]}-other"


@check("APP-1", "V", "3.13", writes=False)
def the_config_names_its_app(server: Target) -> None:
    """The config is of the app that was asked for."""
    answer = expect.ok(server.ask(Op.CONFIG))
    expect.field(answer, "app_id", server.app)


@check("APP-2", "V", "4.11", writes=False, cases=READS)
def an_unknown_app_is_not_found(server: Target, op: Op) -> None:
    """An app that doesn't exist is 404 `not_found` (or not ours: 403), whatever is read of it."""
    answer = server.ask(op, app="app_missing")
    expect.status(answer, 404, 403)
    if answer.status == 404:
        expect.error(answer, 404, "not_found")


@check("APP-3", "V", "4.11", cases=(Op.GET, Op.UPDATE, Op.SEND, Op.DELETE))
def another_app_reaches_nothing(server: Target, op: Op) -> None:
    """A conversation is out of reach under another app's id: 403 or 404, never 200."""
    answer = server.ask(op, conversation=server.samples()[0].id, app=other_app(server), body=BODIES.get(op))
    expect.status(answer, 404, 403)


@check("APP-4", "V", "4.11")
def another_app_changes_nothing(server: Target) -> None:
    """What another app would do to a conversation doesn't happen: afterwards it is as before."""
    created = good(server.create(title="Mine"))
    renamed = server.ask(Op.UPDATE, conversation=created.id, app=other_app(server), body={"title": "Theirs"})
    deleted = server.ask(Op.DELETE, conversation=created.id, app=other_app(server))
    answer = server.get(created.id)
    expect.that(answer.is_good, "the conversation, still there", created, renamed, deleted, answer)
    expect.field(answer, "title", "Mine", created, renamed, deleted)


def lists_of_another_app(server: Target) -> tuple[ApiResponse, ...]:
    """Return both lists of another app, made after the samples of this one."""
    server.samples()
    app = other_app(server)
    return server.ask(Op.LIST, app=app, query="limit=100"), server.ask(Op.USER_LIST, app=app, user=server.sample_user)


@check("APP-5", "V", "2.2", needs_sandbox=True, cases=lists_of_another_app)
def another_app_lists_nothing_of_ours(server: Target, answer: ApiResponse) -> None:
    """No list of another app shows a conversation of this one."""
    expect.status(answer, 200, 404, 403)
    ours = {sample.id for sample in server.samples()} & set(answer.ids)
    expect.that(not ours, "a list without our conversations", server.samples()[-1], answer, got=f"{len(ours)} of them")


@check("APP-6", "D", "10.2", cases=[(op, *row) for row in MAGIC_APPS for op in Op])
def magic_apps_answer_as_they_are_called(server: Target, op: Op, app: str, status: int, kind: str) -> None:
    """`app_missing`, `app_inactive`, `app_no_agent` and `app_error` always answer as they are called."""
    if app == "app_error" and op in (Op.SEND, Op.COMPLETE):
        return  # a 500 leaves open what was done
    body = BODIES.get(op, {} if server.operations[op].method == "POST" else None)
    expect.error(server.ask(op, app=app, body=body), status, kind)
