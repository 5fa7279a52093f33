"""Pages: both lists, both orders, both directions, to the last row and not one further."""

from __future__ import annotations

from itertools import islice

from sandbox.conformance.caller import LIST, USER_LIST
from sandbox.conformance.evidence import ids_of, rows_of
from sandbox.conformance.exchange import Answer
from sandbox.conformance.law import (
    Broken,
    NotApplicable,
    expect,
    expect_equal,
    expect_error,
    expect_status,
    for_each,
    law,
    shown,
)
from sandbox.conformance.laws.walks import BOTH, difference, holds, newest_first, page, walk
from sandbox.conformance.subject import SHELF, Subject


@law("PAGE-1", source="V", clause="5.4", operations=(USER_LIST,))
def newest_come_first(server: Subject) -> None:
    """A list has the newest first by default, and under `order=desc`."""
    ids = newest_first(server)
    for_each(("limit=100", "limit=100&order=desc"), lambda query: holds(server, query, ids))


@law("PAGE-2", source="V", clause="5.4", operations=(USER_LIST,))
def oldest_come_first_when_asked(server: Subject) -> None:
    """Under `order=asc` a list has the oldest first: the same rows, the other way round."""
    holds(server, "limit=100&order=asc", newest_first(server)[::-1])


@law("PAGE-3", source="V", clause="5.4", operations=BOTH)
def a_page_has_twenty_rows(server: Subject) -> None:
    """A page has 20 rows unless `limit` says otherwise."""
    holds(server, "", newest_first(server)[:20], more=True)
    answer = server.ask(LIST)
    expect_status(answer, 200)
    expect_equal(len(rows_of(answer)), 20, "rows", *server.shelf(), answer)


@law("PAGE-4", source="V", clause="5.4", operations=(USER_LIST,))
def limits_are_kept(server: Subject) -> None:
    """`limit` is from 1 to 100, both included, and is kept."""
    ids = newest_first(server)
    for_each((1, 2, SHELF - 1, SHELF, 100), lambda limit: holds(server, f"limit={limit}", ids[:limit]))


@law("PAGE-5", source="D", clause="5.4", operations=BOTH, writes=False)
def other_limits_are_refused(server: Subject) -> None:
    """A limit or an order that is out of range is refused, 422, with the parameter and the kind of fault."""
    table = (
        ("limit=0", "limit", "out_of_range"),
        ("limit=101", "limit", "out_of_range"),
        ("limit=-1", "limit", "wrong_type"),
        ("limit=ten", "limit", "wrong_type"),
        ("order=sideways", "order", "not_allowed"),
        ("order=ASC", "order", "not_allowed"),
    )

    def check(row: tuple[str, str, str, str]) -> None:
        operation, query, param, code = row
        answer = server.ask(operation, query=query)
        expect_error(answer, server.invalid, "invalid_request_error", param=param, code=code, why=query)

    for_each([(operation, *row) for row in table for operation in BOTH], check)


@law("PAGE-6", source="D", clause="4.8", operations=BOTH, writes=False)
def numbers_are_plain_digits(server: Subject) -> None:
    """Whole numbers of the query are plain digits: `020`, `+20`, `1.0` and nothing at all are refused."""
    texts = ("020", "+20", "%2B20", "1.0", "", "%2020", "1e1", "0x10", "%D9%A2", "9" * 400)

    def check(case: tuple[str, str]) -> None:
        operation, text = case
        answer = server.ask(operation, query=f"limit={text}")
        expect_error(answer, server.invalid, "invalid_request_error", param="limit", why=f"limit={text[:20]}")

    for_each([(operation, text) for text in texts for operation in BOTH], check)


@law("PAGE-7", source="D", clause="4.8", operations=BOTH)
def parameters_come_once(server: Subject) -> None:
    """A known parameter given twice is 422 `repeated`; unknown parameters are ignored."""
    for query, param in (
        ("limit=1&limit=1", "limit"),
        ("order=asc&order=asc", "order"),
        ("limit=1&%6Cimit=2", "limit"),
    ):
        answer = server.ask(LIST, query=query)
        expect_error(answer, server.invalid, "invalid_request_error", param=param, code="repeated", why=query)
    ids = newest_first(server)
    for_each(("limit=2&page=7&x&x=1", "limit=2&Limit=0&", "&&limit=2"), lambda query: holds(server, query, ids[:2]))


