"""What is served beside the API: the index, the contract as a document and as files, health."""

from __future__ import annotations

import json
from itertools import product

import pytest
from httpx2 import Client

from sandbox.contract import load
from sandbox.contract.document import control_folder
from tests.conftest import MakeClient

FILES = {**load().files, **{f"control/{name}": raw for name, raw in load(control_folder()).files.items()}}


@pytest.fixture
def stranger(make_client: MakeClient) -> Client:
    """A client without any key."""
    return make_client(key=None)


def test_health(stranger: Client) -> None:
    answer = stranger.get("/_sandbox/health")
    assert answer.status_code == 200
    assert answer.json().items() >= {"status": "ok", "sandbox": True, "store": "memory"}.items()
    assert load(control_folder()).schema("Health").is_valid(answer.json())


@pytest.mark.parametrize(("host", "shown"), [("localhost:3000", "localhost:3000"), ("a'b", "HOST"), ("<b>", "HOST")])
def test_the_command_of_the_page_can_be_pasted(stranger: Client, host: str, shown: str) -> None:
    page = stranger.get("/", headers={"Accept": "text/html", "Host": host}).text
    assert f"http://{shown}/v1/apps/app_demo/conversations" in page


@pytest.mark.clause("1.1")
def test_the_document_is_served_as_one(stranger: Client) -> None:
    answer = stranger.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == load().document("3.1.0", "http://127.0.0.1")
    assert '"$ref": "#/components/schemas/Conversation"' in answer.text


def test_the_document_is_served_for_openapi_3_2_too(stranger: Client) -> None:
    assert stranger.get("/openapi-3.2.json").content == load().document("3.2.0", "http://127.0.0.1")


def test_the_document_of_the_control_api_is_served_too(stranger: Client) -> None:
    served = stranger.get("/_sandbox/openapi.json").content
    assert served == load(control_folder()).document("3.1.0", "http://127.0.0.1")


@pytest.mark.parametrize("path", ["/_sandbox/", "/_sandbox/openapi.json"])
@pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS"])
def test_the_control_api_has_no_operation_where_its_pages_are(stranger: Client, method: str, path: str) -> None:
    answer = stranger.request(method, path, json={})
    assert (answer.status_code, answer.json()["error"]["message"]) == (404, "No such path.")


DOCUMENTS = ["/openapi.json", "/openapi-3.2.json", "/_sandbox/openapi.json"]


def test_a_document_has_the_address_that_was_asked(make_client: MakeClient, subtests: pytest.Subtests) -> None:
    rows: list[tuple[str, str, str]] = [
        ("localhost:8010", "http", "http://localhost:8010"),
        ("sandbox.example.com", "https", "https://sandbox.example.com"),
        ("[::1]:8010", "http", "http://[::1]:8010"),
        # no address: then the path alone, which every tool takes relative to the document
        ('x"},{"url":"http://evil.example', "http", ""),
        ("user@evil.example", "http", ""),
        ("127.0.0.1:8010/evil", "http", ""),
        ("", "http", ""),
    ]
    for (host, scheme, origin), path in product(rows, DOCUMENTS):
        with subtests.test(host=host, scheme=scheme, origin=origin, path=path):
            client = make_client(key=None, allow_host=("sandbox.example.com",))
            answer = client.get(f"{scheme}://127.0.0.1{path}", headers={"Host": host})
            base = "/_sandbox" if "_sandbox" in path else "/v1"
            if answer.status_code == 200:
                assert [server["url"] for server in answer.json()["servers"]] == [origin + base]
            else:
                assert (answer.status_code, origin) == (403, "")


def test_every_file_of_the_contract_is_served_as_it_is(stranger: Client, subtests: pytest.Subtests) -> None:
    for file in FILES:
        with subtests.test(file=file):
            answer = stranger.get(f"/schemas/{file}")
            assert answer.status_code == 200
            assert answer.content == FILES[file]
            assert answer.headers["content-type"] in ("application/schema+json", "application/json")


def test_no_other_file_is(stranger: Client, subtests: pytest.Subtests) -> None:
    for path in [
        "",
        "control",
        "control/",
        "nothing.json",
        "../pyproject.toml",
        "..%2Fpyproject.toml",
        "%2E%2E/%2E%2E/etc/passwd",
        "/etc/passwd",
        "%2Fetc%2Fpasswd",
        "error.json/",
        "error.json%00",
        "Error.json",
    ]:
        with subtests.test(path=path):
            assert stranger.get(f"/schemas/{path}").status_code == 404


def test_the_index_says_what_is_where(stranger: Client) -> None:
    index = stranger.get("/").json()
    assert len(index["operations"]) == 10
    for path in (index["contract"], index["contract_3_2"], index["schemas"], index["health"]):
        assert stranger.get(path).status_code == 200


@pytest.mark.clause("10.1", "10.2", "10.3")
@pytest.mark.parametrize("path", ["/", "/_sandbox/"])
def test_the_index_lists_the_values_that_always_behave_the_same_way(stranger: Client, path: str) -> None:
    text = json.dumps(stranger.get(path).json())
    keys = ["sk_test_invalid", "sk_test_denied", "sk_test_limited"]
    apps = ["app_missing", "app_inactive", "app_no_agent", "app_error"]
    words = ["fail", "slow", "cut", "tool", "form", "human", "echo", "markdown", "long", "unicode"]
    assert [value for value in [*keys, *apps, *(f"[[{word}]]" for word in words)] if value not in text] == []


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def test_a_browser_gets_a_page(stranger: Client) -> None:
    answer = stranger.get("/", headers={"Accept": BROWSER})
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
def test_a_program_gets_json(stranger: Client, accept: str) -> None:
    answer = stranger.get("/", headers={"Accept": accept})
    assert answer.headers["content-type"] == "application/json"
    assert {"Accept", "Origin"} <= {name.strip() for name in answer.headers["vary"].split(",")}


@pytest.mark.parametrize(
    "path", ["/", "/openapi.json", "/schemas/error.json", "/_sandbox/health", "/v1/nothing", "/nothing"]
)
def test_no_browser_guesses_what_an_answer_is(stranger: Client, path: str) -> None:
    assert stranger.get(path).headers["x-content-type-options"] == "nosniff"
