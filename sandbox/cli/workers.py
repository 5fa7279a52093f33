"""`serve --workers`: several processes on the same sockets, and one that restarts those that die and ends them all."""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from select import select
from threading import Thread
from types import FrameType

from sandbox.cli.process import StopRequest, flush_streams, read_to_end
from sandbox.clock import monotonic
from sandbox.server.metrics import WORKERS_FOLDER, forget_worker
from sandbox.settings import Settings

log = logging.getLogger("sandbox")

# Seconds between two looks at the workers, and from a worker's start in which it may not be replaced yet.
_LOOK_AGAIN, _PAUSE = 0.1, 1.0
# Seconds beside those of --drain, until a worker that doesn't end is killed.
_GRACE = 5.0


@contextmanager
def shared_metrics(settings: Settings) -> Iterator[str | None]:
    """Give the workers a folder in which each keeps what it counts, as long as this lasts; return it."""
    if not settings.metrics:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="dimedove-sandbox-", ignore_cleanup_errors=True) as folder:
        # Before anything is counted.
        os.environ[WORKERS_FOLDER] = folder  # noqa: TID251 - there is no other way to tell prometheus-client
        yield folder


class Supervisor:
    """Keeps so many workers running, each a child of this process.

    Args:
        settings: how many, and how they end.
        serve: what a worker does, until the request that it is given says that it is to end.
        stop: says that all of it is to end.
        ending: is called when the end begins.
        counts_in: the folder in which workers keep what they count, if they do.
    """

    def __init__(
        self,
        settings: Settings,
        serve: Callable[[StopRequest], None],
        stop: StopRequest,
        *,
        ending: Callable[[], None],
        counts_in: str | None,
    ) -> None:
        self._settings = settings
        self._serve = serve
        self._stop = stop
        self._ending = ending
        self._counts_in = counts_in
        # When each began, by its process id; and when the next one may: one that can't live is not tried all the time.
        self._workers: dict[int, float] = {}
        self._not_before = 0.0
        # Open for writing here alone: where this process ends, however it does, each worker reads the end.
        self._lifeline = os.pipe()

    def run(self) -> None:
        """Keep the workers running until somebody asks for the end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        while not self._stop.is_set():
            self._collect()
            if len(self._workers) < self._settings.workers and monotonic() >= self._not_before:
                self._start()
            else:
                self._wait()
        self._end_all()

    def _start(self) -> None:
        flush_streams()
        process = os.fork()
        if process:
            self._workers[process] = monotonic()
            return
        code = 1
        try:
            self._be_worker()
            code = 0
        except Exception:
            log.exception("a worker failed")
        finally:
            flush_streams()
            # Not by way of what the first process is to do at its end.
            os._exit(code)

    def _be_worker(self) -> None:
        reading, writing = self._lifeline
        os.close(writing)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        stop = StopRequest()
        Thread(target=read_to_end, args=(reading, stop), daemon=True).start()
        self._serve(stop)

    def _collect(self) -> None:
        """Note which workers have ended."""
        while self._workers:
            try:
                process, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self._workers.clear()
                return
            if not process:
                return
            began = self._workers.pop(process, None)
            if self._counts_in:
                forget_worker(process, self._counts_in)
            if began is not None and not self._stop.is_set():
                self._not_before = began + _PAUSE
                code = os.waitstatus_to_exitcode(status)
                how = f"signal {-code}" if code < 0 else f"exit code {code}"
                log.warning("worker %d ended (%s); another one takes its place", process, how)

    def _wait(self) -> None:
        """Wait a moment, or until standard input closes."""
        inputs = [sys.stdin.fileno()] if self._settings.exit_on_stdin_close else []
        readable, _, _ = select(inputs, [], [], _LOOK_AGAIN)
        if readable and not os.read(readable[0], 65_536):
            self._stop.set()

    def _end(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a handler
        if self._stop.is_set():
            self._send(signal.SIGTERM)
        self._stop.set()

    def _end_all(self) -> None:
        self._ending()
        self._send(signal.SIGTERM)
        deadline = monotonic() + self._settings.drain + _GRACE
        while self._workers and monotonic() < deadline:
            self._collect()
            select([], [], [], 0.01)
        self._send(signal.SIGKILL)
        self._collect()

    def _send(self, number: int) -> None:
        for process in self._workers:
            with suppress(ProcessLookupError):
                os.kill(process, number)
