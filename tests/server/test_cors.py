"""Browsers: which pages may read an answer, and what they are told (4.9)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from httpx2 import Client

from tests.conftest import MakeClient
from tests.support.constants import AUTH
from tests.support.request_spec import GOOD, opened

pytestmark = pytest.mark.clause("4.9")

CONFIG = "/v1/apps/app_x/config"
PAGE = "http://localhost:3000"
EXPOSED = {"Retry-After", "Sandbox-Request-Id", "WWW-Authenticate", "Allow"}

LOOPBACK = [
    "http://localhost",
    "http://localhost:3000",
    "https://localhost:8443",
    "http://127.0.0.1:5173",
    "http://127.8.9.10",
    "http://[::1]:3000",
    "http://app.localhost:3000",
    "http://app.team.localhost",
]
FOREIGN = [
    "https://example.com",
    "http://localhost.evil.example",
    "http://evil-localhost.com",
    "http://127.0.0.1.evil.example",
    "http://localhost:3000.evil.example",
    "http://localhost@evil.example",
    "http://192.168.1.5:3000",
    "http://[::2]:3000",
    "file://localhost",
    "http://localhost:3000/",
    "http://localhost:3000\thttp://evil.example",
    "null",
    "",
]


def get(client: Client, origin: str, path: str = CONFIG) -> Any:
    return client.get(path, headers={**AUTH, "Origin": origin})


@pytest.mark.clause("1.4")
@pytest.mark.parametrize("origin", LOOPBACK)
def test_pages_of_this_machine_may_read(apps: Client, origin: str) -> None:
    headers = get(apps, origin).headers
    assert headers["access-control-allow-origin"] == origin
    assert set(headers["access-control-expose-headers"].split(", ")) == EXPOSED
    assert "Origin" in headers["vary"].split(", ")


def test_other_pages_may_not(apps: Client, subtests: pytest.Subtests) -> None:
    for origin in FOREIGN:
        with subtests.test(origin=origin):
            answer = get(apps, origin)
            assert answer.status_code == 200
            assert [name for name in answer.headers if name.startswith("access-control-")] == []
            assert "Origin" in answer.headers["vary"].split(", ")


def test_without_an_origin_only_vary_is_said(apps: Client) -> None:
    headers = apps.get(CONFIG, headers=AUTH).headers
    assert headers["vary"] == "Origin"
    assert [name for name in headers if name.startswith("access-control-")] == []


@pytest.mark.parametrize("origin", ["https://app.example.com", "http://localhost:1"])
def test_an_origin_can_be_allowed(make_client: MakeClient, origin: str) -> None:
    client = make_client(cors_origin=("https://app.example.com", "https://other.example.com"))
    assert get(client, origin).headers["access-control-allow-origin"] == origin


@pytest.mark.parametrize(
    "origin", ["http://app.example.com", "https://app.example.com:8443", "https://x.app.example.com", "null"]
)
def test_allowing_one_origin_allows_no_other(make_client: MakeClient, origin: str) -> None:
    client = make_client(cors_origin=("https://app.example.com",))
    assert "access-control-allow-origin" not in get(client, origin).headers


# Each row: a setting, and origins that it allows.
WRITTEN = [
    ("https://*.example.com", ["https://a.example.com", "https://a.b.example.com:443", "HTTPS://A.Example.com"]),
    ("HTTPS://App.Example.COM:443/", ["https://app.example.com"]),
    ("http://app.example.com", ["http://app.example.com:80"]),
    ("http://*.example.com:3000", ["http://a.example.com:3000"]),
    ("http://[2001:DB8:0::1]:3000", ["http://[2001:db8::1]:3000"]),
    ("chrome-extension://abcdefghijklmnop", ["chrome-extension://abcdefghijklmnop"]),
]


@pytest.mark.parametrize(("written", "origins"), WRITTEN)
def test_an_origin_is_allowed_however_it_is_written(make_client: MakeClient, written: str, origins: list[str]) -> None:
    client = make_client(cors_origin=(written,))
    assert [get(client, origin).headers.get("access-control-allow-origin") for origin in origins] == origins


BESIDE = [
    *("https://example.com", "http://a.example.com", "https://a.example.com:8443", "https://aexample.com", "null", ""),
    *(
        "https://.example.com",
        "https://a.example.com.evil.example",
        "https://x/.example.com",
        "https://u@a.example.com",
    ),
    *(
        "https://a.example.com/",
        "https://evil.example:80.example.com",
        "https://a..example.com",
        "https://*.example.com",
    ),
]


def test_a_wildcard_allows_what_is_below_its_name_alone(make_client: MakeClient, subtests: pytest.Subtests) -> None:
    for origin in BESIDE:
        with subtests.test(origin=origin):
            client = make_client(cors_origin=("https://*.example.com",))
            assert "access-control-allow-origin" not in get(client, origin).headers


@pytest.mark.parametrize("origin", ["https://anything.example", "null", "http://localhost:3000"])
def test_every_origin_can_be_allowed(make_client: MakeClient, origin: str) -> None:
    assert get(make_client(cors_origin=("*",)), origin).headers["access-control-allow-origin"] in (origin, "*")


@pytest.mark.parametrize("origin", [PAGE, "https://evil.example"])
def test_credentials_are_never_allowed(make_client: MakeClient, origin: str) -> None:
    client = make_client(cors_origin=("*",))
    assert "access-control-allow-credentials" not in get(client, origin).headers


# Each row: an answer that isn't an ordinary one.
ANSWERS: dict[str, tuple[int, Callable[[Client, dict[str, str]], Any]]] = {
    "401": (401, lambda client, headers: client.get(CONFIG, headers={**headers, "Authorization": "Bearer x"})),
    "403": (403, lambda client, headers: client.get("/v1/apps/app_inactive/config", headers=headers)),
    "404 of a path": (404, lambda client, headers: client.get("/v1/nothing", headers=headers)),
    "404 outside the API": (404, lambda client, headers: client.get("/nothing", headers=headers)),
    "405": (405, lambda client, headers: client.put(CONFIG, headers=headers)),
    "413": (413, lambda client, h: client.post("/v1/apps/a/conversations", headers=h, content=b" " * 2_000_000)),
    "415": (415, lambda client, h: client.post("/v1/apps/a/conversations", headers={**h, "Content-Type": "a/b"})),
    "422": (422, lambda client, headers: client.post("/v1/apps/a/completions", headers=headers, content=b"{}")),
    "429": (429, lambda client, h: client.post("/v1/apps/app_busy/completions", headers=h, json={"prompt": "x"})),
    "500": (500, lambda client, headers: client.get("/v1/apps/app_error/config", headers=headers)),
    "the document": (200, lambda client, headers: client.get("/openapi.json", headers=headers)),
    "a stream": (
        200,
        lambda client, h: client.post("/v1/apps/a/completions", headers=h, json={"prompt": "x", "stream": True}),
    ),
}


def test_errors_and_streams_can_be_read_too(apps: Client, subtests: pytest.Subtests) -> None:
    for name, (status, ask) in ANSWERS.items():
        with subtests.test(name):
            answer = ask(apps, {**AUTH, "Origin": PAGE})
            assert answer.status_code == status
            assert answer.headers.get_list("access-control-allow-origin") == [PAGE]
            assert set(answer.headers["access-control-expose-headers"].split(", ")) == EXPOSED


def preflight(client: Client, origin: str, path: str = CONFIG, **headers: str) -> Any:
    asked = {"Origin": origin, "Access-Control-Request-Method": "PATCH", **headers}
    return client.options(path, headers=asked)


@pytest.mark.clause("4.6")
@pytest.mark.parametrize("path", [CONFIG, "/v1/apps/app_missing/config", "/v1/apps/app_error/metrics"])
def test_a_preflight_needs_no_key_and_looks_at_no_app(make_client: MakeClient, path: str) -> None:
    answer = preflight(make_client(key=None), PAGE, path)
    assert answer.status_code in (200, 204)
    assert answer.content == b""
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert {"GET", "POST", "PATCH", "DELETE"} <= set(answer.headers["access-control-allow-methods"].split(", "))


@pytest.mark.parametrize("asked", ["authorization", "authorization,content-type", "X-Any-Header, sandbox-fault"])
def test_a_preflight_allows_any_header(apps: Client, asked: str) -> None:
    answer = preflight(apps, PAGE, **{"Access-Control-Request-Headers": asked})
    allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert {name.strip().lower() for name in asked.split(",")} <= allowed


@pytest.mark.parametrize(("origin", "said"), [(PAGE, "true"), ("https://evil.example", None)])
def test_an_allowed_page_may_call_into_a_private_network(apps: Client, origin: str, said: str | None) -> None:
    asked = preflight(apps, origin, **{"Access-Control-Request-Private-Network": "true"})
    assert asked.headers.get("access-control-allow-private-network") == said
    assert "access-control-allow-private-network" not in preflight(apps, origin).headers


def test_a_preflight_of_another_page_is_told_nothing(apps: Client) -> None:
    headers = preflight(apps, "https://evil.example").headers
    assert [name for name in headers if name.startswith("access-control-")] == []


@pytest.mark.clause("5.6")
def test_a_preflight_counts_nowhere(make_client: MakeClient) -> None:
    client = make_client(apps={"app_x": {"rate_limit": {"per_minute": 1}}})
    one = opened(client, "app_x")
    for _ in range(3):
        assert preflight(client, PAGE, GOOD["send_message"].url(one).replace("app_wire", "app_x")).status_code == 204
    answer = GOOD["send_message"].replace(app_id="app_x").send(client, one)
    assert answer.status_code == 200


def test_the_control_api_is_not_for_other_pages(apps: Client) -> None:
    answer = preflight(apps, PAGE, "/_sandbox/apps")
    assert [name for name in answer.headers if name.startswith("access-control-")] == []


@pytest.mark.parametrize("path", ["/%5Fsandbox/openapi.json", "/_sandbox%2Fopenapi.json"])
def test_no_other_spelling_lets_other_pages_read_control(apps: Client, path: str) -> None:
    answer = get(apps, PAGE, path)
    assert answer.status_code in (403, 404)


def test_as_in_production_there_is_no_cors(make_client: MakeClient) -> None:
    client = make_client(like_production=True, cors_origin=("*",))
    answers = [get(client, PAGE), preflight(client, PAGE)]
    assert [name for answer in answers for name in answer.headers if name.startswith("access-control-")] == []
    assert answers[1].status_code == 405


def test_a_refused_origin_is_logged_with_the_flag_that_allows_it(
    apps: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            get(apps, "https://shop.example")
        get(apps, "about:blank")
    assert caplog.records[-1].getMessage() == "refused the browser origin about:blank; --cors-origin '*' allows it"
    [record] = [record for record in caplog.records if "shop.example" in record.getMessage()]
    assert "--cors-origin https://shop.example" in record.getMessage()


@pytest.mark.parametrize("origin", [b"https://\x9b31mred", "https://\u202egnp".encode(), b"https://a\xe2\x80\xa8b"])
def test_a_refused_origin_cannot_fool_the_terminal(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture, origin: bytes
) -> None:
    with caplog.at_level(logging.WARNING):
        make_client().get(CONFIG, headers={b"Origin": origin})
    assert [record.getMessage() for record in caplog.records if not record.getMessage().isprintable()] == []
