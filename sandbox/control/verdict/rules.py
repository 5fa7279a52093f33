"""The rules that a client should keep, in the order in which a verdict names them (docs/control.md, Verdict)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from sandbox.apps.journal import RequestRecord
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
TOLERANCE = 0.1
# So many streams left, and none read to its end: that is no decision any more.
HABIT = 3
# What stands in a path where a program has filled in a value that isn't there.
NO_VALUE = frozenset({"undefined", "null", "None", "nil", "NaN", "[object Object]"})

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
    for entry in traffic.entries:
        # Another status is that of a guard in front of the contract, which says nothing of the path.
        if entry.operation is None and entry.status in (404, 405):
            problem = "no such path" if entry.status == 404 else "no such method of this path"
            hints = suggest_path(entry, traffic.contract)
            yield RuleFinding("; ".join([f"{method_and_path(entry)}: {problem}", *hints]), [entry])


def unknown_fields(traffic: ClientTraffic) -> Iterator[RuleFinding]:
    """Find fields and query parameters that the operation doesn't know and so ignores."""
    for entry in traffic.entries:
        operation = traffic.operation(entry)
        for sentence in unknown_names(entry, operation) if operation else ():
            yield RuleFinding(f"{entry.operation}: {sentence}", [entry])


def browser_keys(traffic: ClientTraffic) -> Iterator[RuleFinding]:
    """Find secret keys that a page in a browser sent."""
    for entry in traffic.entries:
        if is_from_browser(entry):
            yield RuleFinding("a page in a browser sent a secret key", [entry])


def too_soon(traffic: ClientTraffic) -> Iterator[RuleFinding]:
    """Find a request that was sent again before `Retry-After`, seconds or a date, had passed.

    Only the same request counts: of another nobody can say from here who sent it, or whether it was on its way already.
    """
    for group in group_identical(traffic.entries):
        for entry in group:
            header = headers_by_name(entry.answer_headers).get("retry-after", "")
            delay = _parse_retry_after(header, entry)
            retry = next_after(group, entry) if delay > 0 else None
            if retry and (waited := _seconds_between(entry, retry)) < delay - TOLERANCE:
                problem = f"sent again {waited:.1f} s after an answer with Retry-After: {header}"
                yield RuleFinding(f"{method_and_path(entry)}: {problem}", [entry, retry])


def repeated_post(traffic: ClientTraffic) -> Iterator[RuleFinding]:
    """Find what makes doubles: a create or a message sent again after a lost answer, without a look at what was done.

    A look is a list or a conversation that was read in between.
    """
    looks = [entry for entry in traffic.entries if entry.operation in (GET, *LISTS) and entry.status == 200]
    for group in group_identical(entry for entry in traffic.entries if entry.operation in (CREATE, SEND)):
        for entry in filter(is_lost, group):
            retry = next_after(group, entry)
            if retry and not any_between(looks, entry, retry):
                problem = "sent again blindly after its answer was lost"
                yield RuleFinding(f"{method_and_path(entry)}: {problem}", [entry, retry])


def unread_streams(traffic: ClientTraffic) -> Iterator[RuleFinding]:
    """Find streams that the client left though it can hardly have meant to.

    A client that leaves in the midst of a text may have been told to stop: once or twice that is right. A stream that
    is left when its text is whole was taken for finished. One that went silent is rightly given up.
    """
    streams = [entry for entry in traffic.entries if is_event_stream(entry)]
    left = [entry for entry in streams if entry.ended == "client_gone" and entry.fault != "stream_stall"]
    early = []
    for entry in left:
        if _has_whole_text(entry):
            problem = "left when its text was whole, before its last event"
            yield RuleFinding(f"{method_and_path(entry)}: {problem}", [entry])
        else:
            early.append(entry)
    if len(early) >= HABIT and not any(entry.ended == "complete" for entry in streams):
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


