"""The config file of `serve` and its scenarios: whether they have changed, and what `--reload` does then."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox.options import SettingsError
from sandbox.settings import Settings, options, scenario_files

log = logging.getLogger("sandbox")


class ConfigFile:
    """A file that may change, and the scenarios of a folder. They are looked at from the start: read them afterwards,
    and no change is missed."""

    def __init__(self, path: Path | None, folder: str | None = None) -> None:
        self._path, self._folder = path, folder
        self._stamp = self._read_stamp()

    @property
    def name(self) -> str:
        """What it is called in a message."""
        return " and ".join(str(each) for each in (self._path, self._folder) if each)

    def has_changed(self) -> bool:
        """Say whether it has changed since it was looked at last."""
        before, self._stamp = self._stamp, self._read_stamp()
        return self._stamp != before

    def _read_stamp(self) -> list[tuple[object, ...]]:
        paths = [*([self._path] if self._path else []), *scenario_files(self._folder)]
        return [(path, *_stamp_of(path)) for path in paths]


def _stamp_of(path: Path) -> tuple[int, ...]:
    try:
        stat = path.stat()
    except OSError:
        return ()
    # The inode too: Kubernetes turns a link to another file, and both may have the same time.
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


@dataclass(frozen=True, slots=True)
class ConfigReloader:
    """`serve --reload`: takes the apps of a changed config file, and keeps the old ones where the new file is wrong."""

    file: ConfigFile
    current: Settings
    read_settings: Callable[[], Settings]
    declare: Callable[[Settings], None]

    def poll(self) -> None:
        """Take the file if it has changed."""
        if not self.file.has_changed():
            return
        try:
            new = self.read_settings()
            self.declare(new)
        except SettingsError as error:
            log.warning("%s; the settings stay as they were", error)
            return
        log.warning("%s: taken, all data is kept", self.file.name)
        names = [name for name in options() if getattr(new, name) != getattr(self.current, name)]
        # A token that `serve` generated is in no file.
        changed = [name for name in names if name != "control_token"]
        if changed:
            log.warning("%s: needs a restart: %s", self.file.name, ", ".join(changed))
