"""Users: a conversation is listed under its user, whatever the user's id is made of, and under nobody else."""

from __future__ import annotations

import unicodedata

from sandbox.conformance.check import check, expect, expect_equal, expect_error, expect_status, for_each
from sandbox.conformance.http_messages import good, id_of, ids_of
from sandbox.conformance.target import Target


def expect_found(server: Target, user: str) -> None:
    """Hold a server to finding a user's conversation under the user's id."""
    created = server.create(external_user_id=user)
    expect_status(created, 200)
    expect_equal(created.object.get("external_user_id"), user, "external_user_id", created)
    listed = server.users_list(user)
    expect(listed.status == 200, "status 200", listed.summary, created, listed)
    expect_equal(ids_of(listed), [id_of(created)], f"the ids of {user!r}", created, listed)


@check("USER-1", source="S", clause="5.3")
def a_user_finds_conversations(server: Target) -> None:
    """A conversation with an `external_user_id` is listed under that user."""
    expect_found(server, server.user("finds"))


@check("USER-2", source="S", clause="5.3")
def nobody_else_does(server: Target) -> None:
    """A conversation is listed under no other user."""
    user = server.user("alone")
    created = good(server.create(external_user_id=user))
    for other in (f"{user}x", user[:-1], user.upper(), server.sample_user):
        listed = server.users_list(other, "limit=100")
        expect_status(listed, 200, 404)
        expect(id_of(created) not in ids_of(listed), "a list without it", "a list with it", created, listed)


@check("USER-3", source="S", clause="5.3")
def readable_ids_are_found(server: Target) -> None:
    """A user's id may be an address, have spaces, accents, any script, emoji."""
    names = ("zoe@example.com", "first last", "Maëlle Côté", "用户", "مستخدم", "👩‍👩‍👧‍👦", "a:b;c,d=e$f!g*h(i)'j\"k~l")
    for_each(names, lambda name: expect_found(server, server.user(name)))


@check("USER-4", source="D", clause="4.5")
def any_id_is_found(server: Target) -> None:
    """A user's id may be of any characters: slashes, percent signs, dots, control characters, one or a thousand of
    them."""
    for_each(
        ("a/b", "a%2Fb", "a?b#c", "a+b", "a\\b", "%", "%00", "..", "a\x00b", "a\nb", "\u202e", "\ufeff", "\U0010ffff"),
        lambda name: expect_found(server, server.user(name)),
    )
    for_each(
        ("x" * (1_000 - len(server.run)), "😀" * (1_000 - len(server.run))),
        lambda name: expect_found(server, server.run + name),
    )


@check("USER-5", source="D", clause="4.5")
def ids_are_taken_to_the_letter(server: Target) -> None:
    """A user's id is taken to the letter: case, spaces and composed letters tell users apart."""
    pairs = (
        ("Case", "case"),
        ("é", unicodedata.normalize("NFD", "é")),
        ("space", "space "),
        ("plus+", "plus "),
        ("%41", "A"),
        ("ﬁ", "fi"),
    )

    def verify(pair: tuple[str, str]) -> None:
        one, other = (server.user(f"letter {name}") for name in pair)
        created = good(server.create(external_user_id=one))
        listed = server.users_list(other)
        expect_status(listed, 200)
        expect(not ids_of(listed), f"nothing of {other!r}", f"a conversation of {one!r}", created, listed)

    for_each(pairs, verify)


@check("USER-6", source="D", clause="5.3", writes=False)
def an_unknown_user_has_an_empty_list(server: Target) -> None:
    """A user whom nobody knows has an empty list."""
    answer = server.users_list(server.user("nobody at all"))
    expect_status(answer, 200)
    expect_equal(answer.object.get("data"), [], "data", answer)
    expect_equal(answer.object.get("has_more"), False, "has_more", answer)
    for name in ("first_id", "last_id"):
        expect_equal(answer.object.get(name), None, name, answer)


@check("USER-7", source="D", clause="5.3")
def the_empty_id_is_kept(server: Target) -> None:
    """The empty user id is kept and echoed, but no list reaches it."""
    created = server.create(external_user_id="")
    expect_status(created, 200)
    for answer in (created, good(server.get(id_of(created)))):
        expect_equal(answer.object.get("external_user_id"), "", "external_user_id", answer)
    expect_error(server.users_list(""), 404, "not_found")
