"""Two servers in one process share nothing: `create_app` builds a world of its own each time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from httpx2 import Client

from tests.conftest import MakeClient
from tests.support.request_spec import GOOD, RequestSpec

CREATE, METRICS, CONFIG, COMPLETE = (
    GOOD[name] for name in ("create_conversation", "get_app_metrics", "get_app_config", "create_completion")
)

# Each row: what is done to one server, and what the other is asked afterwards.
DEEDS: dict[str, tuple[Callable[[Client], Any], Callable[[Client], Any]]] = {
    "a conversation": (CREATE.send, lambda client: METRICS.send(client).json()),
    "a number of a conversation": (CREATE.send, lambda client: CREATE.send(client).json()),
    "a number of a completion": (COMPLETE.send, lambda client: COMPLETE.send(client).json()),
    "the demo app": (
        lambda client: CREATE.replace(app_id="app_demo").send(client),
        lambda client: METRICS.replace(app_id="app_demo").send(client).json(),
    ),
    "a setting": (
        lambda client: client.patch("/_sandbox/apps/app_wire", json={"status": "inactive"}),
        lambda client: CONFIG.send(client).json(),
    ),
    "a fault": (
        lambda client: client.post("/_sandbox/apps/app_wire/faults", json={"kind": "status", "status": 418}),
        lambda client: CONFIG.send(client).json(),
    ),
    "a reply": (
        lambda client: client.post(
            "/_sandbox/apps/app_wire/replies", json={"output": [{"type": "message", "text": "scripted"}]}
        ),
        lambda client: COMPLETE.send(client).json(),
    ),
    "a clock": (
        lambda client: client.put("/_sandbox/apps/app_wire/clock", json={"now": 5}),
        lambda client: CREATE.send(client).json(),
    ),
    "the journal": (CONFIG.send, lambda client: client.get("/_sandbox/requests").json()),
    "a reset": (lambda client: client.post("/_sandbox/reset"), lambda client: CREATE.send(client).json()),
}


@pytest.mark.parametrize(("do", "ask"), DEEDS.values(), ids=DEEDS)
def test_what_is_done_to_one_is_not_seen_by_the_other(
    make_client: MakeClient, do: Callable[[Client], Any], ask: Callable[[Client], Any]
) -> None:
    one, other, untouched = make_client(), make_client(), make_client()
    assert do(one).status_code < 300
    assert ask(other) == ask(untouched)


def test_a_limit_used_up_on_one_is_not_used_up_on_the_other(make_client: MakeClient) -> None:
    limited = {"apps": {"app_wire": {"rate_limit": {"per_minute": 1}}}}
    one, other = make_client(**limited), make_client(**limited)
    assert [COMPLETE.send(client).status_code for client in (one, one, other)] == [200, 429, 200]


@pytest.mark.parametrize(
    ("settings", "spec"),
    [
        ({"seed": 2}, CREATE),
        ({"now": 5}, CREATE),
        ({"titles": "after_first_exchange"}, CREATE),
        ({"strict_apps": True}, CONFIG),
        ({"apps": {"app_wire": {"status": "inactive"}}}, CONFIG),
        ({"validation_status": "400"}, CREATE.replace(content=b"{")),
    ],
)
def test_each_has_settings_of_its_own(make_client: MakeClient, settings: dict[str, Any], spec: RequestSpec) -> None:
    plain, again, special = (spec.send(client) for client in (make_client(), make_client(), make_client(**settings)))
    assert (plain.content, plain.status_code) == (again.content, again.status_code)
    assert (plain.content, plain.status_code) != (special.content, special.status_code)
