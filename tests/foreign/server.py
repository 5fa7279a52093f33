"""The API as the vendor documents it, written a second time; it imports nothing of ours.

Where the vendor is silent it does otherwise than the sandbox: short ids, keys without value left out, no CORS, other
statuses of refusals, redirects of trailing slashes, no item event of texts, the history's reply in one part, its own
words, 403 for an app that it doesn't know, no `WWW-Authenticate`, titles only after the first exchange.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

Json = dict[str, Any]
KEY = "sk_live_foreign"
APP = "insurance"
COLOURS = {"primary_color": "#0a0a0a", "secondary_color": None}
CONFIG = {"app_id": APP, "stream": False, "generative_ui": False, "agent": {"name": "Ada", "config": COLOURS}}


class Refused(Exception):
    """A request that isn't served."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status, self.kind, self.message = status, kind, message


@dataclass
class Thread:
    """One conversation."""

    shown: Json
    items: list[Json] = field(default_factory=list)
    deleted: bool = False


class Foreign:
    """The one app of this server, and what was ever said in it."""

    def __init__(self) -> None:
        self.threads: list[Thread] = []
        self.numbers = itertools.count(1)

    def new(self, prefix: str) -> str:
        """Return an id that nobody has."""
        return f"{prefix}{next(self.numbers)}"

    def find(self, one: str) -> Thread:
        """Return a conversation that isn't deleted."""
        for thread in self.threads:
            if thread.shown["id"] == one and not thread.deleted:
                return thread
        raise Refused(404, "not_found", "No such conversation.")

    async def create(self, request: Request) -> Response:
        """Create a conversation."""
        body = await _body(request, external_user_id=str, title=str, metadata=dict)
        _check_size(body.get("metadata"))
        shown = {"id": self.new("c-"), "created_at": int(time.time()), "object": "conversation"}
        shown |= {name: body[name] for name in ("external_user_id", "title", "metadata") if body.get(name) is not None}
        self.threads.append(Thread(shown))
        return JSONResponse(shown)

    async def list(self, request: Request) -> Response:
        """List conversations, all or one user's."""
        user = request.path_params.get("user")
        kept = [each for each in self.threads if not each.deleted]
        rows = [each.shown for each in kept if user is None or each.shown.get("external_user_id") == user]
        if _choice(request, "order", "desc", ("asc", "desc")) == "desc":
            rows.reverse()
        limit = request.query_params.get("limit", "20")
        if not limit.isdecimal() or not 1 <= int(limit) <= 100:
            raise Refused(400, "bad_request", "limit: 1 to 100")
        places = {row["id"]: place for place, row in enumerate(rows)}
        if (after := request.query_params.get("after")) is not None:
            rows = rows[_place(places, after) + 1 :]
        if (before := request.query_params.get("before")) is not None:
            rows = rows[: max(_place(places, before), 0)]
        page = rows[: int(limit)]
        ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {"first_id": None, "last_id": None}
        return JSONResponse({"data": page, "object": "list", "has_more": len(rows) > len(page), **ends})

    async def get(self, request: Request) -> Response:
        """Show a conversation."""
        thread = self.find(request.path_params["one"])
        return JSONResponse({**thread.shown, "items": thread.items})

    async def update(self, request: Request) -> Response:
        """Change a title."""
        thread = self.find(request.path_params["one"])
        body = await _body(request, title=str)
        thread.shown["title"] = body.get("title")
        return JSONResponse(thread.shown)

    async def delete(self, request: Request) -> Response:
        """Hide a conversation."""
        thread = self.find(request.path_params["one"])
        thread.deleted = True
        return JSONResponse({"id": thread.shown["id"], "object": "conversation", "deleted": True})

    async def send(self, request: Request) -> Response:
        """Answer a message."""
        thread = self.find(request.path_params["one"])
        body = await _body(request, message=dict, stream=bool, metadata=dict)
        message = body.get("message")
        if not isinstance(message, dict) or not isinstance(message.get("content"), str):
            raise Refused(400, "bad_request", "message: content is missing")
        if message.get("role", "user") != "user":
            raise Refused(400, "bad_request", "message.role: user")
        _check_size(body.get("metadata"))
        if body.get("metadata") is not None:
            thread.shown["metadata"] = body["metadata"]
        text = "I have noted that and will look into it."
        self._keep(thread, "user", message["content"])
        self._keep(thread, "assistant", text)
        thread.shown.setdefault("generated_title", {"en-ca": "A question", "fr-ca": "Une question"})
        made = {"id": self.new("resp_"), "object": "response", "conversation_id": thread.shown["id"]}
        if body.get("stream"):
            return _streamed(made, text)
        output = [{"type": "message", "role": "assistant", "content": [{"type": "text", "text": text}]}]
        return JSONResponse({**made, "created_at": int(time.time()), "status": "completed", "output": output})

    async def complete(self, request: Request) -> Response:
        """Complete a prompt."""
        body = await _body(request, prompt=str, stream=bool, knowledge_search=bool, fast=bool, metadata=dict)
        _check_size(body.get("metadata"))
        if not 1 <= len(body.get("prompt") or "") <= 32_000:
            raise Refused(400, "bad_request", "prompt: 1 to 32,000 characters")
        text = "Here is what I would write about it."
        made = {"id": self.new("cmpl_"), "object": "completion"}
        if body.get("stream"):
            return _streamed(made, text)
        return JSONResponse({**made, "created_at": int(time.time()), "status": "completed", "text": text})

    async def config(self, _: Request) -> Response:
        """Show how the app presents itself."""
        return JSONResponse(CONFIG)

    async def metrics(self, _: Request) -> Response:
        """Count everything."""
        users = {each.shown["external_user_id"] for each in self.threads if "external_user_id" in each.shown}
        messages = sum(len(each.items) for each in self.threads)
        counts = {"total_conversations": len(self.threads), "total_messages": messages, "total_users": len(users)}
        return JSONResponse(counts)

    def _keep(self, thread: Thread, role: str, text: str) -> None:
        item = {"id": self.new("m"), "role": role, "created_at": int(time.time()), "type": "message"}
        thread.items.append({**item, "parts": [{"type": "text", "text": text}]})


