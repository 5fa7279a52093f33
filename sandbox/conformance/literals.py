"""Keeps what Hypothesis makes up to its seed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_literals_of_the_process() -> Iterator[None]:
    """Keep Hypothesis from drawing literals out of the Python files that this process has loaded.

    It has no setting for that. They may be anybody's, the server may be a stranger's; and what is sent would hang on
    what else the process does, no longer on the seed alone.
    """
    from hypothesis.internal.conjecture import providers
    from hypothesis.internal.constants_ast import Constants

    if not hasattr(providers, "_get_local_constants"):
        yield  # another release of Hypothesis, which names it otherwise; a test of ours is red then
        return
    found = providers._get_local_constants
    providers._get_local_constants = Constants
    providers.CONSTANTS_CACHE.cache.clear()
    try:
        yield
    finally:
        providers._get_local_constants = found
        providers.CONSTANTS_CACHE.cache.clear()
