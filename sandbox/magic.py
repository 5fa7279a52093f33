"""Keys and apps that always behave the same way, for suites that can't call a control API (docs/contract.md 10)."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.errors import AccessDenied, AgentUnavailable, AppInactive, InternalError, InvalidApiKey, unknown_app

INVALID_KEY, DENIED_KEY, LIMITED_KEY = "sk_test_invalid", "sk_test_denied", "sk_test_limited"
MISSING_APP, INACTIVE_APP, NO_AGENT_APP, FAILING_APP = "app_missing", "app_inactive", "app_no_agent", "app_error"
DEMO_APP = "app_demo"
STATUSES: Mapping[str, str] = {INACTIVE_APP: "inactive", NO_AGENT_APP: "no_agent"}
MAGIC_APPS = frozenset({MISSING_APP, INACTIVE_APP, NO_AGENT_APP, FAILING_APP})

# What each value does, for people.
KEYS: Mapping[str, str] = {
    INVALID_KEY: "401 invalid_api_key",
    DENIED_KEY: "403 access_denied",
    LIMITED_KEY: "429 rate_limit_exceeded on send message and completions",
}
APPS: Mapping[str, str] = {
    MISSING_APP: "404 not_found",
    INACTIVE_APP: "403 app_inactive",
    NO_AGENT_APP: "403 agent_unavailable",
    FAILING_APP: "500 internal_error",
}
WORDS: Mapping[str, str] = {
    "[[fail]]": "the reply fails",
    "[[slow]] [[slow 3000]]": "2 s (or that many ms) before the first event or the JSON response, 100 ms per delta",
    "[[cut]]": "the connection breaks half-way",
    "[[tool]]": "calls a tool of each kind",
    "[[form]]": "sends a form (where the app's generative UI is on)",
    "[[human]]": "calls transfer_to_agent, sends the webhook chat.human_required",
    "[[echo]] …": "the reply is exactly the rest of the message",
    "[[markdown]]": "every Markdown construct that chat pages render",
    "[[long]] [[long 500]]": "2,000 (or that many) words",
    "[[unicode]]": "joined emoji, combining marks, right-to-left text, astral characters",
}


def check_key(key: str) -> None:
    """Raise the error of the key that is never valid."""
    if key == INVALID_KEY:
        raise InvalidApiKey("This key is not valid (the sandbox always answers this for this key).")


def check_exists(app_id: str) -> None:
    """Raise the error of the app that never exists."""
    if app_id == MISSING_APP:
        raise unknown_app()


def check_access(key: str) -> None:
    """Raise the error of the key that has access to no app."""
    if key == DENIED_KEY:
        raise AccessDenied("This key has no access to this app (the sandbox always answers this for this key).")


def check_state(app_id: str) -> None:
    """Raise the error of an app that is always in one state."""
    if app_id == INACTIVE_APP:
        raise AppInactive
    if app_id == NO_AGENT_APP:
        raise AgentUnavailable
    if app_id == FAILING_APP:
        raise InternalError("Something went wrong (the sandbox always answers this for this app).")
