"""Messages: each is answered, the same however it is asked for, and the history keeps both sides in order."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.conformance import expect
from sandbox.conformance.check import NotApplicable, check
from sandbox.conformance.checks.grammar import JSON, LAST, STREAM, output_of, parts_of, text_of_reply, well_formed
from sandbox.conformance.http_messages import good, texts_of
from sandbox.conformance.target import AGAIN, DIFFICULT, HELLO, TOOLS, Op, SentMessage, Target


def plain_and_streamed(server: Target) -> tuple[SentMessage, ...]:
    """Return a message that was answered as JSON, and one that was answered as a stream."""
    return server.two_messages()[0], server.streamed()


def texts_by(role: str, items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the texts of the items of one side."""
    return [texts_of(item) for item in items if item.get("role") == role]


@check("MESSAGE-1", "V", "3.9")
def a_reply_names_its_conversation(server: Target) -> None:
    """A reply says whose it is: `resp_…`, and the conversation's id."""
    first, _ = server.two_messages()
    expect.status(first.answer, 200)
    expect.field(first.answer, "conversation_id", first.conversation, first.created)
    reply_id = first.answer.object.get("id")
    expect.that(str(reply_id).startswith("resp_"), "an id resp_…", *first.proof, value=reply_id)


@check("MESSAGE-2", "V", "3.9")
def a_reply_has_output(server: Target) -> None:
    """A completed reply says or does something."""
    first, _ = server.two_messages()
    if first.answer.object.get("status", "completed") != "completed":
        raise NotApplicable("the agent's reply failed")
    output = output_of(first.answer)
    expect.that(len(output) > 0, "output of at least one item", *first.proof)
    known = {"message", "function_call", "data_spec"}
    kinds = {item.get("type") for item in output}
    expect.that(kinds <= known, f"items of {sorted(known)}", first.answer, value=output)


@check("MESSAGE-7", "D", "5.8")
def a_failed_reply_is_empty(server: Target) -> None:
    """A reply that fails is 200 with `status: failed` and an empty `output`."""
    reply = expect.answered(lambda: server.reply_to("[[fail]]", stream=False))
    expect.field(reply.answer, "status", "failed", reply.created)
    expect.field(reply.answer, "output", [], reply.created)


@check("MESSAGE-9", "D", "6.3", cases=(False, True))
def a_cut_reply_is_cut_on_the_wire(server: Target, stream: bool) -> None:
    """A reply that was cut ends short of what its framing promised, and leaves no item of the assistant's."""
    reply = server.reply_to("[[cut]]", stream=stream)
    expect.that(not reply.answer.is_whole, "an abnormal end", *reply.proof, got="a normal one")
    if stream:
        last = {event.name for event in reply.events} & set(LAST)
        expect.that(not last, "no last event", *reply.proof, value=sorted(last))
    expect.equal(reply.new_roles, ["user"], "roles", *reply.proof, reply.after)


@check("MESSAGE-10", "D", "6.3", cases=("[[echo]] " + DIFFICULT, TOOLS))
def stream_and_json_say_the_same(server: Target, message: str) -> None:
    """Stream and JSON of the same message hold the same output."""
    # Two conversations may word the same thing differently: of an echo the words are held, of tools the calls.
    plain, streamed = server.reply_to(message, stream=False), server.reply_to(message, stream=True)
    wanted, came = _kinds(parts_of(plain.answer)), _kinds(parts_of(streamed.answer))
    expect.that(came == wanted, expect.format_value(wanted), *plain.proof, *streamed.proof, value=came)
    if message.startswith("[[echo]]"):
        text = text_of_reply(streamed.answer)
        is_same = text == text_of_reply(plain.answer)
        expect.that(is_same, "the same words", *plain.proof, *streamed.proof, got=text)


@check("MESSAGE-11", "D", "10.3", cases=(False, True))
def an_echo_is_exact(server: Target, stream: bool) -> None:
    """`[[echo]]` is answered with exactly what follows the word and one space."""
    reply = server.reply_to("[[echo]] " + DIFFICULT, stream=stream)
    expect.equal(text_of_reply(reply.answer), DIFFICULT, "the text", *reply.proof)


@check("MESSAGE-15", "V", "6.1", cases=Target.two_untitled_messages)
def the_apps_setting_decides(server: Target, reply: SentMessage) -> None:
    """Without `stream`, or with null, the app's setting decides, which its config shows."""
    config = good(server.ask(Op.CONFIG))
    wanted = STREAM if config.object.get("stream") is True else JSON
    expect.media_type(reply.answer, wanted, reply.created, config)


def replies_by_type(server: Target) -> tuple[tuple[SentMessage, str], ...]:
    """Return a reply that was asked for as a stream and one as JSON, with their media types."""
    return (server.streamed(), STREAM), (server.two_messages()[0], JSON)


@check("MESSAGE-16", "V", "6.1", cases=replies_by_type)
def the_flag_decides(_: Target, reply: SentMessage, wanted: str) -> None:
    """`stream: true` is answered by `text/event-stream`, `stream: false` by `application/json`."""
    expect.media_type(reply.answer, wanted, reply.created)


