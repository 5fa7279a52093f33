"""A failure in one file: the state that an app's requests met, what was done since, and what came of it.

Whoever has the file can do all of it again (`dimedove-sandbox replay`). Each key has the same stand-in
everywhere, so that no secret is in it and the requests still fit the settings; webhooks are left out.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import takewhile
from typing import Any

from sandbox import magic
from sandbox.apps.entry import Entry, Headers
from sandbox.apps.image import WorldImage
from sandbox.contract import encode
from sandbox.control.apps import changeable, existing
from sandbox.control.entries import shown, text
from sandbox.control.har import written_har
from sandbox.control.history import Done, Past
from sandbox.control.pages import written_list
from sandbox.control.services import ControlAnswer, ControlCall, ControlServices
from sandbox.control.snapshots import snapshot_of
from sandbox.handler_types import App, File
from sandbox.persistence.snapshot import Snapshot, pieces, whole_settings
from sandbox.redaction import Masker
from sandbox.repeatable import CALLING
from sandbox.slices import in_thread

VERSION = 1
# A zip file has no time before 1980; a bundle of the same state is the same bytes.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What a bundle is made of; `hidden` makes a text fit to be handed on."""

    app: App
    past: Past
    entries: Sequence[Entry]
    lost: Sequence[str]
    hidden: Masker


async def control_get_bundle(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Write all that is needed to see again what an app's clients saw."""
    app = await existing(changeable(call), on)
    past = on.history.of(app.id)
    begun = [entry for entry in on.journal.newest_first(app_id=app.id) if entry.turn > past.turn][::-1]
    entries = [entry for entry in begun if entry.ended]
    lost = [*past.lost, *_left_out(on.journal.count(app.id) - past.requests - len(begun), len(begun) - len(entries))]
    found = _Found(
        app=app, past=past, entries=entries, lost=lost, hidden=on.masker.stand_ins([*magic.KEYS, "sk_test_demo"])
    )
    baseline, now = past.baseline or await _fresh(app, on), await snapshot_of(app.id, on)

    def packed() -> bytes:
        return _zipped(
            {
                "bundle.json": encode(_about(found, on)),
                "baseline.json": _written(baseline, found.hidden),
                "steps.json": written_list(_steps(found)),
                "snapshot.json": _written(now, found.hidden),
                "journal.json": written_list(shown(entry, on) for entry in entries),
                "journal.har": written_har(entries, on.masker, on.version),
            }
        )

    # Away from the event loop, so that other requests get through meanwhile.
    return File(name=f"{app.id}.zip", media_type="application/zip", content=await in_thread(packed))


def _left_out(missing: int, under_way: int) -> Iterator[str]:
    if missing:
        yield f"{abs(missing):,} of its requests are not in the journal"
    if under_way:
        yield f"{under_way:,} of its requests were still under way"


def _about(found: _Found, on: ControlServices) -> dict[str, Any]:
    app = found.app
    return {
        "object": "bundle",
        "version": VERSION,
        "sandbox": on.version,
        "app_id": app.id,
        "origin": app.origin._asdict(),
        "clock": {"now": app.moment, "frozen": app.frozen is not None},
        "server": dict(on.server),
        "requests": len(found.entries),
        "complete": not found.lost,
        "lost": list(found.lost),
    }


async def _fresh(app: App, on: ControlServices) -> Snapshot:
    """Return an app that nobody has used yet."""
    settings = whole_settings(await on.worlds.defaults(app.id))
    return Snapshot(world=WorldImage(origin=app.origin), settings=settings)


def _written(snapshot: Snapshot, hidden: Masker) -> bytes:
    return b"".join(pieces(replace(snapshot, settings=without_webhooks(snapshot.settings)), hidden))


def without_webhooks(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings that call nobody."""
    return {name: value for name, value in settings.items() if name not in CALLING}


def _steps(found: _Found) -> Iterator[dict[str, Any]]:
    """Yield what was asked and done, in the order in which it began."""
    steps: list[Entry | Done] = [*found.entries, *found.past.calls]
    for step in sorted(steps, key=lambda step: step.turn):
        yield _request(step, found.hidden) if isinstance(step, Entry) else _control(step, found.hidden)


def _control(done: Done, hidden: Masker) -> dict[str, Any]:
    body = without_webhooks(done.body) if isinstance(done.body, dict) else done.body
    if isinstance(body, dict) and body.get("until") == "released":
        # A replay sends one request after the other: nobody would release what is held.
        body = {**{name: value for name, value in body.items() if name != "until"}, "ms": 0}
    shown = {"kind": "control", "at": done.at, "method": done.method, "path": done.path, "body": body}
    masked: dict[str, Any] = hidden.value(shown)
    return masked


def _request(entry: Entry, hidden: Masker) -> dict[str, Any]:
    target = text(entry.path) + (f"?{text(entry.query)}" if entry.query else "")
    beginning = takewhile(bool, (chunk for _, chunk in entry.chunks))
    answer = {
        "status": entry.status,
        "headers": _pairs(entry.answer_headers, hidden),
        "body": _body(b"".join(beginning), hidden),
        # Of a long stream the body is the beginning; so many bytes more were sent.
        "omitted": entry.omitted,
        "ended": entry.ended,
    }
    return {
        "kind": "request",
        "id": entry.id,
        "at": int(entry.at),
        "method": entry.method,
        "target": hidden.text(target),
        "headers": _pairs(entry.headers, hidden),
        "body": _body(entry.body, hidden),
        "answer": answer,
        "duration_ms": round(entry.duration_ms, 3),
    }


def _pairs(headers: Headers, hidden: Masker) -> list[list[str]]:
    return [[text(name), hidden.header(text(name), text(value))] for name, value in headers]


def _body(raw: bytes, hidden: Masker) -> dict[str, str]:
    """Return a body as text, or as what stands for bytes that are none."""
    try:
        return {"text": hidden.text(raw.decode())}
    except UnicodeDecodeError:
        return {"base64": b64encode(hidden.text(text(raw)).encode("latin-1", "replace")).decode()}


def _zipped(files: Mapping[str, bytes | bytearray]) -> bytes:
    # Imported late: few servers ever write one.
    from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(ZipInfo(name, _ZIP_TIME), content, ZIP_DEFLATED)
    return buffer.getvalue()
