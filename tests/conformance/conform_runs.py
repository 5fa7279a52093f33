"""Servers for the command to check, and the command run in this process as a person would run it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox import Settings, create_app
from sandbox.cli import main
from tests.conformance.breaks import Break, broken, nothing
from tests.conformance.wire import Answer, Ask, Request, pass_on, read
from tests.support.constants import NOW
from tests.support.running import running


@dataclass(frozen=True)
class Said:
    """What a run of the command came to: its exit code, what it wrote to both outputs."""

    code: int
    out: str
    err: str


def ours(by: Break = nothing) -> ASGIApp:
    """Return a fresh application of ours, broken in one way."""
    return broken(create_app(Settings(now=NOW)), by)


def overheard(*words: str) -> tuple[Said, list[Request]]:
    """Run `conform` with these words against a fresh server of ours; return what it heard too."""
    requests: list[Request] = []
    app = create_app(Settings(now=NOW))

    async def overheard_app(scope: Scope, receive: Receive, send: Send) -> None:
        requests.append(await read(scope, receive))
        await pass_on(app, scope, requests[-1], send)

    out, err = io.StringIO(), io.StringIO()
    with running(overheard_app) as origin, redirect_stdout(out), redirect_stderr(err):
        code = main(["conform", origin, *words], {})
    return Said(code, out.getvalue(), err.getvalue()), requests


def conform(capsys: pytest.CaptureFixture[str], *words: str, env: Mapping[str, str] | None = None) -> Said:
    """Run `conform` with these words."""
    capsys.readouterr()
    code = main(["conform", *words], env or {})
    out, err = capsys.readouterr()
    return Said(code, out, err)


class Foreign:
    """A server that doesn't say that it is the sandbox, and remembers all that it hears."""

    def __init__(self, by: Break = nothing) -> None:
        self.heard: list[Request] = []
        self._by = by

    async def __call__(self, request: Request, ask: Ask) -> Answer:
        self.heard.append(request)
        if request.path.startswith("/_sandbox"):
            return Answer(404, ((b"content-type", b"text/plain"),), b"Not Found")
        return await self._by(request, ask)

    def of(self, *methods: str) -> list[Request]:
        """Return the requests of these methods."""
        return [request for request in self.heard if request.method in methods]
