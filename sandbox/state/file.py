"""One file that is whole at any moment: written beside itself, then put in its own place in one go."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import BufferedWriter
from pathlib import Path

_FOR_ITS_OWNER = 0o600


class WholeFile:
    """A file that one process uses at a time; whoever reads it finds what was last written whole.

    Raises:
        BlockingIOError: another process uses it.
        OSError: its folder can't be written to, or it is something else than a file.
    """

    def __init__(self, path: Path) -> None:
        # What a link leads to is replaced, not the link.
        self.path = path.resolve()
        self._beside = self.path.with_name(f".{self.path.name}.new")
        if self.path.exists() and not self.path.is_file():
            raise OSError(None, "not a file")
        self._lock = _locked(self.path.with_name(f".{self.path.name}.lock"))

    @property
    def exists(self) -> bool:
        """Whether it was ever written."""
        return self.path.exists()

    def lines(self) -> Iterator[bytes]:
        """Yield its lines, line ends included."""
        with self.path.open("rb") as file:
            yield from file

    def write(self, pieces: Iterable[bytes]) -> int:
        """Put these in place of all that it holds and return how many bytes they are.

        Raises:
            OSError: it could not be written; it is as it was.
        """
        try:
            with os.fdopen(os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _FOR_ITS_OWNER), "wb") as file:
                size = _filled(file, pieces)
            self._beside.replace(self.path)
        except OSError:
            with suppress(OSError):
                self._beside.unlink(missing_ok=True)
            raise
        _settle(self.path.parent)
        return size

    def close(self) -> None:
        """Let others use it."""
        os.close(self._lock)


def _filled(file: BufferedWriter, pieces: Iterable[bytes]) -> int:
    size = sum(file.write(piece) for piece in pieces)
    file.flush()
    os.fsync(file.fileno())
    return size


def _settle(folder: Path) -> None:
    """Make sure that the file's new place outlives a crash of the machine."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _locked(path: Path) -> int:
    """Return a handle that holds a lock; the system lets go of it when the process ends, however it ends."""
    try:
        import fcntl
    except ImportError:
        raise OSError(None, "this system has no locks for files") from None

    handle = os.open(path, os.O_RDWR | os.O_CREAT, _FOR_ITS_OWNER)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle
