"""Hold 60 exchanges, streams among them, against the contract with Prism's proxy and openapi-core.

`exchanges.py http://127.0.0.1:SANDBOX http://127.0.0.1:PRISM`: each request goes through the proxy, which says in a
header what breaks the document; openapi-core reads request and answer by the same document.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import urlopen

from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

KEY = "sk_test_exchanges"
APP = "/v1/apps/app_demo"
SAYINGS = (
    "Hello, I have a question.",
    "[[echo]] Bonjour",
    "[[tool]]",
    "[[form]]",
    "[[fail]]",
    "[[markdown]]",
    "[[unicode]]",
)
PROMPTS = ("Write a title.", "[[echo]] Bonjour", "[[fail]]", "[[long 60]]", "[[unicode]]")


class Ask(NamedTuple):
    """One request; a bad one breaks the document on purpose, and its answer is held against it all the same."""

    method: str
    path: str
    body: Any = None
    bad: bool = False
    key: str = KEY


class Answer(NamedTuple):
    """What came back through the proxy."""

    status: int
    headers: dict[str, str]
    body: bytes


def asked(conversation: str) -> Iterator[Ask]:
    """Yield every request but the first, which creates the conversation."""
    one = f"{APP}/conversations/{conversation}"
    for title in ("Support inquiry", None, ""):
        yield Ask("POST", f"{APP}/conversations", {"title": title, "external_user_id": "user_abc123", "metadata": {}})
    for query in ("", "?limit=1", "?order=asc", f"?after={conversation}&limit=5", f"?before={conversation}"):
        yield Ask("GET", f"{APP}/conversations{query}")
        yield Ask("GET", f"{APP}/users/user_abc123/conversations{query}")
    for stream in (False, True):
        for content in SAYINGS:
            yield Ask("POST", one, {"message": {"content": content}, "stream": stream})
            yield Ask("GET", one)
        for prompt in PROMPTS:
            yield Ask("POST", f"{APP}/completions", {"prompt": prompt, "stream": stream})
    for part in ("config", "metrics"):
        yield Ask("GET", f"{APP}/{part}")
    yield Ask("PATCH", one, {"title": "Réclamation"})
    yield Ask("GET", f"{APP}/config", key="sk_test_invalid")
    yield Ask("GET", f"{APP}/config", key="sk_test_denied")
    yield Ask("GET", "/v1/apps/app_missing/config")
    yield Ask("GET", f"{APP}/conversations?limit=0", bad=True)
    yield Ask("POST", f"{APP}/completions", {"prompt": "Hello"}, key="sk_test_limited")
    yield Ask("POST", one, {"message": {"content": 5}}, bad=True)
    yield Ask("DELETE", one)
    yield Ask("GET", one)


def send(proxy: str, ask: Ask) -> Answer:
    """Send one request through the proxy."""
    connection = HTTPConnection(urlsplit(proxy).netloc, timeout=30)
    headers = {"Authorization": f"Bearer {ask.key}", "Content-Type": "application/json"}
    body = None if ask.body is None else json.dumps(ask.body)
    connection.request(ask.method, ask.path.removeprefix("/v1"), body, headers)
    answer = connection.getresponse()
    return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


def broken(contract: OpenAPI, url: str, ask: Ask, answer: Answer) -> Iterator[str]:
    """Yield what the two tools object to."""
    violations = json.loads(answer.headers.get("sl-violations", "[]"))
    yield from (f"Prism: {each}" for each in violations if not (ask.bad and each["location"][0] == "request"))
    path, _, query = ask.path.partition("?")
    request = MockRequest(
        url,
        ask.method.lower(),
        path,
        args=dict(pair.split("=") for pair in query.split("&") if pair),
        headers={"Authorization": f"Bearer {ask.key}"},
        data=None if ask.body is None else json.dumps(ask.body).encode(),
    )
    response = MockResponse(answer.body, answer.status, answer.headers, content_type=answer.headers["content-type"])
    try:
        contract.validate_response(request, response)
        if not ask.bad:
            contract.validate_request(request)
    except OpenAPIError as error:
        yield f"openapi-core: {error!r} {error.__cause__!r}"


def main(url: str, proxy: str) -> None:
    """Run all exchanges, and name what is broken."""
    # openapi-core knows nothing of this media type, and would take its body for bytes.
    texts = Config(extra_media_type_deserializers={"text/event-stream": lambda body, **_: body.decode()})
    document = json.load(urlopen(f"{url}/openapi.json"))  # noqa: S310 - our own server
    contract = OpenAPI.from_dict(document, config=texts)
    first = Ask("POST", f"{APP}/conversations", {})
    created = send(proxy, first)
    asks = [first, *asked(json.loads(created.body)["id"])]
    answers = [created, *(send(proxy, ask) for ask in asks[1:])]
    pairs = zip(asks, answers, strict=True)
    faults = [f"{ask}: {fault}" for ask, answer in pairs for fault in broken(contract, url, ask, answer)]
    streams = sum(answer.headers["content-type"].startswith("text/event-stream") for answer in answers)
    print(
        f"{len(answers)} exchanges, {streams} of them streams; statuses {sorted({answer.status for answer in answers})}"
    )
    if faults or len(answers) < 60 or streams < 10:
        sys.exit("\n".join(faults) or "fewer exchanges than there should be")


if __name__ == "__main__":
    main(*sys.argv[1:])
