"""What a server counts for Prometheus (`serve --metrics`). No app, path or user is in a label: each has few values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sandbox.apps.request_record import RequestRecord
from sandbox.clock import monotonic

# The variable by which prometheus-client finds the folder where workers keep what each counts.
WORKERS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """The counters of one server, or of all workers where they have a folder for that.

    Args:
        version: the sandbox's own.
        store: where apps are kept.

    Raises:
        ImportError: prometheus-client is not installed.
    """

    def __init__(self, version: str, store: str) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self._registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"dimedove_sandbox_{name}", text, labels, registry=self._registry)

        def seconds(name: str, text: str, *labels: str) -> Histogram:
            name = f"dimedove_sandbox_{name}_seconds"
            return Histogram(name, text, labels, buckets=_SECONDS, registry=self._registry)

        self._requests = counter("requests", "Requests that are over.", "operation", "status")
        self._duration = seconds("request_duration", "From a request's beginning to its end.", "operation")
        self._first_byte = seconds("first_byte", "From a request's beginning to its answer's first byte.", "operation")
        self._faults = counter("faults", "Requests that a fault acted on.", "kind")
        self._violations = counter("contract_violations", "What broke the contract; sandbox: must stay 0.", "side")
        self._limited = counter("rate_limited", "Requests beyond an app's rate limit.", "operation")
        self._events = counter("stream_events", "Events of streams, as they were sent.", "type")
        self._deliveries = counter("webhook_deliveries", "Webhooks that are done with.", "outcome")
        self._evicted = counter("journal_evictions", "Requests that the journal dropped to make room.")
        self._store = seconds("store_call", "Calls of the store.", "call")
        self._open = Gauge(
            "dimedove_sandbox_open_streams",
            "Streams that are under way.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        build = Gauge(
            "dimedove_sandbox_build_info",
            "1; the version and the store are its labels.",
            ("version", "store"),
            registry=self._registry,
            multiprocess_mode="max",
        )
        build.labels(version, store).set(1)
        for side in ("client", "sandbox"):
            self._violations.labels(side)

    def count_request(self, record: RequestRecord) -> None:
        """Count a request that is over."""
        operation = record.operation_id or "none"
        seconds = record.duration_ms / 1000
        self._requests.labels(operation, str(record.status or "none")).inc()
        self._duration.labels(operation).observe(seconds)
        if record.status is not None:
            pieces = record.response_pieces
            self._first_byte.labels(operation).observe(pieces[0][0] / 1000 if pieces else seconds)
        if record.fault:
            self._faults.labels(record.fault).inc()
        elif record.status == 429:
            self._limited.labels(operation).inc()
        if record.violation:
            self._violations.labels("client").inc()

    @contextmanager
    def stream(self) -> Iterator[Callable[[str], None]]:
        """Count a stream as open as long as this lasts; what is yielded counts an event of it, by its type."""
        self._open.inc()
        try:
            yield lambda event: self._events.labels(event).inc()
        finally:
            self._open.dec()

    def count_broken_contract(self) -> None:
        """Count an answer or an event of the sandbox's own that breaks the contract."""
        self._violations.labels("sandbox").inc()

    def count_delivery(self, outcome: str) -> None:
        """Count a webhook that is done with."""
        self._deliveries.labels(outcome).inc()

    def count_evicted(self, count: int) -> None:
        """Count requests that the journal dropped."""
        self._evicted.inc(count)

    @contextmanager
    def store_call(self, name: str) -> Iterator[None]:
        """Time a call of the store."""
        began = monotonic()
        try:
            yield
        finally:
            self._store.labels(name).observe(monotonic() - began)

    def text(self) -> str:
        """Return all of it in Prometheus's text format."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = CollectorRegistry()
        try:
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        except ValueError:  # there is no folder: this process has counted all there is
            registry = self._registry
        return generate_latest(registry).decode()


def forget_worker(process: int, folder: str) -> None:
    """Count the open streams of a worker no more: it has ended."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(process, folder)  # type: ignore[no-untyped-call]
