"""How far a test goes: a part of the way wherever the tests are run, all of it in `.ci/run`.

A search tries what it makes up, and each try holds the same law: more of them find what is rarer. All else is the same.
"""

from __future__ import annotations

import os

from tests.demands import VARIABLE

ALL = bool(os.environ.get(VARIABLE))


def up_to(full: int, *, here: int) -> int:
    """Return how many tries a search has: `full` where everything is demanded, else `here`."""
    return full if ALL else here
