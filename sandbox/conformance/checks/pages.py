"""Pages: both lists, both orders, both directions, to the last row and not one further, while others write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice, product

from sandbox.conformance import expect
from sandbox.conformance.check import NotApplicable, check, for_each
from sandbox.conformance.checks.apps import other_app
from sandbox.conformance.http_messages import ApiResponse, good
from sandbox.conformance.target import NOBODY, SAMPLE_COUNT, Op, Target

BOTH = (Op.LIST, Op.USER_LIST)
ORDERS = ("desc", "asc")


def sample_ids(server: Target, order: str = "desc") -> list[str]:
    """Return the ids of the samples in the order of a list."""
    samples = server.samples()
    return [answer.id for answer in (samples if order == "asc" else reversed(samples))]


def page(server: Target, query: str = "") -> ApiResponse:
    """Return a page of the samples' user."""
    return server.users_list(server.sample_user, query)


def expect_page(server: Target, query: str, wanted: Sequence[str], more: bool | None = None) -> None:
    """Hold one page to its ids, and to whether there are more; the proof is the samples and the page."""
    answer = page(server, query)
    proof = (*server.samples(), answer)
    expect.that(answer.status == 200, "status 200", *proof)
    numbers = {sample_id: str(number) for number, sample_id in enumerate(sample_ids(server, "asc"), 1)}
    came, expected = (", ".join(numbers.get(each, each) for each in ids) or "none" for ids in (answer.ids, wanted))
    expect.that(came == expected, f"conversations {expected} ({query})", *proof, got=came)
    if more is not None and "has_more" in answer.object:
        expect.equal(answer.object["has_more"], more, f"has_more ({query})", *proof, about="has_more")


def walk(fetch: Callable[[str], ApiResponse], query: str, max_pages: int = 1_000) -> Iterator[ApiResponse]:
    """Go from page to page by `last_id` as `after`, as long as the server says that there is more."""
    after = ""
    for _ in range(max_pages):
        answer = fetch(query + after)
        yield answer
        last = answer.object.get("last_id") or "".join(answer.ids[-1:])
        if answer.object.get("has_more") is not True or not last:
            return
        after = f"&after={last}"


def list_app(server: Target, query: str) -> ApiResponse:
    """Return a page of the app's list."""
    return server.ask(Op.LIST, query=query)


def ids_on(pages: Sequence[ApiResponse]) -> list[str]:
    """Return the ids on some pages."""
    return [each for answer in pages for each in answer.ids]


def expect_rows(came: Sequence[str], wanted: Sequence[str], what: str, *answers: ApiResponse) -> None:
    """Hold rows to those that were wanted, in their order; what came is told by numbers."""
    missing, strange = len(set(wanted) - set(came)), len(set(came) - set(wanted))
    counts = {"missing": missing, "strange": strange, "twice": len(came) - len(set(came))}
    differences = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    expect.that(came == wanted, what, *answers, got=f"{len(came)} rows, {differences or 'in another order'}")


@check("PAGE-1", "V", "5.4", cases=("limit=100", "limit=100&order=desc"))
def newest_come_first(server: Target, query: str) -> None:
    """A list has the newest first by default, and under `order=desc`."""
    expect_page(server, query, sample_ids(server))


@check("PAGE-2", "V", "5.4")
def oldest_come_first_when_asked(server: Target) -> None:
    """Under `order=asc` a list has the oldest first: the same rows, the other way round."""
    expect_page(server, "limit=100&order=asc", sample_ids(server, "asc"))


@check("PAGE-3", "V", "5.4")
def a_page_has_twenty_rows(server: Target) -> None:
    """A page has 20 rows unless `limit` says otherwise."""
    expect_page(server, "", sample_ids(server)[:20], more=True)
    answer = expect.ok(server.ask(Op.LIST))
    expect.equal(len(answer.rows), 20, "rows", *server.samples(), answer)


@check("PAGE-4", "V", "5.4", cases=(1, 2, SAMPLE_COUNT - 1, SAMPLE_COUNT, 100))
def limits_are_kept(server: Target, limit: int) -> None:
    """`limit` is from 1 to 100, both included, and is kept."""
    expect_page(server, f"limit={limit}", sample_ids(server)[:limit])


