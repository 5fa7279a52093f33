"""Requests that several laws send."""

from __future__ import annotations

from typing import Any

from sandbox.conformance.target import COMPLETE, CREATE, SEND, UPDATE

WITH_BODY = (CREATE, UPDATE, SEND, COMPLETE)

# Bodies that would be good, for conversations that don't exist.
BODIES: dict[str, dict[str, Any]] = {
    UPDATE: {"title": "Hello"},
    SEND: {"message": {"content": "Hello"}, "stream": False},
    COMPLETE: {"prompt": "Hello"},
}

# What can't be a body: of another type, and one byte more than may be sent, which isn't JSON either.
TEXT = {"Content-Type": "text/plain"}
MIB = 1024 * 1024
LARGE = b"{" + b" " * MIB
