"""What a body may call itself, and what an answer may be asked to be (4.4, 4.7)."""

from __future__ import annotations

from itertools import product

import pytest
from httpx2 import Client

from tests.support.errors import assert_error
from tests.support.request_spec import GOOD, LIMITED, WITH_BODY, WITHOUT_BODY

JSON = [
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    "application/json ; charset=latin-1; profile=x",
    "APPLICATION/JSON",
    "  application/json  ",
]
NOT_JSON = [
    "text/plain",
    "text/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/vnd.api+json",
    "application/jsonp",
    "application/json, text/plain",
    "application",
    "*/*",
    ";charset=utf-8",
    "",
]


@pytest.mark.clause("4.4", "1.3")
def test_json_is_taken_whatever_its_parameters(apps: Client, subtests: pytest.Subtests) -> None:
    for media_type, operation in product(JSON, WITH_BODY):
        with subtests.test(media_type=media_type, operation=operation):
            assert WITH_BODY[operation].with_headers(Content_Type=media_type).send(apps).status_code == 200


@pytest.mark.clause("4.4")
@pytest.mark.parametrize("operation", WITH_BODY)
def test_a_body_without_a_type_counts_as_json(apps: Client, operation: str) -> None:
    spec = WITH_BODY[operation]
    assert "content-type" not in {name.lower() for name in spec.headers}
    assert spec.send(apps).status_code == 200


@pytest.mark.clause("4.4")
@pytest.mark.parametrize("media_type", NOT_JSON)
def test_any_other_type_is_415(apps: Client, media_type: str) -> None:
    answer = GOOD["create_conversation"].with_headers(Content_Type=media_type).send(apps)
    error = assert_error(answer, 415, "unsupported_media_type", param=None, code=None)
    assert "application/json" in error["message"]


@pytest.mark.clause("4.4")
@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "zstd", "GZIP", "gzip, identity", "x"])
def test_an_encoded_body_is_415(apps: Client, coding: str) -> None:
    answer = GOOD["create_conversation"].with_headers(Content_Encoding=coding).send(apps)
    assert_error(answer, 415, "unsupported_media_type", param=None, code=None)


@pytest.mark.clause("4.4")
def test_an_empty_body_is_no_json(apps: Client, subtests: pytest.Subtests) -> None:
    for content, operation in product([None, b"", b" \r\n\t"], WITH_BODY):
        with subtests.test(content=content, operation=operation):
            answer = (
                WITH_BODY[operation].replace(content=content).with_headers(Content_Type="application/json").send(apps)
            )
            assert_error(answer, 422, "invalid_request_error", param=None, code="invalid_json")


@pytest.mark.clause("4.4")
def test_operations_without_a_body_ignore_it(apps: Client, subtests: pytest.Subtests) -> None:
    rows: list[bytes] = [b"", b"{}", b"{broken", b"\xff" * 2_000_000]
    for content, operation in product(rows, WITHOUT_BODY):
        with subtests.test(content=content, operation=operation):
            spec = WITHOUT_BODY[operation].replace(content=content)
            spoilt = spec.with_headers(Content_Type="text/plain", Content_Encoding="gzip")
            assert spoilt.send(apps).status_code == 200


ACCEPTS = [
    "*/*",
    "application/json",
    "application/json, text/plain, */*",
    "text/event-stream",
    "text/html",
    "image/png;q=0.1",
    "application/json;q=0",
    "",
    "nonsense",
]


@pytest.mark.clause("4.7")
def test_accept_never_decides(apps: Client, subtests: pytest.Subtests) -> None:
    for accept, operation in product(ACCEPTS, GOOD):
        with subtests.test(accept=accept, operation=operation):
            answer = GOOD[operation].with_headers(Accept=accept).send(apps)
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "application/json"


@pytest.mark.clause("4.7", "6.1")
@pytest.mark.parametrize("operation", LIMITED)
@pytest.mark.parametrize("accept", ["application/json", "*/*", "text/html"])
def test_stream_decides(apps: Client, operation: str, accept: str) -> None:
    spec = LIMITED[operation]
    asked = spec.replace(content=b'{"stream": true, ' + (spec.content or b"")[1:])
    answer = asked.with_headers(Accept=accept).send(apps)
    assert answer.headers["content-type"].startswith("text/event-stream")


@pytest.mark.clause("4.7")
def test_an_error_is_json_whatever_is_accepted(apps: Client) -> None:
    answer = GOOD["send_message"].saying({"stream": True}).with_headers(Accept="text/event-stream").send(apps)
    assert_error(answer, 422, "invalid_request_error")
