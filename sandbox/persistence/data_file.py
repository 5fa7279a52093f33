"""Keeps all apps of a server in one file (`serve --data`): a line an app, between a first line and a last.

The last line says how many apps there are, so that a file that was cut is known by it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from sandbox.apps.memory import MemoryStore
from sandbox.apps.rule_queue import Queue
from sandbox.apps.world import World
from sandbox.contract import Contract, Document, InvalidJson, decode, encode
from sandbox.contract.validation import summary
from sandbox.errors import ApiError
from sandbox.persistence.atomic_file import open_file
from sandbox.persistence.snapshot import MAX_DEPTH, VERSION, Snapshot, pieces, whole_settings
from sandbox.persistence.snapshot_reader import read
from sandbox.persistence.trailer import parse_trailer, with_trailer
from sandbox.redaction import escape
from sandbox.settings import SettingsError
from sandbox.slices import Slices, in_thread
from sandbox.sources import Clock

log = logging.getLogger("sandbox")

# As deep as a snapshot, and the line around it.
_DEEPEST = MAX_DEPTH + 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a file is filled from; `contract` is the API's, `control` that of `/_sandbox`."""

    store: MemoryStore
    faults: Queue
    replies: Queue
    contract: Contract
    control: Contract
    clock: Clock


@dataclass(frozen=True, slots=True)
class Saved:
    """What came of a save: when, in Unix seconds, and how much it was."""

    at: int
    apps: int
    bytes: int


class Keeper:
    """Loads the file once and saves into it.

    `saved` is the last save that went well, `problem` why the last one did not.

    Raises:
        SettingsError: the file can't be used, or is no good.
    """

    def __init__(self, path: Path, kept: Kept) -> None:
        self._kept = kept
        self._turn = asyncio.Lock()
        self.saved: Saved | None = None
        self.problem: str | None = None
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

    async def save(self) -> Saved:
        """Save all apps while others go on: each is as it is at one moment, and written in a thread.

        Raises:
            OSError: it could not be done; the file is as it was.
        """
        async with self._turn:
            taken: list[tuple[str, Snapshot]] = []
            slices = Slices()
            for app_id in self._kept.store.used():
                await slices.rest()
                taken.append((app_id, self.snapshot_of(app_id)))
            return await in_thread(self._write, taken)

    async def save_or_log(self) -> None:
        """Save; say why where it can't be done."""
        try:
            await self.save()
        except OSError as error:
            log.error("not saved: %s: %s; the file is as it was", self._file.path, error.strerror)

    def close(self) -> None:
        """Let others use the file."""
        self._file.close()

    def snapshot_of(self, app_id: str) -> Snapshot:
        """Return all of an app as it is at this moment."""
        image = self._kept.store.image_of(app_id)
        return Snapshot(
            world=image,
            settings=whole_settings(self._kept.store.settings_of(app_id)),
            faults=self._kept.faults.backlog(app_id),
            replies=self._kept.replies.backlog(app_id),
        )

    def _write(self, taken: list[tuple[str, Snapshot]]) -> Saved:
        try:
            size = self._file.write(with_trailer(_lines(taken), len(taken)))
        except OSError as error:
            self.problem = error.strerror or str(error)
            raise
        self.problem, self.saved = None, Saved(self._kept.clock.now(), len(taken), size)
        return self.saved

    def _load(self) -> None:
        for app_id, changes, snapshot in _apps(self._file.lines(), self._kept):
            image = replace(snapshot.world, overrides=changes)
            try:
                self._kept.store.put_back(app_id, World.of(image))
            except KeyError:
                raise SettingsError(f"app {app_id}: there is no such app where only declared ones exist") from None
            except ApiError as error:
                raise SettingsError(error.message.rstrip(".")) from None
            self._kept.faults.restore(app_id, snapshot.faults)
            self._kept.replies.restore(app_id, snapshot.replies)


def _lines(taken: Iterable[tuple[str, Snapshot]]) -> Iterator[bytes]:
    yield encode({"object": "sandbox_data", "version": VERSION}) + b"\n"
    for app_id, snapshot in taken:
        yield encode({"app_id": app_id, "changes": snapshot.world.overrides})[:-1] + b',"snapshot":'
        yield from pieces(snapshot)
        yield b"}\n"


def _apps(lines: Iterator[bytes], kept: Kept) -> Iterator[tuple[str, Mapping[str, Any], Snapshot]]:
    """Read a file: each app, what was changed of its settings, and all else of it.

    Raises:
        SettingsError: it is no such file, or not whole.
    """
    line = next(lines, None)
    if line is None:  # not there yet, or made for a mount
        return
    digest = sha256(line)
    first = _parsed(line, 1).value
    if not isinstance(first, dict) or first.get("object") != "sandbox_data":
        raise SettingsError("this is no file that the sandbox saved")
    if first.get("version") != VERSION:
        raise SettingsError(f"expected a file of version {VERSION}, got version {first.get('version')}")
    count = 0
    for number, line in enumerate(lines, 2):
        trailer = parse_trailer(line)
        if trailer and trailer.apps == count and next(lines, None) is None:
            if trailer.sha256 not in (None, digest.hexdigest()):
                raise SettingsError("the file is damaged: what is in it does not fit its checksum")
            return
        digest.update(line)
        yield _app(_parsed(line, number), number, kept)
        count += 1
    raise SettingsError(f"the file is cut: it has {count} apps and no end")


def _parsed(line: bytes, number: int) -> Document:
    try:
        return decode(line, _DEEPEST)
    except InvalidJson:
        raise SettingsError(f"line {number} is cut or damaged: not valid JSON") from None


def _app(document: Document, number: int, kept: Kept) -> tuple[str, Mapping[str, Any], Snapshot]:
    where, row, schema = f"line {number}", document.value, kept.control.schema
    if faults := schema("SavedApp").accept(document):
        raise SettingsError(f"{where}: {escape(summary(faults))}")
    exact = document.exact
    snapshot = Document(b"", row["snapshot"], exact["snapshot"])
    try:
        return row["app_id"], exact["changes"], read(snapshot, kept.contract, schema("AppSettings"))
    except ApiError as error:
        raise SettingsError(f"{where}: app {row['app_id']}: {escape(error.message.rstrip('.'))}") from None
