"""CORS: pages on this machine may read every answer, strangers' pages none. All of it is the sandbox's decision."""

from __future__ import annotations

from sandbox.conformance.check import check, expect, expect_equal, expect_status, for_each
from sandbox.conformance.http_messages import ApiResponse, id_of
from sandbox.conformance.target import ALL, COMPLETE, CONFIG, GET, SEND, Target

LOCAL = (
    "http://localhost:3000",
    "http://127.0.0.1:5173",
    "https://localhost",
    "http://[::1]:8080",
    "http://app.localhost",
)
EXPOSED = {"retry-after", "sandbox-request-id", "www-authenticate", "allow"}


def expect_readable(answer: ApiResponse, origin: str) -> None:
    """Hold an answer to what a browser needs to hand it to a page."""
    expect_equal(answer.header("access-control-allow-origin"), origin, "Access-Control-Allow-Origin", answer)
    exposed = {name.strip().lower() for name in (answer.header("access-control-expose-headers") or "").split(",")}
    expect(exposed >= EXPOSED, "Access-Control-Expose-Headers with all four", sorted(exposed), answer)
    vary = {name.strip().lower() for name in (answer.header("vary") or "").split(",")}
    expect("origin" in vary, "Vary: Origin", answer.header("vary") or "no such header", answer)
    credentials = answer.header("access-control-allow-credentials")
    expect(credentials is None, "no Access-Control-Allow-Credentials", credentials or "", answer)


@check("CORS-1", source="D", clause="4.9", writes=False, cases=LOCAL)
def local_pages_may_read(server: Target, origin: str) -> None:
    """A page of a loopback origin, on any port, may read every answer, errors included, without credentials."""
    headers = {"Origin": origin}
    expect_readable(server.ask(CONFIG, headers=headers), origin)
    expect_readable(server.ask(GET, headers=headers), origin)
    expect_readable(server.ask(CONFIG, headers=headers, key=None), origin)
    expect_readable(server.raw("GET", server.base + "/nowhere", headers=headers), origin)


@check("CORS-2", source="D", clause="4.9")
def local_pages_may_read_what_is_said(server: Target) -> None:
    """A page of a loopback origin may read replies and completions too, and streams of both."""
    one = id_of(server.samples()[0])

    def verify(case: tuple[str, bool]) -> None:
        operation, stream = case
        body = {"message": {"content": "[[echo]] x"}} if operation == SEND else {"prompt": "[[echo]] x"}
        headers = {"Origin": LOCAL[0]}
        answer = server.ask(operation, conversation=one, body={**body, "stream": stream}, headers=headers)
        expect_status(answer, 200)
        expect_readable(answer, LOCAL[0])

    for_each(((SEND, False), (SEND, True), (COMPLETE, True)), verify)


@check(
    "CORS-3",
    source="D",
    clause="4.9",
    writes=False,
    cases=("https://example.com", "http://localhost.example.com", "http://127.0.0.1.example.com", "null"),
)
def strangers_may_not(server: Target, origin: str) -> None:
    """A stranger's page may read nothing."""
    answer = server.ask(CONFIG, headers={"Origin": origin})
    said = answer.header("access-control-allow-origin")
    expect(said is None, f"no Access-Control-Allow-Origin for {origin}", said or "", answer)


@check("CORS-4", source="D", clause="4.9", writes=False, cases=ALL)
def preflights_are_answered(server: Target, operation: str) -> None:
    """A preflight of a loopback origin needs no key and allows any header, on every path of the contract."""
    method = server.operations[operation].method
    headers = {
        "Origin": LOCAL[0],
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization, content-type, x-anything",
    }
    answer = server.raw("OPTIONS", server.path(operation), headers=headers, key=None)
    expect(answer.is_good, "a 2xx", answer.summary, answer)
    expect_equal(answer.header("access-control-allow-origin"), LOCAL[0], "Access-Control-Allow-Origin", answer)
    methods = {name.strip() for name in (answer.header("access-control-allow-methods") or "").split(",")}
    expect(method in methods or "*" in methods, f"{method} allowed", sorted(methods), answer)
    allowed = {name.strip().lower() for name in (answer.header("access-control-allow-headers") or "").split(",")}
    expect("x-anything" in allowed, "any header allowed", sorted(allowed), answer)
