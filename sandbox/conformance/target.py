"""The server under test as a check sees it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from sandbox.conformance.http_messages import ApiRequest, ApiResponse, StreamEvent, Unavailable, good, read_events
from sandbox.conformance.session import Session
from sandbox.contract import Contract, Operation


class Op(StrEnum):
    """The ids of the operations."""

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


READS = (Op.LIST, Op.USER_LIST, Op.GET, Op.CONFIG, Op.METRICS)
WITH_BODY = (Op.CREATE, Op.UPDATE, Op.SEND, Op.COMPLETE)

# A conversation and a user that nobody has.
NOBODY = "00000000-0000-4000-8000-000000000000"
MARK = "conform"

# Bodies that would be good, for conversations that don't exist.
BODIES: dict[str, dict[str, Any]] = {
    Op.UPDATE: {"title": "Hello"},
    Op.SEND: {"message": {"content": "Hello"}, "stream": False},
    Op.COMPLETE: {"prompt": "Hello"},
}

# What can't be a body: of another type, and one byte more than may be sent, which isn't JSON either.
TEXT = {"Content-Type": "text/plain"}
MIB = 1024 * 1024
LARGE = b"{" + b" " * MIB

# More than a page of the default length.
SAMPLE_COUNT = 22
HELLO = "Hello, how can I change the address on my policy?"
AGAIN = "Thank you. And when does it expire?"
TOOLS = "[[tool]] [[human]]"
OTHER_METADATA = {"first_name": "Zoé", "city": "Québec", "nested": {"a": [1, None, True]}}
# White space at both ends, composed and decomposed letters, both writing directions, joined emoji without a gap, quotes
# of every kind, control characters.
DIFFICULT = (
    " Où ça? e\u0301 \u202eעברית\u202c 👩‍👩‍👧‍👦🏽 👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦 \"'\\/<b>&amp;\t\n\u2028\x7f{{x}}"
    + "e\u0301" * 30
    + " \n"
)
# How far down the list is searched: others may have created much since.
_MAX_PAGES = 20
_OWN: Any = object()

P = ParamSpec("P")
T = TypeVar("T")


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
        return self.created.id

    @property
    def proof(self) -> tuple[ApiResponse, ApiResponse]:
        """What was sent, and what came."""
        return self.created, self.answer

    @property
    def events(self) -> tuple[StreamEvent, ...]:
        """The events of a stream."""
        return read_events(self.answer.body)

    @property
    def new_items(self) -> list[dict[str, Any]]:
        """The items that the message added to the history."""
        return self.after.items[len(self.before.items) :]

    @property
    def new_roles(self) -> list[Any]:
        """Whose items these are, in their order."""
        return [item.get("role") for item in self.new_items]


def _made_once(make: Callable[Concatenate[Target, P], T]) -> Callable[Concatenate[Target, P], T]:
    """Keep what a method makes, or that it is `Unavailable`, for the rest of the run."""

    @wraps(make)
    def made(target: Target, /, *arguments: P.args, **named: P.kwargs) -> T:
        name = (make.__name__, arguments, str(named))
        if name not in target.evidence:
            try:
                target.evidence[name] = make(target, *arguments, **named)
            except Unavailable as error:
                target.evidence[name] = error
        result: T | Unavailable = target.evidence[name]
        if isinstance(result, Unavailable):
            raise result
        return result

    return made


@dataclass(kw_only=True)
class Target:
    """One app of one server, and the evidence that several checks look at.

    Such evidence is made once, when the first check asks, so that a run sends few messages. What could not be made is
    `Unavailable` for every check that needs it.

    `is_sandbox`: it says that it is the sandbox. `sandbox_rules`: it is held to the sandbox's own rules. `is_alone`:
    nobody else uses the app, so counts may be exact. `invalid` is the status of a request that breaks the schema.
    """

    session: Session
    contract: Contract
    base: str
    app: str
    key: str
    run: str = ""
    other_key: str | None = None
    is_sandbox: bool = False
    sandbox_rules: bool = False
    is_alone: bool = True
    invalid: int = 422
    evidence: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def operations(self) -> Mapping[str, Operation]:
        """The operations of the contract, by their id."""
        return {operation.id: operation for operation in self.contract.operations}

    @property
    def writes(self) -> bool:
        """Whether anything may be written to it."""
        return self.session.limits.writes

    def path(self, op: Op, *, conversation: str = NOBODY, user: str = "nobody", app: str | None = None) -> str:
        """Return the path of an operation with everything in place."""
        app_id = self.app if app is None else app
        values = {"app_id": app_id, "conversation_id": conversation, "external_user_id": user}
        return self.base + self.operations[op].url(values).removeprefix(self.contract.base)

    def operation_id(self, request: ApiRequest) -> str | None:
        """Return the id of the operation that a request is for; None if it is for none of them."""
        called = str(request).partition("?")[0]
        return next((name for name, pattern in self._patterns.items() if pattern.fullmatch(called)), None)

    @cached_property
    def _patterns(self) -> Mapping[str, re.Pattern[str]]:
        """What matches method and path of each operation."""
        base = re.escape(self.base) + "/"
        return {
            name: re.compile(
                f"{each.method} {base}" + re.sub("{.+?}", "[^/]+", each.path[len(self.contract.base) + 1 :])
            )
            for name, each in self.operations.items()
        }

    def ask(
        self,
        op: Op,
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
            self.operations[op].method,
            self.path(op, conversation=conversation, user=user, app=app) + (f"?{query}" if query else ""),
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
        return self.ask(Op.CREATE, body={**body, "metadata": self.with_mark(body.get("metadata"))})

    def get(self, conversation: str) -> ApiResponse:
        """Read a conversation."""
        return self.ask(Op.GET, conversation=conversation)

    def update(self, conversation: str, body: Any) -> ApiResponse:
        """Change a conversation."""
        return self.ask(Op.UPDATE, conversation=conversation, body=body)

    def delete(self, conversation: str) -> ApiResponse:
        """Delete a conversation."""
        return self.ask(Op.DELETE, conversation=conversation)

    def send(self, conversation: str, content: str, **more: Any) -> ApiResponse:
        """Send a message."""
        return self.ask(Op.SEND, conversation=conversation, body={"message": {"content": content}, **more})

    def complete(self, prompt: str, **more: Any) -> ApiResponse:
        """Ask for a completion."""
        return self.ask(Op.COMPLETE, body={"prompt": prompt, **more})

    def users_list(self, user: str, query: str = "") -> ApiResponse:
        """List a user's conversations."""
        return self.ask(Op.USER_LIST, user=user, query=query)

    @property
    def sample_user(self) -> str:
        """The user to whom the samples belong."""
        return self.user("shelf")

    @_made_once
    def samples(self) -> list[ApiResponse]:
        """Return the conversations of one user, `SAMPLE_COUNT` of them, in the order of their creation."""
        titles = [f"Number {number}" for number in range(1, SAMPLE_COUNT + 1)]
        return [good(self.create(external_user_id=self.sample_user, title=title)) for title in titles]

    @_made_once
    def deleted_sample(self) -> tuple[ApiResponse, ApiResponse]:
        """Return a conversation that was deleted: the answers to its creation and to its end."""
        created = good(self.create(external_user_id=self.user("gone"), title="To be deleted"))
        return created, good(self.delete(created.id))

    @_made_once
    def two_messages(self) -> tuple[SentMessage, SentMessage]:
        """Return a conversation of two messages, both answered as JSON; the second brings other metadata."""
        user, metadata = self.user("talk"), self.with_mark({"first_name": "Zoé", "plan_type": "term_life"})
        created = good(self.create(external_user_id=user, title="Talk", metadata=metadata))
        first = self._send_message(created, HELLO, stream=False)
        return first, self._send_message(created, AGAIN, stream=False, metadata=self.with_mark(OTHER_METADATA))

    @_made_once
    def two_untitled_messages(self) -> tuple[SentMessage, SentMessage]:
        """Return two messages of a conversation that nothing else gives a topic: without `stream`, and with null."""
        created = good(self.create())
        return self._send_message(created, HELLO), self._send_message(created, AGAIN, stream=None)

    def streamed(self) -> SentMessage:
        """Return a conversation whose only message was answered as a stream."""
        return self.reply_to(HELLO, stream=True)

    @_made_once
    def reply_to(self, message: str, /, **more: Any) -> SentMessage:
        """Return what came of a message in a conversation of its own."""
        return self._send_message(good(self.create()), message, **more)

    @_made_once
    def completion(self, prompt: str = HELLO, /, **more: Any) -> ApiResponse:
        """Return what came of a prompt."""
        return good(self.complete(prompt, **more))

    @_made_once
    def counted_message(self) -> tuple[ApiResponse, ApiResponse]:
        """Return a user's conversation and its first message, sent when this is asked for the first time."""
        created = good(self.create(external_user_id=self.user("counted")))
        return created, good(self.send(created.id, "[[echo]] x"))

    def in_the_list(self, conversation: str) -> tuple[ApiResponse, Mapping[str, Any] | None]:
        """Return the page of the app's list that has a conversation, and its row there; None if no page has it."""
        query = "limit=100"
        for _ in range(_MAX_PAGES):
            page = self.ask(Op.LIST, query=query)
            row = next((row for row in page.rows if row.get("id") == conversation), None)
            if row is not None or not page.ids or page.object.get("has_more") is not True:
                break
            query = f"limit=100&after={page.ids[-1]}"
        return page, row

    def _send_message(self, created: ApiResponse, message: str, **more: Any) -> SentMessage:
        before = good(self.get(created.id))
        answer = good(self.send(created.id, message, **more))
        return SentMessage(created=created, before=before, answer=answer, after=good(self.get(created.id)))


def compact(value: Any) -> bytes:
    """Write JSON without spaces and without escapes that it doesn't need."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
