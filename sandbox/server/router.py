"""Finds the operation for a path and a method. Made from the contract: no path stands in Python.

Paths are split before they are decoded, each segment once, so that `%2F` in a user id is a character of the id
(docs/contract.md 4.5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import replace
from urllib.parse import unquote, unquote_to_bytes

from sandbox import suggestions
from sandbox.contract import Contract, Operation
from sandbox.errors import ApiError, ContractError, MethodNotAllowed, NotFound


class _Node:
    """What may follow one segment: a fixed word, or any value of a parameter."""

    def __init__(self) -> None:
        self.words: dict[str, _Node] = {}
        self.parameter: tuple[str, _Node] | None = None
        self.methods: dict[str, Operation] = {}


class Router:
    """The operations of one contract; with `heads`, HEAD is answered as GET is.

    Raises:
        ContractError: an operation has no handler, or a handler no operation.
    """

    def __init__(self, contract: Contract, handlers: Set[str], *, heads: bool = False) -> None:
        operations = contract.operations
        _must_match({operation.id for operation in operations}, handlers)
        self._base = contract.base
        self._plain = f"{contract.base}/".encode()
        self._templates: Sequence[tuple[str, ...]] = [operation.segments for operation in operations]
        self._root = _Node()
        for operation in operations:
            self._add(operation)
            if heads and operation.method == "GET":
                self._add(replace(operation, method="HEAD"))

    def claims(self, path: bytes) -> bool:
        """Say whether a path is under the contract's base (one segment), however that is spelled."""
        if path.startswith(self._plain):
            return True
        first = path.split(b"/", 2)[1:2]
        return bool(first) and unquote(first[0].decode("latin-1")) == self._base.removeprefix("/")

    def resolve(self, path: bytes, method: str, parameters: dict[str, str]) -> Operation:
        """Return the operation; the path's parameters are put into `parameters`, as far as they were found.

        Raises:
            NotFound: the contract has no such path.
            MethodNotAllowed: it has the path, not the method.
        """
        methods = self._methods(path, parameters)
        if method not in methods:
            raise MethodNotAllowed(method, tuple(methods))
        return methods[method]

    def unknown(self, raw: bytes, parameters: dict[str, str]) -> NotFound:
        """Return the error of a path that isn't there, with the one that was meant, whose parameters are found."""
        path = raw.decode("latin-1")
        closest = suggestions.closest_path(path, self._base, self._templates)
        parameters.clear()
        with suppress(ApiError):
            self._methods((closest or suggestions.under_base(path, self._base)).encode("latin-1"), parameters)
        return NotFound(f"No such path; {suggestions.did_you_mean(path, closest)}" if closest else "No such path.")

    def _add(self, operation: Operation) -> None:
        node = self._root
        for segment in operation.segments:
            if segment.startswith("{"):
                node.parameter = node.parameter or (segment[1:-1], _Node())
                node = node.parameter[1]
            else:
                node = node.words.setdefault(segment, _Node())
        node.methods[operation.method] = operation

    def _methods(self, path: bytes, parameters: dict[str, str]) -> Mapping[str, Operation]:
        node = self._root
        for segment in _segments(path):
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


def _segments(path: bytes) -> list[str]:
    """Return the decoded segments; where nothing is to be decoded, splitting comes after."""
    try:
        if b"%" in path:
            return [unquote_to_bytes(segment).decode() for segment in path.split(b"/")[1:]]
        return path.decode().split("/")[1:]
    except UnicodeDecodeError:
        raise _unknown_path() from None


def _unknown_path() -> NotFound:
    return NotFound("No such path.")


def _must_match(operations: Set[str], handlers: Set[str]) -> None:
    """Refuse a contract and code that don't fit each other."""
    if missing := operations - handlers:
        raise ContractError(f"the contract has operations that nothing handles: {', '.join(sorted(missing))}")
    if extra := handlers - operations:
        raise ContractError(f"there are handlers for operations that the contract has not: {', '.join(sorted(extra))}")