def foreign() -> Starlette:
    """Return a fresh server."""
    on = Foreign()
    one = "/conversations/{one}"
    table: list[tuple[str, str, Callable[[Request], Any]]] = [
        ("POST", "/conversations", on.create),
        ("GET", "/conversations", on.list),
        ("GET", "/users/{user:path}/conversations", on.list),
        ("GET", one, on.get),
        ("PATCH", one, on.update),
        ("DELETE", one, on.delete),
        ("POST", one, on.send),
        ("POST", "/completions", on.complete),
        ("GET", "/config", on.config),
        ("GET", "/metrics", on.metrics),
    ]
    routes = [Route("/v1/apps/{app}" + path, _guarded(run), methods=[method]) for method, path, run in table]
    return Starlette(routes=routes, exception_handlers={Refused: _refused})


def _guarded(run: Callable[[Request], Any]) -> Callable[[Request], Any]:
    async def guarded(request: Request) -> Any:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            raise Refused(401, "invalid_api_key", "Who are you?")
        if request.path_params["app"] != APP:
            raise Refused(403, "access_denied", "Not an app of yours.")
        return await run(request)

    return guarded


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    shown = {"message": error.message, "type": error.kind}
    return JSONResponse({"error": shown}, status_code=error.status)


async def _body(request: Request, **types: type) -> Json:
    try:
        value = json.loads(await request.body())
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Refused(400, "bad_request", "JSON was expected.") from None
    if not isinstance(value, dict):
        raise Refused(400, "bad_request", "An object was expected.")
    for name, each in value.items():
        if name in types and each is not None and type(each) is not types[name]:
            raise Refused(400, "bad_request", f"{name}: wrong type")
    return value


def _check_size(metadata: object) -> None:
    if len(json.dumps(metadata, ensure_ascii=False, separators=(",", ":")).encode()) > 16_384:
        raise Refused(400, "bad_request", "metadata: too large")


def _choice(request: Request, name: str, default: str, known: tuple[str, ...]) -> str:
    value = request.query_params.get(name, default)
    if value not in known:
        raise Refused(400, "bad_request", f"{name}: one of {known}")
    return value


def _place(places: dict[str, int], one: str) -> int:
    """Return where a cursor stands; one that isn't there has everything behind it."""
    return places.get(one, -1)


def _streamed(made: Json, text: str) -> Response:
    async def told() -> AsyncIterator[bytes]:
        place = {"output_index": 0, "content_index": 0}
        yield _event("response.created", {**made, "status": "in_progress"})
        for start in range(0, len(text), 7):
            yield _event("response.output_text.delta", {"delta": text[start : start + 7], **place})
        yield _event("response.output_text.done", {"text": text, **place})
        yield _event("response.completed", {"id": made["id"], "status": "completed"})

    return StreamingResponse(told(), media_type="text/event-stream")


def _event(name: str, data: Json) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode()
