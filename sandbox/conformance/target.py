"""The server under test as a check sees it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import quote

from sandbox.conformance.http_messages import (
    ApiRequest,
    ApiResponse,
    StreamEvent,
    Unavailable,
    good,
    id_of,
    ids_of,
    items_of,
    read_events,
    rows_of,
)
from sandbox.conformance.session import Session
from sandbox.contract import Contract, Operation

CREATE = "apps_api_create_conversation"
LIST = "apps_api_list_conversations"
USER_LIST = "apps_api_list_user_conversations"
GET = "apps_api_get_conversation"
UPDATE = "apps_api_update_conversation"
DELETE = "apps_api_delete_conversation"
SEND = "apps_api_send_message"
COMPLETE = "apps_api_create_completion"
CONFIG = "apps_api_get_app_config"
METRICS = "apps_api_get_app_metrics"

ALL = (CREATE, LIST, USER_LIST, GET, UPDATE, DELETE, SEND, COMPLETE, CONFIG, METRICS)
READS = (LIST, USER_LIST, GET, CONFIG, METRICS)

# A conversation and a user that nobody has.
NOBODY = "00000000-0000-4000-8000-000000000000"
MARK = "conform"

WITH_BODY = (CREATE, UPDATE, SEND, COMPLETE)

# Bodies that would be good, for conversations that don't exist.
BODIES: dict[str, dict[str, Any]] = {
    UPDATE: {"title": "Hello"},
    SEND: {"message": {"content": "Hello"}, "stream": False},
    COMPLETE: {"prompt": "Hello"},
}

# What can't be a body: of another type, and one byte more than may be sent, which isn't JSON either.
TEXT = {"Content-Type": "text/plain"}
MIB = 1024 * 1024
LARGE = b"{" + b" " * MIB

_OWN: Any = object()


class ApiClient:
    """One app of one server.

    `is_sandbox`: it is held to the sandbox's own rules. `is_alone`: nobody else uses the app, so counts may be exact.
    `invalid` is the status of a request that breaks the schema.
    """

    def __init__(
        self,
        session: Session,
        contract: Contract,
        *,
        base: str,
        app: str,
        key: str,
        run: str,
        other_key: str | None = None,
        is_sandbox: bool = False,
        is_alone: bool = False,
        invalid: int = 422,
    ) -> None:
        self.session = session
        self.contract = contract
        self.base = base
        self.app = app
        self.key = key
        self.run = run
        self.other_key = other_key
        self.is_sandbox = is_sandbox
        self.invalid = invalid
        self.is_alone = is_alone
        self.operations: Mapping[str, Operation] = {operation.id: operation for operation in contract.operations}

    def path(self, operation: str, *, conversation: str = NOBODY, user: str = "nobody", app: str | None = None) -> str:
        """Return the path of an operation with everything in place."""
        template = self.operations[operation].path.removeprefix(self.contract.base)
        values = {"app_id": self.app if app is None else app, "conversation_id": conversation}
        for name, value in {**values, "external_user_id": user}.items():
            template = template.replace(f"{{{name}}}", quote(value, safe=""))
        return self.base + template

    def ask(
        self,
        operation: str,
        *,
        conversation: str = NOBODY,
        user: str = "nobody",
        app: str | None = None,
        query: str = "",
        body: Any = None,
        raw: bytes | None = None,
        key: str | None = _OWN,
        headers: Mapping[str, str] | None = None,
        patient: bool = True,
    ) -> ApiResponse:
        """Ask for one operation: `body` is sent as JSON, `raw` as it is; `key` None sends none."""
        sent = raw if raw is not None else None if body is None else compact(body)
        return self.raw(
            self.operations[operation].method,
            self.path(operation, conversation=conversation, user=user, app=app) + (f"?{query}" if query else ""),
            headers=headers,
            body=sent,
            key=key,
            patient=patient,
        )

    def raw(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        key: str | None = _OWN,
        patient: bool = True,
    ) -> ApiResponse:
        """Send any request at all. A header whose value is empty is left out."""
        secret = self.key if key is _OWN else key
        own: dict[str, str] = {} if secret is None else {"Authorization": f"Bearer {secret}"}
        if body is not None:
            own["Content-Type"] = "application/json"
        merged = {**own, **(headers or {})}
        fields = tuple((name, value) for name, value in merged.items() if value)
        return self.session.send(ApiRequest(method=method, target=target, headers=fields, body=body), patient=patient)

    def with_mark(self, metadata: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return metadata that says whose conversation this is."""
        return {**(metadata or {}), MARK: self.run}

    def user(self, name: str) -> str:
        """Return the external id of a user whom nobody else has."""
        return f"{self.run}-{name}"

    def create(self, **body: Any) -> ApiResponse:
        """Create a conversation, marked as ours."""
        return self.ask(CREATE, body={**body, "metadata": self.with_mark(body.get("metadata"))})

    def get(self, conversation: str) -> ApiResponse:
        """Read a conversation."""
        return self.ask(GET, conversation=conversation)

    def update(self, conversation: str, body: Any) -> ApiResponse:
        """Change a conversation."""
        return self.ask(UPDATE, conversation=conversation, body=body)

    def delete(self, conversation: str) -> ApiResponse:
        """Delete a conversation."""
        return self.ask(DELETE, conversation=conversation)

    def send(self, conversation: str, content: str, **more: Any) -> ApiResponse:
        """Send a message."""
        return self.ask(SEND, conversation=conversation, body={"message": {"content": content}, **more})

    def complete(self, prompt: str, **more: Any) -> ApiResponse:
        """Ask for a completion."""
        return self.ask(COMPLETE, body={"prompt": prompt, **more})

    def users_list(self, user: str, query: str = "") -> ApiResponse:
        """List a user's conversations."""
        return self.ask(USER_LIST, user=user, query=query)


