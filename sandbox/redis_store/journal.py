"""The journal of all workers in Redis: each app's records, what is under way in whichever worker, in order.

A request's number comes from Redis before it is answered. Its record is sent there soon afterwards, several at once;
whoever reads the journal asks all workers first to send what they have, and what is under way with them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from orjson import Fragment

from sandbox.apps.journal import LARGE, AppJournal, Journal, OpenRequest
from sandbox.apps.request_record import RequestRecord
from sandbox.apps.store import JournalView
from sandbox.apps.watchers import Watchers
from sandbox.errors import StoreUnavailable
from sandbox.redis_store.shared import SharedStore
from sandbox.redis_store.values import fields_of, pack_record, record_key, unpack_record

log = logging.getLogger("sandbox")

# An app's own; --max-apps and Redis's maxmemory bound them all.
MAX_RECORDS, MAX_BYTES = 10_000, 64 * 1024**2
# Seconds until records are sent, and how many are sent at once.
_SEND_AFTER, _SENT_TOGETHER = 0.01, 100
_EVICTED = "evicted:"


class Numbered(NamedTuple):
    """What Redis says to a request: the newest conversation's number, and the app's state where it is another one."""

    last: int
    state: Mapping[str, bytes] | None


class RedisAppJournal(AppJournal):
    """The journal of one app, as far as this worker has to do with it: its requests that are under way.

    `open` has for each of them the epoch of the journal that it belongs to, once it is numbered.
    """

    __slots__ = ("keys", "open")

    shared: RedisJournal

    def __init__(self, app_id: str | None, shared: RedisJournal, prefix: str, keys: Sequence[str]) -> None:
        super().__init__(app_id, shared, prefix)
        self.keys = keys
        self.open: dict[OpenRequest, bytes] = {}

    def reset(self) -> RedisAppJournal:
        super().reset()
        return self.shared.new_app(self.app_id)

    async def number(self, request: OpenRequest, version: bytes = b"") -> Numbered:
        """Give a request its id, and return what there is besides; `version` is that of the app's state as it is known.

        Raises:
            StoreUnavailable: it can't be numbered; it has an id all the same, but will leave no record.
        """
        return await self.shared.number(self, request, version)


class RedisJournal(Journal):
    """A `Journal` in Redis; `prefix` is as there."""

    def __init__(self, prefix: Callable[[str | None], str], store: SharedStore) -> None:
        self._client, self._keys, self._hub = store.client, store.keys, store.hub
        # Requests that are over and not in Redis yet, with the epochs of their journals.
        self._ended: list[tuple[OpenRequest, bytes]] = []
        self._sending = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._busy: dict[RedisAppJournal, None] = {}
        # Those that wait here; `watchers` has whoever tells all workers.
        self._waiting = Watchers()
        super().__init__(prefix)
        self._hub.handle("journal", self._answer)
        self._hub.on_listened = self._set_listened

    def new_app(self, app_id: str | None) -> RedisAppJournal:
        return RedisAppJournal(app_id, self, self._prefix(app_id), self._keys.of_journal(app_id))

    # What comes

    def begin(self, request: OpenRequest) -> None:
        app = _app_of(request)
        if request not in app.open:
            app.open[request] = b""
            app.under_way += 1
            self._busy[app] = None

    async def identify(self, request: OpenRequest) -> None:
        self.begin(request)
        app = _app_of(request)
        try:
            await app.number(request)
        except StoreUnavailable:
            # The answer says so where it matters to it.
            log.debug("a request has no number")

    async def number(self, app: RedisAppJournal, request: OpenRequest, version: bytes) -> Numbered:
        """Give a request its id, as `RedisAppJournal.number` says."""
        # What no number is given to, nobody asks for.
        request.id, request.seq = b"%bffffffff" % app.prefix, 0
        await self._hub.start()
        number, epoch, now, last, *state = await self._client.call("begin", app.keys, version)
        if number > 0:
            request.id, request.seq = b"%b%08x" % (app.prefix, number), int(now)
            app.requests = number
            app.open[request] = epoch
            if number == 1:
                await self._client.add(self._keys.journals, app.app_id or "")
            if self._hub.is_listened:
                self._emit(app, pack_record(request.fields()))
        return Numbered(int(last), fields_of(state[0]) if state else None)

    def add(self, request: OpenRequest, size: int) -> None:
        app = _app_of(request)
        epoch = app.open.pop(request, b"")
        app.under_way -= 1
        if not app.open:
            self._busy.pop(app, None)
        if not epoch:
            return
        self._ended.append((request, epoch))
        if len(self._ended) >= _SENT_TOGETHER or size > LARGE or self._hub.is_listened:
            self._send_soon(0)
        elif self._timer is None:
            self._send_soon(_SEND_AFTER)

    def _send_soon(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if self._timer:
            self._timer.cancel()
        self._timer = loop.call_at(loop.time() + seconds, lambda: self._hub.run(self.flush()))

    async def flush(self) -> None:
        """Send what is over to Redis. What it can't take is lost, and the log says so."""
        async with self._sending:
            if self._timer:
                self._timer.cancel()
                self._timer = None
            # What is over by now: under load there is no end of what comes.
            ended, self._ended = self._ended, []
            for start in range(0, len(ended), _SENT_TOGETHER):
                batch = ended[start : start + _SENT_TOGETHER]
                try:
                    await self._send(batch)
                except StoreUnavailable as error:
                    log.warning("the journal lost %d requests: %s", len(batch), error.message)

    async def _send(self, batch: Iterable[tuple[OpenRequest, bytes]]) -> None:
        together: dict[tuple[RedisAppJournal, bytes], list[Any]] = {}
        for request, epoch in batch:
            app = _app_of(request)
            fields = request.fields()
            packed = pack_record(fields)
            number = int(fields[0][-8:], 16)
            together.setdefault((app, epoch), []).extend((number, request.operation_id or "", packed))
        for (app, epoch), records in together.items():
            gone = await self._client.call("record", app.keys, epoch, MAX_RECORDS, MAX_BYTES, *records)
            if gone:
                self.on_evicted(gone)
            if self._hub.is_listened:
                for packed in records[2::3]:
                    self._emit(app, packed)

    # What is read

    async def view(self, app: AppJournal | None = None) -> JournalView:
        is_all = app is None
        name = app.app_id if app else None
        rows = await self._under_way(name, is_all=is_all)
        names = await self._names() if app is None else [name]
        evicted: Counter[str] = Counter()
        for each in names:
            kept, state = await self._client.call("records", self._keys.of_journal(each))
            rows += kept[1::2]
            for field, count in fields_of(state).items():
                if field.startswith(_EVICTED):
                    evicted[field.removeprefix(_EVICTED)] += int(count)
        return RedisView(rows, evicted)

    async def find(self, record_id: str) -> RequestRecord | None:
        for packed in await self._under_way(None, is_all=True):
            record = unpack_record(packed)
            if record.id == record_id:
                return record
        number = record_id[-8:]
        for name in await self._names():
            if f"{self._prefix(name)}{number}" == record_id and _is_hex(number):
                kept = await self._client.field(self._keys.of_journal(name)[1], int(number, 16))
                return unpack_record(kept) if kept else None
        return None

    async def drop(self, app: AppJournal) -> None:
        await self._under_way(None, is_all=False)
        await self._client.call("drop_records", self._keys.of_journal(app.app_id))

    async def drop_all(self, apps: Iterable[AppJournal]) -> None:  # noqa: ARG002 - Redis knows them all
        await self._under_way(None, is_all=False)
        for name in await self._names():
            await self._client.call("drop_records", self._keys.of_journal(name))

    @asynccontextmanager
    async def watched_by(self, watcher: Callable[[str | None], None]) -> AsyncIterator[None]:
        def hear(kind: str, app_id: str | None, data: Any) -> None:  # noqa: ARG001 - the signature of a listener
            if kind in ("request", "step"):
                watcher(app_id)

        async with self._waiting.joined_by(watcher), self._hub.listening(hear):
            yield

    async def _names(self) -> Sequence[str | None]:
        return [name or None for name in await self._client.members(self._keys.journals)]

    async def _under_way(self, name: str | None, *, is_all: bool) -> list[bytes]:
        """Have all workers send what is over, and return the records of what is under way with them."""
        own = await self._answer(name, is_all)
        answers = await self._hub.ask("journal", name, is_all)
        return [text.encode() for answer in (own, *answers) for text in answer or ()]

    def _own_under_way(self, name: str | None, *, is_all: bool) -> Iterator[bytes]:
        for app in self._busy:
            if is_all or app.app_id == name:
                for request, epoch in app.open.items():
                    if epoch and not app.is_reset:
                        yield pack_record(request.fields())

    async def _answer(self, name: str | None, is_all: bool) -> list[str]:
        # First what is under way: what ends meanwhile is sent with the rest, so it is in one of the two.
        under_way = [packed.decode() for packed in self._own_under_way(name, is_all=is_all)]
        await self.flush()
        return under_way

    # Who listens

    def _emit(self, app: AppJournal, packed: bytes) -> None:
        self._hub.emit("request", app.app_id, Fragment(packed))

    def _set_listened(self, value: bool) -> None:
        self.watchers.callbacks[:] = [self._tell_step] if value else []

    def _tell_step(self, app_id: str | None) -> None:
        self._hub.emit("step", app_id)


class RedisView:
    """The records of one app, or of all, as they were when they were asked for, newest first."""

    def __init__(self, rows: Iterable[bytes], evicted: Mapping[str, int]) -> None:
        # One that was under way when it was asked for may be over now: the later one counts.
        self._rows = sorted({record_key(packed): packed for packed in rows}.items(), reverse=True)
        self._evicted = evicted

    def newest_first(self, *, after: str | None = None, operation_id: str | None = None) -> Iterator[RequestRecord]:
        start = 0
        if after is not None:
            start = next((place for place, (key, _) in enumerate(self._rows, 1) if key[1] == after), 0)
            if not start:
                raise LookupError(after)
        records = (unpack_record(packed) for _, packed in self._rows[start:])
        return (record for record in records if operation_id in (None, record.operation_id))

    def count_evicted(self, operation_id: str | None = None) -> int:
        return sum(count for name, count in self._evicted.items() if operation_id in (None, name))


def _app_of(request: OpenRequest) -> RedisAppJournal:
    assert isinstance(request.journal, RedisAppJournal)  # noqa: S101 - this journal makes no other
    return request.journal


def _is_hex(text: str) -> bool:
    return len(text) == 8 and set(text) <= set("0123456789abcdef")
