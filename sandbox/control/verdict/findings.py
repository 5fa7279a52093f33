"""What a rule looks at and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sandbox.apps.journal import RequestRecord
from sandbox.contract import Contract, Operation


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a client did wrong: what, and the entries that show it, oldest first."""

    message: str
    shown_by: Sequence[RequestRecord]


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a client: the entries of one app in the order in which they came, and the contract."""

    entries: Sequence[RequestRecord]
    contract: Contract

    def operation(self, entry: RequestRecord) -> Operation | None:
        """Return the operation that an entry matched."""
        return next((op for op in self.contract.operations if op.id == entry.operation), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule: its name, what a client should do, what to do where it didn't, and how it is seen."""

    name: str
    sentence: str
    advice: str
    check: Callable[[Seen], Iterator[Finding]]
