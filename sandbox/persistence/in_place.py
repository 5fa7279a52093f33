"""A file that can't be replaced, as one that is mounted by itself: written in place, with a whole state in it always.

A save appends the new state, then copies it to the front, then cuts the rest off; each step is on the disk before the
next one begins. Whenever that is stopped, the last whole state of the file is the one that counts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from sandbox.persistence.trailer import locate

_CHUNK = 1024 * 1024


class InPlaceFile:
    """A file that one process uses at a time, written without a second file beside it.

    Raises:
        BlockingIOError: another process uses it.
        OSError: it can't be written to.
    """

    def __init__(self, path: Path, lock: Callable[[int], None]) -> None:
        self.path = path
        self._handle = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
        self._size: int | None = None
        try:
            lock(self._handle)
            self._recover()
        except OSError:
            self.close()
            raise
        # It holds keys; who doesn't own it can't say who may read it.
        with suppress(OSError):
            path.chmod(0o600)

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of the last whole state, line ends included."""
        with open(self._handle, "rb", closefd=False) as file:
            file.seek(0)
            yield from file

    def write(self, pieces: Iterable[bytes]) -> int:
        """Put these in place of all that it holds and return how many bytes they are.

        Raises:
            OSError: it could not be written; what it held, or these, are whole in it.
        """
        old = self._recover() if self._size is None else self._size
        try:
            # An empty file gets an empty line first: by it a first save that was stopped is known.
            start = old or self._put(0, [b"\n"])
            size = self._put(start, pieces)
            if start < size:
                # At the front it would overwrite itself.
                self._put(start + size, self._content(start, size))
                start += size
        except OSError:
            with suppress(OSError):
                os.truncate(self._handle, old)
            raise
        self._settle(start, size)
        return size

    def close(self) -> None:
        """Let others use it."""
        os.close(self._handle)

    def _recover(self) -> int:
        """Bring the last whole state to the front, if a save was stopped; return how many bytes the file then has."""
        with open(self._handle, "rb", closefd=False) as file:
            start, end = locate(file)
        return self._settle(start, end - start)

    def _settle(self, start: int, size: int) -> int:
        self._size = None
        if start:
            self._put(0, self._content(start, size))
        if os.fstat(self._handle).st_size != size:
            os.truncate(self._handle, size)
            os.fsync(self._handle)
        self._size = size
        return size

    def _content(self, start: int, size: int) -> Iterator[bytes]:
        for offset in range(start, start + size, _CHUNK):
            os.lseek(self._handle, offset, os.SEEK_SET)
            yield os.read(self._handle, min(_CHUNK, start + size - offset))

    def _put(self, offset: int, pieces: Iterable[bytes]) -> int:
        """Write at an offset, wait until it is on the disk, and return how many bytes it was."""
        place = offset
        for chunk in _chunks(pieces):
            os.lseek(self._handle, place, os.SEEK_SET)
            rest = memoryview(chunk)
            while rest:
                rest = rest[os.write(self._handle, rest) :]
            place += len(chunk)
        os.fsync(self._handle)
        return place - offset


def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield pieces joined, so that a write is worth its call."""
    waiting, size = [], 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _CHUNK:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
