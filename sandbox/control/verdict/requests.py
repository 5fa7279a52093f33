"""Rules that one request alone can break: what was sent, to where, from where."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.control.verdict.evidence import in_short
from sandbox.control.verdict.findings import Finding, Seen
from sandbox.control.warnings import is_from_browser, meant_paths, unknown_names


def unknown_fields(seen: Seen) -> Iterator[Finding]:
    """Find fields and query parameters that the operation doesn't know and so ignores."""
    for entry in seen.entries:
        operation = seen.operation(entry)
        for sentence in unknown_names(entry, operation) if operation else ():
            yield Finding(f"{entry.operation}: {sentence}", [entry])


def outside_contract(seen: Seen) -> Iterator[Finding]:
    """Find calls to paths that the contract hasn't, and methods that a path of it hasn't."""
    for entry in seen.entries:
        # Another status is that of a guard in front of the contract, which says nothing of the path.
        if entry.operation is None and entry.status in (404, 405):
            what = "no such path" if entry.status == 404 else "no such method of this path"
            yield Finding("; ".join([f"{in_short(entry)}: {what}", *meant_paths(entry, seen.contract)]), [entry])


def browser_keys(seen: Seen) -> Iterator[Finding]:
    """Find secret keys that a page in a browser sent."""
    for entry in seen.entries:
        if is_from_browser(entry):
            yield Finding("a page in a browser sent a secret key", [entry])
