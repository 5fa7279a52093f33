"""Requests by hand, to see what becomes of a connection that a fault spoils."""

from __future__ import annotations

import json
from typing import Any

from tests.support.app_driver import AppDriver
from tests.support.raw_connection import full_request, head


def config_of(driver: AppDriver, *headers: str) -> bytes:
    """Return a request for the app's config: a small JSON answer, no body."""
    return head("GET", f"/v1/apps/{driver.app_id}/config", *headers)


def creation_in(driver: AppDriver, *headers: str, **body: Any) -> bytes:
    """Return a request that creates a conversation."""
    path = f"/v1/apps/{driver.app_id}/conversations"
    return full_request("POST", path, json.dumps(body).encode(), "Content-Type: application/json", *headers)


def message_to(driver: AppDriver, conversation: str, text: str, *headers: str, stream: bool = True) -> bytes:
    """Return a request that sends a message."""
    body = json.dumps({"message": {"content": text}, "stream": stream}).encode()
    return full_request("POST", driver.api.url(conversation), body, "Content-Type: application/json", *headers)
