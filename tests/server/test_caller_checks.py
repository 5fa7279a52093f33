"""Who may call at all: by its Host everybody, by origin and token the control API. (CONTROL: who may call it.)"""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from httpx2 import Client

from tests.conftest import MakeClient
from tests.support.constants import AUTH
from tests.support.errors import assert_error

CONFIG = "/v1/apps/app_x/config"
EVERYTHING = [CONFIG, "/v1/nothing", "/", "/openapi.json", "/schemas/error.json", "/_sandbox/health", "/_sandbox/apps"]

TRUSTED = [
    "127.0.0.1",
    "127.0.0.1:8010",
    "10.1.2.3:8010",
    "192.168.0.7",
    "[::1]",
    "[::1]:8010",
    "[fe80::1]:80",
    "[2001:db8::1]",
    "localhost",
    "localhost:3000",
    "LOCALHOST:3000",
    "localhost.",
    "localhost.:3000",
    "sandbox",
    "dimedove_sandbox:8010",
    "api.localhost",
    "a.b.localhost:1",
    "host.docker.internal",
    "sandbox.svc.internal:8010",
    "Sandbox.Internal",
]
FOREIGN = [
    "evil.example",
    "evil.example:8010",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil.localhost.example",
    "evillocalhost.com",
    "evilinternal.com",
    "internal.evil.example",
    "127.0.0.1.nip.io",
    "evil.example.",
    "evil.example.:80",
    "[::1].evil.example",
    "[::1]evil.example",
    "127.0.0.1@evil.example",
    "evil.example:127.0.0.1",
    "127.0.0.1:80.evil.example",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
]


def test_names_that_no_stranger_can_point_at_us_are_answered(apps: Client, subtests: pytest.Subtests) -> None:
    for host in TRUSTED:
        with subtests.test(host=host):
            assert apps.get(CONFIG, headers={**AUTH, "Host": host}).status_code == 200


def test_any_other_name_is_refused(apps: Client, subtests: pytest.Subtests) -> None:
    for host in FOREIGN:
        with subtests.test(host=host):
            error = assert_error(apps.get(CONFIG, headers={**AUTH, "Host": host}), 403, "access_denied")
            assert "--allow-host" in error["message"]


@pytest.mark.parametrize("path", EVERYTHING)
def test_the_host_is_looked_at_before_everything(apps: Client, path: str) -> None:
    for method in ("GET", "PUT", "OPTIONS"):
        assert_error(apps.request(method, path, headers={"Host": "evil.example"}), 403, "access_denied")


def test_a_preflight_of_a_foreign_host_is_refused_too(apps: Client) -> None:
    asked = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "GET", "Host": "evil.example"}
    assert_error(apps.options(CONFIG, headers=asked), 403, "access_denied")


@pytest.mark.parametrize("host", ["api.example.com", "API.example.com:8010", "api.example.com.", "api.example.com.:1"])
@pytest.mark.parametrize("allowed", ["api.example.com", "API.Example.com"])
def test_a_name_can_be_allowed(make_client: MakeClient, host: str, allowed: str) -> None:
    client = make_client(allow_host=("other.example.com", allowed))
    assert client.get(CONFIG, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("a.example.com", 200),
        ("A.b.Example.com.:8010", 200),
        ("example.com", 403),
        ("aexample.com", 403),
        (".example.com", 403),
        ("evil.example:80.example.com", 403),
    ],
)
def test_all_names_below_one_can_be_allowed(make_client: MakeClient, host: str, status: int) -> None:
    client = make_client(allow_host=("*.Example.com",))
    assert client.get(CONFIG, headers={"Host": host}).status_code == status


@pytest.mark.parametrize("host", ["example.com", "x.api.example.com", "xapi.example.com"])
def test_allowing_one_name_allows_no_other(make_client: MakeClient, host: str) -> None:
    client = make_client(allow_host=("api.example.com",))
    assert_error(client.get(CONFIG, headers={"Host": host}), 403, "access_denied")


def test_a_refused_host_stays_refused(apps: Client) -> None:
    for _ in range(3):
        assert_error(apps.get(CONFIG, headers={**AUTH, "Host": "evil.example"}), 403, "access_denied")


# The control API

CONTROLLED = ["/_sandbox/apps", "/_sandbox/apps/app_x", "/_sandbox/health", "/_sandbox/requests", "/_sandbox/nothing"]

