"""Calls the server that is judged: the ten operations, by their ids in the contract, and any other request at all.

What is asked is written out by hand where it matters: a law may send what no proper client would.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from sandbox.conformance.client import Client
from sandbox.conformance.exchange import Answer, Request
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

_OWN: Any = object()


class Caller:
    """One app of one server.

    `is_sandbox`: it is held to the sandbox's own rules. `is_alone`: nobody else uses the app, so counts may be exact.
    `invalid` is the status of a request that breaks the schema.
    """

    def __init__(
        self,
        client: Client,
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
        self.client = client
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
    ) -> Answer:
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
    ) -> Answer:
        """Send any request at all. A header whose value is empty is left out."""
        secret = self.key if key is _OWN else key
        own: dict[str, str] = {} if secret is None else {"Authorization": f"Bearer {secret}"}
        if body is not None:
            own["Content-Type"] = "application/json"
        merged = {**own, **(headers or {})}
        fields = tuple((name, value) for name, value in merged.items() if value)
        return self.client.send(Request(method=method, target=target, headers=fields, body=body), patient=patient)

    def marked(self, metadata: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return metadata that says whose conversation this is."""
        return {**(metadata or {}), MARK: self.run}

    def user(self, name: str) -> str:
        """Return the external id of a user whom nobody else has."""
        return f"{self.run}-{name}"

    def create(self, **body: Any) -> Answer:
        """Create a conversation, marked as ours."""
        return self.ask(CREATE, body={**body, "metadata": self.marked(body.get("metadata"))})

    def get(self, conversation: str) -> Answer:
        """Read a conversation."""
        return self.ask(GET, conversation=conversation)

    def update(self, conversation: str, body: Any) -> Answer:
        """Change a conversation."""
        return self.ask(UPDATE, conversation=conversation, body=body)

    def delete(self, conversation: str) -> Answer:
        """Delete a conversation."""
        return self.ask(DELETE, conversation=conversation)

    def send(self, conversation: str, content: str, **more: Any) -> Answer:
        """Send a message."""
        return self.ask(SEND, conversation=conversation, body={"message": {"content": content}, **more})

    def complete(self, prompt: str, **more: Any) -> Answer:
        """Ask for a completion."""
        return self.ask(COMPLETE, body={"prompt": prompt, **more})

    def users_list(self, user: str, query: str = "") -> Answer:
        """List a user's conversations."""
        return self.ask(USER_LIST, user=user, query=query)


def compact(value: Any) -> bytes:
    """Write JSON without spaces and without escapes that it doesn't need."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
