"""Serves the inspector: a page and its modules. It knows nothing of what they do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.staticfiles import NotModifiedResponse, PathLike, StaticFiles
from starlette.types import Receive, Scope, Send

from sandbox.contract.document import list_files

Endpoint = Callable[[Request], Awaitable[Response]]

HOME = "/_sandbox/"
# The Apps API's document, where reading it leaves no trace in the journal.
CONTRACT = "/_sandbox/contract.json"

_FOLDER = Path(__file__).resolve().parent.parent / "inspector"
_PAGE = "index.html"
_MEDIA_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
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
    """Return where the page's files are: the page is public and empty."""
    return (CONTRACT, *_file_paths())


def routes(index: Endpoint, contract: Callable[[], bytes]) -> list[BaseRoute]:
    """Return the routes of the page; where a browser would get it, a program gets `index`."""
    files = _Files(directory=_FOLDER)

    async def home(request: Request) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            return await index(request)
        response = await files.get_response(_PAGE, request.scope)
        response.headers["vary"] = "Accept"
        return response

    async def document(request: Request) -> Response:  # noqa: ARG001 - the signature of an endpoint
        return Response(contract(), media_type="application/json", headers=_HEADERS)

    async def docs(request: Request) -> Response:  # noqa: ARG001
        return RedirectResponse(f"{HOME}#/contract", 302, {"x-content-type-options": "nosniff"})

    return [Route(HOME, home), Route("/docs", docs), Route(CONTRACT, document), files]


class _Files(StaticFiles, BaseRoute):
    """The files by their paths: one route for all, which leaves every other path to the control API."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether there is such a file."""
        is_file = scope["type"] == "http" and scope["path"] in _file_paths() and scope["method"] in ("GET", "HEAD")
        return (Match.FULL if is_file else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the file."""
        await self(scope, receive, send)

    def get_path(self, scope: Scope) -> str:
        """Return the place of a file in the folder."""
        return str(scope["path"]).removeprefix(HOME)

    def file_response(self, full_path: PathLike, stat_result: Any, scope: Scope, status_code: int = 200) -> Response:
        """Return a file with the page's headers and a media type that doesn't depend on the machine's tables."""
        media_type = _MEDIA_TYPES[Path(full_path).suffix]
        response = FileResponse(full_path, status_code, _HEADERS, media_type, stat_result=stat_result)
        if self.is_not_modified(response.headers, Headers(scope=scope)):
            return NotModifiedResponse(response.headers)
        return response


@cache
def _file_paths() -> frozenset[str]:
    names = (name for name in list_files(_FOLDER) if name != _PAGE)
    return frozenset(HOME + name for name in names if name[name.rfind(".") :] in _MEDIA_TYPES)
