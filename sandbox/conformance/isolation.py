"""Keeps the engine to its plan: nothing that lies about in the process or its environment may come into a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def no_process_literals() -> Iterator[None]:
    """Keep Hypothesis from drawing literals out of the Python files that this process has loaded.

    It has no setting for that. They may be anybody's, the server may be a stranger's; and what is sent would hang on
    what else the process does, no longer on the seed alone.
    """
    from hypothesis.internal.cache import LRUCache
    from hypothesis.internal.conjecture import providers
    from hypothesis.internal.constants_ast import Constants

    if not hasattr(providers, "_get_local_constants"):
        yield  # another release of Hypothesis, which names it otherwise; a test of ours is red then
        return
    with _replaced(providers, _get_local_constants=Constants, CONSTANTS_CACHE=LRUCache(1024)):
        yield


@contextmanager
def no_environment_proxies() -> Iterator[None]:
    """Keep requests from the proxies of the environment and the passwords of a `.netrc`.

    The engine has no setting for that. With a proxy the key would go to another place, and the requests wouldn't come
    to the suite's own proxy; a password would stand where the key belongs.
    """
    from requests import sessions

    def nothing(*_: Any, **__: Any) -> dict[str, str]:
        return {}

    with _replaced(sessions, get_environ_proxies=nothing, get_netrc_auth=nothing):
        yield


@contextmanager
def _replaced(module: Any, **functions: Any) -> Iterator[None]:
    """Put other functions into a module until the block ends."""
    originals = {name: getattr(module, name) for name in functions}
    vars(module).update(functions)
    try:
        yield
    finally:
        vars(module).update(originals)
