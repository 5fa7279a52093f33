"""The rules that a client should keep, in the order in which a verdict names them (docs/control.md, Verdict)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from sandbox.apps.request_record import RequestRecord
from sandbox.control.request_warnings import is_from_browser, suggest_path, unknown_names
from sandbox.control.serialization import headers_by_name, is_event_stream, response_body, response_json
from sandbox.control.verdict.traffic import (
    CREATE,
    GET,
    LISTS,
    SEND,
    ClientTraffic,
    any_between,
    finished_at,
    group_identical,
    is_lost,
    method_and_path,
    next_after,
)

# Seconds by which a client may be early: timers are not exact, and the answer was under way for a while.
TOLERANCE_SECONDS = 0.1
# So many streams left, and none read to its end: that is no decision any more.
MIN_UNREAD_STREAMS = 3
# What stands in a path where a program has filled in a value that isn't there.
EMPTY_VALUES = frozenset({"undefined", "null", "None", "nil", "NaN", "[object Object]"})

_ID = re.compile(rb'"id"\s*:\s*"?([^",}\s]+)')
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HTTP_DATES = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y")


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """One thing that a client did wrong: what, and the requests that prove it, oldest first."""

    message: str
    evidence: Sequence[RequestRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule: its name, what a client should do, what to do where it didn't, and how that is found."""

    name: str
    sentence: str
    advice: str
    check: Callable[[ClientTraffic], Iterator[RuleFinding]]


def outside_contract(traffic: ClientTraffic) -> Iterator[RuleFinding]:
    """Find calls to paths that the contract hasn't, and methods that a path of it hasn't."""
    for record in traffic.records:
        # Another status is that of a guard in front of the contract, which says nothing of the path.
        if record.operation_id is None and record.status in (404, 405):
            problem = "no such path" if record.status == 404 else "no such method of this path"
            hints = suggest_path(record, traffic.contract)
            yield RuleFinding("; ".join([f"{method_and_path(record)}: {problem}", *hints]), [record])


def unknown_fields(traffic: ClientTraffic) -> Iterator[RuleFinding]:
    """Find fields and query parameters that the operation doesn't know and so ignores."""
    for record in traffic.records:
        operation = traffic.contract.operation(record.operation_id)
        for sentence in unknown_names(record, operation) if operation else ():
            yield RuleFinding(f"{record.operation_id}: {sentence}", [record])


def browser_keys(traffic: ClientTraffic) -> Iterator[RuleFinding]:
    """Find secret keys that a page in a browser sent."""
    for record in traffic.records:
        if is_from_browser(record):
            yield RuleFinding("a page in a browser sent a secret key", [record])


def too_soon(traffic: ClientTraffic) -> Iterator[RuleFinding]:
    """Find a request that was sent again before `Retry-After`, seconds or a date, had passed.

    Only the same request counts: of another nobody can say from here who sent it, or whether it was on its way already.
    """
    for group in group_identical(traffic.records):
        for record in group:
            header = headers_by_name(record.response_headers).get("retry-after", "")
            delay = _parse_retry_after(header, record)
            retry = next_after(group, record) if delay > 0 else None
            if retry and (waited := _seconds_between(record, retry)) < delay - TOLERANCE_SECONDS:
                problem = f"sent again {waited:.1f} s after an answer with Retry-After: {header}"
                yield RuleFinding(f"{method_and_path(record)}: {problem}", [record, retry])


def repeated_post(traffic: ClientTraffic) -> Iterator[RuleFinding]:
    """Find what makes doubles: a create or a message sent again after a lost answer, without a look at what was done.

    A look is a list or a conversation that was read in between.
    """
    looks = [record for record in traffic.records if record.operation_id in (GET, *LISTS) and record.status == 200]
    for group in group_identical(record for record in traffic.records if record.operation_id in (CREATE, SEND)):
        for record in filter(is_lost, group):
            retry = next_after(group, record)
            if retry and not any_between(looks, record, retry):
                problem = "sent again blindly after its answer was lost"
                yield RuleFinding(f"{method_and_path(record)}: {problem}", [record, retry])


def unread_streams(traffic: ClientTraffic) -> Iterator[RuleFinding]:
    """Find streams that the client left though it can hardly have meant to.

    A client that leaves in the midst of a text may have been told to stop: once or twice that is right. A stream that
    is left when its text is whole was taken for finished. One that went silent is rightly given up.
    """
    streams = [record for record in traffic.records if is_event_stream(record)]
    left = [record for record in streams if record.ended == "client_gone" and record.fault != "stream_stall"]
    early = []
    for record in left:
        if _has_whole_text(record):
            problem = "left when its text was whole, before its last event"
            yield RuleFinding(f"{method_and_path(record)}: {problem}", [record])
        else:
            early.append(record)
    if len(early) >= MIN_UNREAD_STREAMS and not any(record.ended == "complete" for record in streams):
        yield RuleFinding(f"{len(early)} streams were left, and none was read to its end", early)


def unnoticed_failures(traffic: ClientTraffic) -> Iterator[RuleFinding]:
    """Find broken answers that were taken for good ones.

    Much of that can't be seen from here: what a client shows or throws is in no request. What can be seen is the use of
    an id that no good answer gave, and the next message that follows a broken answer without a look.
    """
    yield from _uses_of_failed_creates(traffic)
    yield from _messages_after_broken_answers(traffic)


