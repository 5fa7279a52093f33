"""What lies in a folder of ours. `pathlib` would take a fiftieth of the start to walk two of them."""

from __future__ import annotations

import os
from pathlib import Path


def names_below(folder: Path, *, leaving: str | None = None) -> list[str]:
    """Return the place of each file in a folder and below it, with slashes and in order; not what `leaving` names."""
    found: list[str] = []
    for place, folders, names in os.walk(folder):
        inside = place[len(str(folder)) + 1 :].replace(os.sep, "/")
        found += (f"{inside}/{name}" if inside else name for name in names)
        folders[:] = [name for name in folders if name != leaving]
    return sorted(found)