# Each row: what a request brings that shows that it comes from somewhere else.
FOREIGN_CALLERS = {
    "another site": {"Origin": "https://evil.example"},
    "another port of this machine": {"Origin": "http://127.0.0.1:3000"},
    "another scheme": {"Origin": "https://127.0.0.1"},
    "a file or a sandboxed frame": {"Origin": "null"},
    "an empty origin": {"Origin": ""},
    "a page of another site": {"Sec-Fetch-Site": "cross-site"},
    "a page of a sister site": {"Sec-Fetch-Site": "same-site"},
    "something new": {"Sec-Fetch-Site": "nonsense"},
    "own origin, foreign page": {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "cross-site"},
    "a webhook": {"Dimedove-Signature": "t=1,v1=00"},
    "an empty signature": {"Dimedove-Signature": ""},
    "a webhook without a signature": {"Dimedove-Delivery": "webhook_1"},
}


def test_the_control_api_refuses_foreign_callers(apps: Client, subtests: pytest.Subtests) -> None:
    for (name, headers), method, path in product(FOREIGN_CALLERS.items(), ["GET", "POST", "DELETE"], CONTROLLED):
        with subtests.test(name, method=method, path=path):
            assert_error(apps.request(method, path, headers=headers), 403, "access_denied")


FOLLOWED_LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/_sandbox/", 200),
        ("GET", "/_sandbox/apps", 403),
        ("POST", "/_sandbox/", 403),
        ("DELETE", "/_sandbox/apps/app_x", 403),
    ],
)
def test_a_link_from_another_page_leads_to_the_page_and_to_nothing_else(
    apps: Client, method: str, path: str, status: int
) -> None:
    assert apps.request(method, path, headers=FOLLOWED_LINK).status_code == status


def test_two_origins_are_foreign(apps: Client) -> None:
    headers = [("Origin", "http://127.0.0.1"), ("Origin", "https://evil.example")]
    assert_error(apps.get("/_sandbox/apps", headers=headers), 403, "access_denied")


OWN_CALLERS = {
    "a program": {},
    "its own page": {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-origin"},
    "its own page, otherwise spelled": {"Host": "LOCALHOST:80", "Origin": "http://localhost"},
    "its own page under another address": {"Host": "[::1]:8010", "Origin": "http://[::1]:8010"},
    "a name of this machine": {"Host": "app.localhost:8010", "Origin": "http://app.localhost:8010"},
    "the address bar": {"Sec-Fetch-Site": "none"},
    "an API key beside it": {"Authorization": "Bearer sk_test_a"},
}


@pytest.mark.parametrize("headers", OWN_CALLERS.values(), ids=OWN_CALLERS)
def test_the_control_api_answers_programs_and_its_own_page(apps: Client, headers: dict[str, str]) -> None:
    assert apps.get("/_sandbox/apps", headers=headers).status_code == 200
    assert apps.post("/_sandbox/reset", headers=headers).status_code == 204


@pytest.mark.parametrize("site", ["same-origin", "same-site", "cross-site"])
def test_another_origin_can_be_allowed(make_client: MakeClient, site: str) -> None:
    client = make_client(control_origin=("http://localhost:3000",))
    page = {"Origin": "http://localhost:3000", "Sec-Fetch-Site": site}
    assert client.get("/_sandbox/apps", headers=page).status_code == 200
    assert_error(
        client.get("/_sandbox/apps", headers={**page, "Origin": "http://localhost:3001"}), 403, "access_denied"
    )


PAGE = "http://localhost:3000"
LET_IN = {"control_origin": (PAGE,), "control_token": "right"}
WITH_TOKEN = {"Authorization": "Bearer right"}

# Each row: an answer to a page that is let in.
READ: dict[str, tuple[int, str, str, dict[str, str]]] = {
    "200": (200, "GET", "/_sandbox/apps", WITH_TOKEN),
    "204": (204, "POST", "/_sandbox/reset", WITH_TOKEN),
    "401": (401, "GET", "/_sandbox/apps", {}),
    "403": (403, "GET", "/_sandbox/apps", {**WITH_TOKEN, "Dimedove-Delivery": "webhook_1"}),
    "404": (404, "GET", "/_sandbox/nothing", WITH_TOKEN),
    "405": (405, "PUT", "/_sandbox/apps", WITH_TOKEN),
    "415": (415, "POST", "/_sandbox/reset", {**WITH_TOKEN, "Content-Type": "text/plain"}),
    "422": (422, "GET", "/_sandbox/requests?limit=x", WITH_TOKEN),
    "a file": (200, "GET", "/_sandbox/requests.har", WITH_TOKEN),
    "health": (200, "GET", "/_sandbox/health", {}),
}


@pytest.mark.parametrize(("status", "method", "path", "headers"), READ.values(), ids=READ)
def test_a_page_that_is_let_in_may_read_every_answer(
    make_client: MakeClient, status: int, method: str, path: str, headers: dict[str, str]
) -> None:
    page = {**headers, "Origin": PAGE, "Sec-Fetch-Site": "cross-site"}
    answer = make_client(key=None, **LET_IN).request(method, path, headers=page)
    assert answer.status_code == status
    assert answer.headers.get_list("access-control-allow-origin") == [PAGE]
    assert "Retry-After" in answer.headers["access-control-expose-headers"]
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("like_production", [False, True])
@pytest.mark.parametrize("path", ["/_sandbox/apps/app_x", "/_sandbox/events", "/_sandbox/nothing"])
def test_its_preflight_is_answered(make_client: MakeClient, path: str, like_production: bool) -> None:
    asked = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,content-type",
        "Access-Control-Request-Private-Network": "true",
    }
    answer = make_client(key=None, like_production=like_production, **LET_IN).options(path, headers=asked)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-methods"] == "GET, POST, PUT, PATCH, DELETE"
    assert answer.headers["access-control-allow-headers"] == "authorization,content-type"
    assert answer.headers["access-control-allow-private-network"] == "true"