def _kinds(parts: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    return [(part["type"], part.get("toolName"), sorted(part.get("input") or {})) for part in parts]


@check(
    "MESSAGE-3",
    "V",
    "3.4",
    cases=lambda server: (*plain_and_streamed(server), server.reply_to(DIFFICULT, stream=False)),
)
def the_users_words_are_kept(_: Target, reply: SentMessage) -> None:
    """What the user says is in the history, to the letter, as an item of the user's."""
    texts = texts_by("user", reply.after.items)
    message = json.loads(reply.answer.request.body or b"{}")["message"]["content"]
    what = f"an item of the user's with {message!r}"
    expect.that(message in texts, what, *reply.proof, reply.after, value=texts)


@check("MESSAGE-4", "V", "3.4", cases=plain_and_streamed)
def the_reply_is_kept(_: Target, reply: SentMessage) -> None:
    """The history has the reply too, as an item of the assistant's with the same words, whether JSON or streamed."""
    wanted, texts = text_of_reply(reply.answer), texts_by("assistant", reply.after.items)
    what = f"an item of the assistant's with {wanted!r}"
    expect.that(any(wanted in text for text in texts), what, *reply.proof, reply.after, value=texts)


@check("MESSAGE-5", "D", "5.8")
def exchanges_are_kept_in_order(server: Target) -> None:
    """The history is oldest first, and every exchange adds the user's item and then one of the assistant's."""
    first, second = server.two_messages()
    items = second.after.items
    proof = (*first.proof, second.answer, second.after)
    roles = [item.get("role") for item in items]
    expect.equal(roles, ["user", "assistant", "user", "assistant"], "roles", *proof)
    expect.equal([texts_of(items[0]), texts_of(items[2])], [HELLO, AGAIN], "the user's words", *proof)


def plain_streamed_and_tools(server: Target) -> tuple[SentMessage, ...]:
    """Return replies of words and replies that use tools, as JSON and as streams."""
    return (*plain_and_streamed(server), *(server.reply_to(TOOLS, stream=stream) for stream in (False, True)))


@check("MESSAGE-6", "D", "5.8", cases=plain_streamed_and_tools)
def parts_are_the_output(_: Target, reply: SentMessage) -> None:
    """The parts of the assistant's item are the reply's output, one by one, whether JSON or streamed."""
    expect.equal(reply.new_roles, ["user", "assistant"], "roles", *reply.proof, reply.after)
    parts = reply.new_items[1].get("parts") or []
    # What a tool gave back is in the history alone.
    kept = [{name: value for name, value in part.items() if name != "output"} for part in parts]
    expect.equal(kept, parts_of(reply.answer), "parts", *reply.proof, reply.after)


@check("MESSAGE-8", "D", "5.8", cases=(False, True))
def a_failed_reply_leaves_the_question(server: Target, stream: bool) -> None:
    """A reply that failed leaves no item of the assistant's; the user's message stays."""
    reply = server.reply_to("[[fail]]", stream=stream)
    expect.equal(reply.new_roles, ["user"], "roles", *reply.proof, reply.after)


@check("MESSAGE-12", "D", "5.7", cases=lambda server: (server.two_messages()[0], server.reply_to(TOOLS, stream=False)))
def ids_are_well_formed(_: Target, reply: SentMessage) -> None:
    """Ids are well-formed: replies `resp_`, items `msg_`, calls `call_`, each with 24 hex digits."""
    ids = [("resp", reply.answer.object.get("id")), *(("msg", item.get("id")) for item in reply.new_items)]
    ids += [("call", part["toolCallId"]) for part in parts_of(reply.answer) if "toolCallId" in part]
    for prefix, value in ids:
        is_right = well_formed(value, prefix)
        expect.that(is_right, f"{prefix}_ and 24 hex digits", *reply.proof, reply.after, value=value)


@check("MESSAGE-13", "V", "3.4")
def ids_are_unique(server: Target) -> None:
    """No two items, and no two replies, have the same id."""
    first, second = server.two_messages()
    streamed = server.streamed()
    items = [item.get("id") for reply in (second, streamed) for item in reply.after.items]
    is_unique = len(set(map(str, items))) == len(items)
    expect.that(is_unique, "different ids of items", second.after, streamed.after, value=items)
    replies = [first.answer.object.get("id"), second.answer.object.get("id"), streamed.events[0].data.get("id")]
    is_unique = len(set(map(str, replies))) == len(replies)
    expect.that(is_unique, "different ids of replies", *first.proof, second.answer, value=replies)


@check("MESSAGE-14", "V", "5.4")
def a_message_moves_nothing(server: Target) -> None:
    """A message doesn't move its conversation in the lists: their order is by creation."""
    first, second = server.two_messages()
    later = good(server.create(external_user_id=server.user("talk")))
    listed = good(server.users_list(server.user("talk")))
    expect.equal(listed.ids[:2], [later.id, first.conversation], "ids", first.created, second.answer, later, listed)


@check("MESSAGE-17", "D", "4.1")
def a_refused_message_leaves_nothing(server: Target) -> None:
    """A refused message leaves nothing: no item, no count."""
    created = good(server.create())
    before = good(server.ask(Op.METRICS))
    refused = server.ask(Op.SEND, conversation=created.id, body={"message": {"content": "x", "role": "assistant"}})
    expect.invalid(server, refused, param="message.role")
    read, after = good(server.get(created.id)), good(server.ask(Op.METRICS))
    expect.field(read, "items", [], created, refused)
    expect.no_growth(server, before, after, created, refused)
