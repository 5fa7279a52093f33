"""The names of what is kept in Redis."""

from __future__ import annotations

# Those of an app's state, in the order in which its scripts take them; behind them what else belongs to the app.
_STATE = ("meta", "rows", "items", "order", "users", "seen")
_BESIDE = ("log", "done", "hooks", "sender")


class Keys:
    """The keys under a prefix. The braces let a Redis Cluster hold all of an app in one place.

    Neither a prefix nor an app's id has a colon or a brace in it, so no two names meet.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.version = f"{{{prefix}}}:version"
        # The apps that were written to, those that had requests, those whose webhooks wait.
        self.apps = f"{{{prefix}}}:apps"
        self.journals = f"{{{prefix}}}:journals"
        self.sending = f"{{{prefix}}}:sending"
        self.used = f"{{{prefix}}}:used"
        self.coverage = f"{{{prefix}}}:coverage"
        self.health = f"{{{prefix}}}:health"
        # Channels: of all workers, and of live events.
        self.server = f"{{{prefix}}}:server"
        self.live = f"{{{prefix}}}:live"
        # What finds all of them, and no other's.
        self.patterns = (f"{{{prefix}}}:*", f"{{{prefix}:*")

    def of_app(self, app_id: str) -> tuple[str, ...]:
        """Return the keys of an app's state, in the order in which its scripts take them."""
        return self._named(app_id, *_STATE)

    def all_of_app(self, app_id: str) -> tuple[str, ...]:
        """Return all keys of an app, those of its state first."""
        return self._named(app_id, *_STATE, *_BESIDE)

    def of_journal(self, app_id: str | None) -> tuple[str, ...]:
        """Return the keys of an app's journal (None: of the requests that name no app): state, records, their order."""
        return self._named(app_id or "", "meta", "log", "done")

    def of_webhooks(self, app_id: str) -> tuple[str, ...]:
        """Return the keys of an app's deliveries: those themselves, and which worker sends them."""
        return self._named(app_id, "hooks", "sender")

    def _named(self, app_id: str, *names: str) -> tuple[str, ...]:
        return tuple(f"{{{self.prefix}:{app_id}}}:{name}" for name in names)
