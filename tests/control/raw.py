"""Requests by hand, to see what becomes of a connection that a fault spoils."""

from __future__ import annotations

import json
from typing import Any

from tests.control.driver import World
from tests.server.sockets import head, whole


def config_of(world: World, *headers: str) -> bytes:
    """Return a request for the app's config: a small JSON answer, no body."""
    return head("GET", f"/v1/apps/{world.app_id}/config", *headers)


def creation_in(world: World, *headers: str, **body: Any) -> bytes:
    """Return a request that creates a conversation."""
    path = f"/v1/apps/{world.app_id}/conversations"
    return whole("POST", path, json.dumps(body).encode(), "Content-Type: application/json", *headers)


def message_to(world: World, conversation: str, text: str, *headers: str, stream: bool = True) -> bytes:
    """Return a request that sends a message."""
    body = json.dumps({"message": {"content": text}, "stream": stream}).encode()
    return whole("POST", world.api.url(conversation), body, "Content-Type: application/json", *headers)
