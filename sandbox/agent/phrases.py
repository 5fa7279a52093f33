"""Finds phrases of the vocabulary among the words of a text. Owns the search; knows no vocabulary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Phrases(Generic[T]):
    """Phrases, each with what it stands for, by their first word: a word that begins none costs two looks.

    A word written `word*` is the beginning of a word. The next word of a phrase is one of `gap` words that follow.
    """

    def __init__(self, phrases: Iterable[tuple[Sequence[str], T]], gap: int = 1) -> None:
        listed = list(phrases)
        self._gap = gap
        self._whole: dict[str, list[tuple[str, list[str], T]]] = {}
        self._begun: dict[str, list[tuple[str, list[str], T]]] = {}
        # Beginnings stand under so many of their letters as the shortest has.
        self._letters = min((len(words[0]) - 1 for words, _ in listed if words[0][-1] == "*"), default=1)
        for (first, *rest), value in listed:
            if first[-1] == "*":
                self._begun.setdefault(first[: self._letters], []).append((first[:-1], rest, value))
            else:
                # A text without the longest word of a phrase needs no closer look.
                longest = max((word for word in rest if word[-1] != "*"), key=len, default=first)
                self._whole.setdefault(first, []).append((longest, rest, value))

    def find(self, words: Sequence[str]) -> list[T]:
        """Return what the phrases in a text stand for, in the order in which they begin there."""
        found: list[T] = []
        whole, begun, letters = self._whole, self._begun, self._letters
        present = frozenset(words)
        for position, word in enumerate(words):
            if word in whole:
                for longest, rest, value in whole[word]:
                    if longest in present and (not rest or self._follow(rest, words, position)):
                        found.append(value)
            head = word[:letters]
            if head in begun:
                for start, rest, value in begun[head]:
                    if word.startswith(start) and (not rest or self._follow(rest, words, position)):
                        found.append(value)
        return found

    def _follow(self, rest: Sequence[str], words: Sequence[str], position: int) -> bool:
        """Say whether the words of `rest` come after `position`, in their order and not far apart."""
        for wanted in rest:
            for word in words[position + 1 : position + 1 + self._gap]:
                position += 1
                if word == wanted or (wanted[-1] == "*" and word.startswith(wanted[:-1])):
                    break
            else:
                return False
        return True
