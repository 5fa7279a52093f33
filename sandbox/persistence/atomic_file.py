"""A file whose last whole state is there at any moment, whatever stops a save.

Where the file can be replaced (`AtomicFile`), the new state is written beside it and put in its place in one go. Where
it can't, as one that is mounted by itself (`InPlaceFile`), a save appends the new state, copies it to the front, then
cuts the rest off; each step is on the disk before the next one begins. By the checksum in its last line a state that is
damaged or cut is recognized.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

Lock = Callable[[int], None]

_OWNER_ONLY = 0o600
_FLAGS: int = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
# The errors of a folder that takes no new file.
_CLOSED_FOLDER = (errno.EACCES, errno.EPERM, errno.EROFS)
_CHUNK = 1024 * 1024

_HEADER = b'{"object":"sandbox_data"'
_TRAILER = re.compile(rb'\{"object":"end","apps":([0-9]{1,18})(?:,"sha256":"([0-9a-f]{64})")?\}\n')
_MAX_TRAILER = 150


def lock_file(handle: int) -> None:
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


def open_file(path: Path, lock: Lock = lock_file) -> AtomicFile | InPlaceFile:
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
        file = AtomicFile(path, lock)
    except OSError as error:
        if not exists or error.errno not in _CLOSED_FOLDER:
            raise
        return InPlaceFile(path, lock)
    if file.can_be_replaced():
        return file
    file.close()
    return InPlaceFile(path, lock)


class AtomicFile:
    """A file that one process uses at a time and replaces as a whole.

    Raises:
        BlockingIOError: another process uses it.
        OSError: its folder can't be written to.
    """

    def __init__(self, path: Path, lock: Lock = lock_file) -> None:
        self.path = path
        self._new_path = path.with_name(f".{path.name}.new")
        self._lock = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT | _FLAGS, _OWNER_ONLY)
        try:
            lock(self._lock)
            # Tried now: the first save may be the last thing that the server does.
            os.close(self._create())
            self._new_path.unlink()
        except OSError:
            self.close()
            raise

    def can_be_replaced(self) -> bool:
        """Say whether another file can take its place: not where it is a mount of its own."""
        try:
            os.link(self.path, self._new_path)
        except OSError as error:
            return error.errno != errno.EXDEV
        self._new_path.unlink()
        return True

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of its last whole state, line ends included; none where it was never written."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            start, end = _locate_state(file)
            file.seek(start)
            while start < end:
                line = file.readline(end - start)
                start += len(line)
                yield line

    def write(self, pieces: Iterable[bytes]) -> int:
        """Replace the content by these pieces; return how many bytes they are.

        Raises:
            OSError: it could not be written; the file is as it was.
        """
        try:
            with os.fdopen(self._create(), "wb") as file:
                size = sum(map(file.write, pieces))
                file.flush()
                os.fsync(file.fileno())
            self._new_path.replace(self.path)
        except OSError:
            with suppress(OSError):
                self._new_path.unlink(missing_ok=True)
            raise
        _sync_folder(self.path.parent)
        return size

    def close(self) -> None:
        """Release the file."""
        os.close(self._lock)

    def _create(self) -> int:
        """Create the new file beside the old one, whatever stood there, for its owner alone; return its handle."""
        self._new_path.unlink(missing_ok=True)
        return os.open(self._new_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, _OWNER_ONLY)


def _sync_folder(folder: Path) -> None:
    """Make sure that the file's new entry in its folder outlives a crash of the machine."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows opens no folders
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class InPlaceFile:
    """A file that one process uses at a time, written without a second file beside it.

    Raises:
        BlockingIOError: another process uses it.
        OSError: it can't be written to.
    """

    def __init__(self, path: Path, lock: Lock) -> None:
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
        """Replace the content by these pieces; return how many bytes they are.

        Raises:
            OSError: it could not be written; the old content or the new is whole in it.
        """
        old = self._recover() if self._size is None else self._size
        try:
            # An empty file gets an empty line first: by it a first save that was stopped is known.
            start = old or self._write_at(0, [b"\n"])
            size = self._write_at(start, pieces)
            if start < size:
                # At the front it would overwrite itself.
                self._write_at(start + size, self._read_range(start, size))
                start += size
        except OSError:
            with suppress(OSError):
                os.truncate(self._handle, old)
            raise
        self._move_to_front(start, size)
        return size

    def close(self) -> None:
        """Release the file."""
        os.close(self._handle)

    def _recover(self) -> int:
        """Bring the last whole state to the front, if a save was stopped; return how many bytes the file then has."""
        with open(self._handle, "rb", closefd=False) as file:
            start, end = _locate_state(file)
        return self._move_to_front(start, end - start)

    def _move_to_front(self, start: int, size: int) -> int:
        self._size = None
        if start:
            self._write_at(0, self._read_range(start, size))
        if os.fstat(self._handle).st_size != size:
            os.truncate(self._handle, size)
            os.fsync(self._handle)
        self._size = size
        return size

    def _read_range(self, start: int, size: int) -> Iterator[bytes]:
        for offset in range(start, start + size, _CHUNK):
            os.lseek(self._handle, offset, os.SEEK_SET)
            yield os.read(self._handle, min(_CHUNK, start + size - offset))

    def _write_at(self, offset: int, pieces: Iterable[bytes]) -> int:
        """Write at an offset, wait until it is on the disk, and return how many bytes it was."""
        place = offset
        for chunk in _join_pieces(pieces):
            os.lseek(self._handle, place, os.SEEK_SET)
            rest = memoryview(chunk)
            while rest:
                rest = rest[os.write(self._handle, rest) :]
            place += len(chunk)
        os.fsync(self._handle)
        return place - offset


