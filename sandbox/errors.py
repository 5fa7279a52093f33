"""The errors of the API, one class per row of docs/contract.md 4.11, and their envelope.

Our own errors (a broken contract, a wrong setting) are `SandboxError`s: never a response, always reported to whoever
starts the sandbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class SandboxError(Exception):
    """The sandbox can't be started or used like this; the text says where and what to do."""


class ContractError(SandboxError):
    """The documents in `schemas/` can't be used, or don't fit the code."""


class StoreError(SandboxError):
    """The store of the settings can't be used."""


class ApiError(Exception):
    """A response other than 200: a row of the table of errors.

    `param` is the dotted place of the error, `code` its stable code, `headers` go with the response.
    """

    status: int
    type: str

    def __init__(
        self, message: str, *, param: str | None = None, code: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code
        self.headers = headers or {}

    def envelope(self) -> dict[str, Any]:
        """Return the body of the response: always all four keys."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


class InvalidApiKey(ApiError):
    """There is no key, or not a valid one."""

    status, type = 401, "invalid_api_key"

    def __init__(self, message: str) -> None:
        super().__init__(message, headers={"www-authenticate": "Bearer"})


class AccessDenied(ApiError):
    """The key has no access to this app, or the caller none to this server."""

    status, type = 403, "access_denied"


class AppInactive(ApiError):
    """The app is disabled."""

    status, type = 403, "app_inactive"

    def __init__(self) -> None:
        super().__init__("This app is disabled.")


class AgentUnavailable(ApiError):
    """The app has no active agent."""

    status, type = 403, "agent_unavailable"

    def __init__(self) -> None:
        super().__init__("This app has no active agent.")


class NotFound(ApiError):
    """An unknown path, app, conversation or cursor."""

    status, type = 404, "not_found"


def unknown_app() -> NotFound:
    """Return the error of an app that does not exist."""
    return NotFound("There is no such app.", param="app_id")


class MethodNotAllowed(ApiError):
    """The path exists, this method of it does not."""

    status, type = 405, "method_not_allowed"

    def __init__(self, method: str, allowed: tuple[str, ...]) -> None:
        allow = ", ".join(allowed)
        super().__init__(f"{method} is not allowed on this path; it takes {allow}.", headers={"allow": allow})


class PayloadTooLarge(ApiError):
    """The body is larger than the limit."""

    status, type = 413, "payload_too_large"


class UnsupportedMediaType(ApiError):
    """The body is not JSON, or encoded."""

    status, type = 415, "unsupported_media_type"


class InvalidRequest(ApiError):
    """The body, the query or the path breaks the schema. The status is 422, settable to 400 (docs/contract.md 4)."""

    status, type = 422, "invalid_request_error"


class RateLimitExceeded(ApiError):
    """Too many calls in a minute or a day; `Retry-After` says for how many seconds."""

    status, type = 429, "rate_limit_exceeded"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message, headers={"retry-after": str(retry_after)})


class StoreFull(ApiError):
    """A limit of the sandbox is reached; the message names the setting."""

    status, type = 503, "internal_error"


class StoreUnavailable(ApiError):
    """The store is out of reach, or refuses; nothing was done by halves."""

    status, type = 503, "internal_error"

    def __init__(self, message: str) -> None:
        super().__init__(message, code="store_unavailable")


class InternalError(ApiError):
    """Something unexpected happened on the server."""

    status, type = 500, "internal_error"

    def __init__(self, message: str = "The sandbox failed on this request; its log has the reason.") -> None:
        super().__init__(message)


class BrokenContract(InternalError):
    """The sandbox's own answer, or an event of it, breaks the contract."""


class Conflict(ApiError):
    """The operation is not possible on this object."""

    status, type = 409, "invalid_request_error"


# The envelope's type for the status of a fault (docs/control.md, Faults).
_TYPES = {401: "invalid_api_key", 403: "access_denied", 404: "not_found", 405: "method_not_allowed"} | {
    413: "payload_too_large",
    415: "unsupported_media_type",
    429: "rate_limit_exceeded",
}
_HEADERS = {401: {"www-authenticate": "Bearer"}, 429: {"retry-after": "1"}}


class SandboxFault(ApiError):
    """The error of a fault."""

    def __init__(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        own = {name.lower(): value for name, value in (headers or {}).items()}
        super().__init__(
            f"The sandbox answers {status}, as it was asked to.",
            code="sandbox_fault",
            headers={**_HEADERS.get(status, {}), **own},
        )
        self.status = status
        self.type = _TYPES.get(status, "internal_error" if status >= 500 else "invalid_request_error")


ERROR_TYPES = tuple(dict.fromkeys(vars(kind)["type"] for kind in ApiError.__subclasses__() if "type" in vars(kind)))
"""Every type of error that the sandbox answers with, in the order of docs/contract.md 4.11."""
