"""Gathers a body as it comes, decoded and never longer than it may be: a few bytes can stand for gigabytes."""

from __future__ import annotations

import zlib
from http.client import HTTPResponse

MOST_BYTES = 2 * 1024 * 1024

# What zlib must be told of each coding that a client may be answered in: a zlib or a gzip head, whichever comes.
_ANY_HEAD = zlib.MAX_WBITS | 32
_KNOWN = {"gzip", "x-gzip", "deflate"}
_PIECE = 65_536


class TooLarge(Exception):
    """A body is longer than is taken."""


class BodyReader:
    """One body; `read` is what came so far, without its coding."""

    def __init__(self, response: HTTPResponse) -> None:
        self.read = bytearray()
        self._response = response
        coding = (response.getheader("content-encoding") or "").strip().lower()
        self.is_coded = coding in _KNOWN
        self._decoder = zlib.decompressobj(_ANY_HEAD) if self.is_coded else None

    def to_the_end(self) -> None:
        """Read all of it.

        Raises:
            TooLarge: it is longer than is taken; its beginning is there.
            zlib.error: it isn't in its coding.
        """
        while piece := self._response.read1(_PIECE):
            room = MOST_BYTES + 1 - len(self.read)
            self.read += self._decoder.decompress(piece, room) if self._decoder else piece
            if len(self.read) > MOST_BYTES:
                del self.read[MOST_BYTES:]
                raise TooLarge
            if self._decoder and self._decoder.eof:
                return
