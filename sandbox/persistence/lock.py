"""Locks an open file for one process; the system lets go of it when the process ends, however it ends."""

from __future__ import annotations

import errno
import os
from typing import Any


def lock(handle: int) -> None:
    """Lock an open file.

    Raises:
        BlockingIOError: another process has locked it.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        lock_first_byte(handle, msvcrt)
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def lock_first_byte(handle: int, msvcrt: Any) -> None:
    """Lock an open file as Windows does: a byte of it, which need not be there."""
    os.lseek(handle, 0, os.SEEK_SET)
    try:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EDEADLK):
            raise
        raise BlockingIOError(errno.EAGAIN, "locked by another process") from None