def _join_pieces(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield pieces joined into chunks of about `_CHUNK` bytes."""
    waiting, size = [], 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _CHUNK:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


class Trailer(NamedTuple):
    """The last line of a state: how many apps stand before it, and the SHA-256 of all of it (None: an old file)."""

    apps: int
    sha256: str | None


def with_trailer(pieces: Iterable[bytes], apps: int) -> Iterator[bytes]:
    """Yield a state and its last line."""
    digest = sha256()
    for piece in pieces:
        digest.update(piece)
        yield piece
    yield b'{"object":"end","apps":%d,"sha256":"%b"}\n' % (apps, digest.hexdigest().encode())


def parse_trailer(line: bytes) -> Trailer | None:
    """Parse the last line of a state; None where it is another line."""
    match = _TRAILER.fullmatch(line)
    return Trailer(int(match[1]), match[2].decode() if match[2] else None) if match else None


def _locate_state(file: BinaryIO) -> tuple[int, int]:
    """Return where the newest whole state of a file begins and ends: during a save in place there is more than one.

    An empty range: nothing was ever saved. The whole file: nothing in it is whole, or whoever reads it will find out.
    """
    size = file.seek(0, os.SEEK_END)
    starts = _find_headers(file)
    file.seek(max(0, size - _MAX_TRAILER))
    if starts == [0] and parse_trailer(b"{" + file.read().rpartition(b"\n{")[2]):
        return 0, size
    for start in reversed(starts):
        file.seek(start)
        length = _whole_length(file)
        if length:
            return start, start + length
    file.seek(0)
    # A first save in place begins with an empty line.
    return (0, 0) if file.read(1) in (b"", b"\n") else (0, size)


def _find_headers(file: BinaryIO) -> list[int]:
    """Return the offsets of the lines that begin as a state does."""
    file.seek(0)
    starts, offset = [], 0
    for line in file:
        if line.startswith(_HEADER):
            starts.append(offset)
        offset += len(line)
    return starts


def _whole_length(lines: Iterable[bytes]) -> int | None:
    """Return how many bytes the state has that these lines begin with; None where it isn't whole."""
    length, digest = 0, sha256()
    for number, line in enumerate(lines):
        length += len(line)
        if trailer := parse_trailer(line):
            is_whole = trailer.apps == number - 1 and trailer.sha256 in (None, digest.hexdigest())
            return length if is_whole else None
        digest.update(line)
    return None