@pytest.mark.parametrize("origin", ["http://localhost:3001", "null", "http://127.0.0.1"])
@pytest.mark.parametrize("method", ["OPTIONS", "GET", "POST"])
def test_no_other_page_is_told_anything(make_client: MakeClient, origin: str, method: str) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST", **WITH_TOKEN}
    answer = make_client(key=None, **LET_IN).request(method, "/_sandbox/apps", headers=headers)
    assert [name for name in answer.headers if name.startswith("access-control-")] == []
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
@pytest.mark.parametrize(("method", "path"), [("PATCH", "/_sandbox/apps/app_x"), ("POST", "/_sandbox/reset")])
def test_what_a_form_can_send_is_refused(make_client: MakeClient, media_type: str, method: str, path: str) -> None:
    answer = make_client().request(method, path, content=b'{"stream": true}', headers={"Content-Type": media_type})
    assert_error(answer, 415, "unsupported_media_type")


MERGE = {"Content-Type": "application/merge-patch+json; charset=utf-8"}


def test_settings_take_a_merge_patch(make_client: MakeClient) -> None:
    answer = make_client().patch("/_sandbox/apps/app_x", content=b'{"stream": true}', headers=MERGE)
    assert answer.json()["settings"]["stream"] is True


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/_sandbox/apps/app_x/clock"),
        ("POST", "/_sandbox/reset"),
        ("PATCH", "/v1/apps/app_x/conversations/00000000-0000-4000-8000-000000000000"),
    ],
)
def test_nothing_else_takes_a_merge_patch(make_client: MakeClient, method: str, path: str) -> None:
    answer = make_client().request(method, path, content=b'{"now": 5}', headers=MERGE)
    assert_error(answer, 415, "unsupported_media_type")


# Each row: who asks, and by which name.
NAMED: dict[str, tuple[dict[str, Any], str]] = {
    "a name that was allowed": ({"allow_host": ("sandbox.internal",)}, "sandbox.internal:8010"),
    "names below one": ({"allow_host": ("*.github.dev",)}, "me-8010.github.dev"),
    "with a token, any of the server's names": ({"control_token": "right"}, "sandbox:8010"),
    "off loopback, any too": ({"host": "0.0.0.0", "control": "open"}, "sandbox:8010"),  # noqa: S104 - never bound
}


@pytest.mark.parametrize(("settings", "host"), NAMED.values(), ids=NAMED)
def test_names_that_drive_a_server(make_client: MakeClient, settings: dict[str, Any], host: str) -> None:
    client = make_client(key=None, **settings)
    headers = {"Authorization": "Bearer right", "Host": host, "Origin": f"http://{host}"}
    assert client.post("/_sandbox/reset", headers=headers).status_code == 204


def test_other_names_may_be_a_stranger_s(apps: Client, subtests: pytest.Subtests) -> None:
    """A page that DNS points at this machine under such a name has the server's own origin."""
    for host, method in product(
        ["sandbox", "sandbox:8010", "x.internal", "host.docker.internal:8010"], ["GET", "POST", "DELETE"]
    ):
        with subtests.test(host=host, method=method):
            answer = apps.request(method, "/_sandbox/apps/app_x", headers={"Host": host, "Origin": f"http://{host}"})
            assert "--allow-host" in assert_error(answer, 403, "access_denied")["message"]


