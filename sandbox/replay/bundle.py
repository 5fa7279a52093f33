"""Read a bundle: the file that `GET /_sandbox/apps/{app_id}/bundle` writes.

It may come from anybody: all that its zip file may take is bounded beforehand, and each value is held against what a
bundle may say before anything is done with it."""

from __future__ import annotations

import re
import struct
import zlib
from base64 import b64decode
from binascii import Error as NotBase64
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from sandbox.contract import InvalidJson, decode
from sandbox.errors import SandboxError
from sandbox.repeatable import without_webhooks
from sandbox.replay import allowed

# Bytes of one member and of all that are read, unpacked. A file that is longer packed holds more than that.
MAX_MEMBER_BYTES = 64 * 1024**2
MAX_BUNDLE_BYTES = 128 * 1024**2
# JSON of that size could still unfold to many times its size.
MAX_CONTAINERS, MAX_COMMAS = 1_000_000, 2_000_000
# A bundle has six members; Python makes an object for each one in the directory, before anything can be looked at.
_MAX_DIRECTORY = 64 * 1024
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
                infos = _find_members(archive, names, path)
                return {name: _parse_json(_unpack(archive, info, path), name, path) for name, info in infos.items()}
    except OSError as error:
        raise BundleError(f"{path}: can't be read: {error.strerror or error}") from None
    except (BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, zlib.error, struct.error) as error:
        raise BundleError(f"{path}: the bundle is damaged: {error}") from None


def _check_end(file: IO[bytes], path: Path) -> None:
    """Refuse a file with another end than ours, or with a directory that is larger than a bundle's."""
    size = file.seek(0, 2)
    if size > MAX_BUNDLE_BYTES:
        raise BundleError(f"{path}: expected at most {MAX_BUNDLE_BYTES:,} bytes, got {size:,}")
    file.seek(max(0, size - _END_LENGTH - _END_64_LENGTH))
    tail = file.read()
    end = tail[-_END_LENGTH:]
    if len(end) < _END_LENGTH or not end.startswith(_END) or tail.startswith(_END_64) or end[-2:] != b"\0\0":
        raise BundleError(f"{path}: this is no bundle of the sandbox")
    directory: int = struct.unpack_from("<I", end, 12)[0]
    if directory > _MAX_DIRECTORY:
        raise BundleError(f"{path}: this is no bundle of the sandbox: it has too many members")


def _find_members(archive: ZipFile, names: Sequence[str], path: Path) -> Mapping[str, ZipInfo]:
    """Return the members, held against all bounds by what they say of themselves."""
    counts = Counter(archive.namelist())
    for name in names:
        if counts[name] != 1:
            what = "is missing" if not counts[name] else "is in it twice"
            raise BundleError(f"{path}: this is no bundle of the sandbox: {name} {what}")
    infos = {name: archive.getinfo(name) for name in names}
    for name, info in infos.items():
        if info.flag_bits & _ENCRYPTED or info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise BundleError(f"{path}: the bundle is damaged: {name} is packed in a way that no bundle is")
        if info.file_size > MAX_MEMBER_BYTES:
            raise BundleError(f"{path}: {name}: expected at most {MAX_MEMBER_BYTES:,} bytes, got {info.file_size:,}")
    total = sum(info.file_size for info in infos.values())
    if total > MAX_BUNDLE_BYTES:
        raise BundleError(f"{path}: expected at most {MAX_BUNDLE_BYTES:,} bytes unpacked, got {total:,}")
    return infos


def _unpack(archive: ZipFile, info: ZipInfo, path: Path) -> bytes:
    """Unpack a member, and no more of it than the size in the directory."""
    with archive.open(info) as member:
        raw = member.read(info.file_size + 1)
    if len(raw) != info.file_size:
        raise BundleError(f"{path}: the bundle is damaged: {info.filename} is not as long as it says")
    return raw


def _parse_json(raw: bytes, name: str, path: Path) -> Any:
    if _unfolds_too_far(raw):
        raise BundleError(f"{path}: {name}: expected at most {MAX_CONTAINERS:,} lists and objects in it")
    try:
        return decode(raw).value
    except InvalidJson as error:
        reason = "is nested too deeply" if error.code == "too_deep" else "is not JSON"
        raise BundleError(f"{path}: the bundle is damaged: {name} {reason}") from None


def _unfolds_too_far(raw: bytes) -> bool:
    """Say whether a JSON text has more values than a bundle has; what stands inside of texts doesn't count."""
    if raw.count(b",") <= MAX_COMMAS and raw.count(b"[") + raw.count(b"{") <= MAX_CONTAINERS:
        return False
    bare = _STRING.sub(b"", raw)
    return bare.count(b",") > MAX_COMMAS or bare.count(b"[") + bare.count(b"{") > MAX_CONTAINERS


