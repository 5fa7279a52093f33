"""A key leaves the sandbox nowhere, wherever it stands in a request and however it is spelled.

Its prefix and its last four characters may be shown. No run of eight characters of its random part may.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable, Iterator
from hashlib import sha256
from io import BytesIO
from re import findall
from signal import SIGINT
from urllib.parse import unquote
from zipfile import ZipFile

import pytest
from httpx2 import Client, Request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.redaction import Redactor
from sandbox.server.access_log import json_line, text_line
from tests.conftest import MakeClient
from tests.control.conftest import MakeDriver
from tests.support.app_driver import REQUESTS, AppDriver
from tests.support.journal_entries import entry
from tests.support.processes import serving
from tests.support.requirements import examples

TOKEN = "tok/en+" + "N0tForAnyb0dysEyes"
RUN = 8

# As random as a real key: a run of zeros would be found where nothing leaks.
RANDOM = st.binary(max_size=4).map(lambda seed: b64encode(sha256(seed).digest(), b"Zz").decode()[:24])
PREFIXES = ("sk_live_", "sk_test_", "whsec_", "SK_LIVE_")


def percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


# How a key can be spelled where it stands.
SPELLINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "after a letter": lambda key: f"x{key}",
    "after an underscore": lambda key: f"my_{key}",
    "separators percent-encoded": lambda key: key.replace("_", "%5F"),
    "percent-encoded": percent,
    "percent-encoded twice": lambda key: key.replace("_", "%255f"),
    "one JSON escape": lambda key: key.replace("_", "\\u005F", 1),
    "a JSON escape, percent-encoded": lambda key: key.replace("_", "%5Cu005F").replace("/", "%255cu002f"),
    "JSON-escaped": lambda key: "".join(f"\\u{ord(c):04x}" for c in key),
    "base64": lambda key: b64encode(key.encode()).decode(),
    "base64, one in": lambda key: b64encode(f":{key}".encode()).decode(),
    "base64, two in": lambda key: b64encode(f"a:{key}:b".encode()).decode(),
    "base64 for URLs": lambda key: urlsafe_b64encode(f"?~{key}".encode()).decode().rstrip("="),
}


def path(app: AppDriver, below: str) -> str:
    return f"/v1/apps/{app.app_id}{below}"


def in_header(name: str, form: str) -> Callable[[AppDriver, str], None]:
    def send(app: AppDriver, text: str) -> None:
        app.client.get(path(app, "/config"), headers={name: form.format(text)})

    return send


def in_query(app: AppDriver, text: str) -> None:
    app.client.get(f"{path(app, '/conversations')}?limit={text}")


def in_path(app: AppDriver, text: str) -> None:
    app.client.get(path(app, f"/conversations/{text}"))


def in_text(app: AppDriver, text: str) -> None:
    app.api.created(title=text, metadata={text: [text]})


def in_raw_body(app: AppDriver, text: str) -> None:
    raw = f'{{"title": "{text}", "nope": {text}'
    app.client.post(path(app, "/conversations"), content=raw, headers={"Content-Type": "application/json"})


def in_wrong_body(app: AppDriver, text: str) -> None:
    app.client.post(path(app, "/conversations"), json={"title": [f"{'long ' * 50}{text}", text], text: 1})


def in_bytes(app: AppDriver, text: str) -> None:
    app.client.post(path(app, "/conversations"), content=b"\xff" + text.encode())


def in_fault(app: AppDriver, text: str) -> None:
    app.fault("status", status=418, headers={"X-Key": text, "Set-Cookie": f"a={text}"}, body={"key": text})
    app.api.config()


def in_reply(app: AppDriver, text: str) -> None:
    app.reply({"type": "message", "text": text}, contains=text)
    app.api.send(app.api.created(), text)


def in_settings(app: AppDriver, text: str) -> None:
    app.set(agent={"name": text}, webhooks=[{"url": f"http://127.0.0.1:9/{text}", "secret": text, "events": []}])
    app.set(nope=text, titles=text)


PLACES: dict[str, Callable[[AppDriver, str], None]] = {
    "a bearer": in_header("Authorization", "Bearer {}"),
    "basic": in_header("Authorization", "Basic {}"),
    "no scheme": in_header("Authorization", "{}"),
    "a cookie": in_header("Cookie", "a=1; session={}"),
    "a header of its own": in_header("X-Api-Key", "{}"),
    "any header": in_header("X-Other", "key {};"),
    "the query": in_query,
    "the path": in_path,
    "a text": in_text,
    "a raw body": in_raw_body,
    "a wrong body": in_wrong_body,
    "a body of bytes": in_bytes,
    "a fault": in_fault,
    "a reply": in_reply,
    "settings": in_settings,
}


def shown_of(app: AppDriver, text: str) -> Iterator[str]:
    """Yield everything that the control API shows of an app."""
    control, query = app.client, {"app_id": app.app_id}
    entries = control.get(REQUESTS, params={**query, "limit": 100})
    yield entries.text
    for row in entries.json()["data"]:
        yield control.get(f"{REQUESTS}/{row['id']}/curl").text
    yield control.get(f"{REQUESTS}.har", params=query).text
    headers = dict.fromkeys(("authorization", "cookie", "x-other"), text)
    body = {"title": text, text: text}
    yield control.post(f"{REQUESTS}/verify", json={**query, "headers": headers, "body": body, "times": 99}).text
    yield control.get("/_sandbox/apps").text
    for path in ("", "/faults", "/replies", "/verdict", "/snapshot"):
        yield app.call("GET", path).text
    yield control.get(f"/_sandbox/apps/{app.app_id}/verdict", headers={"Accept": "application/xml"}).text
    with ZipFile(BytesIO(app.call("GET", "/bundle").content)) as bundle:
        yield from (bundle.read(name).decode() for name in bundle.namelist())


def readings(text: str) -> Iterator[str]:
    """Yield a text as it stands and with each encoding taken off that could hide something in it."""
    yield text
    yield unquote(unquote(text))
    yield json.dumps(text.encode().decode("unicode_escape", "replace"), ensure_ascii=False)
    for octal in findall(r"(?:\\[0-7]{3}){8,}", text):
        yield bytes(int(each, 8) for each in octal.split("\\")[1:]).decode("latin-1")
    for run in findall(r"[A-Za-z0-9+/_-]{10,}", text):
        for start in range(4):
            aligned = run[start:].replace("-", "+").replace("_", "/")
            try:
                yield b64decode(aligned[: len(aligned) // 4 * 4]).decode("latin-1")
            except Error:
                continue


def leaks(secret: str, text: str) -> list[str]:
    """Return each run of the secret that can be read in a text."""
    hidden = secret[: len(secret) - 4]
    runs = [hidden[at : at + RUN].lower() for at in range(len(hidden) - RUN + 1)]
    return [run for reading in readings(text) for run in runs if run in reading.lower()]


@pytest.mark.memory
@settings(max_examples=examples(600, quick=30), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    random=RANDOM,
    prefix=st.sampled_from(PREFIXES),
    spelling=st.sampled_from(sorted(SPELLINGS)),
    place=st.sampled_from(sorted(PLACES)),
)
def test_no_key_leaves_by_any_door(
    make_driver: MakeDriver, random: str, prefix: str, spelling: str, place: str
) -> None:
    app = make_driver()
    text = SPELLINGS[spelling](prefix + random)
    PLACES[place](app, text)
    found = {run for shown in shown_of(app, text) for run in leaks(random, shown)}
    assert not found


def authorized(request: Request) -> Request:
    """Bring the token to control calls, and the client's own key to the API."""
    if request.url.path.startswith("/_sandbox"):
        request.headers["Authorization"] = f"Bearer {TOKEN}"
    return request


