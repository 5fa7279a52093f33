"""The app id of a test."""

from __future__ import annotations

import hashlib
import os
import re
import uuid


def worker_name() -> str:
    """Return a unique name of this worker: other runs may use the same server at the same time."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")  # noqa: TID251 - xdist names a worker here
    return f"{worker}_{uuid.uuid4().hex[:8]}"  # noqa: TID251 - not a value of the sandbox


def app_id(nodeid: str, worker_name: str) -> str:
    """Return an app id that names its test.

    On a server of our own the same test has the same id in every run, and so the same titles and replies: they come
    from the seed and the app id.
    """
    digest = hashlib.sha256(f"{nodeid}\n{worker_name}".encode("utf-8", "backslashreplace")).hexdigest()[:8]
    name = re.sub(r"[^A-Za-z0-9]+", "_", nodeid.partition("::")[2] or nodeid).strip("_")[:80]
    worker = worker_name.partition("_")[0]
    return "_".join(filter(None, ("app", name, worker, digest)))
