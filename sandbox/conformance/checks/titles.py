"""Titles: the custom one is the user's, the generated ones come as a pair, after the first exchange at the latest."""

from __future__ import annotations

from sandbox.conformance import expect
from sandbox.conformance.check import check
from sandbox.conformance.http_messages import ApiResponse, good
from sandbox.conformance.target import SentMessage, Target

LOCALES = ("en-ca", "fr-ca")


def is_pair(value: object) -> bool:
    """Say whether a value is a title in each locale."""
    if not isinstance(value, dict):
        return False
    return all(isinstance(value.get(locale), str) and value[locale].strip() for locale in LOCALES)


@check("TITLE-1", "S", "5.1")
def a_title_comes_after_the_first_exchange(server: Target) -> None:
    """After its first exchange a conversation has a generated title in both locales, `en-ca` and `fr-ca`."""
    reply = server.streamed()
    title = reply.after.object.get("generated_title")
    expect.that(is_pair(title), "a title in en-ca and in fr-ca", *reply.proof, reply.after, value=title)


@check("TITLE-2", "S", "5.1")
def a_title_is_whole_or_null(server: Target) -> None:
    """Before that, the generated title is null or whole: never one language alone, never an empty text."""
    created = server.samples()[0]
    for answer in (created, good(server.get(created.id))):
        title = answer.object.get("generated_title")
        is_whole = title is None or is_pair(title)
        expect.that(is_whole, "null, or a title in both locales", created, answer, value=title)


@check("TITLE-3", "D", "5.1")
def the_empty_title_is_a_title(server: Target) -> None:
    """The empty custom title is a title: echoed as it is."""
    created = expect.ok(server.create(title=""))
    updated = server.update(server.create(title="x").id, {"title": ""})
    for answer in (created, updated, good(server.get(created.id))):
        expect.field(answer, "title", "")


@check("TITLE-4", "D", "5.1")
def titles_stand_side_by_side(server: Target) -> None:
    """Generated titles stand beside a custom title too, and the custom one stays as it is."""
    first, second = server.two_messages()
    title = second.after.object.get("generated_title")
    expect.that(is_pair(title), "a title in both locales", *first.proof, second.after, value=title)
    expect.field(second.after, "title", "Talk", *first.proof)


@check("TITLE-5", "D", "5.1", cases=lambda server: (server.two_messages(), server.two_untitled_messages()))
def generated_titles_never_change(server: Target, first: SentMessage, second: SentMessage) -> None:
    """The title of the first exchange never changes: not with later messages, not when the custom title is set or
    taken away."""
    wanted = first.after.object.get("generated_title")
    expect.field(second.after, "generated_title", wanted, *first.proof, second.answer)
    for title in ("Another", None, "Talk"):
        updated = good(server.update(first.conversation, {"title": title}))
        expect.field(updated, "generated_title", wanted, *first.proof)


@check("TITLE-6", "D", "5.1")
def everybody_shows_the_same_title(server: Target) -> None:
    """All operations show the same generated title."""
    first, second = server.two_messages()
    page, row = server.in_the_list(first.conversation)
    wanted = second.after.object.get("generated_title")
    expect.equal((row or {}).get("generated_title"), wanted, "generated_title", first.created, second.answer, page)


@check("TITLE-7", "D", "5.1", cases=lambda server: (server.streamed().after, server.two_messages()[0].after))
def each_language_has_its_own(_: Target, answer: ApiResponse) -> None:
    """Both languages are there: the English title isn't the French one."""
    title = answer.object.get("generated_title")
    pair = [title.get(locale) for locale in LOCALES] if isinstance(title, dict) else []
    expect.that(len(set(pair)) == 2, "two different titles", answer, value=title)
