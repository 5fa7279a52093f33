"""A server that keeps to the vendor's documents and not to our decisions conforms: no difference of it is a finding."""

from __future__ import annotations

import pytest

from tests.conformance.mutants.runs import ConformRun, run_conform
from tests.foreign.server import APP, KEY, foreign
from tests.support.in_process import client_of

pytestmark = pytest.mark.fuzz

AUTH = {"Authorization": f"Bearer {KEY}"}
ASKED = ("--app", APP, "--key", KEY, "--allow-writes")


@pytest.fixture(scope="module")
def verdict() -> ConformRun:
    """What the suite finds on the foreign server."""
    return run_conform(foreign(), *ASKED)


def test_it_conforms(verdict: ConformRun) -> None:
    assert verdict.found == ()
    assert verdict.code == 0, verdict.said


def test_held_to_the_sandboxs_own_rules_it_does_not() -> None:
    """The differences are real: the checks see them when they are asked to."""
    found = run_conform(foreign(), *ASKED, "--sandbox-rules", "--law", "KEY", "--law", "CREATE", "--law", "ID")
    assert {"KEY-5", "CREATE-3", "ID-2"} <= {rule for rule, _ in found.found}
    assert found.code == 1


# What the contract marks as our decision, done otherwise there.
DIFFERENCES = [
    # a conversation has only the keys that have a value
    ("POST", "/conversations", "{}", 200, ["created_at", "id", "object"]),
    # a refusal has another status, and no param
    ("GET", "/conversations?limit=0", "", 400, ["error"]),
    # a cursor that it doesn't know is no error
    ("GET", "/conversations?after=nobody", "", 200, ["data", "first_id", "has_more", "last_id", "object"]),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "keys"), DIFFERENCES)
def test_it_decides_otherwise(method: str, path: str, body: str, status: int, keys: list[str]) -> None:
    answer = client_of(foreign(), AUTH).request(method, f"/v1/apps/{APP}{path}", content=body)
    assert (answer.status_code, sorted(answer.json())) == (status, keys)
