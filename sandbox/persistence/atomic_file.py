"""One file that is whole at any moment: written beside itself, then put in its own place in one go."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from io import BufferedWriter
from pathlib import Path

from sandbox.persistence.in_place import InPlaceFile
from sandbox.persistence.lock import lock as lock_of_the_system
from sandbox.persistence.trailer import locate

Lock = Callable[[int], None]

_FOR_ITS_OWNER = 0o600
_FLAGS: int = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
# What a folder says that takes no new file.
_CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)


def open_file(path: Path, lock: Lock = lock_of_the_system) -> WholeFile | InPlaceFile:
    """Open a file for this process alone; one that can't be replaced is written in place.

    Raises:
        BlockingIOError: another process uses it.
        OSError: it can't be written, or it is something else than a file.
    """
    # What a link leads to is replaced, not the link.
    path = Path(os.path.realpath(path))
    exists = path.exists()
    if exists and not path.is_file():
        raise OSError(None, "not a file")
    try:
        file = WholeFile(path, lock)
    except OSError as error:
        if not exists or error.errno not in _CLOSED:
            raise
        return InPlaceFile(path, lock)
    if file.can_be_replaced():
        return file
    file.close()
    return InPlaceFile(path, lock)


class WholeFile:
    """A file that one process uses at a time; whoever reads it finds what was last written whole.

    Raises:
        BlockingIOError: another process uses it.
        OSError: its folder can't be written to.
    """

    def __init__(self, path: Path, lock: Lock = lock_of_the_system) -> None:
        self.path = path
        self._beside = path.with_name(f".{path.name}.new")
        self._lock = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT | _FLAGS, _FOR_ITS_OWNER)
        try:
            lock(self._lock)
            # Tried now: the first save may be the last thing that the server does.
            os.close(self._created())
            self._beside.unlink()
        except OSError:
            self.close()
            raise

    def can_be_replaced(self) -> bool:
        """Say whether another file can take its place: not where it is a mount of its own."""
        try:
            os.link(self.path, self._beside)
        except OSError as error:
            return error.errno != errno.EXDEV
        self._beside.unlink()
        return True

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of its last whole state, line ends included; none where it was never written."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            start, end = locate(file)
            file.seek(start)
            while start < end:
                line = file.readline(end - start)
                start += len(line)
                yield line

    def write(self, pieces: Iterable[bytes]) -> int:
        """Put these in place of all that it holds and return how many bytes they are.

        Raises:
            OSError: it could not be written; it is as it was.
        """
        try:
            with os.fdopen(self._created(), "wb") as file:
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

    def _created(self) -> int:
        """Return a handle of the file beside it: a new one, whatever stood there, and its owner's alone."""
        self._beside.unlink(missing_ok=True)
        return os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, _FOR_ITS_OWNER)


def _filled(file: BufferedWriter, pieces: Iterable[bytes]) -> int:
    size = sum(file.write(piece) for piece in pieces)
    file.flush()
    os.fsync(file.fileno())
    return size


def _settle(folder: Path) -> None:
    """Make sure that the file's new place outlives a crash of the machine."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows opens no folders
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
