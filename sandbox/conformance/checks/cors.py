"""CORS: pages on this machine may read every answer, strangers' pages none. All of it is the sandbox's decision."""

from __future__ import annotations

from sandbox.conformance import expect
from sandbox.conformance.check import check
from sandbox.conformance.http_messages import ApiResponse
from sandbox.conformance.target import Op, Target

LOCAL = (
    "http://localhost:3000",
    "http://127.0.0.1:5173",
    "https://localhost",
    "http://[::1]:8080",
    "http://app.localhost",
)
STRANGERS = ("https://example.com", "http://localhost.example.com", "http://127.0.0.1.example.com", "null")
EXPOSED = {"retry-after", "sandbox-request-id", "www-authenticate", "allow"}


def expect_allowed(answer: ApiResponse, origin: str) -> None:
    """Hold an answer to naming the origin of a page."""
    expect.equal(answer.header("access-control-allow-origin"), origin, "Access-Control-Allow-Origin", answer)


def expect_readable(answer: ApiResponse, origin: str) -> None:
    """Hold an answer to what a browser needs to hand it to a page."""
    expect_allowed(answer, origin)
    exposed = {name.lower() for name in answer.header_values("access-control-expose-headers")}
    what = "Access-Control-Expose-Headers with all four"
    expect.that(exposed >= EXPOSED, what, answer, value=sorted(exposed))
    vary = {name.lower() for name in answer.header_values("vary")}
    expect.that("origin" in vary, "Vary: Origin", answer, got=answer.header("vary") or "no such header")
    credentials = answer.header("access-control-allow-credentials")
    expect.that(credentials is None, "no Access-Control-Allow-Credentials", answer, got=credentials)


@check("CORS-1", "D", "4.9", writes=False, cases=LOCAL)
def local_pages_may_read(server: Target, origin: str) -> None:
    """A page of a loopback origin, on any port, may read every answer, errors included, without credentials."""
    headers = {"Origin": origin}
    expect_readable(server.ask(Op.CONFIG, headers=headers), origin)
    expect_readable(server.ask(Op.GET, headers=headers), origin)
    expect_readable(server.ask(Op.CONFIG, headers=headers, key=None), origin)
    expect_readable(server.raw("GET", server.base + "/nowhere", headers=headers), origin)


@check("CORS-2", "D", "4.9", cases=((Op.SEND, False), (Op.SEND, True), (Op.COMPLETE, True)))
def local_pages_may_read_what_is_said(server: Target, op: Op, stream: bool) -> None:
    """A page of a loopback origin may read replies and completions too, and streams of both."""
    body = {"message": {"content": "[[echo]] x"}} if op == Op.SEND else {"prompt": "[[echo]] x"}
    sample_id, headers = server.samples()[0].id, {"Origin": LOCAL[0]}
    answer = expect.ok(server.ask(op, conversation=sample_id, body={**body, "stream": stream}, headers=headers))
    expect_readable(answer, LOCAL[0])


@check("CORS-3", "D", "4.9", writes=False, cases=STRANGERS)
def strangers_may_not(server: Target, origin: str) -> None:
    """A stranger's page may read nothing."""
    answer = server.ask(Op.CONFIG, headers={"Origin": origin})
    allowed = answer.header("access-control-allow-origin")
    expect.that(allowed is None, f"no Access-Control-Allow-Origin for {origin}", answer, got=allowed)


@check("CORS-4", "D", "4.9", writes=False, cases=tuple(Op))
def preflights_are_answered(server: Target, op: Op) -> None:
    """A preflight of a loopback origin needs no key and allows any header, on every path of the contract."""
    method = server.operations[op].method
    headers = {
        "Origin": LOCAL[0],
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization, content-type, x-anything",
    }
    answer = server.raw("OPTIONS", server.path(op), headers=headers, key=None)
    expect.that(answer.is_good, "a 2xx", answer)
    expect_allowed(answer, LOCAL[0])
    methods = answer.header_values("access-control-allow-methods")
    expect.that(bool({method, "*"} & {*methods}), f"{method} allowed", answer, value=sorted(methods))
    allowed = {name.lower() for name in answer.header_values("access-control-allow-headers")}
    expect.that("x-anything" in allowed, "any header allowed", answer, value=sorted(allowed))
