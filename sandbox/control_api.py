"""Builds the control API of a server, and loads what it needs, when it is asked for the first time."""

from __future__ import annotations

from typing import Any

import sandbox
from sandbox import control
from sandbox.api.persona import effective_settings
from sandbox.api.populate import populate
from sandbox.apps.deleted_coverage import DeletedCoverage
from sandbox.apps.responses import OpenResponses
from sandbox.contract import Contract
from sandbox.control.coverage import coverage_places
from sandbox.control.services import ControlServices
from sandbox.server.asgi import ControlApi
from sandbox.server.control_pipeline import ControlDeps
from sandbox.server.router import Router


def open_control_api(
    own: Contract, listeners: OpenResponses, deleted_coverage: DeletedCoverage | None, **parts: Any
) -> ControlApi:
    """Return the control API of a server.

    Args:
        own: its own contract.
        listeners: the streams of live events.
        deleted_coverage: that of deleted apps, where it isn't kept in memory.
        parts: the fields of `ControlServices` that are the server's.

    Raises:
        ContractError: contract and code don't fit each other.
    """
    services = ControlServices(
        settings_schema=own.schema("AppSettings"),
        version=sandbox.__version__,
        populate=populate,
        effective_settings=effective_settings,
        coverage_places=coverage_places(parts["contract"]),
        deleted_coverage=deleted_coverage or DeletedCoverage(),
        **parts,
    )
    return ControlApi(
        router=Router(own, set(control.HANDLERS), heads=True),
        deps=ControlDeps(run=control.make_runner(services), redactor=services.redactor, listeners=listeners),
    )
