"""Pages: both lists, both orders, both directions, to the last row and not one further, while others write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from sandbox.conformance.check import (
    CheckViolation,
    NotApplicable,
    check,
    expect,
    expect_equal,
    expect_error,
    expect_status,
    for_each,
    format_value,
)
from sandbox.conformance.checks.apps import other_app
from sandbox.conformance.http_messages import ApiResponse, good, id_of, ids_of, rows_of
from sandbox.conformance.target import CONFIG, LIST, NOBODY, SAMPLE_COUNT, USER_LIST, Target

BOTH = (LIST, USER_LIST)


def newest_first(server: Target) -> list[str]:
    """Return the ids of the shelf as a list has them by default."""
    return [id_of(answer) for answer in reversed(server.samples())]


def page(server: Target, query: str = "") -> ApiResponse:
    """Return a page of the shelf's user."""
    return server.users_list(server.sample_user, query)


def expect_page(server: Target, query: str, wanted: Sequence[str], more: bool | None = None) -> None:
    """Hold one page to its ids, and to whether there are more; the proof is the shelf and the page."""
    answer = page(server, query)
    proof = (*server.samples(), answer)
    expect(answer.status == 200, "status 200", answer.summary, *proof)
    numbers = {one: str(number) for number, one in enumerate(reversed(newest_first(server)), 1)}
    came = [numbers.get(one, one) for one in ids_of(answer)]
    expected = [numbers.get(one, one) for one in wanted]
    expect(
        came == expected, f"conversations {', '.join(expected) or 'none'} ({query})", ", ".join(came) or "none", *proof
    )
    if more is not None and "has_more" in answer.object:
        expect_equal(answer.object["has_more"], more, f"has_more ({query})", *proof, about="has_more")


def walk(fetch: Callable[[str], ApiResponse], query: str, most: int = 1_000) -> Iterator[ApiResponse]:
    """Go from page to page by `last_id` as `after`, as long as the server says that there is more."""
    after = ""
    for _ in range(most):
        answer = fetch(query + after)
        yield answer
        last = answer.object.get("last_id") or "".join(ids_of(answer)[-1:])
        if answer.object.get("has_more") is not True or not last:
            return
        after = f"&after={last}"


def walk_all(server: Target, query: str) -> tuple[list[str], list[ApiResponse]]:
    """Walk over all pages of the shelf's user; return the ids and the pages."""
    pages = list(walk(lambda asked: page(server, asked), query, 4 * SAMPLE_COUNT))
    return [one for answer in pages for one in ids_of(answer)], pages


def describe_rows(wanted: Sequence[str], came: Sequence[str]) -> str:
    """Say in which way the rows that came are not those that were wanted."""
    missing, strange = len(set(wanted) - set(came)), len(set(came) - set(wanted))
    twice = len(came) - len(set(came))
    what = [
        f"{count} {word}" for count, word in ((missing, "missing"), (strange, "strange"), (twice, "twice")) if count
    ]
    return f"{len(came)} rows, {', '.join(what) or 'in another order'}"


@check("PAGE-1", source="V", clause="5.4")
def newest_come_first(server: Target) -> None:
    """A list has the newest first by default, and under `order=desc`."""
    ids = newest_first(server)
    for_each(("limit=100", "limit=100&order=desc"), lambda query: expect_page(server, query, ids))


@check("PAGE-2", source="V", clause="5.4")
def oldest_come_first_when_asked(server: Target) -> None:
    """Under `order=asc` a list has the oldest first: the same rows, the other way round."""
    expect_page(server, "limit=100&order=asc", newest_first(server)[::-1])


@check("PAGE-3", source="V", clause="5.4")
def a_page_has_twenty_rows(server: Target) -> None:
    """A page has 20 rows unless `limit` says otherwise."""
    expect_page(server, "", newest_first(server)[:20], more=True)
    answer = server.ask(LIST)
    expect_status(answer, 200)
    expect_equal(len(rows_of(answer)), 20, "rows", *server.samples(), answer)