# Each row: a query, the parameter that is wrong, the code.
WRONG_QUERIES = (
    ("limit=0", "limit", "out_of_range"),
    ("limit=101", "limit", "out_of_range"),
    ("limit=-1", "limit", "wrong_type"),
    ("limit=ten", "limit", "wrong_type"),
    ("order=sideways", "order", "not_allowed"),
    ("order=ASC", "order", "not_allowed"),
)


@check("PAGE-5", "D", "5.4", writes=False, cases=[(*row, op) for row in WRONG_QUERIES for op in BOTH])
def other_limits_are_refused(server: Target, query: str, param: str, code: str, op: Op) -> None:
    """A limit or an order that is out of range is refused, 422, with the parameter and the kind of violation."""
    expect.invalid(server, server.ask(op, query=query), param=param, code=code, why=query)


NOT_DIGITS = ("020", "+20", "%2B20", "1.0", "", "%2020", "1e1", "0x10", "%D9%A2", "9" * 400)


@check("PAGE-6", "D", "4.8", writes=False, cases=product(NOT_DIGITS, BOTH))
def numbers_are_plain_digits(server: Target, text: str, op: Op) -> None:
    """Whole numbers of the query are plain digits: `020`, `+20`, `1.0` and nothing at all are refused."""
    answer = server.ask(op, query=f"limit={text}")
    expect.invalid(server, answer, param="limit", why=f"limit={text[:20]}")


@check("PAGE-7", "D", "4.8")
def parameters_come_once(server: Target) -> None:
    """A known parameter given twice is 422 `repeated`; unknown parameters are ignored."""
    repeated = (("limit=1&limit=1", "limit"), ("order=asc&order=asc", "order"), ("limit=1&%6Cimit=2", "limit"))
    for query, param in repeated:
        expect.invalid(server, server.ask(Op.LIST, query=query), param=param, code="repeated", why=query)
    ids = sample_ids(server)[:2]
    unknown = ("limit=2&page=7&x&x=1", "limit=2&Limit=0&", "&&limit=2")
    for_each(unknown, lambda query: expect_page(server, query, ids))


@check("PAGE-9", "V", "3.7", cases=ORDERS)
def the_end_is_exact(server: Target, order: str) -> None:
    """`has_more` says whether more rows lie beyond the page: false on a page that ends with the last row, true
    before."""
    rows = sample_ids(server, order)
    expect_page(server, f"limit={SAMPLE_COUNT}&order={order}", rows, more=False)
    expect_page(server, f"limit={SAMPLE_COUNT - 1}&order={order}", rows[:-1], more=True)
    expect_page(server, f"limit=2&order={order}&after={rows[-3]}", rows[-2:], more=False)
    expect_page(server, f"limit=1&order={order}&after={rows[-3]}", rows[-2:-1], more=True)


@check("PAGE-10", "V", "3.7")
def nothing_follows_the_last_row(server: Target) -> None:
    """Nothing follows the last row: after it comes an empty page, without ids and without more."""
    answer = page(server, f"after={sample_ids(server)[-1]}")
    expect.that(answer.status == 200, "status 200", *server.samples(), answer)
    for name, wanted in (("data", []), ("first_id", None), ("last_id", None)):
        expect.field(answer, name, wanted, *server.samples())
    expect.that(answer.object.get("has_more") is not True, "has_more false", *server.samples(), answer)


def short_pages(server: Target) -> tuple[ApiResponse, ...]:
    """Return pages of both lists, made after the samples."""
    sample_ids(server)
    return page(server, "limit=5"), page(server, "limit=1&order=asc"), list_app(server, "limit=3")


@check("PAGE-11", "V", "3.7", cases=short_pages)
def a_page_names_its_ends(server: Target, answer: ApiResponse) -> None:
    """`first_id` and `last_id` are the ids of a page's first and last row."""
    expect.status(answer, 200)
    for name, end in (("first_id", answer.ids[0]), ("last_id", answer.ids[-1])):
        named = answer.object.get(name, end)
        expect.that(named == end, f"{name} {end}", *server.samples(), answer, value=named)


