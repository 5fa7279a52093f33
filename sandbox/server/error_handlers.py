"""What is answered where no operation answers, in the API's envelope: an unknown path, a wrong method, a crash."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ExceptionHandler

from sandbox.contract import encode
from sandbox.errors import ApiError, InternalError, MethodNotAllowed
from sandbox.server.context import ENTRY
from sandbox.server.http import raw_path
from sandbox.server.routes import ContractRoute


def http_error_handler(api_route: ContractRoute) -> ExceptionHandler:
    """Return what answers a path or method that no route takes, in the API's envelope."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
        refusal: ApiError
        refusal, app_id = api_route.unknown(raw_path(request.scope))
        if error.status_code == 405:
            allowed = tuple((error.headers or {}).get("Allow", "GET").split(", "))
            refusal, app_id = MethodNotAllowed(request.method, tuple(sorted(allowed))), None
        if entry := request.scope.get(ENTRY):
            entry.belongs(app_id, None)
        return _envelope(refusal)

    return refused


async def crash_handler(request: Request, error: Exception) -> Response:  # noqa: ARG001 - the signature of a handler
    """Answer what nobody expected."""
    return _envelope(InternalError())


def _envelope(error: ApiError) -> Response:
    headers = {"x-content-type-options": "nosniff", **error.headers}
    return Response(encode(error.envelope()), error.status, headers, "application/json")