@check("PAGE-4", source="V", clause="5.4")
def limits_are_kept(server: Target) -> None:
    """`limit` is from 1 to 100, both included, and is kept."""
    ids = newest_first(server)
    for_each(
        (1, 2, SAMPLE_COUNT - 1, SAMPLE_COUNT, 100), lambda limit: expect_page(server, f"limit={limit}", ids[:limit])
    )


@check("PAGE-5", source="D", clause="5.4", writes=False)
def other_limits_are_refused(server: Target) -> None:
    """A limit or an order that is out of range is refused, 422, with the parameter and the kind of fault."""
    table = (
        ("limit=0", "limit", "out_of_range"),
        ("limit=101", "limit", "out_of_range"),
        ("limit=-1", "limit", "wrong_type"),
        ("limit=ten", "limit", "wrong_type"),
        ("order=sideways", "order", "not_allowed"),
        ("order=ASC", "order", "not_allowed"),
    )

    def verify(row: tuple[str, str, str, str]) -> None:
        operation, query, param, code = row
        answer = server.ask(operation, query=query)
        expect_error(answer, server.invalid, "invalid_request_error", param=param, code=code, why=query)

    for_each([(operation, *row) for row in table for operation in BOTH], verify)


@check("PAGE-6", source="D", clause="4.8", writes=False)
def numbers_are_plain_digits(server: Target) -> None:
    """Whole numbers of the query are plain digits: `020`, `+20`, `1.0` and nothing at all are refused."""
    texts = ("020", "+20", "%2B20", "1.0", "", "%2020", "1e1", "0x10", "%D9%A2", "9" * 400)

    def verify(case: tuple[str, str]) -> None:
        operation, text = case
        answer = server.ask(operation, query=f"limit={text}")
        expect_error(answer, server.invalid, "invalid_request_error", param="limit", why=f"limit={text[:20]}")

    for_each([(operation, text) for text in texts for operation in BOTH], verify)


@check("PAGE-7", source="D", clause="4.8")
def parameters_come_once(server: Target) -> None:
    """A known parameter given twice is 422 `repeated`; unknown parameters are ignored."""
    for query, param in (
        ("limit=1&limit=1", "limit"),
        ("order=asc&order=asc", "order"),
        ("limit=1&%6Cimit=2", "limit"),
    ):
        answer = server.ask(LIST, query=query)
        expect_error(answer, server.invalid, "invalid_request_error", param=param, code="repeated", why=query)
    ids = newest_first(server)
    for_each(
        ("limit=2&page=7&x&x=1", "limit=2&Limit=0&", "&&limit=2"), lambda query: expect_page(server, query, ids[:2])
    )


@check("PAGE-9", source="V", clause="3.7")
def the_end_is_exact(server: Target) -> None:
    """`has_more` says whether more rows lie beyond the page: false on a page that ends with the last row, true
    before."""
    ids = newest_first(server)

    def verify(order: str) -> None:
        rows = ids if order == "desc" else ids[::-1]
        expect_page(server, f"limit={SAMPLE_COUNT}&order={order}", rows, more=False)
        expect_page(server, f"limit={SAMPLE_COUNT - 1}&order={order}", rows[:-1], more=True)
        expect_page(server, f"limit=2&order={order}&after={rows[-3]}", rows[-2:], more=False)
        expect_page(server, f"limit=1&order={order}&after={rows[-3]}", rows[-2:-1], more=True)

    for_each(("desc", "asc"), verify)


@check("PAGE-10", source="V", clause="3.7")
def nothing_follows_the_last_row(server: Target) -> None:
    """Nothing follows the last row: after it comes an empty page, without ids and without more."""
    answer = page(server, f"after={newest_first(server)[-1]}")
    proof = (*server.samples(), answer)
    expect(answer.status == 200, "status 200", answer.summary, *proof)
    expect_equal(answer.object.get("data"), [], "data", *proof)
    for name in ("first_id", "last_id"):
        expect_equal(answer.object.get(name), None, name, *proof)
    expect(answer.object.get("has_more") is not True, "has_more false", answer.summary, *proof)


