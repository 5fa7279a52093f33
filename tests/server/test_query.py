"""The query of a list: plain digits, known words, each name once; what nobody knows is ignored (4.8)."""

from __future__ import annotations

from itertools import product

import pytest
from httpx2 import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.errors import assert_error
from tests.support.request_spec import LISTS, NOBODY
from tests.support.requirements import examples

pytestmark = pytest.mark.clause("4.8", "5.4")

TAKEN = [
    "limit=1",
    "limit=100",
    "limit=%35",
    "order=asc",
    "order=desc",
    "",
    "&",
    "&&",
    "x=1&x=2",
    "Limit=0",
    "limit%20=0",
    "limit[]=0",
    "page=-1&cursor=&offset=x",
    "%FF=%FF",
    "order=asc&limit=5&x",
]
# Each row: a query, the parameter that is wrong in it, and the code.
REFUSED = [
    ("limit=", "limit", "wrong_type"),
    ("limit", "limit", "wrong_type"),
    ("limit=020", "limit", "wrong_type"),
    ("limit=00", "limit", "wrong_type"),
    ("limit=+20", "limit", "wrong_type"),
    ("limit=%2B20", "limit", "wrong_type"),
    ("limit=%2020", "limit", "wrong_type"),
    ("limit=20%20", "limit", "wrong_type"),
    ("limit=20%0A", "limit", "wrong_type"),
    ("limit=-1", "limit", "wrong_type"),
    ("limit=1.0", "limit", "wrong_type"),
    ("limit=1e1", "limit", "wrong_type"),
    ("limit=0x10", "limit", "wrong_type"),
    ("limit=1_0", "limit", "wrong_type"),
    ("limit=null", "limit", "wrong_type"),
    ("limit=%D9%A2", "limit", "wrong_type"),  # two, in Arabic digits
    ("limit=%FF", "limit", "wrong_type"),
    ("limit=0", "limit", "out_of_range"),
    ("limit=101", "limit", "out_of_range"),
    ("limit=99999999999999999999999999999999", "limit", "out_of_range"),
    ("limit=" + "9" * 5_000, "limit", "out_of_range"),
    ("order=", "order", "not_allowed"),
    ("order=ASC", "order", "not_allowed"),
    ("order=asc%20", "order", "not_allowed"),
    ("order=created_at", "order", "not_allowed"),
    ("limit=1&limit=1", "limit", "repeated"),
    ("limit=1&x=2&%6Cimit=1", "limit", "repeated"),
    ("order=asc&order=asc&order=asc", "order", "repeated"),
    (f"after={NOBODY}&after={NOBODY}", "after", "repeated"),
    ("before=&before=", "before", "repeated"),
    (f"after={NOBODY}&before={NOBODY}", "after", "conflict"),
    ("after=&before=", "after", "conflict"),
]
UNKNOWN = [f"after={NOBODY}", f"before={NOBODY}", "after=", "before=", "after=x", "before=%00", "after=%F0%9F%98%80"]


def test_what_is_right_or_unknown_is_taken(apps: Client, subtests: pytest.Subtests) -> None:
    for query, operation in product(TAKEN, LISTS):
        with subtests.test(query=query, operation=operation):
            assert LISTS[operation].replace(query=f"?{query}").send(apps).status_code == 200


@pytest.mark.clause("4.2")
def test_what_is_wrong_is_named(apps: Client, subtests: pytest.Subtests) -> None:
    for (query, param, code), operation in product(REFUSED, LISTS):
        with subtests.test(query=query, param=param, code=code, operation=operation):
            answer = LISTS[operation].replace(query=f"?{query}").send(apps)
            error = assert_error(answer, 422, "invalid_request_error", param=param, code=code)
            assert f"{param}" in error["message"]
            assert "expected" in error["message"]


def test_an_unknown_cursor_is_404(apps: Client, subtests: pytest.Subtests) -> None:
    for query, operation in product(UNKNOWN, LISTS):
        with subtests.test(query=query, operation=operation):
            answer = LISTS[operation].replace(query=f"?{query}").send(apps)
            assert_error(answer, 404, "not_found", param=query.split("=")[0], code="unknown_cursor")


# Each row: a query with several faults, and their places in the contract's order.
SEVERAL = [
    ("before=&before=&order=up&limit=x", ["limit", "order", "before"]),
    ("order=up&after=x&after=y", ["order", "after"]),
    ("before=x&before=y&after=x&after=y&limit=0", ["limit", "after", "before"]),
]


@pytest.mark.clause("4.2")
@pytest.mark.parametrize(("query", "places"), SEVERAL)
def test_faults_are_named_in_the_order_of_the_contract(apps: Client, query: str, places: list[str]) -> None:
    answer = LISTS["list_conversations"].replace(query=f"?{query}").send(apps)
    error = assert_error(answer, 422, "invalid_request_error", param=places[0])
    found = [error["message"].index(f"{place}: ") for place in places]
    assert found == sorted(found)


@pytest.mark.clause("4.2")
@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("limit=0", "limit: expected integer from 1 to 100, got 0"),
        ("limit=123456789012345678901234567890", "got 123456789012345678901234567890"),
        ("order=up", 'order: expected "desc" or "asc", got "up"'),
    ],
)
def test_a_fault_says_what_came(apps: Client, query: str, sentence: str) -> None:
    answer = LISTS["list_conversations"].replace(query=f"?{query}").send(apps)
    assert sentence in assert_error(answer, 422, "invalid_request_error")["message"]


@settings(max_examples=examples(60, quick=15))
@given(query=st.text(st.sampled_from("limtordeafbc=&%1234567890+;[]\\'\"<é"), max_size=40))
def test_no_query_breaks_the_server(apps: Client, query: str) -> None:
    answer = LISTS["list_conversations"].replace(query=f"?limit=5&{query}").send(apps)
    assert answer.status_code in (200, 404, 422)
