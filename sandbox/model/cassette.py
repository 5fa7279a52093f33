"""Keeps what a model wrote in a file, by the prompt: a run with it needs no model, and is the same byte for byte."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import orjson

from sandbox.options import SettingsError
from sandbox.persistence.atomic_file import AtomicFile

MAX_BYTES = 64 * 1024**2
# Characters of the message that stand beside an answer, for whoever reads the file.
_MAX_SHOWN = 200
_HEADER = {"object": "model_cassette", "version": 1}


class Recording(NamedTuple):
    """One answer; `key` is its prompt's, `message` what the prompt asked last."""

    key: str
    message: str
    text: str


class CassetteError(Exception):
    """An answer could not be kept; the text says why."""


def prompt_key(model: str, messages: Sequence[Mapping[str, str]]) -> str:
    """Return what stands for a prompt: the model and all messages; differences of white space make no other one."""
    plain = [[each["role"], " ".join(unicodedata.normalize("NFC", each["content"]).split())] for each in messages]
    return sha256(orjson.dumps([model, plain])).hexdigest()


class Cassette:
    """The answers of one file, in the order of their keys: who recorded first makes no difference.

    Args:
        path: the file; it need not be there where it is written.
        replay_only: never write. Otherwise this process alone may use it.

    Raises:
        SettingsError: the file can't be used.
    """

    def __init__(self, path: Path, *, replay_only: bool) -> None:
        self._where = f"--model-cassette {path}"
        path = path.resolve()
        self._file = None if replay_only else self._open(path)
        self._lock = Lock()
        self._recordings: dict[str, Recording] = {}
        try:
            if path.exists() or replay_only:
                self._load(path)
        except SettingsError:
            self.close()
            raise

    def find(self, key: str) -> str | None:
        """Return the text that was written for a prompt, None where there is none."""
        recording = self._recordings.get(key)
        return recording.text if recording else None

    def keep(self, key: str, message: str, text: str) -> None:
        """Keep a text, on the disk too; takes as long as the disk does.

        Raises:
            CassetteError: it is not on the disk.
        """
        if self._file is None:
            raise CassetteError(f"{self._where} is only replayed")
        with self._lock:
            self._recordings[key] = Recording(key, message[:_MAX_SHOWN], text)
            lines = [orjson.dumps(value) + b"\n" for value in (_HEADER, *map(Recording._asdict, self._sorted()))]
            if sum(map(len, lines)) > MAX_BYTES:
                del self._recordings[key]
                raise CassetteError(f"{self._where} is full: at most {MAX_BYTES:,} bytes")
            try:
                self._file.write(lines)
            except OSError as error:
                raise CassetteError(f"{self._where} can't be written: {error.strerror or error}") from None

    def close(self) -> None:
        """Let other processes use the file."""
        file, self._file = self._file, None
        if file:
            file.close()

    def _sorted(self) -> list[Recording]:
        return [self._recordings[key] for key in sorted(self._recordings)]

    def _open(self, path: Path) -> AtomicFile:
        try:
            return AtomicFile(path)
        except BlockingIOError:
            text = f"{self._where}: another process records into it; with --model-replay-only many may read it"
            raise SettingsError(text) from None
        except OSError as error:
            raise SettingsError(f"{self._where}: can't be written: {error.strerror or error}") from None

    def _load(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise SettingsError(f"{self._where}: can't be read: {error.strerror or error}") from None
        if len(content) > MAX_BYTES:
            raise SettingsError(f"{self._where}: can't be read: larger than {MAX_BYTES:,} bytes")
        for number, line in enumerate(content.splitlines(), 1):
            recording = _parse(line, is_first=number == 1)
            if recording is None:
                expected = "the first line of a cassette" if number == 1 else "a key, a message and a text as JSON"
                raise SettingsError(f"{self._where}: line {number}: expected {expected}")
            if number > 1:
                self._recordings[recording.key] = recording


def _parse(line: bytes, *, is_first: bool) -> Recording | None:
    """Return the answer of a line, one without content for the first; None for what no cassette has."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if is_first:
        return Recording("", "", "") if value == _HEADER else None
    if not isinstance(value, dict) or value.keys() != set(Recording._fields):
        return None
    is_whole = all(isinstance(text, str) for text in value.values()) and value["text"].strip()
    return Recording(**value) if is_whole else None
