"""Paths: split first, decoded once, and what leads nowhere is 404."""

from __future__ import annotations

from sandbox.conformance import expect
from sandbox.conformance.check import check
from sandbox.conformance.target import BODIES, Op, Target

# Paths that lead nowhere: of the base path, the app's, that of its config.
NOWHERE = (
    "{base}/nowhere",
    "{config}/",
    "{config}/more",
    "{app}/conversations/",
    "{app}/users//conversations",
    "{app}/users/%FF/conversations",
    "{app}/users/%ED%A0%80/conversations",
    "{base}/apps//config",
    "{base}/apps/app%20x/config",
    f"{{base}}/apps/{'a' * 129}/config",
    "{app}%2Fconfig",
)


@check("PATH-1", "D", "4.5", writes=False, cases=NOWHERE)
def nowhere_is_404(server: Target, template: str) -> None:
    """A path that leads nowhere (a trailing slash, an empty segment, invalid UTF-8) is 404 `not_found`, never a
    redirect."""
    config = server.path(Op.CONFIG)
    path = template.format(base=server.base, app=config.removesuffix("/config"), config=config)
    expect.error(server.raw("GET", path), 404, "not_found")


@check("PATH-2", "D", "4.5", writes=False)
def segments_are_decoded_once(server: Target) -> None:
    """Each segment of a path is decoded once: percent-encoded letters of an app's id are the same app."""
    encoded = "".join(f"%{byte:02X}" for byte in server.app.encode())
    answer = expect.ok(server.raw("GET", f"{server.base}/apps/{encoded}/config"))
    expect.field(answer, "app_id", server.app)
    twice = encoded.replace("%", "%25")
    expect.error(server.raw("GET", f"{server.base}/apps/{twice}/config"), 404, "not_found")


@check("PATH-3", "V", "4.11", writes=False)
def an_unknown_conversation_cannot_be_read(server: Target) -> None:
    """A conversation that doesn't exist is 404 `not_found` to read."""
    expect.error(server.ask(Op.GET), 404, "not_found")


@check("PATH-4", "V", "4.11", cases=(Op.UPDATE, Op.DELETE, Op.SEND))
def an_unknown_conversation_cannot_be_changed(server: Target, op: Op) -> None:
    """A conversation that doesn't exist is 404 `not_found` to update, to delete and to send a message to."""
    expect.error(server.ask(op, body=BODIES.get(op)), 404, "not_found")


def impossible_ids(server: Target) -> tuple[str, ...]:
    """Return ids that no conversation has; some are close to one that exists."""
    sample_id = server.samples()[0].id
    near = (sample_id.upper(), sample_id.replace("-", ""), f"{sample_id} ")
    return ("x", "-1", "null", " ", "/", "\x00", "😀", "a" * 5_000, *near)


@check("PATH-5", "D", "4.5", cases=impossible_ids)
def impossible_ids_are_404(server: Target, conversation: str) -> None:
    """An id that no conversation can have is 404, whatever it is made of, and ids are taken to the letter."""
    expect.error(server.ask(Op.GET, conversation=conversation), 404, "not_found")
