"""The control API in the hands of a page of another origin, as a real browser lets it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.processes import Server, serving

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

TOKEN = "a-token-for-pages"
CALLS = """async ([url, token]) => {
  const asked = [
    ["GET", "/apps"], ["PATCH", "/apps/app_page", { stream: true }], ["PUT", "/apps/app_page/clock", { now: 5 }],
    ["POST", "/apps/app_page/faults", { kind: "reset" }], ["DELETE", "/apps/app_page/faults"], ["POST", "/reset"],
    ["GET", "/nothing"], ["PATCH", "/apps/app_page", { steam: 1 }],
  ];
  const call = async (headers, [method, path, body]) => {
    const sent = { method, headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(body) };
    try { return (await fetch(`${url}/_sandbox${path}`, sent)).status; } catch (error) { return error.name; }
  };
  const statuses = [];
  for (const one of asked) statuses.push(await call({ Authorization: `Bearer ${token}` }, one));
  return [...statuses, await call({}, asked[0])];
}"""
FIRST_EVENT = """async ([url, token]) => {
  const answer = await fetch(`${url}/_sandbox/events`, { headers: { Authorization: `Bearer ${token}` } });
  const reader = answer.body.getReader();
  const first = new TextDecoder().decode((await reader.read()).value);
  await reader.cancel();
  return first;
}"""


@pytest.fixture(scope="module")
def site() -> Iterator[int]:
    """A site of one empty page; return its port."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def guarded(site: int) -> Iterator[Server]:
    """A server that lets pages of the site in, by one of its names."""
    flags = ("--quiet", "--control-origin", f"HTTP://*.Localhost:{site}/")
    with serving(*flags, env={"DIMEDOVE_SANDBOX_CONTROL_TOKEN": TOKEN}) as running:
        yield running


def evaluate(context: BrowserContext, page_url: str, script: str, server: Server) -> Any:
    page = context.new_page()
    page.goto(page_url)
    return page.evaluate(script, [server.url, TOKEN])


def test_a_page_that_is_let_in_makes_every_call_and_reads_every_answer(
    context: BrowserContext, site: int, guarded: Server
) -> None:
    statuses = evaluate(context, f"http://app.localhost:{site}/", CALLS, guarded)
    assert statuses == [200, 200, 200, 201, 204, 204, 404, 422, 401]


def test_it_hears_events(context: BrowserContext, site: int, guarded: Server) -> None:
    assert evaluate(context, f"http://app.localhost:{site}/", FIRST_EVENT, guarded) == ": listening\n\n"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_page_of_another_origin_is_told_nothing(
    context: BrowserContext, site: int, guarded: Server, host: str
) -> None:
    assert evaluate(context, f"http://{host}:{site}/", CALLS, guarded) == ["TypeError"] * 9
