"""The server that is judged, as a law sees it: what can be asked, and what several laws look at together.

Such evidence is made once, when the first law asks, so that a run sends few messages.

An exhibit that could not be made is `NoEvidence` for every law that needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from sandbox.conformance import sse
from sandbox.conformance.caller import LIST, Caller
from sandbox.conformance.evidence import NoEvidence, good, id_of, ids_of, items_of, rows_of
from sandbox.conformance.exchange import Answer

T = TypeVar("T")

# More than a page of the default length.
SHELF = 22
# How far down the list is searched: others may have created much since.
_PAGES = 20
HELLO = "Hello, how can I change the address on my policy?"
AGAIN = "Thank you. And when does it expire?"
# White space at both ends, composed and decomposed letters, both writing directions, joined emoji without a gap, quotes
# of every kind, control characters.
DIFFICULT = (
    " Où ça? e\u0301 \u202eעברית\u202c 👩‍👩‍👧‍👦🏽 👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦 \"'\\/<b>&amp;\t\n\u2028\x7f{{x}}"
    + "e\u0301" * 30
    + " \n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One message and what came of it: the answer, and the conversation read before and after."""

    created: Answer
    before: Answer
    answer: Answer
    after: Answer

    @property
    def conversation(self) -> str:
        """The conversation's id."""
        return id_of(self.created)

    @property
    def events(self) -> tuple[sse.Event, ...]:
        """The events of a stream."""
        return sse.read(self.answer.body)

    @property
    def new_items(self) -> list[Mapping[str, Any]]:
        """The items that the message added to the history."""
        return items_of(self.after)[len(items_of(self.before)) :]


class Subject(Caller):
    """One app of one server, and the evidence that laws share."""

    @cached_property
    def _made(self) -> dict[tuple[Any, ...], Any]:
        """What was made so far, or why it could not be, by its name."""
        return {}

    @cached_property
    def shelf_user(self) -> str:
        """The user to whom the shelf belongs."""
        return self.user("shelf")

    def shelf(self) -> list[Answer]:
        """Return the conversations of one user, as many as `SHELF`, in the order of their creation."""
        return self._once(
            ("shelf",),
            lambda: [
                good(self.create(external_user_id=self.shelf_user, title=f"Number {number}"))
                for number in range(1, SHELF + 1)
            ],
        )

    def gone(self) -> tuple[Answer, Answer]:
        """Return a conversation that was deleted: the answers to its creation and to its end."""

        def make() -> tuple[Answer, Answer]:
            created = good(self.create(external_user_id=self.user("gone"), title="To be deleted"))
            return created, good(self.delete(id_of(created)))

        return self._once(("gone",), make)

    def talk(self) -> tuple[Reply, Reply]:
        """Return a conversation of two messages, both answered as JSON; the second brings other metadata."""

        def make() -> tuple[Reply, Reply]:
            user, metadata = self.user("talk"), self.marked({"first_name": "Zoé", "plan_type": "term_life"})
            created = good(self.create(external_user_id=user, title="Talk", metadata=metadata))
            first = self._said(created, HELLO, stream=False)
            other = self.marked({"first_name": "Zoé", "city": "Québec", "nested": {"a": [1, None, True]}})
            return first, self._said(created, AGAIN, stream=False, metadata=other)

        return self._once(("talk",), make)

    def streamed(self) -> Reply:
        """Return a conversation whose only message was answered as a stream."""
        return self.said(HELLO, stream=True)

    def said(self, message: str, **more: Any) -> Reply:
        """Return what came of a message in a conversation of its own."""
        return self._once(("said", message, str(more)), lambda: self._said(good(self.create()), message, **more))

    def completion(self, prompt: str = HELLO, **more: Any) -> Answer:
        """Return what came of a prompt."""
        return self._once(("completion", prompt, str(more)), lambda: good(self.complete(prompt, **more)))

    def counted(self) -> tuple[Answer, Answer]:
        """Return a user's conversation and its first message, sent when this is asked for the first time."""

        def make() -> tuple[Answer, Answer]:
            created = good(self.create(external_user_id=self.user("counted")))
            return created, good(self.send(id_of(created), "[[echo]] x"))

        return self._once(("counted",), make)

    def streams(self) -> Iterator[tuple[Answer, bool]]:
        """Yield every streamed answer of the run's own making, and whether it is of a completion."""
        yield self.streamed().answer, False
        yield self.completion(stream=True), True
        if self.is_sandbox:
            for message in ("[[tool]] [[human]]", "[[unicode]]", "[[echo]] " + DIFFICULT):
                yield self.said(message, stream=True).answer, False

    def in_the_list(self, conversation: str) -> tuple[Answer, Mapping[str, Any] | None]:
        """Return the page of the app's list that has a conversation, and its row there; None if no page has it."""
        query = "limit=100"
        for _ in range(_PAGES):
            page = self.ask(LIST, query=query)
            row = next((row for row in rows_of(page) if row.get("id") == conversation), None)
            if row is not None or not ids_of(page) or page.object.get("has_more") is not True:
                break
            query = f"limit=100&after={ids_of(page)[-1]}"
        return page, row

    def _said(self, created: Answer, message: str, **more: Any) -> Reply:
        one = id_of(created)
        before = good(self.get(one))
        answer = good(self.send(one, message, **more))
        return Reply(created=created, before=before, answer=answer, after=good(self.get(one)))

    def _once(self, name: tuple[Any, ...], make: Callable[[], T]) -> T:
        if name not in self._made:
            try:
                self._made[name] = make()
            except NoEvidence as error:
                self._made[name] = error
        made: T | NoEvidence = self._made[name]
        if isinstance(made, NoEvidence):
            raise made
        return made
