"""What is served beside the API: the index, the contract as a document and as files, and the inspector."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from html import escape
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Match, Route

from sandbox import magic
from sandbox.contract import Contract
from sandbox.errors import MethodNotAllowed
from sandbox.server import inspector
from sandbox.server.context import RequestContext

HEALTH = "/_sandbox/health"

# What is no command to a shell and no tag to a browser.
_HOST = re.compile(r"([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_HEADERS = {"x-content-type-options": "nosniff"}
_CSP = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 56rem; margin: 2rem auto; padding: 0 1rem }
pre { padding: .8rem 1rem; background: color-mix(in srgb, currentColor 8%, transparent); overflow-x: auto }
table { border-collapse: collapse } td { padding: .2rem 1.5rem .2rem 0; vertical-align: top }
small { font-weight: normal; opacity: .7 }
"""

Endpoint = Callable[[Request], Awaitable[Response]]


class About(NamedTuple):
    """What the index says of the server."""

    version: str
    store: str


class Pages:
    """What is served beside the APIs, by Starlette's routes.

    Args:
        contract: the Apps API's.
        control: returns the control API's, which is read when something of it is asked for.
        about: what the index says of the server.
    """

    def __init__(self, contract: Contract, control: Callable[[], Contract], about: About) -> None:
        home = _index_endpoint(build_index(contract, about))
        self._routes: list[BaseRoute] = [
            Route("/", home),
            Route("/openapi.json", _document_endpoint(lambda: contract)),
            Route("/openapi-3.2.json", _document_endpoint(lambda: contract, "3.2.0")),
            Route("/_sandbox/openapi.json", _document_endpoint(control)),
            Route("/schemas/control/{file:path}", _files_endpoint(lambda: control().files)),
            Route("/schemas/{file:path}", _files_endpoint(lambda: contract.files)),
            *inspector.routes(home, lambda: contract.document("3.1.0")),
        ]

    async def answer(self, ctx: RequestContext) -> bool:
        """Answer a request for a page; say whether there is such a page.

        Raises:
            MethodNotAllowed: it has another method than the page takes.
        """
        for route in self._routes:
            match, child_scope = route.matches(ctx.scope)
            if match is Match.PARTIAL and isinstance(route, Route):
                raise MethodNotAllowed(ctx.scope["method"], tuple(sorted(route.methods or ())))
            if match is Match.FULL:
                ctx.scope.update(child_scope)
                try:
                    await route.handle(ctx.scope, ctx.receive, ctx.send_unfaulted)
                except HTTPException:
                    return False
                return True
        return False


def build_index(contract: Contract, about: About) -> dict[str, Any]:
    """Return what is where on this server."""
    return {
        "name": "Dimedove Sandbox",
        "version": about.version,
        "api": "/v1",
        "contract": "/openapi.json",
        "contract_3_2": "/openapi-3.2.json",
        "schemas": "/schemas/openapi.json",
        "health": HEALTH,
        "try": {"app_id": magic.DEMO_APP, "api_key": "sk_test_demo"},
        "operations": {op.id: f"{op.method} {op.path}" for op in contract.operations},
        "magic": {"keys": dict(magic.KEYS), "apps": dict(magic.APPS), "words": dict(magic.WORDS)},
    }


def _document_endpoint(contract: Callable[[], Contract], version: str = "3.1.0") -> Endpoint:
    """Return what serves a contract as one OpenAPI document, whose server is the one that was asked."""

    async def document(request: Request) -> Response:
        host = _host(request)
        body = contract().document(version, f"{request.url.scheme}://{host}" if host else "")
        return Response(body, media_type="application/json", headers=_HEADERS)

    return document


def _host(request: Request) -> str | None:
    """Return the server's name and port as the client wrote them; None where that is no address."""
    host = request.headers.get("host", "")
    return host if _HOST.fullmatch(host) else None


def _files_endpoint(files: Callable[[], Mapping[str, bytes]]) -> Endpoint:
    async def file(request: Request) -> Response:
        body = files().get(request.path_params["file"])
        if body is None:
            raise HTTPException(404)
        return Response(body, media_type="application/schema+json", headers=_HEADERS)

    return file


def _index_endpoint(value: Mapping[str, Any]) -> Endpoint:
    before, after = _page(value)

    async def index(request: Request) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse(dict(value), headers={**_HEADERS, "vary": "Accept"})
        # The command is to be pasted: with the address under which this page was reached.
        page = f"{before}{request.url.scheme}://{_host(request) or 'HOST'}{after}"
        return HTMLResponse(page, headers={**_HEADERS, "content-security-policy": _CSP, "vary": "Accept"})

    return index


def _page(value: Mapping[str, Any]) -> tuple[str, str]:
    """Return what stands before and behind the server's own address, in the page's one command."""
    operations = _table(value["operations"])
    tables = "".join(f"<h3>{title.capitalize()}</h3>{_table(rows)}" for title, rows in value["magic"].items())
    example = value["try"]
    curl = f"curl -H 'Authorization: Bearer {example['api_key']}' HOST/v1/apps/{example['app_id']}/conversations"
    before, _, after = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Dimedove Sandbox</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{_STYLE}</style>
<h1>Dimedove Sandbox <small>{escape(value["version"])}</small></h1>
<p>A local stand-in for the Dimedove Apps API. Nothing here is real; nothing leaves this machine.</p>
<pre>{escape(curl)}</pre>
<p><a href="/_sandbox/">Inspector</a> · <a href="/openapi.json">Contract</a> (<a href="/openapi-3.2.json">for
OpenAPI 3.2</a>) · <a href="/schemas/openapi.json">Schemas</a> · <a href="{HEALTH}">Health</a></p>
<h2>Operations</h2>{operations}
<h2>Values that always behave the same way</h2>{tables}
</html>""".partition("HOST")
    return before, after


def _table(rows: Mapping[str, str]) -> str:
    cells = "".join(f"<tr><td><code>{escape(key)}</code><td>{escape(text)}" for key, text in rows.items())
    return f"<table>{cells}</table>"