VERSION = 1
# The last second of the year 9999.
_LAST_SECOND = 253_402_300_799
_MAX_REASONS = 8
# What is expected of a field, in the words of a message.
_EXPECTED: Mapping[str, Callable[[Any], object]] = {
    "text": lambda value: isinstance(value, str),
    "text or base64": lambda value: isinstance(value, str),
    "a list": lambda value: isinstance(value, list),
    "control or request": lambda value: value == "request",
    "how it ended": lambda value: value in ("complete", "client_gone", "cut"),
    "an app's id": allowed.is_app_id,
    "a whole number as text": lambda value: isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,30}", value),
    "a Unix second": lambda value: type(value) is int and 0 <= value <= _LAST_SECOND,
    "a status or null": lambda value: value is None or (type(value) is int and 100 <= value <= 999),
    # A little more than the longest that the sandbox lets an answer wait, in milliseconds.
    "a number from 0 to 660,000": lambda value: type(value) in (int, float) and 0 <= value <= 660_000,
}

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedResponse:
    """A response; `status` is None where none began, `ended` says how it ended.

    Of a long stream a bundle has only the beginning of the body: it is not whole.
    """

    status: int | None
    headers: Headers
    body: bytes
    ended: Literal["complete", "client_gone", "cut"]
    is_whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """One request of a client, when it came (Unix seconds), and the response it got."""

    at: int
    method: str
    target: str
    headers: Headers
    body: bytes
    response: RecordedResponse
    duration_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlStep:
    """One call of the control API that changed the app."""

    at: int
    method: str
    path: str
    body: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What was done to one app from the state `baseline` on.

    `server` are the settings of the server on which its answers depend.
    """

    app_id: str
    seed: str
    server: Mapping[str, Any]
    baseline: Mapping[str, Any]
    steps: Sequence[RecordedRequest | ControlStep]


def load_bundle(path: Path) -> Bundle:
    """Read a file.

    Raises:
        BundleError: it is no bundle, of a newer version, or not all of what was asked is in it.
    """
    members = read_members(path, ("bundle.json", "baseline.json", "steps.json"))
    about = members["bundle.json"]
    if not isinstance(about, dict) or about.get("object") != "bundle":
        raise BundleError(f"{path}: this is no bundle of the sandbox")
    if about.get("version") is not VERSION:
        raise BundleError(f"{path}: expected a bundle of version {VERSION}, got version {about.get('version')!r:.40}")
    if about.get("complete") is not True:
        reasons = about.get("lost")
        reasons = [str(reason)[:200] for reason in reasons[:_MAX_REASONS]] if isinstance(reasons, list) else []
        raise BundleError(f"{path}: it can't be replayed, as not all is in it: {'; '.join(reasons)}")
    try:
        app_id = _field(about, "app_id", "an app's id")
        baseline = _mapping(members["baseline.json"], "baseline.json")
        return Bundle(
            app_id=app_id,
            seed=_field(_mapping(about.get("origin"), "origin"), "seed", "a whole number as text"),
            server=_mapping(about.get("server"), "server"),
            baseline={**baseline, "settings": without_webhooks(baseline.get("settings"))},
            steps=_read_steps(members["steps.json"], app_id),
        )
    except _Damaged as damage:
        raise BundleError(f"{path}: the bundle is damaged: {damage}") from None


class _Damaged(Exception):
    """A value isn't what it has to be; the text names its place."""


def _read_steps(steps: Any, app_id: str) -> Sequence[RecordedRequest | ControlStep]:
    if not isinstance(steps, list):
        raise _Damaged("steps.json: expected a list")
    return [_read_step(_mapping(step, place), app_id, place) for place, step in _numbered(steps, "steps")]


def _numbered(values: Sequence[Any], name: str) -> Sequence[tuple[str, Any]]:
    return [(f"{name}[{number}]", value) for number, value in enumerate(values)]


def _read_step(step: Mapping[str, Any], app_id: str, place: str) -> RecordedRequest | ControlStep:
    at = _field(step, "at", "a Unix second", place)
    method = _field(step, "method", "text", place)
    if step.get("kind") == "control":
        path, body = _field(step, "path", "text", place), step.get("body")
        if not allowed.is_repeatable(app_id, method, path):
            raise _Damaged(f"{place}: {method[:20]} {path[:200]} is no control call of this app that can be repeated")
        return ControlStep(at=at, method=method, path=path, body=without_webhooks(body))
    _field(step, "kind", "control or request", place)
    target = _field(step, "target", "text", place)
    if not allowed.is_api_request(app_id, method, target):
        raise _Damaged(f"{place}: {method[:20]} {target[:200]} is no request of the API to this app")
    headers = _read_headers(step, place)
    if not allowed.are_headers(headers):
        raise _Damaged(f"{place}.headers: expected headers that can be sent")
    return RecordedRequest(
        at=at,
        method=method,
        target=target,
        headers=headers,
        body=_read_body(step, place),
        response=_read_response(_mapping(step.get("answer"), f"{place}.answer"), f"{place}.answer"),
        duration_ms=_field(step, "duration_ms", "a number from 0 to 660,000", place),
    )


def _read_response(response: Mapping[str, Any], place: str) -> RecordedResponse:
    return RecordedResponse(
        status=_field(response, "status", "a status or null", place),
        headers=_read_headers(response, place),
        body=_read_body(response, place),
        ended=_field(response, "ended", "how it ended", place),
        is_whole=not response.get("omitted"),
    )


def _read_headers(message: Mapping[str, Any], place: str) -> Headers:
    pairs = _field(message, "headers", "a list", place)
    for where, pair in _numbered(pairs, f"{place}.headers"):
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(text, str) for text in pair):
            raise _Damaged(f"{where}: expected a name and a value")
    return [(name, value) for name, value in pairs]


def _read_body(message: Mapping[str, Any], place: str) -> bytes:
    body = _mapping(message.get("body"), f"{place}.body")
    if "text" in body:
        text: str = _field(body, "text", "text", f"{place}.body")
        return text.encode()
    try:
        return b64decode(_field(body, "base64", "text or base64", f"{place}.body"), validate=True)
    except (NotBase64, ValueError):
        raise _Damaged(f"{place}.body.base64: expected base64") from None


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _Damaged(f"{place}: expected an object")
    return value


def _field(values: Mapping[str, Any], name: str, expected: str, place: str = "") -> Any:
    """Return a value that is what it has to be."""
    value = values.get(name)
    if not _EXPECTED[expected](value):
        raise _Damaged(f"{f'{place}.' if place else ''}{name}: expected {expected}")
    return value
