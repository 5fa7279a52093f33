"""The process of a command: its standard streams, the signals that end it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from types import FrameType
from typing import TextIO

from sandbox.options import SettingsError

_READ_SIZE = 64 * 1024


def open_closed_streams() -> None:
    """Open the null device for each closed standard stream.

    A socket or a file would get its number otherwise, and what is printed would go there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The system takes the lowest free number.
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or _null_stream()
    sys.stderr = sys.stderr or _null_stream()


def write_line(text: str) -> None:
    """Print a text at once; do without where nobody reads it or the disk is full."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = _null_stream()


def flush_streams() -> None:
    """Flush both outputs; where that fails, Python must not try again at its end."""
    for name in ("stdout", "stderr"):
        try:
            getattr(sys, name).flush()
        except OSError:
            setattr(sys, name, _null_stream())


def _null_stream() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - open as long as the process runs


class StopRequest:
    """Says that the server is to end, and tells it: a thread or the handler of a signal asks for it."""

    def __init__(self) -> None:
        self._is_set = False
        self._listener: Callable[[], None] | None = None

    def is_set(self) -> bool:
        """Say whether somebody has asked."""
        return self._is_set

    def set(self) -> None:
        """Ask for the end."""
        self._is_set = True
        if self._listener:
            self._listener()

    def tell(self, listener: Callable[[], None]) -> None:
        """Call a function whenever somebody asks from now on, in the thread that does."""
        self._listener = listener


class StandardInput:
    """Reads standard input to its end and asks for the server's: it ends with the process that started it.

    A pipe ends when every process that could write into it has ended, however it ended, on every system.
    """

    def __init__(self, stop: StopRequest) -> None:
        """Begin to read; what comes is discarded.

        Raises:
            SettingsError: there is no standard input.
        """
        try:
            descriptor = sys.stdin.fileno()
        except (AttributeError, OSError, ValueError):
            raise SettingsError("--exit-on-stdin-close: expected an open standard input, got none") from None
        # A daemon: nothing can interrupt a read that waits.
        Thread(target=read_to_end, args=(descriptor, stop), daemon=True).start()


def read_to_end(descriptor: int, stop: StopRequest) -> None:
    """Read a pipe until its other end closes, then ask for the end."""
    with suppress(OSError):
        # Not through `sys.stdin`: a waiting reader would hold its lock when the interpreter ends.
        while os.read(descriptor, _READ_SIZE):
            pass
    stop.set()


class SigintFlag:
    """Is set by Ctrl-C or a closed terminal: either ends the server in good order, however often it comes.

    A KeyboardInterrupt could come anywhere, also where imports swallow it.
    """

    def __init__(self, stop: StopRequest) -> None:
        self._stop = stop
        self._is_set = False
        self._signals: list[signal.Signals] = [signal.SIGINT]
        # Windows has no SIGHUP; and a server that was started with `nohup` is to stay.
        hangup: signal.Signals | None = getattr(signal, "SIGHUP", None)
        if hangup and signal.getsignal(hangup) is not signal.SIG_IGN:
            self._signals.append(hangup)
        for number in self._signals:
            signal.signal(number, self._set)

    def ignore(self) -> None:
        """Ignore both signals from now on: the server has ended, and Python would end by the signal."""
        for number in self._signals:
            signal.signal(number, signal.SIG_IGN)

    def is_set(self) -> bool:
        """Say whether one of the signals came."""
        return self._is_set

    def _set(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a handler
        self._is_set = True
        self._stop.set()
