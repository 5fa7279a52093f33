"""A server that isn't ours: what is sent to it, how much, what is left there, and what is shown of what it says."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from sandbox.conformance.preparation import RunPlan
from sandbox.conformance.run import RunResult, run_conformance
from sandbox.contract import load
from tests.conformance.conform_runs import Foreign, conform, ours
from tests.conformance.wire import Answer, Ask, Request
from tests.support.running import running

pytestmark = pytest.mark.fuzz

KEY = "sk_live_4242424242"
MINE = ("--app", "app_theirs", "--key", KEY)
BILLED = re.compile(r"/apps/[^/]+/(conversations/[^/]+|completions)$")
CREATES = re.compile(r"/apps/[^/]+/conversations$")


def checked(server: Foreign, **plan: Any) -> tuple[RunResult, list[str]]:
    """Judge somebody's server; return the verdict and what was said before."""
    said: list[str] = []
    with running(ours(server)) as origin:
        full = {
            "app": "app_theirs",
            "key": KEY,
            "checks": ("CREATE-1", "CREATE-4", "MESSAGE", "STREAM", "PAGE-1"),
            **plan,
        }
        return run_conformance(RunPlan(url=origin, **full), load(), said.append, wait=lambda _: None), said


@dataclass
class Allowed:
    """A whole run against somebody's server that may be written to; `fuzzed` is what the fuzz phase sent."""

    server: Foreign
    verdict: RunResult
    said: list[str]
    fuzzed: list[Request]


@pytest.fixture(scope="module")
def allowed() -> Allowed:
    server, said = Foreign(), list[str]()
    fuzzed: list[Request] = []

    def say(text: str) -> None:
        said.append(text)
        if text.startswith("check phase"):
            fuzzed.extend(server.heard)

    with running(ours(server)) as origin:
        plan = RunPlan(url=origin, app="app_theirs", key=KEY, allow_writes=True)
        verdict = run_conformance(plan, load(), say, wait=lambda _: None)
    return Allowed(server, verdict, said, fuzzed)


def test_nothing_is_written_unless_it_is_allowed() -> None:
    server = Foreign()
    verdict, said = checked(server, checks=())
    assert server.heard
    assert {request.method for request in server.heard} <= {"GET", "HEAD", "OPTIONS"}
    assert "--allow-writes" in said[1]
    assert {outcome.result for outcome in verdict.outcomes if outcome.check.writes} == {"not asked for"}


def test_nothing_is_written_to_a_sandbox_either_where_only_reading_is_asked_for() -> None:
    methods: set[str] = set()

    async def overhear(request: Request, ask: Ask) -> Answer:
        methods.add(request.method)
        return await ask(request)

    with running(ours(overhear)) as origin:
        run_conformance(RunPlan(url=origin, quick=True, read_only=True), load(), lambda _: None)
    assert methods <= {"GET", "HEAD", "OPTIONS"}


def test_the_owner_is_told_before_anything_is_written() -> None:
    server = Foreign()
    heard: list[int] = []
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        heard.append(len(server.of("POST", "PATCH", "DELETE")))

    with running(ours(server)) as origin:
        run_conformance(RunPlan(url=origin, app="app_x", key=KEY, allow_writes=True, checks=("CREATE-1",)), load(), say)
    warning = next(text for text in said if "billed" in text)
    assert heard[said.index(warning)] == 0
    assert "at most 40 messages and completions" in warning
    assert "deletion is soft" in warning


@pytest.mark.parametrize("most", [0, 1, 7])
def test_no_more_messages_are_sent_than_were_allowed(most: int) -> None:
    server = Foreign()
    verdict, _ = checked(server, allow_writes=True, max_messages=most, sandbox_rules=True)
    sent = [r for r in server.of("POST") if BILLED.search(r.path) and json_of(r)]
    assert verdict.messages <= most
    assert len(sent) >= verdict.messages
    assert any("allowed are sent" in outcome.reason for outcome in verdict.outcomes)


def test_all_checks_together_stay_within_the_forty() -> None:
    verdict, _ = checked(
        Foreign(),
        allow_writes=True,
        sandbox_rules=True,
        checks=(
            "KEY",
            "META",
            "TITLE",
            "MESSAGE",
            "UI",
            "TOOL",
            "STREAM",
            "COMPLETION",
            "METRICS",
            "TYPE",
            "CORS",
            "TIME",
            "APP",
            "BODY",
            "ERROR",
            "PAGE",
            "CREATE",
        ),
    )
    assert [outcome for outcome in verdict.outcomes if "allowed are sent" in outcome.reason] == []
    assert verdict.messages <= 40


def test_the_fuzz_phase_sends_no_message_that_may_be_billed(allowed: Allowed) -> None:
    posted = [request.path for request in allowed.fuzzed if request.method == "POST"]
    assert [path for path in posted if CREATES.search(path)]
    assert [path for path in posted if BILLED.search(path)] == []


def test_each_conversation_is_marked_and_deleted_at_the_end(allowed: Allowed) -> None:
    asked = [json_of(r) for r in allowed.server.of("POST") if CREATES.search(r.path)]
    accepted = [body for body in asked if isinstance(body.get("metadata"), dict | None) and body]
    assert len(accepted) > 20
    assert [body for body in accepted if (body.get("metadata") or {}).get("conform") != allowed.verdict.run] == []
    assert allowed.said[-1].startswith("deleting")
    assert allowed.verdict.left == 0


