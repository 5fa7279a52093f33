"""The only place where randomness comes from.

Every random value is a pure function of the seed and of an address such as `("app_demo", "conversation", 3, "title")`.
There is no shared generator, so what runs beside a request changes nothing.
"""

from __future__ import annotations

import hashlib
import random
from typing import NamedTuple


class Entropy:
    """A seed and an address: the source of every random value below that address.

    Addresses are sequences of strings and integers; `("a", 1)` and `("a", "1")` are the same address.
    """

    __slots__ = ("_state",)

    def __init__(self, seed: int | str) -> None:
        self._state = hashlib.blake2b(str(seed).encode("utf-8", "surrogatepass"), digest_size=32)

    def at(self, *address: str | int) -> Entropy:
        """Return the source that stands at `address` below this one."""
        child = Entropy.__new__(Entropy)
        child._state = self._extended(address)
        return child

    def random(self, *address: str | int) -> random.Random:
        """Return a generator of its own for `address`, always in the same initial state."""
        return random.Random(self._digest(address, 8))

    def hex(self, digits: int, *address: str | int) -> str:
        """Return `digits` (even, at most 64) hexadecimal digits that belong to `address`."""
        return self._digest(address, digits // 2).hex()

    def uuid(self, *address: str | int) -> str:
        """Return the version 4 UUID that belongs to `address`."""
        digest = self._digest(address, 16)
        digits, variant = digest.hex(), "89ab"[digest[8] >> 4 & 3]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

    def _digest(self, address: tuple[str | int, ...], size: int) -> bytes:
        return self._extended(address).digest()[:size]

    def _extended(self, address: tuple[str | int, ...]) -> hashlib.blake2b:
        text = ""
        for part in address:
            word = str(part)
            # The length, in bytes, keeps ("ab", "c") and ("a", "bc") apart.
            size = len(word) if word.isascii() else len(word.encode("utf-8", "surrogatepass"))
            text += f"{size}:{word}"
        state = self._state.copy()
        state.update(text.encode("utf-8", "surrogatepass"))
        return state


class SeedScope(NamedTuple):
    """Where the randomness of an app comes from: a seed, and the id under which the app began.

    It goes with the app's state: an app that is put back elsewhere says there what it would have said here.
    """

    seed: str
    app_id: str

    def entropy(self) -> Entropy:
        """Return the source of all that is random in the app."""
        return Entropy(self.seed).at(self.app_id)
