"""What comes of part one: what the checks found, and what was reached, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.conformance.tune import Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer, long bodies shortened; `status` is None if none came."""

    method: str
    url: str
    request_body: str
    status: int | None
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a check holds against one operation: the smallest case of it, and how often it was seen.

    `identity` stays the same from run to run. `curl` repeats the case where the environment has `API_KEY`.
    """

    check: str
    operation: str
    title: str
    message: str
    identity: tuple[str, ...]
    phase: str
    seen: int
    curl: str
    exchange: Exchange


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """What a run found, and what it reached.

    `statuses` counts the answers of each operation by status, `links` those to each link that was followed with a value
    from the answer that it belongs to and otherwise valid data. `errors` are what kept the engine from its work.
    """

    findings: tuple[Finding, ...]
    statuses: Mapping[str, Mapping[int, int]]
    links: Mapping[Link, Mapping[int, int]]
    never_succeeded: tuple[str, ...]
    never_walked: tuple[Link, ...]
    requests: int
    errors: tuple[str, ...]
