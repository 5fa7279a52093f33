"""The shape of a list, as the Apps API has it: what is found, a page of it (docs/control.md, Requests)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from sandbox.contract import encode

Thing = TypeVar("Thing")


def page(found: Iterator[Thing], limit: int, shown: Callable[[Thing], dict[str, Any]]) -> dict[str, Any]:
    """Return the first `limit` of what is found, each as `shown` shows it."""
    things = list(islice(found, limit + 1))
    rows = [shown(thing) for thing in things[:limit]]
    return {"data": rows, "object": "list", **_ends([row["id"] for row in rows], has_more=len(things) > limit)}


def written_page(found: Iterator[Thing], limit: int, shown: Callable[[Thing], dict[str, Any]]) -> bytes:
    """Write the same as `written_list` does."""
    things = list(islice(found, limit + 1))
    ids: list[str] = []

    def rows() -> Iterator[dict[str, Any]]:
        for thing in things[:limit]:
            row = shown(thing)
            ids.append(row["id"])
            yield row

    written = written_list(rows(), before=b'{"data":', behind=b",")
    rest = encode({"object": "list", **_ends(ids, has_more=len(things) > limit)})
    return bytes(written + rest.removeprefix(b"{"))


def written_list(values: Iterable[Any], *, before: bytes = b"", behind: bytes = b"") -> bytearray:
    """Write a list one by one: nobody else gets a turn while one of ten thousand is written, or copied."""
    written = bytearray(before)
    mark = b"["
    for value in values:
        written += mark + encode(value)
        mark = b","
    written += (b"]" if mark == b"," else b"[]") + behind
    return written


def _ends(ids: Sequence[str], *, has_more: bool) -> dict[str, Any]:
    return {"first_id": ids[0] if ids else None, "last_id": ids[-1] if ids else None, "has_more": has_more}
