"""Standard output and error of a command that goes on where nobody reads them, or where there are none."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def open_missing() -> None:
    """Let what is closed lead nowhere: its number would go to a socket or a file, and texts into that."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is taken.
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()


def say(text: str) -> None:
    """Print a text at once, unless nobody reads it or there is no room for it."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = _nowhere()


def flush() -> None:
    """Write what is left; where that can't be done Python would try once more at its end, and fail."""
    try:
        sys.stdout.flush()
    except OSError:
        sys.stdout = _nowhere()
    try:
        sys.stderr.flush()
    except OSError:
        sys.stderr = _nowhere()


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - open as long as the process runs
