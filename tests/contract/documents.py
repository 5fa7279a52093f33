"""Ways through a document: by pointer, and to every object in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


def at(document: Any, pointer: str) -> Any:
    """Return what stands at a JSON pointer."""
    for part in pointer.strip("/").split("/") if pointer else ():
        document = document[int(part) if isinstance(document, list) else part.replace("~1", "/")]
    return document


def nodes(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every object of a document with its place, examples left out."""
    if isinstance(node, dict):
        yield path, node
        for name, child in node.items():
            if name not in ("example", "examples"):
                yield from nodes(child, f"{path}/{name}")
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from nodes(child, f"{path}/{index}")


def row(clause: str, *values: Any) -> Any:
    """Return a row of a table, under the clause that it holds."""
    return pytest.param(*values, marks=pytest.mark.clause(clause), id=str(values[0]))
