"""What the workers on one prefix tell and ask each other, and the live events that any of them listens to."""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from orjson import loads
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from sandbox.clock import monotonic
from sandbox.contract import encode
from sandbox.errors import StoreUnavailable
from sandbox.redis_store.client import RedisClient
from sandbox.redis_store.keys import Keys

log = logging.getLogger("sandbox")

# What answers a question of another worker; what it returns is JSON.
Handler = Callable[..., Awaitable[Any]]
# Is told of a live event: its kind, its app, its data as JSON.
Listener = Callable[[str, str | None, Any], None]

# What the tasks in the background are called.
TASK = "store"
# Seconds until the channels are subscribed again, for which a message is waited at once, and between two looks at
# whether somebody still listens.
_RECONNECT, _LISTENS, _LOOK_AGAIN = 1.0, 3_600.0, 1.0
# So many live events wait to be sent; where Redis is slow, the oldest go.
_MAX_OUTGOING = 10_000


class Hub:
    """One worker's end of the channels: `server` reaches all workers, `live` those that somebody listens at.

    `id` is the worker's own. `is_listened` says whether live events are worth sending; `on_listened` is told when that
    changes.
    """

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self.id = secrets.token_hex(8)
        self.is_listened = False
        self.on_listened: Callable[[bool], None] = lambda _: None
        self._client = client
        self._keys = keys
        self._handlers: dict[str, Handler] = {}
        self._listeners: list[Listener] = []
        self._task: asyncio.Task[None] | None = None
        self._subscribed: PubSub | None = None
        self._is_up, self._is_live = asyncio.Event(), asyncio.Event()
        self._questions = itertools.count(1)
        self._answers: dict[int, _Answers] = {}
        self._outgoing: deque[bytes] = deque(maxlen=_MAX_OUTGOING)
        self._background: set[asyncio.Task[Any]] = set()
        self._next_look = 0.0

    def handle(self, kind: str, handler: Handler) -> None:
        """Answer questions of a kind; what is told counts as a question that nobody waits for."""
        self._handlers[kind] = handler

    # Being there

    async def start(self) -> None:
        """Be reached by the others from now on; where that takes too long, go on without."""
        if self._is_up.is_set():
            return
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._stay(), name=TASK)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._client.timeout):
                await self._is_up.wait()

    def poll(self) -> None:
        """Begin to be there, once; look now and then whether anybody still listens."""
        if monotonic() >= self._next_look:
            self._next_look = monotonic() + _LOOK_AGAIN
            self.run(self._look())

    def stop(self) -> None:
        """Be there no more."""
        for task in (self._task, *self._background):
            if task:
                task.cancel()

    def run(self, work: Awaitable[Any]) -> None:
        """Do something in the background; where the store is in trouble, requests and the health say so."""
        task = asyncio.get_running_loop().create_task(_quietly(work), name=TASK)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _stay(self) -> None:
        while True:
            with suppress(RedisError, OSError, StoreUnavailable):
                async with self._client.subscription(self._keys.server, self._channel(self.id)) as subscribed:
                    self._subscribed = subscribed
                    if self._listeners:
                        await subscribed.subscribe(self._keys.live)
                    self._set_listened(await self._client.count_subscribers(self._keys.live) > 0)
                    while True:
                        message = await subscribed.get_message(timeout=_LISTENS)
                        if message:
                            self._receive(message)
            self._subscribed = None
            self._is_up.clear()
            await self._client.drop_idle()
            await asyncio.sleep(_RECONNECT)

    async def _look(self) -> None:
        await self.start()
        if self._subscribed and not self._listeners and self._is_live.is_set():
            self._is_live.clear()
            await self._subscribed.unsubscribe(self._keys.live)
        if self.is_listened:
            self._set_listened(await self._client.count_subscribers(self._keys.live) > 0)

    # Questions

    async def ask(self, kind: str, *arguments: Any, of: str | None = None) -> list[Any]:
        """Ask every other worker, or the one with the id `of`; return what those said that answered in time.

        Raises:
            StoreUnavailable: it can't be asked.
        """
        await self.start()
        number = next(self._questions)
        answers = self._answers[number] = _Answers()
        try:
            channel = self._channel(of) if of else self._keys.server
            count = await self._client.publish(channel, encode([kind, self.id, number, arguments]))
            # One's own question reaches oneself as well.
            answers.expect(count - (of is None and self._is_up.is_set()))
            with suppress(TimeoutError):
                async with asyncio.timeout(self._client.timeout):
                    await answers.are_complete.wait()
        finally:
            del self._answers[number]
        return answers.values

    def tell(self, kind: str, *arguments: Any) -> None:
        """Tell every other worker, soon."""
        message = encode([kind, self.id, None, arguments])
        self.run(self._client.publish(self._keys.server, message))

    def _receive(self, message: Mapping[str, Any]) -> None:
        channel = message["channel"].decode()
        if message["type"] == "subscribe":
            (self._is_live if channel == self._keys.live else self._is_up).set()
        elif message["type"] == "message" and channel == self._keys.live:
            kind, app_id, data = loads(message["data"])
            for listener in list(self._listeners):
                listener(kind, app_id, data)
        elif message["type"] == "message":
            kind, sender, number, arguments = loads(message["data"])
            if kind == "answer":
                if number in self._answers:
                    self._answers[number].add(*arguments)
            elif sender != self.id:
                self.run(self._answer(kind, sender, number, arguments))

    async def _answer(self, kind: str, sender: str, number: int | None, arguments: list[Any]) -> None:
        if kind == "listen":
            self._set_listened(True)
        said = await self._handlers[kind](*arguments) if kind in self._handlers else None
        if number is not None:
            await self._client.publish(self._channel(sender), encode(["answer", self.id, number, [said]]))

    def _channel(self, worker: str) -> str:
        return f"{self._keys.server}:{worker}"

    # Live events

    @asynccontextmanager
    async def listening(self, listener: Listener) -> AsyncIterator[None]:
        """Tell `listener` of the live events of all workers, as long as this lasts."""
        await self.listen(listener)
        try:
            yield
        finally:
            self.unlisten(listener)

    async def listen(self, listener: Listener) -> None:
        """Tell `listener` of the live events of all workers from now on."""
        self._listeners.append(listener)
        await self.start()
        if self._subscribed and not self._is_live.is_set():
            # By a task of its own: redis-py may swallow the end of the one that waits.
            self.run(self._subscribed.subscribe(self._keys.live))
            with suppress(TimeoutError):
                async with asyncio.timeout(self._client.timeout):
                    await self._is_live.wait()
        self._set_listened(True)
        await self.ask("listen")

    def unlisten(self, listener: Listener) -> None:
        """Tell it no more."""
        with suppress(ValueError):
            self._listeners.remove(listener)

    def emit(self, kind: str, app_id: str | None, data: Any = None) -> None:
        """Send a live event to whoever listens, in the order in which they are emitted."""
        if not self.is_listened:
            return
        self._outgoing.append(encode([kind, app_id, data]))
        if len(self._outgoing) == 1:
            self.run(self._send_outgoing())

    async def _send_outgoing(self) -> None:
        while self._outgoing:
            await self._client.publish(self._keys.live, self._outgoing[0])
            self._outgoing.popleft()

    def _set_listened(self, value: bool) -> None:
        if value != self.is_listened:
            self.is_listened = value
            self.on_listened(value)


class _Answers:
    """What comes back to a question."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.are_complete = asyncio.Event()
        self._expected: int | None = None
        self._count = 0

    def expect(self, count: int) -> None:
        """Note how many will answer."""
        self._expected = count
        self._check()

    def add(self, value: Any) -> None:
        """Note an answer."""
        self.values.append(value)
        self._count += 1
        self._check()

    def _check(self) -> None:
        if self._expected is not None and self._count >= self._expected:
            self.are_complete.set()


async def _quietly(work: Awaitable[Any]) -> None:
    with suppress(StoreUnavailable, RedisError, OSError):
        await work
