"""Who may call at all: by its Host everybody, by origin and token the control API. (CONTROL: who may call it.)"""

from __future__ import annotations

import pytest
from httpx2 import Client

from tests.conftest import AUTH, MakeClient
from tests.envelope import assert_error

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


@pytest.mark.parametrize("host", TRUSTED)
def test_names_that_no_stranger_can_point_at_us_are_answered(apps: Client, host: str) -> None:
    assert apps.get(CONFIG, headers={**AUTH, "Host": host}).status_code == 200


@pytest.mark.parametrize("host", FOREIGN)
def test_any_other_name_is_refused(apps: Client, host: str) -> None:
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
}


@pytest.mark.parametrize("path", CONTROLLED)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("headers", FOREIGN_CALLERS.values(), ids=FOREIGN_CALLERS)
def test_the_control_api_refuses_foreign_callers(apps: Client, path: str, method: str, headers: dict[str, str]) -> None:
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


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
@pytest.mark.parametrize(("method", "path"), [("PATCH", "/_sandbox/apps/app_x"), ("POST", "/_sandbox/reset")])
def test_what_a_form_can_send_is_refused(make_client: MakeClient, media_type: str, method: str, path: str) -> None:
    answer = make_client().request(method, path, content=b'{"stream": true}', headers={"Content-Type": media_type})
    assert answer.status_code in (403, 415)
    assert answer.json()["error"]["type"] in ("access_denied", "unsupported_media_type")


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


@pytest.mark.parametrize(
    "authorization",
    [None, "Bearer wrong", "Bearer", "Bearer righ", "Bearer rightt", "Basic right", "right", "Bearer RIGHT"],
)
@pytest.mark.parametrize("path", ["/_sandbox/apps", "/_sandbox/requests", "/_sandbox/nothing"])
def test_without_the_right_token_there_is_no_control(
    make_client: MakeClient, authorization: str | None, path: str
) -> None:
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
