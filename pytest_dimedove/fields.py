"""What an app takes and shows, as types: the choices and the fields of the control API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

# The choices are here for an editor to offer. A text that a type checker can't know is taken as well, wherever one of
# them is: the sandbox refuses a wrong one at once, and names the right ones.
Operation = Literal[
    "apps_api_create_conversation",
    "apps_api_list_conversations",
    "apps_api_list_user_conversations",
    "apps_api_get_conversation",
    "apps_api_update_conversation",
    "apps_api_delete_conversation",
    "apps_api_send_message",
    "apps_api_create_completion",
    "apps_api_get_app_config",
    "apps_api_get_app_metrics",
]
FaultKind = Literal[
    "status",
    "after",
    "latency",
    "hang",
    "reset",
    "stale",
    "truncate",
    "malformed",
    "wrong_type",
    "contract",
    "stream_cut",
    "stream_stall",
    "stream_fail",
    "stream_garble",
]
VerdictRule = Literal[
    "outside_contract",
    "unknown_field",
    "browser_key",
    "too_soon",
    "repeated_post",
    "unread_stream",
    "unnoticed_failure",
]
Framing = Literal["plain", "split", "crlf", "comments", "multiline", "cr", "cut_crlf", "mixed", "bom", "fields"]
WebhookLab = Literal["none", "duplicate", "reorder", "tamper", "delay"]


class FaultFields(TypedDict, total=False):
    """What a fault may say beside its kind; each kind takes its own fields."""

    operation: Operation | str | None
    times: int | None
    skip: int
    probability: float
    status: int
    headers: Mapping[str, str]
    body: Any
    ms: int
    until: Literal["released"] | str
    bytes: int
    path: str
    events: int


class Pace(TypedDict, total=False):
    """How slowly a reply comes, in milliseconds."""

    first_ms: int
    delta_ms: int


class ReplyRules(TypedDict, total=False):
    """To which messages a scripted reply answers, how often and how slowly."""

    contains: str | Sequence[str] | None
    times: int | None
    skip: int
    pace: Pace | None


class Times(TypedDict, total=False):
    """How many requests there must be: at least, at most."""

    min: int
    max: int


class Wanted(TypedDict, total=False):
    """What a request must have been like; of an object the given fields, at any depth.

    A value may be a pattern, such as `{"$match": "^user_"}`; `within_ms` waits so long until it is so.
    """

    status: int
    body: Any
    headers: Mapping[str, str | Mapping[str, Any]]
    times: int | Times
    within_ms: int


class RateLimit(TypedDict, total=False):
    """How many calls send message and completions take together."""

    per_minute: int | None
    per_day: int | None


class SettingChanges(TypedDict, total=False):
    """An app's settings; None gives the default back."""

    status: Literal["live", "inactive", "no_agent"] | str | None
    stream: bool | None
    generative_ui: bool | None
    titles: Literal["at_creation", "after_first_exchange"] | str | None
    business: str | None
    agent_profile: str | None
    branding: bool | None
    agent: Mapping[str, str | None] | None
    tools: Sequence[Mapping[str, Any]] | None
    keys: Sequence[str] | None
    rate_limit: RateLimit | None
    pace: Pace | None
    framing: Framing | str | Sequence[Framing | str] | None
    webhooks: Sequence[Mapping[str, Any]] | None
    webhook_lab: WebhookLab | str | None


class Entry(TypedDict):
    """One request in the sandbox's journal, and its answer as it was sent."""

    id: str
    at: int
    app_id: str | None
    operation: Operation | None
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any
    status: int | None
    response: Any
    response_bytes: int
    duration_ms: float
    reply_status: Literal["completed", "failed"] | None
    fault: FaultKind | None
    held_by: str | None
    violation: str | None
    ended: Literal["complete", "client_gone", "cut"] | None
    warnings: list[str]


class VerdictFinding(TypedDict):
    """One thing that a client did wrong: the rule, what was seen, the entries that show it, and what to do."""

    rule: VerdictRule
    message: str
    requests: list[str]
    advice: str


class Verdict(TypedDict):
    """How a client behaved; `passed` is None where nothing was found but entries are gone from the journal."""

    app_id: str
    passed: bool | None
    requests: int
    failed_replies: int
    evicted: int
    findings: list[VerdictFinding]
