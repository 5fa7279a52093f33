"""Keeps all apps of a server in one file (`serve --data`): a line an app, between a first line and a last.

The last line says how many apps there are, so that a file that was cut is known by it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from sandbox.apps.memory import MemoryConversations
from sandbox.apps.registry import AppRegistry
from sandbox.apps.snapshot import AppSnapshot
from sandbox.clock import Clock
from sandbox.contract import Contract, Document, InvalidJson, decode, encode
from sandbox.contract.validation import summary
from sandbox.errors import ApiError
from sandbox.persistence.atomic_file import open_file
from sandbox.persistence.snapshot import MAX_DEPTH, VERSION, pieces
from sandbox.persistence.snapshot_reader import read
from sandbox.persistence.trailer import parse_trailer, with_trailer
from sandbox.redaction import escape
from sandbox.settings import SettingsError
from sandbox.slices import Slices, in_thread

log = logging.getLogger("sandbox")

# As deep as a snapshot, and the line around it.
_DEEPEST = MAX_DEPTH + 2


@dataclass(frozen=True, slots=True)
class SaveResult:
    """What came of a save: when, in Unix seconds, and how much it was."""

    at: int
    apps: int
    bytes: int


class DataFile:
    """Loads the file once and saves into it.

    `saved` is the last save that went well, `problem` why the last one did not.

    Raises:
        SettingsError: the file can't be used, or is no good.
    """

    def __init__(self, path: Path, registry: AppRegistry, clock: Clock, contract: Contract, control: Contract) -> None:
        self._registry = registry
        self._clock = clock
        self._contract = contract
        self._control = control
        self._turn = asyncio.Lock()
        self.saved: SaveResult | None = None
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

    async def save(self) -> SaveResult:
        """Save all apps while others go on: each is as it is at one moment, and written in a thread.

        Raises:
            OSError: it could not be done; the file is as it was.
        """
        async with self._turn:
            taken: list[tuple[str, AppSnapshot]] = []
            slices = Slices()
            for app in self._registry.stored():
                await slices.rest()
                taken.append((app.id, app.snapshot()))
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

    def _write(self, taken: list[tuple[str, AppSnapshot]]) -> SaveResult:
        try:
            size = self._file.write(with_trailer(_lines(taken), len(taken)))
        except OSError as error:
            self.problem = error.strerror or str(error)
            raise
        self.problem, self.saved = None, SaveResult(self._clock.now(), len(taken), size)
        return self.saved

    def _load(self) -> None:
        for app_id, snapshot in _apps(self._file.lines(), self._contract, self._control):
            app = self._registry.find(app_id)
            if not app.exists:
                raise SettingsError(f"app {app_id}: there is no such app where only declared ones exist")
            try:
                app.put_back(snapshot, MemoryConversations.from_snapshot(snapshot))
            except ApiError as error:
                raise SettingsError(error.message.rstrip(".")) from None
            app.begin_history(app.snapshot(), seq=0)


def _lines(taken: Iterable[tuple[str, AppSnapshot]]) -> Iterator[bytes]:
    yield encode({"object": "sandbox_data", "version": VERSION}) + b"\n"
    for app_id, snapshot in taken:
        yield encode({"app_id": app_id, "changes": snapshot.overrides})[:-1] + b',"snapshot":'
        yield from pieces(snapshot)
        yield b"}\n"


def _apps(lines: Iterator[bytes], contract: Contract, control: Contract) -> Iterator[tuple[str, AppSnapshot]]:
    """Read a file: each app's id and what it was.

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
        yield _app(_parsed(line, number), number, contract, control)
        count += 1
    raise SettingsError(f"the file is cut: it has {count} apps and no end")


def _parsed(line: bytes, number: int) -> Document:
    try:
        return decode(line, _DEEPEST)
    except InvalidJson:
        raise SettingsError(f"line {number} is cut or damaged: not valid JSON") from None


def _app(document: Document, number: int, contract: Contract, control: Contract) -> tuple[str, AppSnapshot]:
    where, row = f"line {number}", document.value
    if violations := control.schema("SavedApp").accept(document):
        raise SettingsError(f"{where}: {escape(summary(violations))}")
    exact = document.exact
    try:
        snapshot = read(Document(b"", row["snapshot"], exact["snapshot"]), contract, control.schema("AppSettings"))
    except ApiError as error:
        raise SettingsError(f"{where}: app {row['app_id']}: {escape(error.message.rstrip('.'))}") from None
    return row["app_id"], replace(snapshot, overrides=exact["changes"])
