"""Finds the operation for a path and a method. Made from the contract: no path stands in Python.

Paths are split before they are decoded, each segment once, so that `%2F` in a user id is a character of the id
(docs/contract.md 4.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar
from urllib.parse import unquote_to_bytes

from sandbox.contract import Operation
from sandbox.errors import MethodNotAllowed, NotFound

Target = TypeVar("Target")


class _Node(Generic[Target]):
    """What may follow one segment: a fixed word, or any value of a parameter."""

    def __init__(self) -> None:
        self.words: dict[str, _Node[Target]] = {}
        self.parameter: tuple[str, _Node[Target]] | None = None
        self.methods: dict[str, Target] = {}


class Router(Generic[Target]):
    """Maps a raw path and a method to what was registered for an operation."""

    def __init__(self) -> None:
        self._root: _Node[Target] = _Node()

    def add(self, operation: Operation, target: Target) -> None:
        """Register what serves an operation."""
        node = self._root
        for segment in operation.segments:
            if segment.startswith("{"):
                node.parameter = node.parameter or (segment[1:-1], _Node())
                node = node.parameter[1]
            else:
                node = node.words.setdefault(segment, _Node())
        node.methods[operation.method] = target

    def find(self, raw_path: bytes, method: str, parameters: dict[str, str]) -> Target:
        """Return the target; the path's parameters are put into `parameters`, as far as they were found.

        Raises:
            NotFound: the contract has no such path.
            MethodNotAllowed: it has the path, not the method.
        """
        methods = self._resolve(raw_path, parameters)
        if method not in methods:
            raise MethodNotAllowed(method, tuple(methods))
        return methods[method]

    def _resolve(self, raw_path: bytes, parameters: dict[str, str]) -> Mapping[str, Target]:
        node = self._root
        for segment in _segments(raw_path):
            if segment in node.words:
                node = node.words[segment]
            elif node.parameter and segment:
                name, node = node.parameter
                parameters[name] = segment
            else:
                raise _unknown_path()
        if not node.methods:
            raise _unknown_path()
        return node.methods


def _segments(raw_path: bytes) -> list[str]:
    """Return the decoded segments; where nothing is to be decoded, splitting comes after."""
    try:
        if b"%" in raw_path:
            return [unquote_to_bytes(segment).decode() for segment in raw_path.split(b"/")[1:]]
        return raw_path.decode().split("/")[1:]
    except UnicodeDecodeError:
        raise _unknown_path() from None


def _unknown_path() -> NotFound:
    return NotFound("No such path.")
