"""Where the servers of tests keep their apps: in memory, or each under its own prefix in the Redis that is named.

`DIMEDOVE_SANDBOX_STORE=URL pytest tests/api tests/control` holds all of what these tests say against the store.
"""

from __future__ import annotations

import itertools
import os
from typing import Any

from sandbox.options import ENV_PREFIX

STORE = os.environ.get(ENV_PREFIX + "STORE")

_numbers = itertools.count(1)


def own_prefix() -> str:
    """Return a prefix that no other server of any test has."""
    return f"test-{os.getpid()}-{next(_numbers)}"


def own_place() -> dict[str, Any]:
    """Return the settings of a server that shares its store with no other; none where apps are kept in memory."""
    return {"store": STORE, "store_prefix": own_prefix()} if STORE else {}
