"""What an agent says: a `Reply`, the list of its output items. Knows neither HTTP nor where it is kept.

The same `Reply` becomes the JSON answer, the event stream and the assistant's item of the history.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

TRANSFER_TOOL: Final = "transfer_to_agent"
"""What an agent calls to hand over to a person (docs/contract.md 10)."""


class Message(NamedTuple):
    """A text of the assistant."""

    text: str


class FunctionCall(NamedTuple):
    """A call of one of the app's tools.

    `arguments` is None for a client tool (docs/contract.md 8); `output` is what the tool answered, shown in the history
    alone, None where the client runs the tool.
    """

    call_id: str
    name: str
    arguments: Mapping[str, Any] | None
    output: Mapping[str, Any] | None = None


class DataSpec(NamedTuple):
    """One patch of a generated interface: `{"op": "add", "path": ..., "value": ...}` of RFC 6902."""

    patch: Mapping[str, Any]


OutputItem = Message | FunctionCall | DataSpec


class Pace(NamedTuple):
    """How slowly a reply comes, in milliseconds of real time: before its first event, and before each delta."""

    first_ms: int = 0
    delta_ms: int = 0


class Reply(NamedTuple):
    """What the agent answers to one message or prompt.

    `failure` is the reason of a failed reply (its output is then empty), `pace` overrides the app's pace,
    `cut` asks that the answer break off half-way on the wire. `ledger` is what the agent keeps of the conversation
    after it, None for nothing new.
    """

    output: tuple[OutputItem, ...] = ()
    failure: str | None = None
    pace: Pace | None = None
    cut: bool = False
    ledger: bytes | None = None