def compact(value: Any) -> bytes:
    """Write JSON without spaces and without escapes that it doesn't need."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


T = TypeVar("T")

# More than a page of the default length.
SAMPLE_COUNT = 22
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
class SentMessage:
    """One message and what came of it: the answer, and the conversation read before and after."""

    created: ApiResponse
    before: ApiResponse
    answer: ApiResponse
    after: ApiResponse

    @property
    def conversation(self) -> str:
        """The conversation's id."""
        return id_of(self.created)

    @property
    def events(self) -> tuple[StreamEvent, ...]:
        """The events of a stream."""
        return read_events(self.answer.body)

    @property
    def new_items(self) -> list[Mapping[str, Any]]:
        """The items that the message added to the history."""
        return items_of(self.after)[len(items_of(self.before)) :]


class Target(ApiClient):
    """One app of one server, and the evidence that several checks look at.

    Such evidence is made once, when the first check asks, so that a run sends few messages. What could not be made is
    `Unavailable` for every check that needs it.
    """

    @cached_property
    def _made(self) -> dict[tuple[Any, ...], Any]:
        """What was made so far, or why it could not be, by its name."""
        return {}

    @cached_property
    def sample_user(self) -> str:
        """The user to whom the shelf belongs."""
        return self.user("shelf")

    def samples(self) -> list[ApiResponse]:
        """Return the conversations of one user, as many as `SHELF`, in the order of their creation."""
        return self._once(
            ("shelf",),
            lambda: [
                good(self.create(external_user_id=self.sample_user, title=f"Number {number}"))
                for number in range(1, SAMPLE_COUNT + 1)
            ],
        )

    def deleted_sample(self) -> tuple[ApiResponse, ApiResponse]:
        """Return a conversation that was deleted: the answers to its creation and to its end."""

        def make() -> tuple[ApiResponse, ApiResponse]:
            created = good(self.create(external_user_id=self.user("gone"), title="To be deleted"))
            return created, good(self.delete(id_of(created)))

        return self._once(("gone",), make)

    def two_messages(self) -> tuple[SentMessage, SentMessage]:
        """Return a conversation of two messages, both answered as JSON; the second brings other metadata."""

        def make() -> tuple[SentMessage, SentMessage]:
            user, metadata = self.user("talk"), self.with_mark({"first_name": "Zoé", "plan_type": "term_life"})
            created = good(self.create(external_user_id=user, title="Talk", metadata=metadata))
            first = self._send_message(created, HELLO, stream=False)
            other = self.with_mark({"first_name": "Zoé", "city": "Québec", "nested": {"a": [1, None, True]}})
            return first, self._send_message(created, AGAIN, stream=False, metadata=other)

        return self._once(("talk",), make)

    def streamed(self) -> SentMessage:
        """Return a conversation whose only message was answered as a stream."""
        return self.reply_to(HELLO, stream=True)

    def reply_to(self, message: str, **more: Any) -> SentMessage:
        """Return what came of a message in a conversation of its own."""
        return self._once(
            ("said", message, str(more)), lambda: self._send_message(good(self.create()), message, **more)
        )

    def completion(self, prompt: str = HELLO, **more: Any) -> ApiResponse:
        """Return what came of a prompt."""
        return self._once(("completion", prompt, str(more)), lambda: good(self.complete(prompt, **more)))

    def counted_message(self) -> tuple[ApiResponse, ApiResponse]:
        """Return a user's conversation and its first message, sent when this is asked for the first time."""

        def make() -> tuple[ApiResponse, ApiResponse]:
            created = good(self.create(external_user_id=self.user("counted")))
            return created, good(self.send(id_of(created), "[[echo]] x"))

        return self._once(("counted",), make)

    def streams(self) -> Iterator[tuple[ApiResponse, bool]]:
        """Yield every streamed answer of the run's own making, and whether it is of a completion."""
        yield self.streamed().answer, False
        yield self.completion(stream=True), True
        if self.is_sandbox:
            for message in ("[[tool]] [[human]]", "[[unicode]]", "[[echo]] " + DIFFICULT):
                yield self.reply_to(message, stream=True).answer, False

    def in_the_list(self, conversation: str) -> tuple[ApiResponse, Mapping[str, Any] | None]:
        """Return the page of the app's list that has a conversation, and its row there; None if no page has it."""
        query = "limit=100"
        for _ in range(_PAGES):
            page = self.ask(LIST, query=query)
            row = next((row for row in rows_of(page) if row.get("id") == conversation), None)
            if row is not None or not ids_of(page) or page.object.get("has_more") is not True:
                break
            query = f"limit=100&after={ids_of(page)[-1]}"
        return page, row

    def _send_message(self, created: ApiResponse, message: str, **more: Any) -> SentMessage:
        one = id_of(created)
        before = good(self.get(one))
        answer = good(self.send(one, message, **more))
        return SentMessage(created=created, before=before, answer=answer, after=good(self.get(one)))

    def _once(self, name: tuple[Any, ...], make: Callable[[], T]) -> T:
        if name not in self._made:
            try:
                self._made[name] = make()
            except Unavailable as error:
                self._made[name] = error
        made: T | Unavailable = self._made[name]
        if isinstance(made, Unavailable):
            raise made
        return made