@check("PAGE-19", "V", "2.2")
def the_apps_list_has_them_all(server: Target) -> None:
    """The app's list is a walk over all users' conversations, in the same order: each of ours is met once."""
    ids = sample_ids(server)
    pages: list[ApiResponse] = []
    for answer in islice(walk(partial(list_app, server), "limit=50"), 40):
        pages.append(answer)
        if ids[-1] in ids_on(pages):
            break
    ours = [each for each in ids_on(pages) if each in set(ids)]
    expect_rows(ours, ids, "each of ours once, newest first", *server.samples(), *pages[:2])
    times = [row.get("created_at") for answer in pages for row in answer.rows]
    known = [at for at in times if isinstance(at, int)]
    is_sorted = known == sorted(known, reverse=True)
    expect.that(is_sorted, "times that never rise", *pages[:2], value=known[:30], about="times")


def long_pages(server: Target) -> tuple[ApiResponse, ...]:
    """Return the longest page of each list, made after the samples."""
    sample_ids(server)
    return list_app(server, "limit=100"), page(server, "limit=100")


@check("PAGE-20", "V", "3.7", cases=long_pages)
def no_row_comes_twice(_: Target, answer: ApiResponse) -> None:
    """A list shows every row once: no page has the same conversation twice."""
    expect.status(answer, 200)
    expect_rows(sorted(answer.ids), sorted(set(answer.ids)), "every row once", answer)


@check("PAGE-21", "D", "5.4")
def the_apps_list_is_paged_as_well(server: Target) -> None:
    """The app's list is paged as a user's is: in both orders, from both sides, to its exact end."""
    if not server.is_alone:
        raise NotApplicable("--shared-app: others use the app too")
    server.samples()
    ids = ids_on([*walk(partial(list_app, server), "limit=100")])
    backwards = [*walk(partial(list_app, server), "limit=100&order=asc")]
    expect_rows(ids_on(backwards), ids[::-1], "the other way round under order=asc", *backwards[:1])

    def verify(query: str, wanted: list[str], more: bool) -> None:
        answer = expect.ok(list_app(server, query))
        expect.equal(answer.ids, wanted, f"ids ({query})", answer)
        expect.equal(answer.object.get("has_more"), more, f"has_more ({query})", answer, about="has_more")

    cases = (
        (f"limit=2&after={ids[-3]}", ids[-2:], False),
        (f"limit=1&after={ids[-3]}", ids[-2:-1], True),
        (f"limit=2&before={ids[5]}", ids[3:5], True),
        (f"limit=5&before={ids[5]}", ids[:5], False),
    )
    for_each(cases, verify)


@check("PAGE-8", "V", "5.4", cases=product((21, 11, 5, 1), ORDERS))
def a_walk_meets_every_row_once(server: Target, limit: int, order: str) -> None:
    """`last_id` handed on as `after` gives the next page: a walk meets every row once, in order, in pages of any
    size."""
    wanted = sample_ids(server, order)
    pages = [*walk(partial(page, server), f"limit={limit}&order={order}", 4 * SAMPLE_COUNT)]
    what = f"every row once, in order (limit={limit}, order={order})"
    expect_rows(ids_on(pages), wanted, what, *server.samples(), *pages[:3])


@check("PAGE-12", "D", "5.4", cases=ORDERS)
def before_gives_the_page_before(server: Target, order: str) -> None:
    """`before` gives the page that ends just before a row, still in the requested order."""
    rows = sample_ids(server, order)
    expect_page(server, f"order={order}&limit=2&before={rows[5]}", rows[3:5], more=True)
    expect_page(server, f"order={order}&limit=5&before={rows[5]}", rows[:5], more=False)
    expect_page(server, f"order={order}&limit=4&before={rows[5]}", rows[1:5], more=True)
    expect_page(server, f"order={order}&before={rows[2]}", rows[:2], more=False)
    expect_page(server, f"order={order}&before={rows[0]}", [], more=False)


