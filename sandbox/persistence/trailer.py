"""What a saved state begins and ends with: by the checksum in its last line a damaged one is known, or a cut one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import BinaryIO, NamedTuple

HEADER = b'{"object":"sandbox_data"'

_TRAILER = re.compile(rb'\{"object":"end","apps":([0-9]{1,18})(?:,"sha256":"([0-9a-f]{64})")?\}\n')
_LONGEST_TRAILER = 150
_CHUNK = 1024 * 1024


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
    """Read a last line; None where it is another one."""
    match = _TRAILER.fullmatch(line)
    return Trailer(int(match[1]), match[2].decode() if match[2] else None) if match else None


def locate(file: BinaryIO) -> tuple[int, int]:
    """Return where in a file the newest whole state begins and ends: more than one stand there during a save in place.

    An empty range: nothing was ever saved. The whole file: nothing in it is whole, or whoever reads it will find out.
    """
    size = file.seek(0, 2)
    starts = list(_headers(file))
    file.seek(max(0, size - _LONGEST_TRAILER))
    if starts == [0] and parse_trailer(b"{" + file.read().rpartition(b"\n{")[2]):
        return 0, size
    for start in reversed(starts):
        file.seek(start)
        length = _length(file)
        if length:
            return start, start + length
    file.seek(0)
    # A first save in place begins with an empty line.
    return (0, 0) if file.read(1) in (b"", b"\n") else (0, size)


def _length(lines: Iterable[bytes]) -> int | None:
    """Return how many bytes the whole state has that these lines begin with; None where it isn't whole."""
    length, digest = 0, sha256()
    for number, line in enumerate(lines):
        length += len(line)
        if trailer := parse_trailer(line):
            whole = trailer.apps == number - 1 and trailer.sha256 in (None, digest.hexdigest())
            return length if whole else None
        digest.update(line)
    return None


def _headers(file: BinaryIO) -> Iterator[int]:
    """Yield where a line begins as a state does."""
    mark = b"\n" + HEADER
    file.seek(0)
    seen, offset = b"\n", -1
    while chunk := file.read(_CHUNK):
        seen += chunk
        place = seen.find(mark)
        while place >= 0:
            yield offset + place + 1
            place = seen.find(mark, place + 1)
        keep = min(len(seen), len(mark) - 1)
        offset += len(seen) - keep
        seen = seen[len(seen) - keep :]
