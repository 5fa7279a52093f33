"""Messages: each is answered, the same however it is asked for, and the history keeps both sides in order."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.conformance.check import (
    NotApplicable,
    check,
    expect,
    expect_answered,
    expect_equal,
    expect_error,
    expect_no_growth,
    expect_status,
    expect_type,
    for_each,
    format_value,
)
from sandbox.conformance.checks.grammar import JSON, STREAM, output_of, parts_of, text_of_reply, well_formed
from sandbox.conformance.http_messages import good, id_of, ids_of, items_of, texts_of
from sandbox.conformance.target import AGAIN, CONFIG, DIFFICULT, HELLO, METRICS, SEND, SentMessage, Target


@check("MESSAGE-1", source="V", clause="3.9")
def a_reply_names_its_conversation(server: Target) -> None:
    """A reply says whose it is: `resp_…`, and the conversation's id."""
    first, _ = server.two_messages()
    expect_status(first.answer, 200)
    answer = first.answer.object
    expect_equal(answer.get("conversation_id"), first.conversation, "conversation_id", first.created, first.answer)
    expect(
        str(answer.get("id")).startswith("resp_"),
        "an id resp_…",
        format_value(answer.get("id")),
        first.created,
        first.answer,
    )


@check("MESSAGE-2", source="V", clause="3.9")
def a_reply_has_output(server: Target) -> None:
    """A completed reply says or does something."""
    first, _ = server.two_messages()
    if first.answer.object.get("status", "completed") != "completed":
        raise NotApplicable("the agent's reply failed")
    output = output_of(first.answer)
    expect(len(output) > 0, "output of at least one item", first.answer.summary, first.created, first.answer)
    known = {"message", "function_call", "data_spec"}
    expect(
        {item.get("type") for item in output} <= known, f"items of {sorted(known)}", format_value(output), first.answer
    )


@check("MESSAGE-7", source="D", clause="5.8")
def a_failed_reply_is_empty(server: Target) -> None:
    """A reply that fails is 200 with `status: failed` and an empty `output`."""
    reply = expect_answered(lambda: server.reply_to("[[fail]]", stream=False))
    expect_equal(reply.answer.object.get("status"), "failed", "status", reply.created, reply.answer)
    expect_equal(reply.answer.object.get("output"), [], "output", reply.created, reply.answer)


@check("MESSAGE-9", source="D", clause="6.3", cases=(False, True))
def a_cut_reply_is_cut_on_the_wire(server: Target, stream: bool) -> None:
    """A reply that was cut ends short of what its framing promised, and leaves no item of the assistant's."""
    reply = server.reply_to("[[cut]]", stream=stream)
    proof = (reply.created, reply.answer)
    expect(not reply.answer.is_whole, "an abnormal end", "a normal one", *proof)
    if stream:
        names = {event.name for event in reply.events}
        last = names & {"response.completed", "response.failed"}
        expect(not last, "no last event", sorted(last), *proof)
    roles = [item.get("role") for item in reply.new_items]
    expect_equal(roles, ["user"], "roles", *proof, reply.after)


@check("MESSAGE-10", source="D", clause="6.3", cases=("[[echo]] " + DIFFICULT, "[[tool]] [[human]]"))
def stream_and_json_say_the_same(server: Target, message: str) -> None:
    """Stream and JSON of the same message hold the same output."""
    # Two conversations may word the same thing differently: of an echo the words are held, of tools the calls.
    plain, streamed = server.reply_to(message, stream=False), server.reply_to(message, stream=True)
    proof = (plain.created, plain.answer, streamed.created, streamed.answer)
    wanted, came = _kinds(parts_of(plain.answer)), _kinds(parts_of(streamed.answer))
    expect(came == wanted, format_value(wanted), format_value(came), *proof)
    if message.startswith("[[echo]]"):
        expect(
            text_of_reply(streamed.answer) == text_of_reply(plain.answer),
            "the same words",
            text_of_reply(streamed.answer),
            *proof,
        )


@check("MESSAGE-11", source="D", clause="10.3", cases=(False, True))
def an_echo_is_exact(server: Target, stream: bool) -> None:
    """`[[echo]]` is answered with exactly what follows the word and one space."""
    reply = server.reply_to("[[echo]] " + DIFFICULT, stream=stream)
    expect_equal(text_of_reply(reply.answer), DIFFICULT, "the text", reply.created, reply.answer)


@check("MESSAGE-15", source="V", clause="6.1")
def the_apps_setting_decides(server: Target) -> None:
    """Without `stream`, or with null, the app's setting decides, which its config shows."""
    config = good(server.ask(CONFIG))
    wanted = STREAM if config.object.get("stream") is True else JSON

    def verify(more: dict[str, None]) -> None:
        reply = server.reply_to(AGAIN, **more)
        expect_type(reply.answer, wanted, reply.created, config)

    for_each(({}, {"stream": None}), verify)


@check("MESSAGE-16", source="V", clause="6.1")
def the_flag_decides(server: Target) -> None:
    """`stream: true` is answered by `text/event-stream`, `stream: false` by `application/json`."""

    def verify(case: tuple[SentMessage, str]) -> None:
        reply, wanted = case
        expect_type(reply.answer, wanted, reply.created)

    for_each(((server.streamed(), STREAM), (server.two_messages()[0], JSON)), verify)


