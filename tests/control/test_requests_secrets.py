"""The journal shows no secret, wherever it stands in a request or an answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.control.conftest import MakeDriver
from tests.support.app_driver import REQUESTS, AppDriver
from tests.support.constants import AUTH, KEY

SECRET = "sk_live_0123456789abcdefWXYZ"
SHOWN = "sk_…WXYZ"
TOKEN = "a-control-token-of-32-characters"

# Each row: where a key or the control token may stand in a request.
PLACES: dict[str, dict[str, Any]] = {
    "the key": {"headers": {"Authorization": f"Bearer {SECRET}"}},
    "another header": {"headers": {"X-Api-Key": SECRET}},
    "a cookie": {"headers": {"Cookie": f"a=b; key={SECRET}; c=d"}},
    "a value": {"json": {"title": f"my key is {SECRET}."}},
    "metadata": {"json": {"metadata": {"deep": [{"key": SECRET}]}}},
    "the name of a field": {"json": {SECRET: 1}},
    "the name of a field in metadata": {"json": {"metadata": {SECRET: 1}}},
    "a wrong value": {"json": {"metadata": SECRET}},
    "a text": {"content": f"title={SECRET}&x=1".encode()},
    "the query": {"params": {"api_key": SECRET}},
    "a name in the query": {"params": {SECRET: "1"}},
    "the path": {"path": f"/v1/{SECRET}/conversations"},
    "a user": {"path": f"/v1/apps/app_x/users/{SECRET}/conversations"},
    "the control token": {"headers": {"X-Token": TOKEN}, "json": {"title": TOKEN}},
    "the control token as key": {"headers": {"Authorization": f"Bearer {TOKEN}"}},
}


def test_no_secret_is_shown_wherever_it_stands(make_driver: MakeDriver, subtests: pytest.Subtests) -> None:
    for name, case in PLACES.items():
        with subtests.test(name):
            control = {"Authorization": f"Bearer {TOKEN}"}
            client = make_driver(control_token=TOKEN, key=None).client
            path = case.get("path", "/v1/apps/app_x/conversations")
            rest = {name: value for name, value in case.items() if name not in ("path", "headers")}
            answer = client.request("POST", path, headers={**AUTH, **case.get("headers", {})}, **rest)
            id_ = answer.headers["sandbox-request-id"]
            pages = {
                name: client.get(f"{REQUESTS}{name}", headers=control)
                for name in ("", f"/{id_}", ".har", f"/{id_}/curl")
            }
            assert {page.status_code for page in pages.values()} == {200}
            assert [name for name, page in pages.items() if leaks(page.text)] == []


def leaks(text: str) -> bool:
    """Say whether more of a secret is shown than its last four characters."""
    return "0123456789abcdef" in text.lower() or TOKEN in text


def test_a_key_in_an_answer_is_masked_too(driver: AppDriver) -> None:
    answer = driver.api.complete(f"[[echo]] {SECRET}")
    assert answer.json()["text"] == SECRET
    assert driver.entry(answer)["response"]["text"] == SHOWN


def test_a_short_key_shows_nothing(driver: AppDriver) -> None:
    answer = driver.client.get(f"/v1/apps/{driver.app_id}/config", headers={"Authorization": "Bearer sk_test_abcd"})
    assert driver.entry(answer)["headers"]["authorization"] == "Bearer sk_…"
    assert KEY not in str(driver.requests())
