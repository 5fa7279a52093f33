"""Walks over the shelf: pages of one user's conversations, which were made one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sandbox.conformance.caller import LIST, USER_LIST
from sandbox.conformance.evidence import id_of, ids_of
from sandbox.conformance.exchange import Answer
from sandbox.conformance.law import expect, expect_equal
from sandbox.conformance.subject import SHELF, Subject

BOTH = (LIST, USER_LIST)


def newest_first(server: Subject) -> list[str]:
    """Return the ids of the shelf as a list has them by default."""
    return [id_of(answer) for answer in reversed(server.shelf())]


def page(server: Subject, query: str = "") -> Answer:
    """Return a page of the shelf's user."""
    return server.users_list(server.shelf_user, query)


def holds(server: Subject, query: str, wanted: Sequence[str], more: bool | None = None) -> None:
    """Hold one page to its ids, and to whether there are more; the proof is the shelf and the page."""
    answer = page(server, query)
    proof = (*server.shelf(), answer)
    expect(answer.status == 200, "status 200", answer.summary, *proof)
    numbers = {one: str(number) for number, one in enumerate(reversed(newest_first(server)), 1)}
    came = [numbers.get(one, one) for one in ids_of(answer)]
    expected = [numbers.get(one, one) for one in wanted]
    expect(
        came == expected, f"conversations {', '.join(expected) or 'none'} ({query})", ", ".join(came) or "none", *proof
    )
    if more is not None and "has_more" in answer.object:
        expect_equal(answer.object["has_more"], more, f"has_more ({query})", *proof, about="has_more")


def walk(fetch: Callable[[str], Answer], query: str, most: int = 1_000) -> Iterator[Answer]:
    """Go from page to page by `last_id` as `after`, as long as the server says that there is more."""
    after = ""
    for _ in range(most):
        answer = fetch(query + after)
        yield answer
        last = answer.object.get("last_id") or "".join(ids_of(answer)[-1:])
        if answer.object.get("has_more") is not True or not last:
            return
        after = f"&after={last}"


def walked(server: Subject, query: str) -> tuple[list[str], list[Answer]]:
    """Walk over all pages of the shelf's user; return the ids and the pages."""
    pages = list(walk(lambda asked: page(server, asked), query, 4 * SHELF))
    return [one for answer in pages for one in ids_of(answer)], pages


def difference(wanted: Sequence[str], came: Sequence[str]) -> str:
    """Say in which way the rows that came are not those that were wanted."""
    missing, strange = len(set(wanted) - set(came)), len(set(came) - set(wanted))
    twice = len(came) - len(set(came))
    what = [
        f"{count} {word}" for count, word in ((missing, "missing"), (strange, "strange"), (twice, "twice")) if count
    ]
    return f"{len(came)} rows, {', '.join(what) or 'in another order'}"
