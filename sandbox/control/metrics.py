"""Say what the server has counted (docs/control.md, Metrics)."""

from __future__ import annotations

from sandbox.control.services import ControlRequest, ControlResult, ControlServices
from sandbox.errors import NotFound


async def get_metrics(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Return the counters for Prometheus."""
    if services.metrics is None:
        raise NotFound("This server counts nothing; `serve --metrics` does.")
    return services.metrics()
