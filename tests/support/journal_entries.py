"""Journal entries made by hand, and requests that leave them behind."""

from __future__ import annotations

from typing import Any

from sandbox.apps.journal import AppJournal
from sandbox.apps.request_record import RequestRecord

BLANK = RequestRecord("", None, None, 0, 0, 0.0, "http", "GET", b"/", b"", [])


def entry(**fields: Any) -> RequestRecord:
    """Return an entry that has these fields, and nothing in the others."""
    return BLANK._replace(**fields)


class MadeRequest:
    """A request that leaves a record, under the id that it gets or under its own."""

    def __init__(self, journal: AppJournal, left: RequestRecord) -> None:
        self.journal = journal
        self.operation_id = left.operation_id
        self.id = b""
        self.seq = 0
        self._left = left

    def fields(self) -> tuple[Any, ...]:
        return tuple(self._left._replace(id=self._left.id or self.id.decode()))


def begin(journal: AppJournal, left: RequestRecord) -> MadeRequest:
    """Let a request come."""
    request = MadeRequest(journal, left)
    journal.shared.begin(request)
    return request


def add(journal: AppJournal, left: RequestRecord) -> None:
    """Let a request come and be over."""
    request = begin(journal, left)
    journal.shared.add(request, size=len(left.body) + sum(len(chunk) for _, chunk in left.chunks))
