"""`serve --reload`: takes the apps of a changed config file, and keeps the old ones when the new file is wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Protocol

from sandbox.settings import Settings, SettingsError, options

log = logging.getLogger("sandbox")


class Watch(Protocol):
    """What looks, several times a second, whether there is something to do."""

    def look(self) -> None:
        """Do it, if there is."""
        ...


class Preload:
    """Loads what no answer needed yet, in a thread: from the second look on, so that the first answers don't wait."""

    def __init__(self, load: Callable[[], None]) -> None:
        self._load = load
        self._looks = 0

    def look(self) -> None:
        """Begin to load, once."""
        self._looks += 1
        if self._looks == 2:
            Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with suppress(OSError, ImportError):
            self._load()


class ConfigWatch:
    """Looks at one file, whenever it is asked to."""

    def __init__(
        self, path: Path, current: Settings, read: Callable[[], Settings], declare: Callable[[Settings], None]
    ) -> None:
        self._path = path
        self._current = current
        self._read = read
        self._declare = declare
        self._seen = self._stamp()

    def look(self) -> None:
        """Take the file if it has changed."""
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            new = self._read()
            self._declare(new)
        except SettingsError as error:
            log.warning("%s; the settings stay as they were", error)
            return
        log.warning("%s: taken, all data is kept", self._path)
        names = [name for name in options() if getattr(new, name) != getattr(self._current, name)]
        # The token that serve made for itself stands in no file.
        changed = [name for name in names if name != "control_token"]
        if changed:
            log.warning("%s: needs a restart: %s", self._path, ", ".join(changed))

    def _stamp(self) -> tuple[int, ...] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        # The number too: where a link is turned to another file, as Kubernetes does, both may be of one moment.
        return found.st_mtime_ns, found.st_size, found.st_ino
