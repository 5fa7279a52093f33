"""Metrics: everything is counted, once. With `--shared-app` the counts are only held to grow enough."""

from __future__ import annotations

from sandbox.conformance import expect
from sandbox.conformance.check import check
from sandbox.conformance.http_messages import ApiResponse, good
from sandbox.conformance.target import HELLO, Op, Target

CONVERSATIONS, MESSAGES, USERS = "total_conversations", "total_messages", "total_users"


def expect_growth(server: Target, name: str, by: int, before: ApiResponse, *proof: ApiResponse) -> None:
    """Hold a count to have grown by a number since it was read."""
    after = good(server.ask(Op.METRICS))
    old, new = before.object.get(name), after.object.get(name)
    more = new - old if isinstance(old, int) and isinstance(new, int) else -1
    is_right = more == by or (more > by and not server.is_alone)
    expect.that(is_right, f"{name} {expect.format_value(old)} + {by}", *proof, after, value=new)


@check("METRICS-1", "V", "5.6")
def a_conversation_counts_one(server: Target) -> None:
    """A new conversation counts one."""
    before = good(server.ask(Op.METRICS))
    created = [good(server.create()), good(server.create(external_user_id=server.user("counted")))]
    expect_growth(server, CONVERSATIONS, 2, before, *created)


@check("METRICS-2", "V", "5.6", needs_sandbox=True)
def a_user_counts_once(server: Target) -> None:
    """A user counts once, however many conversations there are."""
    before = good(server.ask(Op.METRICS))
    users = (server.user("a new user"), server.user("a new user"), server.user("another new user"), None)
    created = [good(server.create(external_user_id=user)) for user in users]
    expect_growth(server, USERS, 2, before, *created)


@check("METRICS-3", "V", "5.6")
def a_message_counts(server: Target) -> None:
    """A message counts: the metrics grow with every exchange."""
    created = good(server.create())
    before = good(server.ask(Op.METRICS))
    sent = good(server.send(created.id, HELLO, stream=False))
    after = good(server.ask(Op.METRICS))
    old, new = before.object.get(MESSAGES), after.object.get(MESSAGES)
    is_more = isinstance(old, int) and isinstance(new, int) and new > old
    expect.that(is_more, f"{MESSAGES} above {expect.format_value(old)}", created, sent, after, value=new)


@check("METRICS-4", "D", "5.6")
def both_roles_count(server: Target) -> None:
    """Messages of both roles count: an exchange is two, a reply that failed leaves one."""
    before = good(server.ask(Op.METRICS))
    created, sent = server.counted_message()
    expect_growth(server, MESSAGES, 2, before, created, sent)
    before = good(server.ask(Op.METRICS))
    failed = good(server.send(created.id, "[[fail]]"))
    expect_growth(server, MESSAGES, 1, before, created, failed)


@check("METRICS-5", "D", "5.5")
def deleted_still_counts(server: Target) -> None:
    """A deleted conversation still counts, and so do its messages and its user."""
    created, sent = server.counted_message()
    before = good(server.ask(Op.METRICS))
    deleted = good(server.delete(created.id))
    for name in (CONVERSATIONS, MESSAGES, USERS):
        expect_growth(server, name, 0, before, created, sent, deleted)


@check("METRICS-6", "D", "5.3")
def the_empty_user_counts(server: Target) -> None:
    """The empty user id counts as a user."""
    first = good(server.create(external_user_id=""))
    count = good(server.ask(Op.METRICS)).object.get(USERS)
    expect.that(isinstance(count, int) and count >= 1, "at least one user", first, got=f"{count}")
    before = good(server.ask(Op.METRICS))
    again = good(server.create(external_user_id=""))
    expect_growth(server, USERS, 0, before, first, again)


@check("METRICS-7", "V", "5.6", needs_sandbox=True)
def reading_counts_nowhere(server: Target) -> None:
    """Reading counts nowhere."""
    before = good(server.ask(Op.METRICS))
    for op in (Op.LIST, Op.CONFIG, Op.USER_LIST):
        good(server.ask(op))
    for name in (CONVERSATIONS, MESSAGES, USERS):
        expect_growth(server, name, 0, before, before)
