"""Users: a conversation is listed under its user, whatever the user's id is made of, and under nobody else."""

from __future__ import annotations

import unicodedata

from sandbox.conformance import expect
from sandbox.conformance.check import check
from sandbox.conformance.http_messages import good
from sandbox.conformance.target import Target


def expect_found(server: Target, user: str) -> None:
    """Hold a server to finding a user's conversation under the user's id."""
    created = expect.ok(server.create(external_user_id=user))
    expect.field(created, "external_user_id", user)
    listed = server.users_list(user)
    expect.that(listed.status == 200, "status 200", created, listed)
    expect.equal(listed.ids, [created.id], f"the ids of {user!r}", created, listed)


@check("USER-1", "S", "5.3")
def a_user_finds_conversations(server: Target) -> None:
    """A conversation with an `external_user_id` is listed under that user."""
    expect_found(server, server.user("finds"))


@check("USER-2", "S", "5.3")
def nobody_else_does(server: Target) -> None:
    """A conversation is listed under no other user."""
    user = server.user("alone")
    created = good(server.create(external_user_id=user))
    for other_user in (f"{user}x", user[:-1], user.upper(), server.sample_user):
        listed = server.users_list(other_user, "limit=100")
        expect.status(listed, 200, 404)
        expect.that(created.id not in listed.ids, "a list without it", created, listed, got="a list with it")


READABLE_NAMES = (
    "zoe@example.com",
    "first last",
    "Maëlle Côté",
    "用户",
    "مستخدم",
    "👩‍👩‍👧‍👦",
    "a:b;c,d=e$f!g*h(i)'j\"k~l",
)


@check("USER-3", "S", "5.3", cases=READABLE_NAMES)
def readable_ids_are_found(server: Target, name: str) -> None:
    """A user's id may be an address, have spaces, accents, any script, emoji."""
    expect_found(server, server.user(name))


ODD_NAMES = (
    *("a/b", "a%2Fb", "a?b#c", "a+b", "a\\b", "%", "%00", ".."),
    *("a\x00b", "a\nb", "\u202e", "\ufeff", "\U0010ffff"),
)


def odd_users(server: Target) -> list[str]:
    """Return users' ids of any characters, the last ones as long as an id may be."""
    longest = [server.run + letter * (1_000 - len(server.run)) for letter in "x😀"]
    return [*map(server.user, ODD_NAMES), *longest]


@check("USER-4", "D", "4.5", cases=odd_users)
def any_id_is_found(server: Target, user: str) -> None:
    """A user's id may be of any characters: slashes, percent signs, dots, control characters, one or a thousand of
    them."""
    expect_found(server, user)


# Each row: two names that a careless server takes for one.
LIKE_NAMES = (
    ("Case", "case"),
    ("é", unicodedata.normalize("NFD", "é")),
    ("space", "space "),
    ("plus+", "plus "),
    ("%41", "A"),
    ("ﬁ", "fi"),
)


@check("USER-5", "D", "4.5", cases=LIKE_NAMES)
def ids_are_taken_to_the_letter(server: Target, *names: str) -> None:
    """A user's id is taken to the letter: case, spaces and composed letters tell users apart."""
    user, other_user = (server.user(f"letter {name}") for name in names)
    created = good(server.create(external_user_id=user))
    listed = expect.ok(server.users_list(other_user))
    expect.that(not listed.ids, f"nothing of {other_user!r}", created, listed, got=f"a conversation of {user!r}")


@check("USER-6", "D", "5.3", writes=False)
def an_unknown_user_has_an_empty_list(server: Target) -> None:
    """A user whom nobody knows has an empty list."""
    answer = expect.ok(server.users_list(server.user("nobody at all")))
    for name, wanted in (("data", []), ("has_more", False), ("first_id", None), ("last_id", None)):
        expect.field(answer, name, wanted)


@check("USER-7", "D", "5.3")
def the_empty_id_is_kept(server: Target) -> None:
    """The empty user id is kept and echoed, but no list reaches it."""
    created = expect.ok(server.create(external_user_id=""))
    for answer in (created, good(server.get(created.id))):
        expect.field(answer, "external_user_id", "")
    expect.error(server.users_list(""), 404, "not_found")
