"""The arguments and the results of the control API's handlers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.apps.app import App
from sandbox.apps.deleted_coverage import DeletedCoverage
from sandbox.apps.events import EventBus
from sandbox.apps.journal import Journal
from sandbox.apps.registry import AppRegistry
from sandbox.clock import Clock
from sandbox.contract import Contract, Document, Validator
from sandbox.handler_types import EventStream, FileResult, NegotiatedResult, PendingResult
from sandbox.persistence.data_file import DataFile
from sandbox.redaction import Redactor
from sandbox.scenario import Scenarios
from sandbox.webhooks.dispatcher import WebhookDispatcher


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlServices:
    """The parts of one server that the control API drives.

    `response_settings` are the server's settings on which the answers of the Apps API depend; `coverage_places`
    is what clients can meet of the contract, `deleted_coverage` what those of deleted apps have met. `metrics` returns
    what the server has counted, where it counts.
    """

    registry: AppRegistry
    journal: Journal
    clock: Clock
    webhooks: WebhookDispatcher
    events: EventBus
    redactor: Redactor
    contract: Contract
    settings_schema: Validator
    data_file: DataFile | None
    version: str
    response_settings: Mapping[str, Any]
    populate: Callable[..., Awaitable[None]]
    effective_settings: Callable[[App], Mapping[str, Any]]
    scenarios: Scenarios
    coverage_places: Mapping[tuple[str, ...], None]
    deleted_coverage: DeletedCoverage
    metrics: Callable[[], str] | None

    def publish(self, app: App | None, change: str) -> None:
        """Publish that an app was changed (None: every app)."""
        app_id = app.id if app else None
        self.events.publish("state", app_id, {"app_id": app_id, "change": change})


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRequest:
    """A request of the control API that keeps its contract."""

    path_parameters: Mapping[str, str]
    query: Mapping[str, Any]
    document: Document

    @property
    def app_id(self) -> str:
        """The app that the path names."""
        return self.path_parameters["app_id"]

    @property
    def body(self) -> Any:
        """The request's body, its numbers as they were sent."""
        return self.document.exact


# A JSON object, the same in several media types or later, a plain text, a file, a stream of events, or None: no body.
ControlResult = dict[str, Any] | NegotiatedResult | PendingResult | str | FileResult | EventStream | None
