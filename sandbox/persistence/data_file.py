"""Save all apps of a server in one file, and load it (`serve --data`; docs/control.md, Saving).

The file has a line for each app, between a first line and a last, which says how many apps there are: so a file that
was cut is noticed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from sandbox.apps.memory import MemoryConversations
from sandbox.apps.memory_app import MemoryApp
from sandbox.apps.registry import AppRegistry
from sandbox.apps.snapshot import AppSnapshot
from sandbox.clock import Clock
from sandbox.contract import Contract, Document, InvalidJson, decode, encode
from sandbox.contract.validation import summarize
from sandbox.errors import ApiError
from sandbox.long_work import Slices, in_thread
from sandbox.options import SettingsError
from sandbox.persistence.atomic_file import open_file, parse_trailer, with_trailer
from sandbox.persistence.snapshot import MAX_DEPTH, VERSION, parse_snapshot, serialize_snapshot
from sandbox.redaction import escape

log = logging.getLogger("sandbox")

# As deep as a snapshot, and the line around it.
_MAX_LINE_DEPTH = MAX_DEPTH + 2


@dataclass(frozen=True, slots=True)
class SaveResult:
    """A save: when it was, in Unix seconds, how many apps and how many bytes."""

    at: int
    apps: int
    bytes: int


class DataFile:
    """Loads the file once and saves into it.

    `last_save` is the last one that succeeded, `last_error` why the last one failed (None: it did not).

    Raises:
        SettingsError: the file can't be used, or is no good.
    """

    def __init__(self, path: Path, registry: AppRegistry, clock: Clock, contract: Contract, control: Contract) -> None:
        self._registry = registry
        self._clock = clock
        self._contract = contract
        self._control = control
        self._save_lock = asyncio.Lock()
        self.last_save: SaveResult | None = None
        self.last_error: str | None = None
        try:
            self._file = open_file(path)
        except BlockingIOError:
            raise SettingsError(f"--data {path}: another server uses this file") from None
        except OSError as error:
            raise SettingsError(f"--data {path}: can't be used: {error.strerror}") from None
        try:
            self._load()
        except SettingsError as error:
            self.close()
            raise SettingsError(f"--data {path}: {error}") from None

    async def save(self) -> SaveResult:
        """Save all apps; each is as it is at one moment. A thread writes them, so that requests go on meanwhile.

        Raises:
            OSError: it could not be done; the file is as it was.
        """
        async with self._save_lock:
            snapshots: list[tuple[str, AppSnapshot]] = []
            slices = Slices()
            for app in self._registry.stored():
                await slices.yield_if_due()
                snapshots.append((app.id, await app.snapshot()))
            return await in_thread(self._write, snapshots)

    async def save_or_log(self) -> None:
        """Save, or log why it can't be done."""
        try:
            await self.save()
        except OSError as error:
            log.error("not saved: %s: %s; the file is as it was", self._file.path, error.strerror)

    def close(self) -> None:
        """Release the file."""
        self._file.close()

    def _write(self, snapshots: list[tuple[str, AppSnapshot]]) -> SaveResult:
        try:
            size = self._file.write(with_trailer(_lines(snapshots), len(snapshots)))
        except OSError as error:
            self.last_error = error.strerror or str(error)
            raise
        self.last_error, self.last_save = None, SaveResult(self._clock.now(), len(snapshots), size)
        return self.last_save

    def _load(self) -> None:
        for app_id, snapshot in _parse_file(self._file.lines(), self._contract, self._control):
            app = self._registry.find(app_id)
            if not app.exists:
                raise SettingsError(f"app {app_id}: only declared apps exist on this server, and this one isn't")
            try:
                assert isinstance(app, MemoryApp)  # noqa: S101 - what a file keeps is in memory
                app.load(snapshot, MemoryConversations.from_snapshot(snapshot), seq=0)
            except ApiError as error:
                raise SettingsError(error.message.rstrip(".")) from None


def _lines(snapshots: Iterable[tuple[str, AppSnapshot]]) -> Iterator[bytes]:
    yield encode({"object": "sandbox_data", "version": VERSION}) + b"\n"
    for app_id, snapshot in snapshots:
        yield encode({"app_id": app_id, "changes": snapshot.overrides})[:-1] + b',"snapshot":'
        yield from serialize_snapshot(snapshot)
        yield b"}\n"


def _parse_file(lines: Iterator[bytes], contract: Contract, control: Contract) -> Iterator[tuple[str, AppSnapshot]]:
    """Yield each app's id and its snapshot.

    Raises:
        SettingsError: it is no such file, or not whole.
    """
    line = next(lines, None)
    if line is None:  # not there yet, or made for a mount
        return
    digest = sha256(line)
    header = _parse_line(line, 1).value
    if not isinstance(header, dict) or header.get("object") != "sandbox_data":
        raise SettingsError("this is no file that the sandbox saved")
    if header.get("version") != VERSION:
        raise SettingsError(f"expected a file of version {VERSION}, got version {header.get('version')}")
    count = 0
    for number, line in enumerate(lines, 2):
        trailer = parse_trailer(line)
        if trailer and trailer.apps == count and next(lines, None) is None:
            if trailer.sha256 not in (None, digest.hexdigest()):
                raise SettingsError("the file is damaged: what is in it does not fit its checksum")
            return
        digest.update(line)
        yield _parse_app(_parse_line(line, number), number, contract, control)
        count += 1
    raise SettingsError(f"the file is cut: it has {count} apps and no end")


def _parse_line(line: bytes, number: int) -> Document:
    try:
        return decode(line, _MAX_LINE_DEPTH)
    except InvalidJson:
        raise SettingsError(f"line {number} is cut or damaged: not valid JSON") from None


def _parse_app(document: Document, number: int, contract: Contract, control: Contract) -> tuple[str, AppSnapshot]:
    where, row = f"line {number}", document.value
    if violations := control.schema("SavedApp").validate(document):
        raise SettingsError(f"{where}: {escape(summarize(violations))}")
    exact = document.exact
    saved = Document(b"", row["snapshot"], exact["snapshot"])
    try:
        snapshot = parse_snapshot(saved, contract, control.schema("AppSettings"))
    except ApiError as error:
        raise SettingsError(f"{where}: app {row['app_id']}: {escape(error.message.rstrip('.'))}") from None
    return row["app_id"], replace(snapshot, overrides=exact["changes"])
