"""History: what is said on both sides is kept, in order, and nothing that was refused or failed."""

from __future__ import annotations

import json

from sandbox.conformance.caller import GET, METRICS, SEND, USER_LIST
from sandbox.conformance.evidence import good, id_of, ids_of, items_of, texts_of
from sandbox.conformance.law import expect, expect_equal, expect_error, expect_no_growth, for_each, law, shown
from sandbox.conformance.laws.grammar import parts_of, said_by, well_formed
from sandbox.conformance.subject import AGAIN, DIFFICULT, HELLO, Reply, Subject


@law("MESSAGE-3", source="V", clause="3.4", operations=(SEND, GET))
def the_users_words_are_kept(server: Subject) -> None:
    """What the user says is in the history, to the letter, as an item of the user's."""

    def check(reply: Reply) -> None:
        said = [texts_of(item) for item in items_of(reply.after) if item.get("role") == "user"]
        message = json.loads(reply.answer.request.body or b"{}")["message"]["content"]
        expect(
            message in said,
            f"an item of the user's with {message!r}",
            shown(said),
            reply.created,
            reply.answer,
            reply.after,
        )

    for_each((server.talk()[0], server.streamed(), server.said(DIFFICULT, stream=False)), check)


@law("MESSAGE-4", source="V", clause="3.4", operations=(SEND, GET))
def the_reply_is_kept(server: Subject) -> None:
    """The history has the reply too, as an item of the assistant's with the same words, whether JSON or streamed."""

    def check(reply: Reply) -> None:
        wanted = said_by(reply.answer)
        kept = [texts_of(item) for item in items_of(reply.after) if item.get("role") == "assistant"]
        proof = (reply.created, reply.answer, reply.after)
        expect(any(wanted in text for text in kept), f"an item of the assistant's with {wanted!r}", shown(kept), *proof)

    for_each((server.talk()[0], server.streamed()), check)


@law("MESSAGE-5", source="D", clause="5.8", operations=(SEND, GET))
def exchanges_are_kept_in_order(server: Subject) -> None:
    """The history is oldest first, and every exchange adds the user's item and then one of the assistant's."""
    first, second = server.talk()
    items = items_of(second.after)
    proof = (first.created, first.answer, second.answer, second.after)
    roles = [item.get("role") for item in items]
    expect_equal(roles, ["user", "assistant", "user", "assistant"], "roles", *proof)
    expect_equal([texts_of(items[0]), texts_of(items[2])], [HELLO, AGAIN], "the user's words", *proof)


@law("MESSAGE-6", source="D", clause="5.8", operations=(SEND, GET))
def parts_are_the_output(server: Subject) -> None:
    """The parts of the assistant's item are the reply's output, one by one, whether JSON or streamed."""

    def check(reply: Reply) -> None:
        proof = (reply.created, reply.answer, reply.after)
        expect_equal([item.get("role") for item in reply.new_items], ["user", "assistant"], "roles", *proof)
        parts = reply.new_items[1].get("parts") or []
        # What a tool gave back is in the history alone.
        kept = [{name: value for name, value in part.items() if name != "output"} for part in parts]
        expect_equal(kept, parts_of(reply.answer), "parts", *proof)

    tools = "[[tool]] [[human]]"
    for_each(
        (server.talk()[0], server.streamed(), server.said(tools, stream=False), server.said(tools, stream=True)), check
    )


@law("MESSAGE-8", source="D", clause="5.8", operations=(SEND, GET))
def a_failed_reply_leaves_the_question(server: Subject) -> None:
    """A reply that failed leaves no item of the assistant's; the user's message stays."""

    def check(stream: bool) -> None:
        reply = server.said("[[fail]]", stream=stream)
        roles = [item.get("role") for item in reply.new_items]
        expect_equal(roles, ["user"], "roles", reply.created, reply.answer, reply.after)

    for_each((False, True), check)


@law("MESSAGE-12", source="D", clause="5.7", operations=(SEND, GET))
def ids_are_well_formed(server: Subject) -> None:
    """Ids are well-formed: replies `resp_`, items `msg_`, calls `call_`, each with 24 hex digits."""

    def check(reply: Reply) -> None:
        proof = (reply.created, reply.answer, reply.after)
        one = reply.answer.object.get("id")
        expect(well_formed(one, "resp"), "resp_ and 24 hex digits", shown(one), *proof)
        for item in reply.new_items:
            expect(well_formed(item.get("id"), "msg"), "msg_ and 24 hex digits", shown(item.get("id")), *proof)
        for part in parts_of(reply.answer):
            call = part.get("toolCallId", "call_" + "0" * 24)
            expect(well_formed(call, "call"), "call_ and 24 hex digits", shown(call), *proof)

    for_each((server.talk()[0], server.said("[[tool]] [[human]]", stream=False)), check)


@law("MESSAGE-13", source="V", clause="3.4", operations=(SEND, GET))
def ids_are_unique(server: Subject) -> None:
    """No two items, and no two replies, have the same id."""
    first, second = server.talk()
    streamed = server.streamed()
    items = [item.get("id") for reply in (second, streamed) for item in items_of(reply.after)]
    expect(
        len(set(map(str, items))) == len(items), "different ids of items", shown(items), second.after, streamed.after
    )
    replies = [first.answer.object.get("id"), second.answer.object.get("id"), streamed.events[0].data.get("id")]
    proof = (first.created, first.answer, second.answer)
    expect(len(set(map(str, replies))) == len(replies), "different ids of replies", shown(replies), *proof)


@law("MESSAGE-14", source="V", clause="5.4", operations=(SEND, USER_LIST))
def a_message_moves_nothing(server: Subject) -> None:
    """A message doesn't move its conversation in the lists: their order is by creation."""
    first, second = server.talk()
    later = good(server.create(external_user_id=server.user("talk")))
    listed = good(server.users_list(server.user("talk")))
    wanted = [id_of(later), first.conversation]
    expect_equal(ids_of(listed)[:2], wanted, "ids", first.created, second.answer, later, listed)


@law("MESSAGE-17", source="D", clause="4.1", operations=(SEND, GET, METRICS))
def a_refused_message_leaves_nothing(server: Subject) -> None:
    """A refused message leaves nothing: no item, no count."""
    created = good(server.create())
    one, before = id_of(created), good(server.ask(METRICS))
    refused = server.ask(SEND, conversation=one, body={"message": {"content": "x", "role": "assistant"}})
    expect_error(refused, server.invalid, "invalid_request_error", param="message.role")
    read, after = good(server.get(one)), good(server.ask(METRICS))
    expect_equal(read.object.get("items"), [], "items", created, refused, read)
    expect_no_growth(server, before, after, created, refused)
