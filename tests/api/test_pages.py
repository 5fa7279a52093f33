"""Pages of lists, walked over HTTP (clause 5.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.api import Api
from tests.support.constants import NOW
from tests.support.errors import assert_error
from tests.support.in_process import AsgiClient
from tests.support.requirements import examples
from tests.support.strategies import app_ids

ORDERS = ["asc", "desc"]


@dataclass
class Row:
    """One conversation as a plain list remembers it."""

    id: str
    user: str | None
    second: int
    deleted: bool = False


@dataclass
class Model:
    """All the conversations of an app as they were created: the whole law of pages in plain lists."""

    rows: list[Row] = field(default_factory=list)

    def page(self, user: str | None, query: dict[str, Any]) -> tuple[list[str], bool]:
        """Return the ids that must stand on a page and whether there must be more."""
        # Rows of one second stay in the order of their creation.
        ordered = sorted(self.rows, key=lambda row: row.second)
        if query.get("order") != "asc":
            ordered.reverse()
        ids = [row.id for row in ordered]
        limit = query.get("limit", 20)
        before = query.get("before")
        start = ids.index(query["after"]) + 1 if "after" in query else 0
        stop = ids.index(before) if before else len(ids)
        seen = [row.id for row in ordered[start:stop] if not row.deleted and user in (None, row.user)]
        return (seen[-limit:] if before else seen[:limit]), len(seen) > limit


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, Any]]:
    """Draw what happens to an app: creations for a few users, deletions of some, a clock set forth and back."""
    created = st.tuples(st.just("create"), st.sampled_from([None, "ann", "bob"]))
    deleted = st.tuples(st.just("delete"), indexes)
    ticked = st.tuples(st.just("tick"), st.integers(0, 4))
    return draw(st.lists(created | created | deleted | ticked, min_size=1, max_size=25))


indexes = st.integers(0, 1_000)
queries = st.fixed_dictionaries(
    {},
    optional={
        "limit": st.integers(1, 8),
        "order": st.sampled_from(ORDERS),
        "cursor": st.tuples(st.booleans(), indexes),
    },
)


def played(api: Api, history: list[tuple[str, Any]]) -> Model:
    """Let a history happen, and remember it."""
    model, second = Model(), NOW
    for action, value in history:
        if action == "create":
            model.rows.append(Row(api.created(**({"external_user_id": value} if value else {})), value, second))
        elif action == "tick":
            second = NOW + value
            api.set_clock(second)
        elif model.rows:
            row = model.rows[value % len(model.rows)]
            assert api.delete(row.id).status_code == (404 if row.deleted else 200)
            row.deleted = True
    return model


def listed(api: Api, user: str | None, query: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a list that must be good."""
    answer = api.list(**query) if user is None else api.list_of_user(user, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


@pytest.mark.clause("2.2", "2.3", "3.7", "5.4", "5.5")
@given(
    history=histories(), asked=st.lists(st.tuples(st.sampled_from([None, "ann", "bob", "eve"]), queries), max_size=12)
)
@settings(max_examples=examples(60, quick=15))
def test_every_page_is_the_one_that_plain_lists_say(
    shared: AsgiClient, history: list[tuple[str, Any]], asked: list[tuple[str | None, dict[str, Any]]]
) -> None:
    """Cursors are any conversation of the app: deleted ones and other users' too."""
    api = Api(shared, app_ids())
    model = played(api, history)
    for user, drawn in asked:
        query = with_cursor(drawn, model)
        body = listed(api, user, query)
        ids = [row["id"] for row in body["data"]]
        assert (ids, body["has_more"]) == model.page(user, query)
        assert (body["first_id"], body["last_id"]) == ((ids[0], ids[-1]) if ids else (None, None))


def with_cursor(drawn: dict[str, Any], model: Model) -> dict[str, Any]:
    """Turn the number of a conversation into its id."""
    query = {name: value for name, value in drawn.items() if name != "cursor"}
    if "cursor" in drawn and model.rows:
        after, index = drawn["cursor"]
        query["after" if after else "before"] = model.rows[index % len(model.rows)].id
    return query


def walk(api: Api, user: str | None, order: str, limit: int, *, forwards: bool) -> list[str]:
    """Go through a whole list page by page, from either end, as an infinite scroll does."""
    ids: list[str] = []
    query: dict[str, Any] = {"order": order, "limit": limit}
    if not forwards:
        # The way back begins at the list's last row, which is fetched on its own.
        last = listed(api, user, {"order": "asc" if order == "desc" else "desc", "limit": 1})["first_id"]
        ids = [last] if last else []
        query["before"] = last
    while forwards or query["before"]:
        body = listed(api, user, query)
        page = [row["id"] for row in body["data"]]
        ids = ids + page if forwards else page + ids
        assert len(ids) < 1_000, "the walk goes round in circles"
        assert page or not body["has_more"], "an empty page says that there is more"
        if not body["has_more"]:
            return ids
        query["after" if forwards else "before"] = body["last_id" if forwards else "first_id"]
    return ids


@pytest.mark.clause("5.4")
@given(history=histories(), limit=st.integers(1, 6), user=st.sampled_from([None, "ann"]), order=st.sampled_from(ORDERS))
@settings(max_examples=examples(40, quick=10))
def test_a_walk_either_way_meets_every_row_once(
    shared: AsgiClient, history: list[tuple[str, Any]], limit: int, user: str | None, order: str
) -> None:
    api = Api(shared, app_ids())
    model = played(api, history)
    expected, _ = model.page(user, {"order": order, "limit": 1_000})

    assert walk(api, user, order, limit, forwards=True) == expected
    assert walk(api, user, order, limit, forwards=False) == expected


@pytest.mark.clause("5.4")
def test_a_walk_over_conversations_of_many_seconds_is_ordered_by_creation(
    shared: AsgiClient, subtests: pytest.Subtests
) -> None:
    """The demo app has conversations of the past 30 days; two new ones share the present second."""
    for forwards, limit, order in product([True, False], [1, 7, 20, 100], ORDERS):
        with subtests.test(forwards=forwards, limit=limit, order=order):
            api = Api(shared, "app_demo")
            new = [api.created(), api.created()]

            ids = walk(api, None, order, limit, forwards=forwards)

            times = [api.get(row).json()["created_at"] for row in ids]
            assert times == sorted(times, reverse=order == "desc")
            assert len(set(times)) > 20
            assert [row for row in ids if row in new] == (new if order == "asc" else new[::-1])
            assert len(set(ids)) == len(ids)


# The worked examples: nine rows, 1 the oldest. Query, rows, has_more, reason.
EXAMPLES: list[tuple[dict[str, Any], list[int], bool, str]] = [
    ({"after": 7, "limit": 2}, [6, 5], True, "what follows 7 when the newest come first"),
    ({"before": 4, "limit": 2}, [6, 5], True, "the page that ends just before 4, in the same order"),
    ({"before": 9}, [], False, "nothing comes before the newest"),
    ({"after": 1}, [], False, "nothing follows the oldest"),
    ({"after": 3, "limit": 2}, [2, 1], False, "the last page, exactly full"),
    ({"before": 7, "limit": 2}, [9, 8], False, "the first page, exactly full"),
    ({"after": 3, "limit": 2, "order": "asc"}, [4, 5], True, "what follows 3 when the oldest come first"),
    ({"before": 6, "limit": 2, "order": "asc"}, [4, 5], True, "the page that ends just before 6, oldest first"),
    ({"before": 1, "order": "asc"}, [], False, "nothing comes before the oldest"),
    ({"after": 9, "order": "asc"}, [], False, "nothing follows the newest"),
    ({}, [9, 8, 7, 6, 5, 4, 3, 2, 1], False, "newest first unless asked otherwise"),
    ({"order": "asc"}, [1, 2, 3, 4, 5, 6, 7, 8, 9], False, "oldest first when asked"),
    ({"limit": 9}, [9, 8, 7, 6, 5, 4, 3, 2, 1], False, "a page that holds exactly all has no more"),
    ({"limit": 8}, [9, 8, 7, 6, 5, 4, 3, 2], True, "one row is left"),
]


@pytest.mark.clause("5.4")
@pytest.mark.parametrize(("query", "rows", "more"), [example[:3] for example in EXAMPLES], ids=[e[3] for e in EXAMPLES])
def test_the_worked_examples(api: Api, query: dict[str, Any], rows: list[int], more: bool) -> None:
    ids = [api.created() for _ in range(9)]
    asked = {name: ids[value - 1] if name in ("after", "before") else value for name, value in query.items()}

    body = api.list(**asked).json()

    assert [ids.index(row["id"]) + 1 for row in body["data"]] == rows
    assert body["has_more"] is more


@pytest.mark.clause("5.4")
def test_a_page_has_20_rows_by_default_and_100_at_most(shared: AsgiClient) -> None:
    api = Api(shared, app_ids())
    for _ in range(101):
        api.created()

    default, most = api.list().json(), api.list(limit=100).json()

    assert (len(default["data"]), default["has_more"]) == (20, True)
    assert (len(most["data"]), most["has_more"]) == (100, True)


@pytest.mark.clause("5.4")
@pytest.mark.parametrize("param", ["after", "before"])
def test_a_cursor_of_another_app_is_not_found(api: Api, param: str) -> None:
    foreign = api.beside().created()

    assert_error(api.list(**{param: foreign}), 404, "not_found", param=param, code="unknown_cursor")


@pytest.mark.clause("5.4")
@pytest.mark.parametrize("cursors", [("known", "known"), ("known", "unknown"), ("unknown", "unknown"), ("", "")])
def test_two_cursors_are_a_conflict(api: Api, cursors: tuple[str, str]) -> None:
    known = api.created()
    after, before = (known if cursor == "known" else cursor for cursor in cursors)

    assert_error(api.list(after=after, before=before), 422, "invalid_request_error", code="conflict")
