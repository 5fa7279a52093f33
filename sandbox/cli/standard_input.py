"""Watches standard input for its end, so that a server can end with the process that started it."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from threading import Thread

from sandbox.settings import SettingsError

_PIECE = 64 * 1024


class StandardInput:
    """Reads standard input to its end and throws away what comes.

    A pipe ends when everybody who could write into it has ended, whatever killed them, and it does so on every system.
    """

    def __init__(self) -> None:
        """Begin to read.

        Raises:
            SettingsError: there is no standard input.
        """
        try:
            descriptor = sys.stdin.fileno()
        except (AttributeError, OSError, ValueError):
            raise SettingsError("--exit-on-stdin-close: expected an open standard input, got none") from None
        # The process ends without it: a read that waits can't be called off.
        self._reader = Thread(target=_read_to_the_end, args=(descriptor,), daemon=True)
        self._reader.start()

    def is_closed(self) -> bool:
        """Say whether the end has come."""
        return not self._reader.is_alive()


def _read_to_the_end(descriptor: int) -> None:
    with suppress(OSError):
        # Not through `sys.stdin`, whose lock a waiting reader would hold when the interpreter ends.
        while os.read(descriptor, _PIECE):
            pass
