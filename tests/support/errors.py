"""The one helper that knows what an error looks like."""

from __future__ import annotations

from typing import Any

from sandbox.contract import load

_SCHEMA = load().schema("ErrorResponse")


def assert_error(response: Any, status: int, kind: str, **expected: str | None) -> dict[str, Any]:
    """Hold an answer against the envelope: status, type, all four keys; `param` and `code` where they are given."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert _SCHEMA.is_valid(body), body
    assert list(body) == ["error"]
    error: dict[str, Any] = body["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == kind
    assert 0 < len(error["message"]) <= 4_000
    for name, value in expected.items():
        assert error[name] == value, error
    return error
