"""Reads JSON out of a bundle's zip file, which may come from anybody: all that it may take is bounded beforehand."""

from __future__ import annotations

import re
import struct
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from sandbox.contract import InvalidJson, decode
from sandbox.errors import SandboxError

# Bytes of one member and of all that are read, unpacked. A file that is longer packed holds more than that.
MOST_OF_ONE = 64 * 1024**2
MOST_OF_ALL = 128 * 1024**2
# JSON of that size could still unfold to many times its size.
MOST_CONTAINERS, MOST_COMMAS = 1_000_000, 2_000_000
# A bundle has six members; Python makes an object for each one in the directory, before anything can be looked at.
_MOST_DIRECTORY = 64 * 1024
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x07"
_END_LENGTH, _END_64_LENGTH = 22, 20
_ENCRYPTED = 0x1
_STRING = re.compile(rb'"(?:[^"\\]+|\\.)*"', re.DOTALL)


class BundleError(SandboxError):
    """A file can't be replayed; the text says why."""


def read_members(path: Path, names: Sequence[str]) -> Mapping[str, Any]:
    """Return what these members of a zip file say as JSON, by name.

    Raises:
        BundleError: it is no such file, or more than a bundle may be.
    """
    try:
        if not path.is_file():
            raise BundleError(f"{path}: can't be read: {'it is no file' if path.exists() else 'there is no such file'}")
        with path.open("rb") as file:
            _check_end(file, path)
            with ZipFile(file) as archive:
                infos = _found(archive, names, path)
                return {name: _json(_unpacked(archive, info, path), name, path) for name, info in infos.items()}
    except OSError as error:
        raise BundleError(f"{path}: can't be read: {error.strerror or error}") from None
    except (BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, zlib.error, struct.error) as error:
        raise BundleError(f"{path}: the bundle is damaged: {error}") from None


def _check_end(file: IO[bytes], path: Path) -> None:
    """Refuse a file with another end than ours, or with a directory that is larger than a bundle's."""
    size = file.seek(0, 2)
    if size > MOST_OF_ALL:
        raise BundleError(f"{path}: expected at most {MOST_OF_ALL:,} bytes, got {size:,}")
    file.seek(max(0, size - _END_LENGTH - _END_64_LENGTH))
    tail = file.read()
    end = tail[-_END_LENGTH:]
    if len(end) < _END_LENGTH or not end.startswith(_END) or tail.startswith(_END_64) or end[-2:] != b"\0\0":
        raise BundleError(f"{path}: this is no bundle of the sandbox")
    directory: int = struct.unpack_from("<I", end, 12)[0]
    if directory > _MOST_DIRECTORY:
        raise BundleError(f"{path}: this is no bundle of the sandbox: it has too many members")


def _found(archive: ZipFile, names: Sequence[str], path: Path) -> Mapping[str, ZipInfo]:
    """Return the members, held against all bounds by what they say of themselves."""
    often = Counter(archive.namelist())
    for name in names:
        if often[name] != 1:
            what = "is missing" if not often[name] else "is in it twice"
            raise BundleError(f"{path}: this is no bundle of the sandbox: {name} {what}")
    infos = {name: archive.getinfo(name) for name in names}
    for name, info in infos.items():
        if info.flag_bits & _ENCRYPTED or info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise BundleError(f"{path}: the bundle is damaged: {name} is packed in a way that no bundle is")
        if info.file_size > MOST_OF_ONE:
            raise BundleError(f"{path}: {name}: expected at most {MOST_OF_ONE:,} bytes, got {info.file_size:,}")
    total = sum(info.file_size for info in infos.values())
    if total > MOST_OF_ALL:
        raise BundleError(f"{path}: expected at most {MOST_OF_ALL:,} bytes unpacked, got {total:,}")
    return infos


def _unpacked(archive: ZipFile, info: ZipInfo, path: Path) -> bytes:
    """Unpack a member, and no more of it than it has said."""
    with archive.open(info) as member:
        raw = member.read(info.file_size + 1)
    if len(raw) != info.file_size:
        raise BundleError(f"{path}: the bundle is damaged: {info.filename} is not as long as it says")
    return raw


def _json(raw: bytes, name: str, path: Path) -> Any:
    if _unfolds_too_far(raw):
        raise BundleError(f"{path}: {name}: expected at most {MOST_CONTAINERS:,} lists and objects in it")
    try:
        return decode(raw).value
    except InvalidJson as error:
        reason = "is nested too deeply" if error.code == "too_deep" else "is not JSON"
        raise BundleError(f"{path}: the bundle is damaged: {name} {reason}") from None


def _unfolds_too_far(raw: bytes) -> bool:
    """Say whether a JSON text has more values than a bundle has; what stands inside of texts doesn't count."""
    if raw.count(b",") <= MOST_COMMAS and raw.count(b"[") + raw.count(b"{") <= MOST_CONTAINERS:
        return False
    bare = _STRING.sub(b"", raw)
    return bare.count(b",") > MOST_COMMAS or bare.count(b"[") + bare.count(b"{") > MOST_CONTAINERS
