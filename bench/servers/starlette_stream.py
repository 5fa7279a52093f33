"""(b) with events: a bare StreamingResponse of 50 constant events, which never lets another connection in between."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from bench.servers import constants


async def _events() -> AsyncIterator[bytes]:
    for event in constants.STREAM:
        yield event


async def _send(request: Request) -> Response:  # noqa: ARG001 - the signature of an endpoint
    return StreamingResponse(_events(), media_type="text/event-stream")


async def _config(request: Request) -> Response:  # noqa: ARG001
    return Response(constants.CONFIG, media_type="application/json")


app = Starlette(
    routes=[
        Route("/v1/apps/{app_id}/conversations/{conversation_id}", _send, methods=["POST"]),
        Route("/v1/apps/{app_id}/config", _config, methods=["GET"]),
    ]
)