@check("PAGE-11", source="V", clause="3.7")
def a_page_names_its_ends(server: Target) -> None:
    """`first_id` and `last_id` are the ids of a page's first and last row."""

    def verify(answer: ApiResponse) -> None:
        expect_status(answer, 200)
        ids = ids_of(answer)
        for name, one in (("first_id", ids[0]), ("last_id", ids[-1])):
            if answer.object.get(name, one) != one:
                raise CheckViolation(f"{name} {one}", format_value(answer.object[name]), *server.samples(), answer)

    newest_first(server)
    for_each((page(server, "limit=5"), page(server, "limit=1&order=asc"), server.ask(LIST, query="limit=3")), verify)


@check("PAGE-19", source="V", clause="2.2")
def the_apps_list_has_them_all(server: Target) -> None:
    """The app's list is a walk over all users' conversations, in the same order: each of ours is met once."""
    ids = newest_first(server)
    met: list[str] = []
    pages: list[ApiResponse] = []
    for answer in islice(walk(lambda query: server.ask(LIST, query=query), "limit=50"), 40):
        pages.append(answer)
        met += ids_of(answer)
        if ids[-1] in met:
            break
    ours = [one for one in met if one in set(ids)]
    expect(ours == ids, "each of ours once, newest first", describe_rows(ids, ours), *server.samples(), *pages[:2])
    times = [row.get("created_at") for answer in pages for row in rows_of(answer)]
    known = [at for at in times if isinstance(at, int)]
    expect(known == sorted(known, reverse=True), "times that never rise", known[:30], *pages[:2], about="times")


@check("PAGE-20", source="V", clause="3.7")
def no_row_comes_twice(server: Target) -> None:
    """A list shows every row once: no page has the same conversation twice."""
    newest_first(server)

    def verify(answer: ApiResponse) -> None:
        expect_status(answer, 200)
        ids = ids_of(answer)
        expect(len(set(ids)) == len(ids), "every row once", describe_rows(sorted(set(ids)), ids), answer)

    for_each((server.ask(LIST, query="limit=100"), page(server, "limit=100")), verify)


@check("PAGE-21", source="D", clause="5.4")
def the_apps_list_is_paged_as_well(server: Target) -> None:
    """The app's list is paged as a user's is: in both orders, from both sides, to its exact end."""
    if not server.is_alone:
        raise NotApplicable("others use the app too")
    server.samples()
    pages = list(walk(lambda query: server.ask(LIST, query=query), "limit=100"))
    ids = [one for answer in pages for one in ids_of(answer)]
    backwards = list(walk(lambda query: server.ask(LIST, query=query), "limit=100&order=asc"))
    met = [one for answer in backwards for one in ids_of(answer)]
    expect(met == ids[::-1], "the other way round under order=asc", describe_rows(ids[::-1], met), *backwards[:1])

    def verify(case: tuple[str, list[str], bool]) -> None:
        query, wanted, more = case
        answer = server.ask(LIST, query=query)
        expect_status(answer, 200)
        expect_equal(ids_of(answer), wanted, f"ids ({query})", answer)
        expect_equal(answer.object.get("has_more"), more, f"has_more ({query})", answer, about="has_more")

    cases = (
        (f"limit=2&after={ids[-3]}", ids[-2:], False),
        (f"limit=1&after={ids[-3]}", ids[-2:-1], True),
        (f"limit=2&before={ids[5]}", ids[3:5], True),
        (f"limit=5&before={ids[5]}", ids[:5], False),
    )
    for_each(cases, verify)


@check(
    "PAGE-8", source="V", clause="5.4", cases=[(limit, order) for limit in (21, 11, 5, 1) for order in ("desc", "asc")]
)
def a_walk_meets_every_row_once(server: Target, case: tuple[int, str]) -> None:
    """`last_id` handed on as `after` gives the next page: a walk meets every row once, in order, in pages of any
    size."""
    limit, order = case
    wanted = newest_first(server) if order == "desc" else newest_first(server)[::-1]
    ids, pages = walk_all(server, f"limit={limit}&order={order}")
    why = f"limit={limit}, order={order}"
    expect(
        ids == wanted, f"every row once, in order ({why})", describe_rows(wanted, ids), *server.samples(), *pages[:3]
    )


