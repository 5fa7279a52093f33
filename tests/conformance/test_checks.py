"""The checks: each is whole, our own server passes them all, and a lie is caught by the check made for it."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from sandbox import Settings, create_app
from sandbox.conformance.checks import all_checks
from sandbox.conformance.preparation import RunPlan
from sandbox.conformance.run import RunResult, run_conformance
from sandbox.contract import load
from tests.conformance.breaks import Break, broken, nothing
from tests.conformance.wire import Answer, Ask, Request
from tests.docs.pages import read
from tests.support.constants import NOW
from tests.support.processes import serving
from tests.support.running import running

CHECKS = all_checks()
CONTRACT = read("docs/contract.md")


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """A real server whose output nobody has to read."""
    with serving("--quiet") as server:
        yield server.url


# What a check is


def test_there_are_many_and_each_has_a_name_of_its_own() -> None:
    names = [check.id for check in CHECKS]
    assert len(names) == len(set(names)) >= 60


def test_a_check_is_one_sentence_of_a_clause() -> None:
    assert [check.id for check in CHECKS if not re.fullmatch(r"[A-Z]+-[1-9][0-9]?", check.id)] == []
    assert [check.id for check in CHECKS if not re.fullmatch(r"\S.*\.", check.sentence)] == []
    assert [check.id for check in CHECKS if f'<a id="{check.clause}"></a>' not in CONTRACT] == []


def test_what_the_sandbox_decided_is_asked_of_a_sandbox_alone() -> None:
    assert [check.id for check in CHECKS if check.source == "D" and check.needs != "sandbox"] == []


def test_a_check_stands_alone(origin: str) -> None:
    outcomes = [
        run_conformance(RunPlan(url=origin, checks=(check.id,), other_key="sk_test_denied"), load(), lambda _: None)
        for check in CHECKS
    ]
    results = [(each.check.id, each.result, each.reason) for run in outcomes for each in run.outcomes]
    assert [name for name, _, _ in results] == [check.id for check in CHECKS]
    assert [each for each in results if each[1] not in ("kept", "not applicable")] == []


def test_checks_that_only_read_say_so_truly() -> None:
    """Held to them alone, a server hears nothing that could write."""
    methods = set()

    async def overhear(request: Request, ask: Ask) -> Answer:
        methods.add(request.method)
        return await ask(request)

    checked(overhear, *(check.id for check in CHECKS if not check.writes))
    assert methods <= {"GET", "HEAD", "OPTIONS"}


# Servers that lie

Change = Callable[[Any], Any]


def told(change: Change, *, method: str = "", path: str = "") -> Break:
    """Return a break that changes the JSON of good answers: to requests of a method, on paths that match."""

    async def by(request: Request, ask: Ask) -> Answer:
        answer = await ask(request)
        mine = request.method.startswith(method) and re.search(path, request.path)
        if answer.status != 200 or not mine or b"json" not in dict(answer.headers).get(b"content-type", b""):
            return answer
        return answer.saying(json.dumps(change(json.loads(answer.body)), ensure_ascii=False).encode())

    return by


def streamed(change: Callable[[bytes], bytes]) -> Break:
    """Return a break that changes the bytes of streams."""

    async def by(request: Request, ask: Ask) -> Answer:
        answer = await ask(request)
        is_stream = b"event-stream" in dict(answer.headers).get(b"content-type", b"")
        return answer.saying(change(answer.body), b"text/event-stream") if is_stream else answer

    return by


def asked(change: Callable[[Request], Request]) -> Break:
    """Return a break that hears something else than what was said."""

    async def by(request: Request, ask: Ask) -> Answer:
        return await ask(change(request))

    return by


def headed(status: int, **headers: str) -> Break:
    """Return a break that gives every answer of a status other headers."""

    async def by(request: Request, ask: Ask) -> Answer:
        answer = await ask(request)
        if answer.status != status:
            return answer
        for name, value in headers.items():
            field = name.replace("_", "-").encode()
            answer = replace(answer.without(field), headers=(*answer.without(field).headers, (field, value.encode())))
        return answer

    return by


def is_list(request: Request) -> bool:
    return request.method == "GET" and request.path.endswith("/conversations")


def swapped(request: Request) -> Request:
    """Take the one order for the other."""
    query = request.query.replace("order=asc", "order=DESC").replace("order=desc", "order=asc").replace("DESC", "desc")
    return (
        replace(request, query=query)
        if "order=" in query or not is_list(request)
        else replace(request, query=f"{query}&order=asc")
    )


def refuse(*paths: str) -> Break:
    """Return a break that fails on paths that match."""

    async def by(request: Request, ask: Ask) -> Answer:
        answer = await ask(request)
        return replace(answer, status=500) if any(re.search(path, request.path) for path in paths) else answer

    return by


async def a_patch_is_forgotten(request: Request, ask: Ask) -> Answer:
    if request.method != "PATCH":
        return await ask(request)
    answer = await ask(replace(request, method="GET", body=b""))
    new = {**json.loads(answer.body), **json.loads(request.body)} if answer.status == 200 else {}
    new.pop("items", None)
    return answer.saying(json.dumps(new).encode()) if new else answer


async def foreign_origins_are_welcome(request: Request, ask: Ask) -> Answer:
    answer = await ask(request)
    origin = dict(request.headers).get(b"origin", b"*")
    return replace(
        answer.without(b"access-control-allow-origin"),
        headers=(*answer.headers, (b"access-control-allow-origin", origin)),
    )


async def another_app_is_ours_too(request: Request, ask: Ask) -> Answer:
    answer = await ask(request)
    return replace(answer, status=200) if "-other/" in request.path else answer


CONVERSATION = r"/conversations/[^/]+$"
MESSAGE = {"method": "POST", "path": CONVERSATION}

# Each row: a lie, the check that catches it, and the clause that it names.
LIES: list[tuple[str, Break, str, str]] = [
    ("a list is the wrong way round", asked(swapped), "PAGE-1", "5.4"),
    ("a list never has more", told(lambda v: {**v, "has_more": False} if "has_more" in v else v), "PAGE-9", "3.7"),
    ("a list always has more", told(lambda v: {**v, "has_more": True} if "has_more" in v else v), "PAGE-9", "3.7"),
    (
        "a list is short of a row",
        told(lambda v: {**v, "data": v["data"][:-1]} if "has_more" in v else v),
        "PAGE-4",
        "5.4",
    ),
    (
        "last_id is of the first row",
        told(lambda v: {**v, "last_id": v["first_id"]} if "has_more" in v else v),
        "PAGE-11",
        "3.7",
    ),
    ("cursors are ignored", asked(lambda r: replace(r, query=r.query.replace("after=", "x="))), "PAGE-8", "5.4"),
    ("before means after", asked(lambda r: replace(r, query=r.query.replace("before=", "after="))), "PAGE-12", "5.4"),
    ("a patch is forgotten", a_patch_is_forgotten, "UPDATE-2", "2.5"),
    (
        "titles are trimmed",
        told(lambda v: {**v, "title": (v.get("title") or "").strip()}, method="POST"),
        "CREATE-5",
        "3.2",
    ),
    (
        "metadata is merged",
        told(lambda v: {**v, "metadata": {"plan_type": 1, **(v.get("metadata") or {})}}),
        "META-1",
        "5.2",
    ),
    (
        "one title is missing",
        told(lambda v: {**v, "generated_title": {"en-ca": "x"}}, method="GET", path=CONVERSATION),
        "TITLE-1",
        "5.1",
    ),
    (
        "times are in milliseconds",
        told(lambda v: {**v, "created_at": v["created_at"] * 1000} if "created_at" in v else v),
        "TIME-1",
        "1.3",
    ),
    ("every reply has one id", told(lambda v: {**v, "id": "resp_" + "0" * 24}, **MESSAGE), "MESSAGE-13", "3.4"),
    (
        "the history is newest first",
        told(lambda v: {**v, "items": v["items"][::-1]} if "items" in v else v),
        "MESSAGE-5",
        "5.8",
    ),
    (
        "the reply isn't kept",
        told(lambda v: {**v, "items": [i for i in v["items"] if i["role"] == "user"]} if "items" in v else v),
        "MESSAGE-4",
        "3.4",
    ),
    (
        "streams are asked for in vain",
        asked(lambda r: replace(r, body=r.body.replace(b'"stream":true', b'"stream":false'))),
        "MESSAGE-16",
        "6.1",
    ),
    ("a delta is lost", streamed(lambda b: re.sub(rb'("delta":")[^"]', rb"\1", b, count=1)), "STREAM-9", "6.4"),
    ("the last event is lost", streamed(lambda b: b[: b.rindex(b"event:")]), "STREAM-6", "6.4"),
    ("data has no type", streamed(lambda b: re.sub(rb'"type":"response\.[a-z_.]+",', b"", b)), "STREAM-5", "6.1"),
    ("events have ids", streamed(lambda b: b.replace(b"event:", b"id: 1\nevent:")), "STREAM-2", "6.1"),
    ("lines end as on Windows", streamed(lambda b: b.replace(b"\n", b"\r\n")), "STREAM-2", "6.1"),
    ("a comment goes before", streamed(lambda b: b": hello\n\n" + b), "STREAM-2", "6.1"),
    ("a stream says that it is done", streamed(lambda b: b + b"data: [DONE]\n\n"), "STREAM-18", "6.3"),
    ("characters are cut", streamed(lambda b: b.replace("ù".encode(), b"\xc3")), "STREAM-3", "6.1"),
    ("counts stand still", told(lambda v: {**v, "total_conversations": 1}, path="/metrics$"), "METRICS-1", "5.6"),
    ("a 405 allows everything", headed(405, allow="GET, POST, PUT, PATCH, DELETE"), "ERROR-4", "4.6"),
    ("a 429 says no time", headed(429, retry_after="soon"), "KEY-11", "4.11"),
    ("a 401 names another scheme", headed(401, www_authenticate="Basic"), "KEY-5", "4.11"),
    ("strangers may read", foreign_origins_are_welcome, "CORS-3", "4.9"),
    ("apps are not kept apart", another_app_is_ours_too, "APP-3", "4.11"),
    ("the server breaks on a message", refuse(CONVERSATION), "BODY-1", "4.11"),
]


@pytest.mark.parametrize(("by", "check", "clause"), [row[1:] for row in LIES], ids=[row[0] for row in LIES])
def test_a_lie_is_caught_by_the_check_that_is_made_for_it(by: Break, check: str, clause: str) -> None:
    (finding,) = checked(by, check).findings
    assert (finding.rule, finding.clause) == (check, clause)


def test_these_checks_find_nothing_where_nobody_lies() -> None:
    checks = {row[2] for row in LIES}
    outcomes = checked(nothing, *checks).outcomes
    assert {outcome.check.id for outcome in outcomes} == checks
    assert [outcome for outcome in outcomes if outcome.result != "kept"] == []


def test_what_a_check_needs_and_cannot_get_is_no_finding_but_is_said() -> None:
    (outcome,) = checked(refuse("/conversations$"), "PAGE-1").outcomes
    assert outcome.result == "could not run"
    assert "POST" in outcome.reason


def test_an_answer_in_an_impossible_shape_ends_no_run() -> None:
    outcomes = checked(told(lambda value: [value], path="/v1/"), "PAGE", "CREATE", "STREAM", "MESSAGE").outcomes
    assert {outcome.result for outcome in outcomes} <= {"broken", "could not run", "kept", "not applicable"}
    assert len(outcomes) == sum(check.topic in ("PAGE", "CREATE", "STREAM", "MESSAGE") for check in CHECKS)


def checked(by: Break, *checks: str) -> RunResult:
    """Make some checks on a fresh server, broken in one way."""
    with running(broken(create_app(Settings(now=NOW)), by)) as origin:
        return run_conformance(RunPlan(url=origin, checks=checks), load(), lambda _: None)


@pytest.mark.parametrize(("shared_app", "found"), [(False, {"METRICS-4", "METRICS-7"}), (True, set[str]())])
def test_only_a_shared_app_may_grow_by_itself(shared_app: bool, found: set[str]) -> None:
    """Another counts two messages more whenever the metrics are read."""
    reads = itertools.count(1)
    grows = told(lambda value: {**value, "total_messages": value["total_messages"] + 2 * next(reads)}, path="/metrics")
    with running(broken(create_app(Settings(now=NOW)), grows)) as origin:
        plan = RunPlan(url=origin, app="app_named", checks=("METRICS-4", "METRICS-7", "PAGE-21"), shared_app=shared_app)
        outcomes = run_conformance(plan, load(), lambda _: None).outcomes
    assert {outcome.check.id for outcome in outcomes if outcome.result == "broken"} == found
    assert [outcome.result for outcome in outcomes if outcome.check.id == "PAGE-21"] == [
        "not applicable" if shared_app else "kept"
    ]
