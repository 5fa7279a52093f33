"""A request with several faults is answered with the earliest of them, in the order of the contract (4.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import NamedTuple

import pytest
from httpx2 import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.server import control_pipeline, pipeline
from sandbox.server.pipeline import Stage
from tests.support.constants import ROOT
from tests.support.errors import assert_error
from tests.support.request_spec import GOOD, LISTS, NOBODY, RequestSpec
from tests.support.requirements import examples

pytestmark = pytest.mark.clause("4.1")

MIB = 1024 * 1024


class Fault(NamedTuple):
    """One thing that is wrong with a request, and what it is answered when nothing earlier is."""

    name: str
    # The stage that finds it; the router, before all stages, has none.
    stage: Stage | None
    spoil: Callable[[RequestSpec], RequestSpec]
    status: int
    type: str


def _in_state(state: str) -> Callable[[RequestSpec], RequestSpec]:
    """Put the app into one more state; the apps of the fixture are named by all of theirs."""

    def spoil(spec: RequestSpec) -> RequestSpec:
        app_id = "app" if spec.app_id == "app_wire" else spec.app_id
        return spec if app_id == "app_missing" else spec.replace(app_id=f"{app_id}_{state}")

    return spoil


def _too_large(spec: RequestSpec) -> RequestSpec:
    return spec.replace(content=b"{" + b" " * MIB)


def _without_key(spec: RequestSpec) -> RequestSpec:
    return spec.replace(headers={**spec.headers, "Authorization": "none"})


def _as_text(spec: RequestSpec) -> RequestSpec:
    return spec.with_headers(Content_Type="text/plain")


def _with_empty_body(spec: RequestSpec) -> RequestSpec:
    return spec if len(spec.content or b"") > MIB else spec.replace(content=b"{}")


def _of_nobody(spec: RequestSpec) -> RequestSpec:
    return spec.replace(path=spec.path.replace("{one}", NOBODY))


def _without_limit(spec: RequestSpec) -> RequestSpec:
    return spec.replace(query=spec.query + "&limit=0")


# In the order of the contract. A key and an app have one fault of each kind at a time, all others combine.
OF_A_MESSAGE: Sequence[Fault] = [
    Fault("path", None, lambda spec: spec.replace(path="/conversation/{one}"), 404, "not_found"),
    Fault("method", None, lambda spec: spec.replace(method="PUT"), 405, "method_not_allowed"),
    Fault("key", pipeline.authenticate, _without_key, 401, "invalid_api_key"),
    Fault("app", pipeline.load_app, lambda spec: spec.replace(app_id="app_missing"), 404, "not_found"),
    Fault("access", pipeline.check_access, _in_state("locked"), 403, "access_denied"),
    Fault("state", pipeline.check_access, _in_state("off"), 403, "app_inactive"),
    Fault("rate limit", pipeline.rate_limit, _in_state("busy"), 429, "rate_limit_exceeded"),
    Fault("media type", pipeline.read_body, _as_text, 415, "unsupported_media_type"),
    Fault("size", pipeline.read_body, _too_large, 413, "payload_too_large"),
    Fault("schema", pipeline.validate_request, _with_empty_body, 422, "invalid_request_error"),
    Fault("conversation", pipeline.handle, _of_nobody, 404, "not_found"),
]
OF_A_LIST: Sequence[Fault] = [
    *OF_A_MESSAGE[:6],
    Fault("schema", pipeline.validate_request, _without_limit, 422, "invalid_request_error"),
    Fault(
        "cursor", pipeline.handle, lambda spec: spec.replace(query=spec.query + f"&after={NOBODY}"), 404, "not_found"
    ),
]


def answered(apps: Client, good: RequestSpec, faults: Sequence[Fault]) -> None:
    """Send a request that has these faults, in the order of the contract, and expect the answer to the first."""
    spec = good
    for fault in faults:
        spec = fault.spoil(spec)
    assert_error(spec.send(apps), faults[0].status, faults[0].type)


def test_the_faults_stand_in_the_order_of_the_stages() -> None:
    """The same tuple says the order to the server, and in ARCHITECTURE.md."""
    for faults in (OF_A_MESSAGE, OF_A_LIST):
        places = [-1 if fault.stage is None else pipeline.STAGES.index(fault.stage) for fault in faults]
        assert places == sorted(places)
    never_refuse = {pipeline.choose_fault, pipeline.validate_response, pipeline.respond}
    assert {fault.stage for fault in OF_A_MESSAGE} - {None} == set(pipeline.STAGES) - never_refuse


def test_the_architecture_page_names_the_stages() -> None:
    page = " ".join((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split())
    for stages in (pipeline.STAGES, control_pipeline.CONTROL_STAGES):
        assert " → ".join(stage.__name__ for stage in stages) in page


def named(faults: object) -> str:
    return " + ".join(fault.name for fault in faults) if isinstance(faults, tuple) else ""


def test_of_two_faults_of_a_message_the_earlier_is_answered(apps: Client, subtests: pytest.Subtests) -> None:
    rows: list[Sequence[Fault]] = [*combinations(OF_A_MESSAGE, 1), *combinations(OF_A_MESSAGE, 2)]
    for faults in rows:
        with subtests.test(named(faults)):
            answered(apps, GOOD["send_message"], faults)


def test_of_two_faults_of_a_list_the_earlier_is_answered(apps: Client, subtests: pytest.Subtests) -> None:
    rows: list[Sequence[Fault]] = [*combinations(OF_A_LIST, 1), *combinations(OF_A_LIST, 2)]
    for faults in rows:
        with subtests.test(named(faults)):
            answered(apps, LISTS["list_user_conversations"].replace(query="?order=asc"), faults)


@settings(max_examples=examples(60, quick=15))
@given(places=st.sets(st.sampled_from(range(len(OF_A_MESSAGE))), min_size=3))
def test_of_many_faults_the_earliest_is_answered(apps: Client, places: set[int]) -> None:
    answered(apps, GOOD["send_message"], [OF_A_MESSAGE[place] for place in sorted(places)])


# Each row: a magic key, a magic app, and which of the two speaks.
MAGIC = [
    ("sk_test_invalid", "app_missing", 401, "invalid_api_key"),
    ("sk_test_invalid", "app_error", 401, "invalid_api_key"),
    ("sk_test_denied", "app_missing", 404, "not_found"),
    ("sk_test_denied", "app_inactive", 403, "access_denied"),
    ("sk_test_denied", "app_no_agent", 403, "access_denied"),
    ("sk_test_denied", "app_error", 403, "access_denied"),
    ("sk_test_limited", "app_missing", 404, "not_found"),
    ("sk_test_limited", "app_inactive", 403, "app_inactive"),
    ("sk_test_limited", "app_no_agent", 403, "agent_unavailable"),
    ("sk_test_limited", "app_error", 500, "internal_error"),
]


@pytest.mark.clause("10.1", "10.2")
@pytest.mark.parametrize(("key", "app_id", "status", "kind"), MAGIC)
def test_magic_values_keep_the_order_too(apps: Client, key: str, app_id: str, status: int, kind: str) -> None:
    spec = GOOD["create_completion"].replace(app_id=app_id).with_headers(Authorization=f"Bearer {key}")
    assert_error(spec.send(apps), status, kind)


@pytest.mark.clause("5.2")
def test_nothing_is_stored_of_a_request_that_is_refused(apps: Client) -> None:
    mine = GOOD["create_conversation"].replace(app_id="app_untouched")
    for spoilt in (
        mine.saying([]),
        mine.replace(content=b"["),
        mine.replace(content=b'{"metadata":' + b"[" * 101 + b"]" * 101 + b"}"),
    ):
        assert_error(spoilt.send(apps), 422, "invalid_request_error")
    assert GOOD["get_app_metrics"].replace(app_id="app_untouched").send(apps).json()["total_conversations"] == 0