def test_a_server_that_follows_the_contract_conforms_without_the_sandboxs_own_rules(allowed: Allowed) -> None:
    verdict = allowed.verdict
    assert verdict.findings == []
    assert [outcome for outcome in verdict.outcomes if outcome.result == "could not run"] == []
    assert {outcome.check.needs for outcome in verdict.outcomes if outcome.result == "kept"} == {"any"}


def test_no_redirect_is_followed_and_the_key_goes_nowhere_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        place = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/v1".encode()

        async def send_away(request: Request, ask: Ask) -> Answer:
            answer = await ask(request)
            away = (b"location", place + request.path.removeprefix("/v1").encode())
            return (
                answer if request.path.endswith("/config") else replace(answer, status=307, headers=(away,), body=b"")
            )

        verdict, _ = checked(Foreign(send_away), checks=())
        with pytest.raises(BlockingIOError):
            elsewhere.accept()
    assert verdict.findings


def test_the_key_is_sent_to_nobody_before_it_is_known_who_listens() -> None:
    server = Foreign()
    checked(server, checks=("APP-1",))
    assert server.heard[0].path == "/_sandbox/health"
    assert b"authorization" not in dict(server.heard[0].headers)


def test_the_key_is_never_shown(capsys: pytest.CaptureFixture[str]) -> None:
    async def repeat_the_key(request: Request, ask: Ask) -> Answer:
        return (await ask(request)).saying(
            b'{"error": {"message": "%b"}}' % dict(request.headers).get(b"authorization", b"")
        )

    with running(ours(Foreign(repeat_the_key))) as origin:
        said = conform(capsys, origin, *MINE)
    assert said.code == 1
    assert "$API_KEY" in said.out
    assert KEY not in said.out + said.err


def test_429_is_waited_out() -> None:
    waits: list[float] = []
    refusals = iter([True, False, True, False])

    async def be_busy(request: Request, ask: Ask) -> Answer:
        answer = await ask(request)
        busy = request.path.endswith("/conversations") and next(refusals, False)
        return replace(answer, status=429, headers=((b"retry-after", b"7"),)) if busy else answer

    with running(ours(Foreign(be_busy))) as origin:
        plan = RunPlan(url=origin, app="app_theirs", key=KEY, allow_writes=True, checks=("CREATE-1",))
        verdict = run_conformance(plan, load(), lambda _: None, wait=waits.append)
    assert waits[0] == 7
    assert [outcome.result for outcome in verdict.outcomes] == ["kept"]


def test_after_the_longest_wait_the_run_stops_with_what_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    async def stay_busy(request: Request, ask: Ask) -> Answer:
        answer = await ask(request)
        return replace(answer, status=429, headers=((b"retry-after", b"61"),)) if request.method == "POST" else answer

    with running(ours(Foreign(stay_busy))) as origin:
        said = conform(capsys, origin, *MINE, "--allow-writes", "--check", "APP", "--check", "CREATE-1")
    assert said.code == 3
    assert "stopped early" in said.out
    assert "429" in said.out
    assert "1 kept" in said.out or "2 kept" in said.out


def test_requests_keep_their_distance() -> None:
    waits: list[float] = []
    with running(ours(Foreign())) as origin:
        plan = RunPlan(url=origin, app="app_theirs", key=KEY, rate=50, checks=("APP-1",))
        run_conformance(plan, load(), lambda _: None, wait=waits.append)
    assert set(waits) == {1 / 50}


# Each row: what a server does that never ends well, and what is said of it.
ENDLESS = [
    (b"", "no answer"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{", "no answer|broke off"),
    (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "no answer"),
    (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200 + b"\r\n", "no answer"),
]


@pytest.mark.parametrize(("answer", "reason"), ENDLESS, ids=[row[1] + str(n) for n, row in enumerate(ENDLESS)])
def test_a_server_that_speaks_no_http_is_named_in_one_line(
    answer: bytes, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with mute(answer) as origin:
        said = conform(capsys, origin, *MINE)
    assert said.code in (1, 3)
    assert re.search(reason, said.out + said.err)
    assert "Traceback" not in said.out + said.err


def test_an_endless_answer_is_cut_off() -> None:
    async def never_stop(request: Request, ask: Ask) -> Answer:
        return (
            (await ask(request)).saying(b" " * (17 * 1024 * 1024))
            if request.path.endswith("/config")
            else await ask(request)
        )

    verdict, _ = checked(Foreign(never_stop), checks=("APP-1",))
    (finding,) = verdict.findings
    assert "cut off" in finding.got


@contextmanager
def mute(answer: bytes) -> Iterator[str]:
    """Say one thing to everybody who calls, and hang up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_say, args=(listener, answer), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def _say(listener: socket.socket, answer: bytes) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(5)
            try:
                connection.recv(65_536)
                connection.sendall(answer)
            except OSError:
                continue


def json_of(request: Request) -> dict[str, Any]:
    """Return the object in a request's body; empty where there is none."""
    try:
        value = json.loads(request.body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