def _kinds(parts: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    return [(part["type"], part.get("toolName"), sorted(part.get("input") or {})) for part in parts]


@check("MESSAGE-3", source="V", clause="3.4")
def the_users_words_are_kept(server: Target) -> None:
    """What the user says is in the history, to the letter, as an item of the user's."""

    def verify(reply: SentMessage) -> None:
        said = [texts_of(item) for item in items_of(reply.after) if item.get("role") == "user"]
        message = json.loads(reply.answer.request.body or b"{}")["message"]["content"]
        expect(
            message in said,
            f"an item of the user's with {message!r}",
            format_value(said),
            reply.created,
            reply.answer,
            reply.after,
        )

    for_each((server.two_messages()[0], server.streamed(), server.reply_to(DIFFICULT, stream=False)), verify)


@check("MESSAGE-4", source="V", clause="3.4")
def the_reply_is_kept(server: Target) -> None:
    """The history has the reply too, as an item of the assistant's with the same words, whether JSON or streamed."""

    def verify(reply: SentMessage) -> None:
        wanted = text_of_reply(reply.answer)
        kept = [texts_of(item) for item in items_of(reply.after) if item.get("role") == "assistant"]
        proof = (reply.created, reply.answer, reply.after)
        expect(
            any(wanted in text for text in kept),
            f"an item of the assistant's with {wanted!r}",
            format_value(kept),
            *proof,
        )

    for_each((server.two_messages()[0], server.streamed()), verify)


@check("MESSAGE-5", source="D", clause="5.8")
def exchanges_are_kept_in_order(server: Target) -> None:
    """The history is oldest first, and every exchange adds the user's item and then one of the assistant's."""
    first, second = server.two_messages()
    items = items_of(second.after)
    proof = (first.created, first.answer, second.answer, second.after)
    roles = [item.get("role") for item in items]
    expect_equal(roles, ["user", "assistant", "user", "assistant"], "roles", *proof)
    expect_equal([texts_of(items[0]), texts_of(items[2])], [HELLO, AGAIN], "the user's words", *proof)


@check("MESSAGE-6", source="D", clause="5.8")
def parts_are_the_output(server: Target) -> None:
    """The parts of the assistant's item are the reply's output, one by one, whether JSON or streamed."""

    def verify(reply: SentMessage) -> None:
        proof = (reply.created, reply.answer, reply.after)
        expect_equal([item.get("role") for item in reply.new_items], ["user", "assistant"], "roles", *proof)
        parts = reply.new_items[1].get("parts") or []
        # What a tool gave back is in the history alone.
        kept = [{name: value for name, value in part.items() if name != "output"} for part in parts]
        expect_equal(kept, parts_of(reply.answer), "parts", *proof)

    tools = "[[tool]] [[human]]"
    for_each(
        (
            server.two_messages()[0],
            server.streamed(),
            server.reply_to(tools, stream=False),
            server.reply_to(tools, stream=True),
        ),
        verify,
    )


@check("MESSAGE-8", source="D", clause="5.8", cases=(False, True))
def a_failed_reply_leaves_the_question(server: Target, stream: bool) -> None:
    """A reply that failed leaves no item of the assistant's; the user's message stays."""
    reply = server.reply_to("[[fail]]", stream=stream)
    roles = [item.get("role") for item in reply.new_items]
    expect_equal(roles, ["user"], "roles", reply.created, reply.answer, reply.after)


@check("MESSAGE-12", source="D", clause="5.7")
def ids_are_well_formed(server: Target) -> None:
    """Ids are well-formed: replies `resp_`, items `msg_`, calls `call_`, each with 24 hex digits."""

    def verify(reply: SentMessage) -> None:
        proof = (reply.created, reply.answer, reply.after)
        one = reply.answer.object.get("id")
        expect(well_formed(one, "resp"), "resp_ and 24 hex digits", format_value(one), *proof)
        for item in reply.new_items:
            expect(well_formed(item.get("id"), "msg"), "msg_ and 24 hex digits", format_value(item.get("id")), *proof)
        for part in parts_of(reply.answer):
            call = part.get("toolCallId", "call_" + "0" * 24)
            expect(well_formed(call, "call"), "call_ and 24 hex digits", format_value(call), *proof)

    for_each((server.two_messages()[0], server.reply_to("[[tool]] [[human]]", stream=False)), verify)


@check("MESSAGE-13", source="V", clause="3.4")
def ids_are_unique(server: Target) -> None:
    """No two items, and no two replies, have the same id."""
    first, second = server.two_messages()
    streamed = server.streamed()
    items = [item.get("id") for reply in (second, streamed) for item in items_of(reply.after)]
    expect(
        len(set(map(str, items))) == len(items),
        "different ids of items",
        format_value(items),
        second.after,
        streamed.after,
    )
    replies = [first.answer.object.get("id"), second.answer.object.get("id"), streamed.events[0].data.get("id")]
    proof = (first.created, first.answer, second.answer)
    expect(len(set(map(str, replies))) == len(replies), "different ids of replies", format_value(replies), *proof)


@check("MESSAGE-14", source="V", clause="5.4")
def a_message_moves_nothing(server: Target) -> None:
    """A message doesn't move its conversation in the lists: their order is by creation."""
    first, second = server.two_messages()
    later = good(server.create(external_user_id=server.user("talk")))
    listed = good(server.users_list(server.user("talk")))
    wanted = [id_of(later), first.conversation]
    expect_equal(ids_of(listed)[:2], wanted, "ids", first.created, second.answer, later, listed)


@check("MESSAGE-17", source="D", clause="4.1")
def a_refused_message_leaves_nothing(server: Target) -> None:
    """A refused message leaves nothing: no item, no count."""
    created = good(server.create())
    one, before = id_of(created), good(server.ask(METRICS))
    refused = server.ask(SEND, conversation=one, body={"message": {"content": "x", "role": "assistant"}})
    expect_error(refused, server.invalid, "invalid_request_error", param="message.role")
    read, after = good(server.get(one)), good(server.ask(METRICS))
    expect_equal(read.object.get("items"), [], "items", created, refused, read)
    expect_no_growth(server, before, after, created, refused)