@law("PAGE-9", source="V", clause="3.7", operations=(USER_LIST,))
def the_end_is_exact(server: Subject) -> None:
    """`has_more` says whether more rows lie beyond the page: false on a page that ends with the last row, true
    before."""
    ids = newest_first(server)

    def check(order: str) -> None:
        rows = ids if order == "desc" else ids[::-1]
        holds(server, f"limit={SHELF}&order={order}", rows, more=False)
        holds(server, f"limit={SHELF - 1}&order={order}", rows[:-1], more=True)
        holds(server, f"limit=2&order={order}&after={rows[-3]}", rows[-2:], more=False)
        holds(server, f"limit=1&order={order}&after={rows[-3]}", rows[-2:-1], more=True)

    for_each(("desc", "asc"), check)


@law("PAGE-10", source="V", clause="3.7", operations=(USER_LIST,))
def nothing_follows_the_last_row(server: Subject) -> None:
    """Nothing follows the last row: after it comes an empty page, without ids and without more."""
    answer = page(server, f"after={newest_first(server)[-1]}")
    proof = (*server.shelf(), answer)
    expect(answer.status == 200, "status 200", answer.summary, *proof)
    expect_equal(answer.object.get("data"), [], "data", *proof)
    for name in ("first_id", "last_id"):
        expect_equal(answer.object.get(name), None, name, *proof)
    expect(answer.object.get("has_more") is not True, "has_more false", answer.summary, *proof)


@law("PAGE-11", source="V", clause="3.7", operations=BOTH)
def a_page_names_its_ends(server: Subject) -> None:
    """`first_id` and `last_id` are the ids of a page's first and last row."""

    def check(answer: Answer) -> None:
        expect_status(answer, 200)
        ids = ids_of(answer)
        for name, one in (("first_id", ids[0]), ("last_id", ids[-1])):
            if answer.object.get(name, one) != one:
                raise Broken(f"{name} {one}", shown(answer.object[name]), *server.shelf(), answer)

    newest_first(server)
    for_each((page(server, "limit=5"), page(server, "limit=1&order=asc"), server.ask(LIST, query="limit=3")), check)


@law("PAGE-19", source="V", clause="2.2", operations=(LIST,))
def the_apps_list_has_them_all(server: Subject) -> None:
    """The app's list is a walk over all users' conversations, in the same order: each of ours is met once."""
    ids = newest_first(server)
    met: list[str] = []
    pages: list[Answer] = []
    for answer in islice(walk(lambda query: server.ask(LIST, query=query), "limit=50"), 40):
        pages.append(answer)
        met += ids_of(answer)
        if ids[-1] in met:
            break
    ours = [one for one in met if one in set(ids)]
    expect(ours == ids, "each of ours once, newest first", difference(ids, ours), *server.shelf(), *pages[:2])
    times = [row.get("created_at") for answer in pages for row in rows_of(answer)]
    known = [at for at in times if isinstance(at, int)]
    expect(known == sorted(known, reverse=True), "times that never rise", known[:30], *pages[:2], about="times")


@law("PAGE-20", source="V", clause="3.7", operations=BOTH)
def no_row_comes_twice(server: Subject) -> None:
    """A list shows every row once: no page has the same conversation twice."""
    newest_first(server)

    def check(answer: Answer) -> None:
        expect_status(answer, 200)
        ids = ids_of(answer)
        expect(len(set(ids)) == len(ids), "every row once", difference(sorted(set(ids)), ids), answer)

    for_each((server.ask(LIST, query="limit=100"), page(server, "limit=100")), check)


@law("PAGE-21", source="D", clause="5.4", operations=(LIST,))
def the_apps_list_is_paged_as_well(server: Subject) -> None:
    """The app's list is paged as a user's is: in both orders, from both sides, to its exact end."""
    if not server.is_alone:
        raise NotApplicable("others use the app too")
    server.shelf()
    pages = list(walk(lambda query: server.ask(LIST, query=query), "limit=100"))
    ids = [one for answer in pages for one in ids_of(answer)]
    backwards = list(walk(lambda query: server.ask(LIST, query=query), "limit=100&order=asc"))
    met = [one for answer in backwards for one in ids_of(answer)]
    expect(met == ids[::-1], "the other way round under order=asc", difference(ids[::-1], met), *backwards[:1])

    def check(case: tuple[str, list[str], bool]) -> None:
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
    for_each(cases, check)
