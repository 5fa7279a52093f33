"""(b) A bare Starlette route with constant JSON: the least that a server of this kind costs."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.servers import constants


async def _create(request: Request) -> Response:  # noqa: ARG001 - the signature of an endpoint
    return Response(constants.CONVERSATION, media_type="application/json")


async def _list(request: Request) -> Response:  # noqa: ARG001
    return Response(constants.LIST, media_type="application/json")


async def _get(request: Request) -> Response:  # noqa: ARG001
    return Response(constants.DETAIL, media_type="application/json")


async def _send(request: Request) -> Response:  # noqa: ARG001
    return Response(constants.RESPONSE, media_type="application/json")


async def _config(request: Request) -> Response:  # noqa: ARG001
    return Response(constants.CONFIG, media_type="application/json")


_ALL, _ONE = "/v1/apps/{app_id}/conversations", "/v1/apps/{app_id}/conversations/{conversation_id}"

app = Starlette(
    routes=[
        Route(_ALL, _create, methods=["POST"]),
        Route(_ALL, _list, methods=["GET"]),
        Route(_ONE, _get, methods=["GET"]),
        Route(_ONE, _send, methods=["POST"]),
        Route("/v1/apps/{app_id}/config", _config, methods=["GET"]),
    ]
)
