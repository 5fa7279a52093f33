"""Metrics: everything is counted, once. Where others use the app too, the counts are only held to grow enough."""

from __future__ import annotations

from sandbox.conformance.check import check, expect, format_value
from sandbox.conformance.http_messages import ApiResponse, good, id_of
from sandbox.conformance.target import CONFIG, HELLO, LIST, METRICS, USER_LIST, Target

CONVERSATIONS, MESSAGES, USERS = "total_conversations", "total_messages", "total_users"


def expect_growth(server: Target, name: str, by: int, before: ApiResponse, *proof: ApiResponse) -> None:
    """Hold a count to have grown by a number since it was read."""
    after = good(server.ask(METRICS))
    old, new = before.object.get(name), after.object.get(name)
    more = new - old if isinstance(old, int) and isinstance(new, int) else -1
    right = more == by or (more > by and not server.is_alone)
    expect(right, f"{name} {format_value(old)} + {by}", format_value(new), *proof, after)


@check("METRICS-1", source="V", clause="5.6")
def a_conversation_counts_one(server: Target) -> None:
    """A new conversation counts one."""
    before = good(server.ask(METRICS))
    created = [good(server.create()), good(server.create(external_user_id=server.user("counted")))]
    expect_growth(server, CONVERSATIONS, 2, before, *created)


@check("METRICS-2", source="V", clause="5.6", needs_sandbox=True)
def a_user_counts_once(server: Target) -> None:
    """A user counts once, however many conversations there are."""
    before = good(server.ask(METRICS))
    users = (server.user("a new user"), server.user("a new user"), server.user("another new user"), None)
    created = [good(server.create(external_user_id=user)) for user in users]
    expect_growth(server, USERS, 2, before, *created)


@check("METRICS-3", source="V", clause="5.6")
def a_message_counts(server: Target) -> None:
    """A message counts: the metrics grow with every exchange."""
    created = good(server.create())
    before = good(server.ask(METRICS))
    sent = good(server.send(id_of(created), HELLO, stream=False))
    after = good(server.ask(METRICS))
    old, new = before.object.get(MESSAGES), after.object.get(MESSAGES)
    right = isinstance(old, int) and isinstance(new, int) and new > old
    expect(right, f"{MESSAGES} above {format_value(old)}", format_value(new), created, sent, after)


@check("METRICS-4", source="D", clause="5.6")
def both_roles_count(server: Target) -> None:
    """Messages of both roles count: an exchange is two, a reply that failed leaves one."""
    before = good(server.ask(METRICS))
    created, sent = server.counted_message()
    expect_growth(server, MESSAGES, 2, before, created, sent)
    before = good(server.ask(METRICS))
    failed = good(server.send(id_of(created), "[[fail]]"))
    expect_growth(server, MESSAGES, 1, before, created, failed)


@check("METRICS-5", source="D", clause="5.5")
def deleted_still_counts(server: Target) -> None:
    """A deleted conversation still counts, and so do its messages and its user."""
    created, sent = server.counted_message()
    before = good(server.ask(METRICS))
    deleted = good(server.delete(id_of(created)))
    for name in (CONVERSATIONS, MESSAGES, USERS):
        expect_growth(server, name, 0, before, created, sent, deleted)


@check("METRICS-6", source="D", clause="5.3")
def the_empty_user_counts(server: Target) -> None:
    """The empty user id counts as a user."""
    first = good(server.create(external_user_id=""))
    count = good(server.ask(METRICS)).object.get(USERS)
    expect(isinstance(count, int) and count >= 1, "at least one user", f"{count}", first)
    before = good(server.ask(METRICS))
    again = good(server.create(external_user_id=""))
    expect_growth(server, USERS, 0, before, first, again)


@check("METRICS-7", source="V", clause="5.6", needs_sandbox=True)
def reading_counts_nowhere(server: Target) -> None:
    """Reading counts nowhere."""
    before = good(server.ask(METRICS))
    for operation in (LIST, CONFIG, USER_LIST):
        good(server.ask(operation))
    for name in (CONVERSATIONS, MESSAGES, USERS):
        expect_growth(server, name, 0, before, before)
