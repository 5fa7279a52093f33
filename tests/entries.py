"""Journal entries made by hand, and requests that leave them behind."""

from __future__ import annotations

from typing import Any

from sandbox.apps.entry import Entry, Fields
from sandbox.apps.journal import Counted, Journal

BLANK = Entry("", None, None, 0, 0, 0.0, "http", "GET", b"/", b"", [])


def entry(**fields: Any) -> Entry:
    """Return an entry that has these fields, and nothing in the others."""
    return BLANK._replace(**fields)


class Asked:
    """A request that leaves an entry, under the id that it gets or under its own."""

    counted: Counted

    def __init__(self, left: Entry) -> None:
        self.app_id = left.app_id
        self.operation = left.operation
        self.id = b""
        self.turn = 0
        self._left = left

    def fields(self) -> Fields:
        return tuple(self._left._replace(id=self._left.id or self.id.decode()))


def begun(journal: Journal, left: Entry) -> str:
    """Let a request come; return the id that it gets."""
    asked = Asked(left)
    journal.begin(asked)
    return asked.id.decode()


def add(journal: Journal, left: Entry) -> None:
    """Let a request come and be over."""
    asked = Asked(left)
    journal.begin(asked)
    journal.add(asked, size=len(left.body) + sum(len(chunk) for _, chunk in left.chunks))
