"""Prints which files and folders a server opens, and which modules it imports, for first requests once it is preloaded.

A process of its own: what tests have loaded would hide it, and an audit hook can't be taken away.
"""

from __future__ import annotations

import sys
from typing import Any

from sandbox import Settings, create_app
from tests.support.in_process import client_of

APP, CONTROL = "/v1/apps/app_x", "/_sandbox/apps/app_x"
MESSAGE = {"message": {"content": "Bonjour [[form]]"}, "stream": True}
FAULT, REPLY = {"kind": "latency", "ms": 0}, {"output": [{"type": "message", "text": "x"}]}

# Each row: a request, its body and the status of its answer.
REQUESTS: list[tuple[str, str, Any, int]] = [
    ("GET", f"{APP}/config", None, 200),
    ("GET", f"{APP}/conversations", None, 200),
    ("POST", f"{APP}/conversations", {"title": 5}, 422),
    ("POST", f"{APP}/completions", {"prompt": "What are your hours?"}, 200),
    ("GET", "/v1/apps/app_demo/conversations", None, 200),
    ("GET", "/v1/nothing", None, 404),
    ("GET", "/_sandbox/health", None, 200),
    ("GET", "/_sandbox/requests.har", None, 200),
    ("PATCH", CONTROL, {"stream": True}, 200),
    ("POST", f"{CONTROL}/faults", FAULT, 201),
    ("POST", f"{CONTROL}/replies", REPLY, 201),
    ("POST", f"{CONTROL}/populate", {"conversations": 50}, 200),
    ("PUT", f"{CONTROL}/clock", {"now": 5}, 200),
    *(("GET", f"{CONTROL}/{name}", None, 200) for name in ("snapshot", "bundle", "verdict")),
    ("POST", "/_sandbox/requests/verify", {"app_id": "app_x"}, 200),
    ("POST", "/_sandbox/reset", None, 204),
    ("GET", "/openapi.json", None, 200),
]


def main() -> None:
    """Send the requests and print what was opened."""
    app = create_app(Settings())
    client = client_of(app, {"Authorization": "Bearer sk_test_spec"})
    client.get("/")
    if sys.argv[1:] == ["preloaded"]:
        app.preload()
    opened: list[str] = []
    events = ("open", "os.scandir", "os.listdir", "import")
    sys.addaudithook(lambda event, words: opened.append(str(words[0])) if event in events else None)
    for method, path, body, status in REQUESTS:
        answer = client.request(method, path, json=body) if body else client.request(method, path)
        assert answer.status_code == status, (path, answer.text)
    conversation = client.post(f"{APP}/conversations", json={}).json()["id"]
    assert client.post(f"{APP}/conversations/{conversation}", json=MESSAGE).status_code == 200
    print("\n".join(tuple(opened)))


if __name__ == "__main__":
    main()