@check("PAGE-12", source="D", clause="5.4")
def before_gives_the_page_before(server: Target) -> None:
    """`before` gives the page that ends just before a row, still in the requested order."""
    ids = newest_first(server)

    def verify(order: str) -> None:
        rows = ids if order == "desc" else ids[::-1]
        expect_page(server, f"order={order}&limit=2&before={rows[5]}", rows[3:5], more=True)
        expect_page(server, f"order={order}&limit=5&before={rows[5]}", rows[:5], more=False)
        expect_page(server, f"order={order}&limit=4&before={rows[5]}", rows[1:5], more=True)
        expect_page(server, f"order={order}&before={rows[2]}", rows[:2], more=False)
        expect_page(server, f"order={order}&before={rows[0]}", [], more=False)

    for_each(("desc", "asc"), verify)


@check("PAGE-13", source="D", clause="5.4")
def a_walk_backwards_meets_every_row_once(server: Target) -> None:
    """A walk backwards by `first_id` as `before` meets every row once."""
    ids = newest_first(server)
    pages: list[ApiResponse] = []
    met: list[str] = []
    before = ids[-1]
    for _ in range(SAMPLE_COUNT):
        pages.append(page(server, f"limit=4&before={before}"))
        met = ids_of(pages[-1]) + met
        before = str(pages[-1].object.get("first_id"))
        if pages[-1].object.get("has_more") is not True:
            break
    expect(met == ids[:-1], "every row once, in order", describe_rows(ids[:-1], met), *server.samples(), *pages[:3])


@check("PAGE-14", source="D", clause="5.4")
def unknown_cursors_are_404(server: Target) -> None:
    """A cursor that is unknown, or of another app, or empty, is 404 `not_found`, `unknown_cursor`, and `param` names
    it."""
    cases = [(op, name, one) for op in BOTH for name in ("after", "before") for one in (NOBODY, "x", "")]

    def verify(case: tuple[str, str, str]) -> None:
        operation, name, one = case
        answer = server.ask(operation, query=f"{name}={one}")
        expect_error(answer, 404, "not_found", param=name, code="unknown_cursor", why=f"{name}={one}")

    for_each(cases, verify)
    if server.ask(CONFIG, app=other_app(server)).is_good:
        answer = server.ask(LIST, app=other_app(server), query=f"after={newest_first(server)[0]}")
        expect_error(answer, 404, "not_found", code="unknown_cursor", why="another app's conversation")


@check("PAGE-15", source="D", clause="5.4")
def two_cursors_conflict(server: Target) -> None:
    """Both cursors at once are 422 `conflict`."""
    ids = newest_first(server)

    def verify(operation: str) -> None:
        answer = server.ask(operation, user=server.sample_user, query=f"after={ids[0]}&before={ids[5]}")
        expect_error(answer, server.invalid, "invalid_request_error", code="conflict")

    for_each(BOTH, verify)


@check("PAGE-16", source="V", clause="5.4")
def a_walk_is_steady_while_others_write(server: Target) -> None:
    """Rows created during a walk don't disturb it: each row that was there at its beginning is met once."""
    user = server.user("steady")
    rows = [id_of(good(server.create(external_user_id=user))) for _ in range(5)][::-1]
    met: list[str] = []
    for answer in walk(lambda query: good(server.users_list(user, query)), "limit=2&order=desc", 10):
        met += ids_of(answer)
        good(server.create(external_user_id=user))
    expect(
        met == rows, "the five rows, once each, newest first", describe_rows(rows, met), *server.session.history[-9:]
    )


@check("PAGE-17", source="D", clause="5.4")
def a_deleted_cursor_keeps_its_place(server: Target) -> None:
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


@check("PAGE-18", source="D", clause="5.4")
def anothers_conversation_is_a_place(server: Target) -> None:
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