RULES = (
    Rule(
        name="outside_contract",
        sentence="Calls go to paths and methods of the contract.",
        advice="Compare the path and the method with /openapi.json.",
        check=outside_contract,
    ),
    Rule(
        name="unknown_field",
        sentence="Fields and query parameters are ones that the operation knows.",
        advice="Correct the name, or leave it out: the API ignores what it doesn't know, and says nothing.",
        check=unknown_fields,
    ),
    Rule(
        name="browser_key",
        sentence="Secret keys stay on servers.",
        advice="Let a server of your own make the call: whoever opens the page can read the key.",
        check=browser_keys,
    ),
    Rule(
        name="too_soon",
        sentence="A request is sent again when Retry-After has passed.",
        advice="Wait as many seconds as Retry-After says, counted from the answer; if it is a date, until then.",
        check=too_soon,
    ),
    Rule(
        name="repeated_post",
        sentence="A create or a message whose answer was lost is not repeated blindly.",
        advice="Read the list or the conversation first: the work may be done, and again makes a double.",
        check=repeated_post,
    ),
    Rule(
        name="unread_stream",
        sentence="Streams are read to their end, or aborted on purpose.",
        advice="Read until response.completed or response.failed: tool calls and forms may follow a text.",
        check=unread_streams,
    ),
    Rule(
        name="unnoticed_failure",
        sentence="Broken answers are not taken for good ones.",
        advice="Check the status, that the body is whole JSON, and that a stream ends with its last event.",
        check=unnoticed_failures,
    ),
)


def _parse_retry_after(header: str, record: RequestRecord) -> float:
    """Return the seconds that an answer asked to wait, 0 or less where it asked for none."""
    if header.isascii() and header.isdigit():
        return int(header) if len(header) < 10 else 0
    date = _parse_http_date(header)
    if date is None:
        return 0
    # A clock that ran went on while the request was answered.
    answered_at = record.at + record.duration_ms / 1000 if record.frozen_at is None else record.frozen_at
    return date - answered_at


def _parse_http_date(text: str) -> float | None:
    """Return the Unix time of an HTTP date in any of its three formats (RFC 9110 5.6.7), None where it is none."""
    for date_format in _HTTP_DATES:
        with suppress(ValueError):
            return datetime.strptime(text, date_format).replace(tzinfo=UTC).timestamp()
    return None


def _seconds_between(record: RequestRecord, following: RequestRecord) -> float:
    """Return the seconds between an answer and the next request: real ones, or the app's where these are more.

    Where the app's time stood still, a client (or its test) that moved it has waited.
    """
    real = following.started - finished_at(record)
    if record.frozen_at is None and following.frozen_at is None:
        return real
    return max(real, _app_time(following) - _app_time(record))


def _app_time(record: RequestRecord) -> float:
    # Clocks are set by whole seconds: a fraction of the server's would be held against the client.
    return int(record.at) if record.frozen_at is None else record.frozen_at


def _has_whole_text(record: RequestRecord) -> bool:
    """Say whether a text was done and nothing else was begun."""
    names = [event["event"] for event in response_json(record)]
    if "response.output_text.done" not in names:
        return False
    after = names[len(names) - names[::-1].index("response.output_text.done") :]
    return not any(name.endswith(".delta") for name in after)


def _uses_of_failed_creates(traffic: ClientTraffic) -> Iterator[RuleFinding]:
    """Find calls to a conversation whose id can only be from a create that failed."""
    lists = [record for record in traffic.records if record.operation_id in LISTS and record.status == 200]
    failed: RequestRecord | None = None
    for record in traffic.records:
        if record.operation_id == CREATE:
            failed = None if _returned_id(record) else record
            continue
        conversation_id = traffic.conversation_id(record)
        if failed is None or conversation_id is None or any_between(lists, failed, record):
            continue
        if conversation_id in EMPTY_VALUES or conversation_id == _apparent_id(failed):
            yield RuleFinding(f"{method_and_path(record)}: goes on after a create that failed", [failed, record])
            failed = None


def _messages_after_broken_answers(traffic: ClientTraffic) -> Iterator[RuleFinding]:
    """Find another message that follows at once where the answer to one was broken, and looked good by its status."""
    conversations: dict[str, list[RequestRecord]] = {}
    for record in traffic.records:
        if conversation_id := traffic.conversation_id(record):
            conversations.setdefault(conversation_id, []).append(record)
    for calls in conversations.values():
        for record in calls:
            following = next_after(calls, record) if _looks_good_but_is_broken(record) else None
            if following and following.operation_id == SEND and following.body != record.body:
                problem = "the next message was sent after a broken answer, without a look at the conversation"
                yield RuleFinding(f"{method_and_path(record)}: {problem}", [record, following])


def _looks_good_but_is_broken(record: RequestRecord) -> bool:
    is_broken = record.ended == "cut" or record.fault in ("malformed", "wrong_type")
    return record.operation_id == SEND and record.status == 200 and is_broken


def _returned_id(record: RequestRecord) -> bool:
    """Say whether a create was answered with an id that can be read."""
    try:
        answer = orjson.loads(response_body(record))
    except orjson.JSONDecodeError:
        return False
    conversation_id = answer.get("id") if isinstance(answer, dict) else None
    return record.status == 200 and isinstance(conversation_id, str) and _UUID.fullmatch(conversation_id) is not None


def _apparent_id(record: RequestRecord) -> str | None:
    """Return what a client that doesn't check an answer would take for its id."""
    match = _ID.search(response_body(record))
    return match[1].decode("utf-8", "replace") if match else None
