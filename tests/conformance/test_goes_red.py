"""A run goes red when the server is broken: the check that is made for it finds each break, at the right operation."""

from __future__ import annotations

import subprocess

import pytest

from sandbox import Settings, create_app
from sandbox.conformance.fuzz import FuzzFinding
from tests.conformance import breaks
from tests.conformance.breaks import Break, broken
from tests.conformance.plans import fuzzed
from tests.conformance.wire import Answer, Ask, Request
from tests.support.constants import KEY, NOW
from tests.support.requirements import requires_curl
from tests.support.running import running

pytestmark = pytest.mark.fuzz

CREATE, DELETE = "apps_api_create_conversation", "apps_api_delete_conversation"
GET, LIST = "apps_api_get_conversation", "apps_api_list_conversations"
METRICS, COMPLETION = "apps_api_get_app_metrics", "apps_api_create_completion"

# Each break, the phase that is enough to find it, and what finds it where.
BREAKS = [
    # creation too answers 200, and no other status is documented
    (breaks.created_is_201, "examples", "status_code_conformance", CREATE),
    # the sandbox promises every key of a conversation
    (breaks.a_field_is_missing, "examples", "response_schema_conformance", CREATE),
    # every error is JSON, what is not there included
    (breaks.not_found_is_text, "examples", "content_type_conformance", GET),
    # and has the one envelope, whatever frameworks answer by themselves
    (breaks.not_found_has_another_envelope, "examples", "response_schema_conformance", GET),
    # an event that the contract doesn't know would be dropped by every client
    (breaks.an_event_has_another_name, "examples", "response_schema_conformance", COMPLETION),
    # the schema of the data stands within the schema of the event
    (breaks.an_event_has_a_number_for_a_text, "examples", "response_schema_conformance", COMPLETION),
    # reading needs a key as much as writing
    (breaks.any_key_will_do, "coverage", "ignored_auth", METRICS),
    # a 401 says how to do better
    (breaks.unauthorized_names_no_scheme, "coverage", "response_headers_conformance", METRICS),
    # and so does a 405
    (breaks.not_allowed_names_no_method, "coverage", "unsupported_method", METRICS),
    # a limit out of range is refused; a page of another size than was asked for breaks paging clients silently
    (breaks.a_limit_is_clamped, "coverage", "negative_data_rejection", LIST),
    # only a walk from delete to get can see this
    (breaks.deleted_lives_on, "stateful", "use_after_free", DELETE),
    # only a walk from create to get can see this
    (breaks.created_is_forgotten, "stateful", "ensure_resource_availability", CREATE),
]


@pytest.fixture(scope="module")
def finding() -> FuzzFinding:
    """The one finding against a server that answers 201 to a creation."""
    (found,) = fuzzed(breaks.created_is_201, "examples", of={CREATE}).findings
    return found


@pytest.mark.parametrize(("by", "phase", "check", "operation"), BREAKS, ids=[row[0].__name__ for row in BREAKS])
def test_a_break_is_found(by: Break, phase: str, check: str, operation: str) -> None:
    of = {operation, CREATE, GET} if phase == "stateful" else {operation}
    findings = fuzzed(by, phase, of=of, max_examples=15).findings
    assert (check, operation) in {(finding.check, finding.operation_id) for finding in findings}


def test_a_finding_says_what_was_sent_and_what_came(finding: FuzzFinding) -> None:
    assert finding.url.endswith("/v1/apps/app_x/conversations")
    assert finding.status == 201
    assert '"object":"conversation"' in finding.body


def test_the_smallest_case_stands_for_all_that_were_seen(finding: FuzzFinding) -> None:
    assert finding.seen > 1
    assert "-X POST" in finding.curl
    assert "-d '{}'" in finding.curl


def test_a_finding_has_the_same_identity_in_another_app_and_under_another_seed(finding: FuzzFinding) -> None:
    (other,) = fuzzed(breaks.created_is_201, "examples", of={CREATE}, app_id="app_y", seed=2).findings
    assert other.identity == finding.identity


def test_no_finding_shows_the_key() -> None:
    findings = fuzzed(breaks.the_key_is_echoed, "examples").findings
    assert findings
    assert [finding for finding in findings if KEY in repr(finding)] == []


def test_a_redirect_is_found_and_not_followed() -> None:
    followed: list[Request] = []

    async def elsewhere(request: Request, ask: Ask) -> Answer:
        followed.append(request)
        return await ask(request)

    with running(broken(create_app(Settings(now=NOW)), elsewhere)) as origin:
        findings = fuzzed(breaks.moved_to(origin), "examples").findings
    assert {finding.status for finding in findings} == {307}
    assert followed == []


def test_curl_repeats_a_finding(finding: FuzzFinding) -> None:
    requires_curl()
    with running(broken(create_app(Settings(now=NOW)), breaks.created_is_201)) as origin:
        there = finding.curl.replace(finding.url, f"{origin}/v1/apps/app_x/conversations")
        script = f"API_KEY={KEY}; {there} --silent --output /dev/null --write-out '%{{http_code}}'"
        said = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True)  # noqa: S603 - our own
    assert said.stdout == b"201"
