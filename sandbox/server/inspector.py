"""Serves the inspector: a page and its modules, from a table made at start. It knows nothing of what they do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from sandbox.folders import names_below

Endpoint = Callable[[Request], Awaitable[Response]]

HOME = "/_sandbox/"
# The Apps API's document, where reading it leaves no trace in the journal.
CONTRACT = "/_sandbox/contract.json"

_FOLDER = Path(__file__).resolve().parent.parent / "inspector"
_SHELL = "index.html"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    # The files of another version have the same names.
    "cache-control": "no-cache",
}


def paths() -> tuple[str, ...]:
    """Return where the page's files are: the shell is public and empty."""
    return (CONTRACT, *(HOME + name for name in _files()))


def routes(index: Endpoint, contract: Callable[[], bytes]) -> list[BaseRoute]:
    """Return the routes of the page; where a browser would get it, a program gets `index`."""
    return [
        Route(HOME, _page_or(index)),
        Route("/docs", _elsewhere(f"{HOME}#/contract")),
        Shelf({CONTRACT: (contract, "application/json")} | {HOME + name: kept for name, kept in _files().items()}),
    ]


class Shelf(BaseRoute):
    """Files by their paths, with their media types; a route for each would take longer to make than all others."""

    def __init__(self, files: Mapping[str, tuple[Callable[[], bytes], str]]) -> None:
        self._files = files

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether there is such a file."""
        if scope["type"] != "http" or scope["path"] not in self._files or scope["method"] not in ("GET", "HEAD"):
            return Match.NONE, {}
        return Match.FULL, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the file."""
        content, media_type = self._files[scope["path"]]
        await Response(content(), media_type=media_type, headers=_HEADERS)(scope, receive, send)


@cache
def _files() -> Mapping[str, tuple[Callable[[], bytes], str]]:
    """Return what reads each file, by its path in the folder, with its media type."""
    types = {name: _TYPES.get(name[name.rfind(".") :]) for name in names_below(_FOLDER)}
    return {name: ((_FOLDER / name).read_bytes, kind) for name, kind in types.items() if kind}


def _page_or(index: Endpoint) -> Endpoint:
    shell = (_FOLDER / _SHELL).read_bytes()

    async def answer(request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return Response(shell, media_type="text/html", headers={**_HEADERS, "vary": "Accept"})
        return await index(request)

    return answer


def _elsewhere(place: str) -> Endpoint:
    async def answer(request: Request) -> Response:  # noqa: ARG001 - the signature of an endpoint
        return RedirectResponse(place, 302, {"x-content-type-options": "nosniff"})

    return answer
