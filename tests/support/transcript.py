"""One fixed visit to an app, and every byte that came back: what determinism is measured by.

`python -m tests.support.transcript` plays it against a server of its own and prints it.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable
from typing import Any, Protocol

from tests.support.in_process import in_process

APP = "app_visited"
METADATA = {"first_name": "Maëlle", "city": "Québec", "plan": {"n": 1.5}}
CREATED: list[dict[str, Any]] = [{"metadata": METADATA, "external_user_id": "ann"}, {"title": "Support inquiry"}, {}]
SAID = [
    "Bonjour, je voudrais prendre rendez-vous mardi à 14 h",
    "Can you tell me the status of my order, and your opening hours tomorrow?",
    "[[tool]] [[form]] [[human]] [[unicode]]",
    "[[fail]]",
    "[[long 40]] [[markdown]]",
    "Thanks!",
]


class Client(Protocol):
    """Whatever sends a request on a running loop."""

    def exchange(self, *args: Any, **kwargs: Any) -> Awaitable[Any]:
        """Send `exchange(method, url, json=...)` and return the answer."""
        ...


async def play(client: Client, app_id: str = APP) -> str:
    """Visit an app that nobody has used; return every status and body, in order."""
    lines: list[str] = []

    async def ask(method: str, path: str, json: Any = None) -> Any:
        answer = await client.exchange(method, f"/v1/apps/{app_id}{path}", json=json)
        lines.append(f"{method} {path} {answer.status_code} {answer.text}")
        return answer

    ids: list[str] = [(await ask("POST", "/conversations", body)).json()["id"] for body in CREATED]
    for number, text in enumerate(SAID):
        for conversation in ids[:2]:
            message = {"message": {"content": text}, "stream": number % 2 == 0}
            await ask("POST", f"/conversations/{conversation}", message)
        await ask("POST", "/completions", {"prompt": text, "stream": number % 2 == 1})
    await ask("PATCH", f"/conversations/{ids[0]}", {"title": "Renamed"})
    await ask("DELETE", f"/conversations/{ids[2]}")
    for path in (
        "/conversations",
        "/users/ann/conversations",
        "/config",
        "/metrics",
        *(f"/conversations/{i}" for i in ids),
    ):
        await ask("GET", path)
    return "\n".join(lines)


async def look(client: Client, app_id: str = "app_demo") -> str:
    """Return everything that stands in an app."""
    answer = await client.exchange("GET", f"/v1/apps/{app_id}/conversations")
    rows = answer.json()["data"]
    details = [await client.exchange("GET", f"/v1/apps/{app_id}/conversations/{row['id']}") for row in rows]
    return "\n".join(detail.text for detail in (answer, *details))


async def whole(client: Client) -> str:
    """Visit an app and look at the demo app."""
    return f"{await play(client)}\n{await look(client)}"


def main() -> None:
    """Print the transcript of a fresh server."""
    with in_process() as client:
        sys.stdout.buffer.write(client.run(whole(client)).encode())


if __name__ == "__main__":
    main()