def _parse_retry_after(header: str, entry: RequestRecord) -> float:
    """Return the seconds that an answer asked to wait, 0 or less where it asked for none."""
    if header.isascii() and header.isdigit():
        return int(header) if len(header) < 10 else 0
    date = _parse_http_date(header)
    if date is None:
        return 0
    # A clock that ran went on while the request was answered.
    answered_at = entry.at + entry.duration_ms / 1000 if entry.frozen_at is None else entry.frozen_at
    return date - answered_at


def _parse_http_date(text: str) -> float | None:
    """Return the Unix time of an HTTP date in any of its three formats (RFC 9110 5.6.7), None where it is none."""
    for date_format in _HTTP_DATES:
        with suppress(ValueError):
            return datetime.strptime(text, date_format).replace(tzinfo=UTC).timestamp()
    return None


def _seconds_between(entry: RequestRecord, following: RequestRecord) -> float:
    """Return the seconds between an answer and the next request: real ones, or the app's where these are more.

    Where the app's time stood still, a client (or its test) that moved it has waited.
    """
    real = following.started - finished_at(entry)
    if entry.frozen_at is None and following.frozen_at is None:
        return real
    return max(real, _app_time(following) - _app_time(entry))


def _app_time(entry: RequestRecord) -> float:
    # Clocks are set by whole seconds: a fraction of the server's would be held against the client.
    return int(entry.at) if entry.frozen_at is None else entry.frozen_at


def _has_whole_text(entry: RequestRecord) -> bool:
    """Say whether a text was done and nothing else was begun."""
    names = [event["event"] for event in response_json(entry)]
    if "response.output_text.done" not in names:
        return False
    after = names[len(names) - names[::-1].index("response.output_text.done") :]
    return not any(name.endswith(".delta") for name in after)


def _uses_of_failed_creates(traffic: ClientTraffic) -> Iterator[RuleFinding]:
    """Find calls to a conversation whose id can only be from a create that failed."""
    lists = [entry for entry in traffic.entries if entry.operation in LISTS and entry.status == 200]
    failed: RequestRecord | None = None
    for entry in traffic.entries:
        if entry.operation == CREATE:
            failed = None if _returned_id(entry) else entry
            continue
        conversation_id = traffic.conversation_id(entry)
        if failed is None or conversation_id is None or any_between(lists, failed, entry):
            continue
        if conversation_id in NO_VALUE or conversation_id == _apparent_id(failed):
            yield RuleFinding(f"{method_and_path(entry)}: goes on after a create that failed", [failed, entry])
            failed = None


def _messages_after_broken_answers(traffic: ClientTraffic) -> Iterator[RuleFinding]:
    """Find another message that follows at once where the answer to one was broken, and looked good by its status."""
    conversations: dict[str, list[RequestRecord]] = {}
    for entry in traffic.entries:
        if conversation_id := traffic.conversation_id(entry):
            conversations.setdefault(conversation_id, []).append(entry)
    for calls in conversations.values():
        for entry in calls:
            following = next_after(calls, entry) if _looks_good_but_is_broken(entry) else None
            if following and following.operation == SEND and following.body != entry.body:
                problem = "the next message was sent after a broken answer, without a look at the conversation"
                yield RuleFinding(f"{method_and_path(entry)}: {problem}", [entry, following])


def _looks_good_but_is_broken(entry: RequestRecord) -> bool:
    is_broken = entry.ended == "cut" or entry.fault in ("malformed", "wrong_type")
    return entry.operation == SEND and entry.status == 200 and is_broken


def _returned_id(entry: RequestRecord) -> bool:
    """Say whether a create was answered with an id that can be read."""
    try:
        answer = orjson.loads(response_body(entry))
    except orjson.JSONDecodeError:
        return False
    conversation_id = answer.get("id") if isinstance(answer, dict) else None
    return entry.status == 200 and isinstance(conversation_id, str) and _UUID.fullmatch(conversation_id) is not None


def _apparent_id(entry: RequestRecord) -> str | None:
    """Return what a client that doesn't check an answer would take for its id."""
    match = _ID.search(response_body(entry))
    return match[1].decode("utf-8", "replace") if match else None
