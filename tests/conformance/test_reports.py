"""What a run tells, whatever the server says: findings to repeat, 80 columns, JUnit, JSON, a summary for GitHub."""

from __future__ import annotations

import io
import json
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.cli import main
from sandbox.conformance.findings import curl_script
from sandbox.conformance.http_messages import ApiRequest, ApiResponse
from sandbox.conformance.output import KeyRedactor, escape
from sandbox.conformance.preparation import RunPlan, parse_server_url
from sandbox.conformance.run import RunResult, run_conformance
from sandbox.contract import load
from tests.conformance import breaks
from tests.conformance.breaks import Break
from tests.conformance.conform_runs import Said, conform, ours
from tests.conformance.test_checks import a_patch_is_forgotten, headed
from tests.conformance.wire import Answer, Ask, Request
from tests.support.requirements import requires_curl
from tests.support.running import running

KEY = "sk_test_conform"
# Moves the cursor, paints, writes backwards, closes XML and Markdown, commands GitHub's runner.
HOSTILE = (
    "\x1b[2J\x07\u202egnp.exe\u2028\x00\x85]]>&lt;</testcase>\ud83d\n::error::owned\r\n##[error]owned\n"
    "::stop-commands::x |`` `"
)


async def titles_are_hostile(request: Request, ask: Ask) -> Answer:
    answer = await ask(request)
    if not request.creates or answer.status != 200:
        return answer
    return answer.saying(json.dumps({**json.loads(answer.body), "title": HOSTILE}).encode())


async def metrics_are_201(request: Request, ask: Ask) -> Answer:
    answer = await ask(request)
    return replace(answer, status=201) if request.path.endswith("/metrics") and answer.status == 200 else answer


def checked(by: Break, *checks: str) -> RunResult:
    with running(ours(by)) as origin:
        return run_conformance(RunPlan(url=origin, checks=checks), load(), lambda _: None)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Said, Path]:
    """A run against a server that wants to harm who reads of it: what was said, and the folder of its files."""
    folder = tmp_path_factory.mktemp("reports")
    env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
    files = ("--junit", str(folder / "junit.xml"), "--json", str(folder / "report.json"))
    out, err = io.StringIO(), io.StringIO()
    with running(ours(titles_are_hostile)) as origin, redirect_stdout(out), redirect_stderr(err):
        code = main(["conform", origin, "--check", "CREATE-1", "--check", "CREATE-4", *files], env)
    return Said(code, out.getvalue(), err.getvalue()), folder


# Findings


def test_a_finding_names_its_check_its_clause_and_its_source() -> None:
    (finding,) = checked(a_patch_is_forgotten, "UPDATE-2").findings
    assert (finding.rule, finding.clause, finding.source) == ("UPDATE-2", "2.5", "V")
    assert finding.expected == "title 'After'"
    assert finding.got == "'Before'"


# Each row: a break, a check that finds it, and what the repeated answer has in it.
REPEATED = [
    # one request is enough
    (headed(401, www_authenticate="Basic"), "KEY-5", "invalid_api_key"),
    # a conversation has to be made first, and its id handed on
    (a_patch_is_forgotten, "UPDATE-2", '"title":"Before"'),
    (breaks.deleted_lives_on, "DELETE-3", '"object":"conversation"'),
    # a body that is too long to be written out
    (breaks.created_is_201, "META-6", '"id":"'),
]


