"""Cursors: walks from page to page, forwards and backwards, while others write, past what was deleted."""

from __future__ import annotations

from sandbox.conformance.caller import CONFIG, CREATE, DELETE, LIST, NOBODY, USER_LIST
from sandbox.conformance.evidence import good, id_of, ids_of
from sandbox.conformance.exchange import Answer
from sandbox.conformance.law import expect, expect_equal, expect_error, for_each, law
from sandbox.conformance.laws.apps import other_app
from sandbox.conformance.laws.walks import BOTH, difference, holds, newest_first, page, walk, walked
from sandbox.conformance.subject import SHELF, Subject


@law("PAGE-8", source="V", clause="5.4", operations=(USER_LIST,))
def a_walk_meets_every_row_once(server: Subject) -> None:
    """`last_id` handed on as `after` gives the next page: a walk meets every row once, in order, in pages of any
    size."""

    def check(case: tuple[int, str]) -> None:
        limit, order = case
        wanted = newest_first(server) if order == "desc" else newest_first(server)[::-1]
        ids, pages = walked(server, f"limit={limit}&order={order}")
        why = f"limit={limit}, order={order}"
        expect(ids == wanted, f"every row once, in order ({why})", difference(wanted, ids), *server.shelf(), *pages[:3])

    for_each([(limit, order) for limit in (21, 11, 5, 1) for order in ("desc", "asc")], check)


@law("PAGE-12", source="D", clause="5.4", operations=(USER_LIST,))
def before_gives_the_page_before(server: Subject) -> None:
    """`before` gives the page that ends just before a row, still in the requested order."""
    ids = newest_first(server)

    def check(order: str) -> None:
        rows = ids if order == "desc" else ids[::-1]
        holds(server, f"order={order}&limit=2&before={rows[5]}", rows[3:5], more=True)
        holds(server, f"order={order}&limit=5&before={rows[5]}", rows[:5], more=False)
        holds(server, f"order={order}&limit=4&before={rows[5]}", rows[1:5], more=True)
        holds(server, f"order={order}&before={rows[2]}", rows[:2], more=False)
        holds(server, f"order={order}&before={rows[0]}", [], more=False)

    for_each(("desc", "asc"), check)


@law("PAGE-13", source="D", clause="5.4", operations=(USER_LIST,))
def a_walk_backwards_meets_every_row_once(server: Subject) -> None:
    """A walk backwards by `first_id` as `before` meets every row once."""
    ids = newest_first(server)
    pages: list[Answer] = []
    met: list[str] = []
    before = ids[-1]
    for _ in range(SHELF):
        pages.append(page(server, f"limit=4&before={before}"))
        met = ids_of(pages[-1]) + met
        before = str(pages[-1].object.get("first_id"))
        if pages[-1].object.get("has_more") is not True:
            break
    expect(met == ids[:-1], "every row once, in order", difference(ids[:-1], met), *server.shelf(), *pages[:3])


@law("PAGE-14", source="D", clause="5.4", operations=BOTH)
def unknown_cursors_are_404(server: Subject) -> None:
    """A cursor that is unknown, or of another app, or empty, is 404 `not_found`, `unknown_cursor`, and `param` names
    it."""
    cases = [(op, name, one) for op in BOTH for name in ("after", "before") for one in (NOBODY, "x", "")]

    def check(case: tuple[str, str, str]) -> None:
        operation, name, one = case
        answer = server.ask(operation, query=f"{name}={one}")
        expect_error(answer, 404, "not_found", param=name, code="unknown_cursor", why=f"{name}={one}")

    for_each(cases, check)
    if server.ask(CONFIG, app=other_app(server)).is_good:
        answer = server.ask(LIST, app=other_app(server), query=f"after={newest_first(server)[0]}")
        expect_error(answer, 404, "not_found", code="unknown_cursor", why="another app's conversation")


@law("PAGE-15", source="D", clause="5.4", operations=BOTH)
def two_cursors_conflict(server: Subject) -> None:
    """Both cursors at once are 422 `conflict`."""
    ids = newest_first(server)

    def check(operation: str) -> None:
        answer = server.ask(operation, user=server.shelf_user, query=f"after={ids[0]}&before={ids[5]}")
        expect_error(answer, server.invalid, "invalid_request_error", code="conflict")

    for_each(BOTH, check)


@law("PAGE-16", source="V", clause="5.4", operations=(CREATE, USER_LIST))
def a_walk_is_steady_while_others_write(server: Subject) -> None:
    """Rows created during a walk don't disturb it: each row that was there at its beginning is met once."""
    user = server.user("steady")
    rows = [id_of(good(server.create(external_user_id=user))) for _ in range(5)][::-1]
    met: list[str] = []
    for answer in walk(lambda query: good(server.users_list(user, query)), "limit=2&order=desc", 10):
        met += ids_of(answer)
        good(server.create(external_user_id=user))
    expect(met == rows, "the five rows, once each, newest first", difference(rows, met), *server.client.history[-9:])


@law("PAGE-17", source="D", clause="5.4", operations=(DELETE, USER_LIST))
def a_deleted_cursor_keeps_its_place(server: Subject) -> None:
    """A cursor that was deleted keeps its place: the walk goes on behind it."""
    user = server.user("cursor")
    created = [good(server.create(external_user_id=user)) for _ in range(5)]
    rows = [id_of(answer) for answer in created][::-1]
    deleted = good(server.delete(rows[2]))
    for query, wanted in (
        (f"after={rows[2]}", rows[3:]),
        (f"before={rows[2]}", rows[:2]),
        (f"order=asc&after={rows[2]}", rows[1::-1]),
        ("", [*rows[:2], *rows[3:]]),
    ):
        answer = server.users_list(user, query)
        expect(answer.status == 200, "status 200", answer.summary, *created, deleted, answer)
        expect_equal(ids_of(answer), wanted, "ids", *created, deleted, answer)


@law("PAGE-18", source="D", clause="5.4", operations=(USER_LIST,))
def anothers_conversation_is_a_place(server: Subject) -> None:
    """Any conversation of the app is a cursor of a user's list, another user's too: a place in the order of
    creation."""
    user = server.user("between")
    created = [good(server.create(external_user_id=name)) for name in (user, user, server.user("stranger"), user, user)]
    ids = [id_of(answer) for answer in created]
    for query, wanted in (
        (f"after={ids[2]}", [ids[1], ids[0]]),
        (f"before={ids[2]}", [ids[4], ids[3]]),
        (f"order=asc&limit=1&after={ids[2]}", [ids[3]]),
    ):
        answer = server.users_list(user, query)
        expect(answer.status == 200, "status 200", answer.summary, *created, answer)
        expect_equal(ids_of(answer), wanted, "ids", *created, answer)
