"""Messages: what is said is answered, and the same however it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.conformance.caller import CONFIG, GET, SEND
from sandbox.conformance.evidence import good
from sandbox.conformance.law import (
    NotApplicable,
    expect,
    expect_answered,
    expect_equal,
    expect_status,
    expect_type,
    for_each,
    law,
    shown,
)
from sandbox.conformance.laws.grammar import JSON, STREAM, output_of, parts_of, said_by
from sandbox.conformance.subject import AGAIN, DIFFICULT, Reply, Subject


@law("MESSAGE-1", source="V", clause="3.9", operations=(SEND,))
def a_reply_names_its_conversation(server: Subject) -> None:
    """A reply says whose it is: `resp_…`, and the conversation's id."""
    first, _ = server.talk()
    expect_status(first.answer, 200)
    answer = first.answer.object
    expect_equal(answer.get("conversation_id"), first.conversation, "conversation_id", first.created, first.answer)
    expect(
        str(answer.get("id")).startswith("resp_"), "an id resp_…", shown(answer.get("id")), first.created, first.answer
    )


@law("MESSAGE-2", source="V", clause="3.9", operations=(SEND,))
def a_reply_has_output(server: Subject) -> None:
    """A completed reply says or does something."""
    first, _ = server.talk()
    if first.answer.object.get("status", "completed") != "completed":
        raise NotApplicable("the agent's reply failed")
    output = output_of(first.answer)
    expect(len(output) > 0, "output of at least one item", first.answer.summary, first.created, first.answer)
    known = {"message", "function_call", "data_spec"}
    expect({item.get("type") for item in output} <= known, f"items of {sorted(known)}", shown(output), first.answer)


@law("MESSAGE-7", source="D", clause="5.8", operations=(SEND,))
def a_failed_reply_is_empty(server: Subject) -> None:
    """A reply that fails is 200 with `status: failed` and an empty `output`."""
    reply = expect_answered(lambda: server.said("[[fail]]", stream=False))
    expect_equal(reply.answer.object.get("status"), "failed", "status", reply.created, reply.answer)
    expect_equal(reply.answer.object.get("output"), [], "output", reply.created, reply.answer)


@law("MESSAGE-9", source="D", clause="6.3", operations=(SEND, GET))
def a_cut_reply_is_cut_on_the_wire(server: Subject) -> None:
    """A reply that was cut ends short of what its framing promised, and leaves no item of the assistant's."""

    def check(stream: bool) -> None:
        reply = server.said("[[cut]]", stream=stream)
        proof = (reply.created, reply.answer)
        expect(not reply.answer.is_whole, "an abnormal end", "a normal one", *proof)
        if stream:
            names = {event.name for event in reply.events}
            last = names & {"response.completed", "response.failed"}
            expect(not last, "no last event", sorted(last), *proof)
        roles = [item.get("role") for item in reply.new_items]
        expect_equal(roles, ["user"], "roles", *proof, reply.after)

    for_each((False, True), check)


@law("MESSAGE-10", source="D", clause="6.3", operations=(SEND,))
def stream_and_json_say_the_same(server: Subject) -> None:
    """Stream and JSON of the same message hold the same output."""

    def check(message: str) -> None:
        plain, streamed = server.said(message, stream=False), server.said(message, stream=True)
        proof = (plain.created, plain.answer, streamed.created, streamed.answer)
        wanted, came = _kinds(parts_of(plain.answer)), _kinds(parts_of(streamed.answer))
        expect(came == wanted, shown(wanted), shown(came), *proof)
        if message.startswith("[[echo]]"):
            expect(
                said_by(streamed.answer) == said_by(plain.answer), "the same words", said_by(streamed.answer), *proof
            )

    # Two conversations may word the same thing differently: of an echo the words are held, of tools the calls.
    for_each(("[[echo]] " + DIFFICULT, "[[tool]] [[human]]"), check)


@law("MESSAGE-11", source="D", clause="10.3", operations=(SEND,))
def an_echo_is_exact(server: Subject) -> None:
    """`[[echo]]` is answered with exactly what follows the word and one space."""

    def check(stream: bool) -> None:
        reply = server.said("[[echo]] " + DIFFICULT, stream=stream)
        expect_equal(said_by(reply.answer), DIFFICULT, "the text", reply.created, reply.answer)

    for_each((False, True), check)


@law("MESSAGE-15", source="V", clause="6.1", operations=(SEND, CONFIG))
def the_apps_setting_decides(server: Subject) -> None:
    """Without `stream`, or with null, the app's setting decides, which its config shows."""
    config = good(server.ask(CONFIG))
    wanted = STREAM if config.object.get("stream") is True else JSON

    def check(more: dict[str, None]) -> None:
        reply = server.said(AGAIN, **more)
        expect_type(reply.answer, wanted, reply.created, config)

    for_each(({}, {"stream": None}), check)


@law("MESSAGE-16", source="V", clause="6.1", operations=(SEND,))
def the_flag_decides(server: Subject) -> None:
    """`stream: true` is answered by `text/event-stream`, `stream: false` by `application/json`."""

    def check(case: tuple[Reply, str]) -> None:
        reply, wanted = case
        expect_type(reply.answer, wanted, reply.created)

    for_each(((server.streamed(), STREAM), (server.talk()[0], JSON)), check)


def _kinds(parts: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    return [(part["type"], part.get("toolName"), sorted(part.get("input") or {})) for part in parts]