def test_what_is_for_everybody_answers_to_every_name(make_client: MakeClient) -> None:
    client = make_client()
    assert [client.get(path, headers={"Host": "sandbox"}).status_code for path in NO_TOKEN_NEEDED] == [200] * 5


@pytest.mark.parametrize(
    "path",
    [
        "/%5Fsandbox/openapi.json",
        "/_sandbo%78/openapi.json",
        "/_sandbox%2Fopenapi.json",
        "/%5f%73andbox/apps",
        "/_sandbox%2Fapps",
    ],
)
@pytest.mark.parametrize("control", ["auto", "off"])
def test_no_other_spelling_of_a_path_gets_past_the_guard(make_client: MakeClient, path: str, control: str) -> None:
    answer = make_client(control=control).get(path, headers={"Origin": "https://evil.example"})
    assert answer.status_code in (403, 404)


# The token

NO_TOKEN_NEEDED = ["/", "/openapi.json", "/schemas/error.json", "/_sandbox/health", "/_sandbox/"]


def test_without_the_right_token_there_is_no_control(make_client: MakeClient, subtests: pytest.Subtests) -> None:
    for path, authorization in product(
        ["/_sandbox/apps", "/_sandbox/requests", "/_sandbox/nothing"],
        [None, "Bearer wrong", "Bearer", "Bearer righ", "Bearer rightt", "Basic right", "right", "Bearer RIGHT"],
    ):
        with subtests.test(path=path, authorization=authorization):
            headers = {"Authorization": authorization} if authorization else {}
            answer = make_client(key=None, control_token="right").get(path, headers=headers)
            assert_error(answer, 401, "invalid_api_key")
            assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("token", ["right", "s\u00fc\u00df"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_the_token_opens_the_control_api(make_client: MakeClient, token: str, scheme: str) -> None:
    headers = {b"Authorization": f"{scheme} {token}".encode()}
    assert make_client(key=None, control_token=token).get("/_sandbox/apps", headers=headers).status_code == 200


@pytest.mark.parametrize("path", NO_TOKEN_NEEDED)
def test_some_things_are_for_everybody(make_client: MakeClient, path: str) -> None:
    assert make_client(key=None, control_token="right").get(path).status_code == 200


def test_the_token_is_not_for_the_api(make_client: MakeClient) -> None:
    assert make_client(control_token="right").get(CONFIG).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/_sandbox/apps"), ("POST", "/_sandbox/reset"), ("GET", "/_sandbox/x")]
)
def test_the_control_api_can_be_taken_away(make_client: MakeClient, method: str, path: str) -> None:
    assert_error(make_client(control="off").request(method, path), 404, "not_found")


def test_health_stays_when_the_control_api_goes(make_client: MakeClient) -> None:
    assert make_client(control="off").get("/_sandbox/health").json()["sandbox"] is True


@pytest.mark.parametrize(("control", "status"), [("auto", 418), ("off", 200)])
def test_with_the_control_api_goes_the_fault_header(make_client: MakeClient, control: str, status: int) -> None:
    answer = make_client(control=control).get(CONFIG, headers={"Sandbox-Fault": "status; status=418"})
    assert answer.status_code == status


ASKS = {"Sandbox-Fault": "status; status=418"}


@pytest.mark.parametrize("token", [{}, {"Sandbox-Control-Token": "wrong"}, {"Sandbox-Control-Token": ""}])
@pytest.mark.parametrize("fault", ["status; status=418", "after; status=500", "nonsense"])
def test_the_fault_header_needs_the_token_too(make_client: MakeClient, fault: str, token: dict[str, str]) -> None:
    client = make_client(control_token="right")
    create = "/v1/apps/app_x/conversations"
    answer = client.post(create, json={"title": "x"}, headers={"Sandbox-Fault": fault, **token})
    assert_error(answer, 403, "access_denied", param="Sandbox-Fault")
    assert client.get(create).json()["data"] == []


def test_the_fault_header_acts_with_the_token_and_the_journal_hides_it(make_client: MakeClient) -> None:
    client = make_client(control_token="a-right-token")
    assert client.get(CONFIG, headers={**ASKS, "Sandbox-Control-Token": "a-right-token"}).status_code == 418
    journal = client.get("/_sandbox/requests", headers={"Authorization": "Bearer a-right-token"})
    assert len(journal.json()["data"]) == 1
    assert "a-right-token" not in journal.text
