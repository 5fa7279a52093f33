"""Paths: split first, decoded once, and what leads nowhere is 404."""

from __future__ import annotations

from sandbox.conformance.check import check, expect_equal, expect_error, expect_status, for_each
from sandbox.conformance.http_messages import id_of
from sandbox.conformance.target import BODIES, CONFIG, DELETE, GET, SEND, UPDATE, Target


@check("PATH-1", source="D", clause="4.5", writes=False)
def nowhere_is_404(server: Target) -> None:
    """A path that leads nowhere (a trailing slash, an empty segment, invalid UTF-8) is 404 `not_found`, never a
    redirect."""
    config, app = server.path(CONFIG), server.path(CONFIG).removesuffix("/config")
    nowhere = (
        server.base + "/nowhere",
        f"{config}/",
        f"{config}/more",
        f"{app}/conversations/",
        f"{app}/users//conversations",
        f"{app}/users/%FF/conversations",
        f"{app}/users/%ED%A0%80/conversations",
        f"{server.base}/apps//config",
        f"{server.base}/apps/app%20x/config",
        f"{server.base}/apps/{'a' * 129}/config",
        f"{app}%2Fconfig",
    )
    for_each(nowhere, lambda path: expect_error(server.raw("GET", path), 404, "not_found"))


@check("PATH-2", source="D", clause="4.5", writes=False)
def segments_are_decoded_once(server: Target) -> None:
    """Each segment of a path is decoded once: percent-encoded letters of an app's id are the same app."""
    encoded = "".join(f"%{byte:02X}" for byte in server.app.encode())
    answer = server.raw("GET", f"{server.base}/apps/{encoded}/config")
    expect_status(answer, 200)
    expect_equal(answer.object.get("app_id"), server.app, "app_id", answer)
    twice = encoded.replace("%", "%25")
    expect_error(server.raw("GET", f"{server.base}/apps/{twice}/config"), 404, "not_found")


@check("PATH-3", source="V", clause="4.11", writes=False)
def an_unknown_conversation_cannot_be_read(server: Target) -> None:
    """A conversation that doesn't exist is 404 `not_found` to read."""
    expect_error(server.ask(GET), 404, "not_found")


@check("PATH-4", source="V", clause="4.11")
def an_unknown_conversation_cannot_be_changed(server: Target) -> None:
    """A conversation that doesn't exist is 404 `not_found` to update, to delete and to send a message to."""
    for_each(
        (UPDATE, DELETE, SEND),
        lambda operation: expect_error(server.ask(operation, body=BODIES.get(operation)), 404, "not_found"),
    )


@check("PATH-5", source="D", clause="4.5")
def impossible_ids_are_404(server: Target) -> None:
    """An id that no conversation can have is 404, whatever it is made of, and ids are taken to the letter."""
    one = id_of(server.samples()[0])
    for_each(
        ("x", "-1", "null", " ", "/", "\x00", "😀", "a" * 5_000, one.upper(), one.replace("-", ""), f"{one} "),
        lambda name: expect_error(server.ask(GET, conversation=name), 404, "not_found"),
    )