@pytest.mark.parametrize(("by", "check", "came"), REPEATED, ids=[row[1] for row in REPEATED])
def test_the_script_of_a_finding_repeats_it(by: Break, check: str, came: str) -> None:
    requires_curl()
    with running(ours(by)) as origin:
        (finding,) = run_conformance(RunPlan(url=origin, checks=(check,)), load(), lambda _: None).findings
        command = ["/bin/sh", "-euc", f"API_KEY={KEY}\n{finding.script}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert done.returncode == 0, done.stderr
    assert came in done.stdout


def test_only_what_the_wrong_answer_hangs_on_is_repeated() -> None:
    """Of the many conversations that the checks made, the script makes the one that was changed."""
    finding = next(f for f in checked(a_patch_is_forgotten, "PAGE-1", "CREATE", "UPDATE-2").findings)
    assert finding.script.count("-X POST") == 1
    assert finding.script.count("-X PATCH") == 1


BODIES = [
    b"",
    b"{",
    b'it\'s "quoted" $HOME `id` \\n %s %d',
    b"two\nlines",
    "Où ça? 👩‍👩‍👧‍👦".encode(),
    b"\xff\xfe\x00",
    b"@not-a-file",
    b"{" + b" " * 1_000_000,
    b"[" * 10_000 + b"]" * 10_000,
    "é".encode() * 20_000,
    b'{"a":' * 3_000 + b"1",
    b"x" * 4_001 + b"100%\n'",
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: ascii(body[:12]))
def test_a_script_sends_any_body_as_it_was(body: bytes) -> None:
    requires_curl()
    heard: list[bytes] = []

    async def overhear(request: Request, ask: Ask) -> Answer:
        heard.append(request.body)
        return await ask(request)

    with running(ours(overhear)) as origin:
        request = ApiRequest(method="POST", target="/v1/apps/app_x/conversations", body=body)
        place, _ = parse_server_url(origin, load())
        text = curl_script([ApiResponse(request=request, status=200)], place, KeyRedactor({}))
        subprocess.run(["/bin/sh", "-euc", text], capture_output=True, check=True)  # noqa: S603 - our own
    assert heard == [body]


def test_a_finding_has_the_same_fingerprint_in_every_run() -> None:
    first, second = (checked(a_patch_is_forgotten, "UPDATE-2").findings[0] for _ in range(2))
    assert first.fingerprint == second.fingerprint
    assert re.fullmatch(r"[0-9a-f]{12}", first.fingerprint)


def test_two_checks_that_are_broken_have_two_fingerprints() -> None:
    findings = checked(a_patch_is_forgotten, "UPDATE").findings
    assert len({finding.fingerprint for finding in findings}) == len(findings) > 1


# On a terminal


def test_findings_come_first_and_the_summary_last(capsys: pytest.CaptureFixture[str]) -> None:
    with running(ours(a_patch_is_forgotten)) as origin:
        said = conform(capsys, origin, "--check", "UPDATE-2", "--check", "APP-1")
    lines = said.out.splitlines()
    assert lines[0] == "finding 1 of 1: UPDATE-2, clause 2.5 of docs/contract.md [V]"
    assert lines[-2:] == ["does not conform: 1 finding", lines[-1]]
    assert "exercised" in lines


def test_a_report_can_be_read_in_80_columns(hostile: tuple[Said, Path]) -> None:
    lines = hostile[0].out.splitlines()
    assert [
        line for line in lines if len(line) > 80 and "http://" not in line and "--data" not in line and "::" not in line
    ] == []


def test_nothing_that_a_server_says_reaches_a_terminal(hostile: tuple[Said, Path]) -> None:
    text = (hostile[0].out + hostile[0].err).replace("\n", "")
    assert "gnp.exe" in text
    assert text.isprintable()


# In GitHub


def test_no_line_of_the_report_commands_the_runner(hostile: tuple[Said, Path]) -> None:
    first, *lines, last = hostile[0].out.splitlines()
    assert re.fullmatch(r"::stop-commands::[0-9a-f]{64}", first)
    assert last == f"::{first.rpartition('::')[2]}::"
    assert [line for line in lines if line.strip().startswith("::") or "##[" in line] == []


def test_the_job_has_a_summary_that_no_server_can_write_into(hostile: tuple[Said, Path]) -> None:
    text = (hostile[1] / "summary.md").read_text(encoding="utf-8")
    assert text.startswith("### dimedove-sandbox conform: ` does not conform: 2 findings `\n")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert [row.count("|") for row in rows] == [5, 5]
    assert text.replace("\n", "").isprintable()


# In files


def test_junit_has_a_case_a_check_and_survives_what_a_server_says(hostile: tuple[Said, Path]) -> None:
    suites = ElementTree.parse(hostile[1] / "junit.xml").getroot()  # noqa: S314 - our own
    cases = {case.get("name", "").partition(":")[0]: case for case in suites.iter("testcase")}
    assert set(cases) == {"CREATE-1", "CREATE-4"}
    failure = cases["CREATE-1"].find("failure")
    assert failure is not None
    assert "clause 2.1" in (failure.text or "")
    assert "gnp.exe" in failure.get("message", "")


def test_junit_counts_and_says_what_was_exercised(hostile: tuple[Said, Path]) -> None:
    (suite,) = ElementTree.parse(hostile[1] / "junit.xml").getroot()  # noqa: S314 - our own
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors"), suite.get("skipped")) == (
        "2",
        "2",
        "0",
        "0",
    )
    properties = {each.get("name"): each.get("value") for each in suite.iter("property")}
    assert "200:" in (properties["statuses.apps_api_create_conversation"] or "")


def test_json_has_all_of_it(hostile: tuple[Said, Path]) -> None:
    text = (hostile[1] / "report.json").read_text(encoding="ascii")
    report = json.loads(text)
    assert report["exit_code"] == hostile[0].code == 1
    assert [finding["rule"] for finding in report["findings"]] == ["CREATE-1", "CREATE-4"]
    assert report["laws"][0]["result"] == "broken"
    assert "curl" in report["findings"][0]["script"]


def test_an_escaped_text_stays_as_it_is_when_it_is_escaped_again() -> None:
    texts = ["::error::x", "a\n::x", " ::x", "##[group]x", "x ##[error]", "\u0085::x"]
    escaped = [escape(text, lines=True) for text in texts]
    assert [escape(text, lines=True) for text in escaped] == escaped
    assert [text for text in escaped if re.search(r"(?m)^\s*::|##\[", text)] == []


def test_what_a_check_found_is_one_paragraph(capsys: pytest.CaptureFixture[str]) -> None:
    with running(ours(metrics_are_201)) as origin:
        said = conform(capsys, origin, "--quick", "--read-only")
    assert "expected  a status that the contract has\n  got       status 201: Received: 201" in said.out