@pytest.mark.memory
@settings(max_examples=examples(200, quick=20), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spelling=st.sampled_from(sorted(SPELLINGS)), place=st.sampled_from(sorted(PLACES)))
def test_the_control_token_leaves_by_no_door(make_client: MakeClient, spelling: str, place: str) -> None:
    client = make_client(control_token=TOKEN)
    client.auth = authorized
    app = AppDriver(client, "app_spec")
    text = SPELLINGS[spelling](TOKEN)
    PLACES[place](app, text)
    found = {run for shown in shown_of(app, text) for run in leaks(TOKEN, shown)}
    assert not found


@settings(max_examples=examples(300, quick=60))
@given(random=RANDOM, prefix=st.sampled_from(PREFIXES), spelling=st.sampled_from(sorted(SPELLINGS)))
def test_no_key_is_written_to_the_log(random: str, prefix: str, spelling: str) -> None:
    text = SPELLINGS[spelling](prefix + random)
    refusal = json.dumps({"error": {"type": "not_found", "message": f"{'long ' * 30}{text}"}}).encode()
    asked = entry(path=f"/v1/{text}".encode(), status=404, response_body=refusal)
    redact = Redactor().redact_text
    lines = [text_line(colour=False, redact=redact)(asked), json_line(redact=redact)(asked)]
    lines.append(redact(f"a warning about {text}"))
    assert [run for line in lines for run in leaks(random, line)] == []


def test_the_log_of_a_server_has_neither_key_nor_token() -> None:
    key, token = "sk_live_Qm9uam91cnNNb250cmVhbA", "Zm91ciBzY29yZSBhbmQgc2V2ZW4"
    with serving(env={"DIMEDOVE_SANDBOX_CONTROL_TOKEN": token}) as running:
        with Client(base_url=running.url) as client:
            client.get(f"/v1/apps/{key}/conversations")
            client.get(f"/_sandbox/{percent(token)}", headers={"Origin": f"https://{token}.example.com"})
        running.process.send_signal(SIGINT)
        written = running.process.communicate(timeout=30)[0]
    assert "/_sandbox/" in written
    assert [run for secret in (key[8:], token) for run in leaks(secret, written)] == []