@check("PAGE-13", "D", "5.4")
def a_walk_backwards_meets_every_row_once(server: Target) -> None:
    """A walk backwards by `first_id` as `before` meets every row once."""
    ids = sample_ids(server)
    pages: list[ApiResponse] = []
    before = ids[-1]
    for _ in range(SAMPLE_COUNT):
        pages.append(page(server, f"limit=4&before={before}"))
        before = str(pages[-1].object.get("first_id"))
        if pages[-1].object.get("has_more") is not True:
            break
    expect_rows(ids_on(pages[::-1]), ids[:-1], "every row once, in order", *server.samples(), *pages[:3])


@check("PAGE-14", "D", "5.4")
def unknown_cursors_are_404(server: Target) -> None:
    """A cursor that is unknown, or of another app, or empty, is 404 `not_found`, `unknown_cursor`, and `param` names
    it."""

    def verify(op: Op, name: str, cursor: str) -> None:
        answer = server.ask(op, query=f"{name}={cursor}")
        expect.error(answer, 404, "not_found", param=name, code="unknown_cursor", why=f"{name}={cursor}")

    for_each(product(BOTH, ("after", "before"), (NOBODY, "x", "")), verify)
    if server.ask(Op.CONFIG, app=other_app(server)).is_good:
        answer = server.ask(Op.LIST, app=other_app(server), query=f"after={sample_ids(server)[0]}")
        expect.error(answer, 404, "not_found", code="unknown_cursor", why="another app's conversation")


@check("PAGE-15", "D", "5.4", cases=BOTH)
def two_cursors_conflict(server: Target, op: Op) -> None:
    """Both cursors at once are 422 `conflict`."""
    ids = sample_ids(server)
    answer = server.ask(op, user=server.sample_user, query=f"after={ids[0]}&before={ids[5]}")
    expect.invalid(server, answer, code="conflict")


@check("PAGE-16", "V", "5.4")
def a_walk_is_steady_while_others_write(server: Target) -> None:
    """Rows created during a walk don't disturb it: each row that was there at its beginning is met once."""
    user = server.user("steady")
    rows = [good(server.create(external_user_id=user)).id for _ in range(5)][::-1]
    pages: list[ApiResponse] = []
    for answer in walk(lambda query: good(server.users_list(user, query)), "limit=2&order=desc", 10):
        pages.append(answer)
        good(server.create(external_user_id=user))
    expect_rows(ids_on(pages), rows, "the five rows, once each, newest first", *server.session.answers[-9:])


def expect_ids(server: Target, user: str, query: str, wanted: Sequence[str], *proof: ApiResponse) -> None:
    """Hold a page of a user's list to its ids."""
    answer = server.users_list(user, query)
    expect.that(answer.status == 200, "status 200", *proof, answer)
    expect.equal(answer.ids, wanted, "ids", *proof, answer)


@check("PAGE-17", "D", "5.4")
def a_deleted_cursor_keeps_its_place(server: Target) -> None:
    """A cursor that was deleted keeps its place: the walk goes on behind it."""
    user = server.user("cursor")
    created = [good(server.create(external_user_id=user)) for _ in range(5)]
    rows = [answer.id for answer in created][::-1]
    deleted = good(server.delete(rows[2]))
    for query, wanted in (
        (f"after={rows[2]}", rows[3:]),
        (f"before={rows[2]}", rows[:2]),
        (f"order=asc&after={rows[2]}", rows[1::-1]),
        ("", [*rows[:2], *rows[3:]]),
    ):
        expect_ids(server, user, query, wanted, *created, deleted)


@check("PAGE-18", "D", "5.4")
def anothers_conversation_is_a_place(server: Target) -> None:
    """Any conversation of the app is a cursor of a user's list, another user's too: a place in the order of
    creation."""
    user = server.user("between")
    created = [good(server.create(external_user_id=name)) for name in (user, user, server.user("stranger"), user, user)]
    ids = [answer.id for answer in created]
    for query, wanted in (
        (f"after={ids[2]}", [ids[1], ids[0]]),
        (f"before={ids[2]}", [ids[4], ids[3]]),
        (f"order=asc&limit=1&after={ids[2]}", [ids[3]]),
    ):
        expect_ids(server, user, query, wanted, *created)
