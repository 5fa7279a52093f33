"""The names of what is kept in Redis."""

from __future__ import annotations


class Keys:
    """The keys under a prefix. The braces let a Redis Cluster hold all of an app in one place.

    Neither a prefix nor an app's id has a colon or a brace in it, so no two names meet.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.version = f"{{{prefix}}}:version"
        self.apps = f"{{{prefix}}}:apps"
        self.health = f"{{{prefix}}}:health"
        self.server = f"{{{prefix}}}:server"
        # What finds all of them, and no other's.
        self.patterns = (f"{{{prefix}}}:*", f"{{{prefix}:*")

    def of_app(self, app_id: str) -> tuple[str, ...]:
        """Return the keys of an app, in the order in which its scripts take them."""
        return tuple(
            f"{{{self.prefix}:{app_id}}}:{name}" for name in ("meta", "rows", "items", "order", "users", "seen")
        )
